"""Writing statuses: the condition of our gate, and the addresses of Services and Ingresses.

Patches of one field each, so that nothing else in a status is touched.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import datetime, timezone
from enum import Enum
from ipaddress import ip_address
from typing import Any

from binder.cluster.api import (
    CONFLICT,
    INVALID,
    MERGE,
    NOT_FOUND,
    STRATEGIC,
    Api,
    Json,
    Refused,
)
from binder.cluster.project import INGRESSES, PODS, SERVICES, Resource
from binder.core.actions import SetAddresses, SetGate
from binder.core.objects import Condition
from schemas.contract import READINESS_GATE

_OWNERS: dict[str, Resource[Any]] = {"Service": SERVICES, "Ingress": INGRESSES}


class Outcome(Enum):
    """What became of a write."""

    DONE = "done"
    GONE = "gone"  # no object of that name
    CONFLICT = "conflict"  # another object of that name, or a newer version of it


class Statuses:
    """Writes statuses; a call that fails otherwise than by an Outcome raises Failed.

    `wall` is the time of day in seconds since the epoch, for transition times only; `gate` is the
    type of our condition.
    """

    def __init__(
        self, api: Api, wall: Callable[[], float] = time.time, gate: str = READINESS_GATE
    ) -> None:
        self._api, self._wall, self._gate = api, wall, gate

    def set_gate(self, action: SetGate, before: Condition | None) -> Outcome:
        """Write the condition; `before` is the one that is there, as far as is known.

        Its transition time changes with its status only ("API Conventions", "Typical status
        properties"), so where the status stays the time is left out, and the old one stays.
        """
        condition: Json = {
            "type": self._gate,
            "status": action.status,
            "reason": action.reason,
            "message": action.message,
            "lastProbeTime": None,
        }
        if before is None or before.status != action.status:
            condition["lastTransitionTime"] = stamp(self._wall())
        meta = {"uid": action.uid}
        if action.resource_version:
            meta["resourceVersion"] = action.resource_version
        path = PODS.path(action.pod.namespace, action.pod.name, "status")
        # Strategic: the list of conditions is merged by their types.
        return self._patch(path, meta, {"conditions": [condition]}, STRATEGIC)

    def set_addresses(self, action: SetAddresses) -> Outcome:
        """Write ``status.loadBalancer``, all of it."""
        owner = action.owner
        path = _OWNERS[owner.kind].path(owner.namespace, owner.name, "status")
        addresses = [{_field(address): address} for address in action.addresses]
        # ipMode is left to the API server: with ours, those before 1.29 would know no such field.
        status = {"loadBalancer": {"ingress": addresses or None}}
        return self._patch(path, {"uid": owner.uid}, status, MERGE)

    def _patch(self, path: str, meta: dict[str, str], status: Json, media: str) -> Outcome:
        try:
            self._api.call("PATCH", path, body={"metadata": meta, "status": status}, media=media)
        except Refused as error:
            if error.status == NOT_FOUND:
                return Outcome.GONE
            # A uid that differs counts as a change of a field that cannot change, hence as invalid.
            if error.status == CONFLICT or (
                error.status == INVALID and "metadata.uid" in error.said
            ):
                return Outcome.CONFLICT
            raise
        return Outcome.DONE


def stamp(seconds: float, timespec: str = "seconds") -> str:
    """A time of the API: RFC 3339 in UTC."""
    text = datetime.fromtimestamp(seconds, timezone.utc).isoformat(timespec=timespec)
    return text.replace("+00:00", "Z")


def _field(address: str) -> str:
    try:
        ip_address(address)
    except ValueError:
        return "hostname"
    return "ip"
