"""Readiness probes as the kubelet makes them: real connections, thresholds, time-outs."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Callable
from typing import Any

Spec = dict[str, Any]


async def watch_readiness(
    probe: Spec, address: str, ports: dict[str, int], changed: Callable[[bool], None]
) -> None:
    """Probe for ever; say each change of mind.  A container begins as not ready."""
    ready, streak = False, 0
    thresholds = {True: probe.get("successThreshold", 1), False: probe.get("failureThreshold", 3)}
    await asyncio.sleep(probe.get("initialDelaySeconds", 0))
    for _ in itertools.count():
        result = await succeeds(probe, address, ports)
        streak = streak + 1 if result != ready else 0
        if streak >= thresholds[result] and result != ready:
            ready, streak = result, 0
            changed(ready)
        await asyncio.sleep(probe.get("periodSeconds", 10))


async def succeeds(probe: Spec, address: str, ports: dict[str, int]) -> bool:
    """Make one probe.  There is nothing here that could run a command, so `exec` succeeds."""
    if "httpGet" in probe:
        attempt = _get(probe["httpGet"], address, ports)
    elif "tcpSocket" in probe:
        attempt = _connect(probe["tcpSocket"], address, ports)
    else:
        return True
    try:
        return await asyncio.wait_for(attempt, probe.get("timeoutSeconds", 1))
    except (OSError, ValueError, asyncio.TimeoutError, asyncio.IncompleteReadError):
        return False


def port_number(port: int | str, ports: dict[str, int]) -> int:
    """A port's number, which may stand there by the name that the container gave it."""
    return ports[port] if port in ports else int(port)


async def _get(spec: Spec, address: str, ports: dict[str, int]) -> bool:
    host, port = spec.get("host", address), port_number(spec["port"], ports)
    reader, writer = await asyncio.open_connection(host, port)
    try:
        writer.write(
            f"GET {spec.get('path', '/')} HTTP/1.1\r\nHost: {host}:{port}\r\n"
            "User-Agent: kube-probe/1.0\r\nConnection: close\r\n\r\n".encode()
        )
        status = (await reader.readline()).split()[1:2]
        return bool(status) and 200 <= int(status[0]) < 400
    finally:
        writer.transport.abort()


async def _connect(spec: Spec, address: str, ports: dict[str, int]) -> bool:
    _, writer = await asyncio.open_connection(
        spec.get("host", address), port_number(spec["port"], ports)
    )
    writer.transport.abort()
    return True
