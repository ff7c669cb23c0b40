"""A client of Pods, as plain as a load balancer is."""

from __future__ import annotations

import http.client
import json
from typing import Any

from tests.controlplane.manifests import PORT

SECONDS = 5.0


def get(address: str, path: str = "/", seconds: float = SECONDS) -> tuple[int, dict[str, Any]]:
    """Status and body; an OSError where nobody answers."""
    connection = http.client.HTTPConnection(address, PORT, timeout=seconds)
    try:
        connection.request("GET", path)
        answer = connection.getresponse()
        return answer.status, json.loads(answer.read())
    finally:
        connection.close()


def serves(address: str) -> bool:
    try:
        return get(address)[0] == 200
    except OSError:
        return False
