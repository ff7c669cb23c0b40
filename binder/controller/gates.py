"""The work on the readiness gate of one Pod."""

from __future__ import annotations

import logging
from typing import NamedTuple

from binder.controller.balancers import Clocks
from binder.controller.ports import Cluster, Lease
from binder.controller.state import State
from binder.core import gate
from binder.core.actions import SetGate
from binder.core.bindings import Binding
from binder.core.gate import Look, Standing, Verdict, verdict
from binder.core.objects import Pod

LOG = logging.getLogger("binder.gates")


class Next(NamedTuple):
    """What a look leaves to be done."""

    after: float | None = None  # seconds
    confirm: str | None = None  # a namespace to ask the API server about
    opened: float | None = None  # seconds from containers ready to gate open
    reason: str = ""


class Gates:
    """Looks at one Pod at a time."""

    def __init__(
        self, state: State, cluster: Cluster, lease: Lease, clocks: Clocks, *, writes: bool = True
    ) -> None:
        self._state, self._cluster, self._lease = state, cluster, lease
        self._clocks, self._writes = clocks, writes
        self._said: dict[str, tuple[float, SetGate]] = {}

    def look(self, uid: str) -> Next:
        """Write the condition of the Pod with this uid, if it has to say something else."""
        now, settings = self._clocks.now(), self._state.settings
        with self._state.lock:
            pod = self._state.view.pods.get(uid)
            if pod is None:
                self._said.pop(uid, None)
                return Next()
            found = verdict(pod, self._what(pod, now), now, settings)
            ready_since = self._state.ready_since.get(uid)
        again = None if found.again is None else max(found.again - now, 0.0)
        confirm = pod.namespace if found.confirm else None
        opened = None
        if found.write is not None and not self._writes:
            self._would_say(uid, found.write, now)
        elif found.write is not None and (wait := self._said_just_now(uid, found, now)):
            again = wait if again is None else min(again, wait)  # somebody may have undone it
        elif found.write is not None:
            if not self._cluster.set_gate(found.write, pod.condition):
                return Next(settings.retry_first, confirm)
            self._said[uid] = now, found.write
            self._forget(now)
            self._tell(found)
            if found.write.status == "True":
                opened = None if ready_since is None else now - ready_since
                LOG.info("gate open", extra={"pod": str(pod.key), "reason": found.write.reason})
        elif self._writes and found.write is None:
            self._tell(found)
        return Next(again, confirm, opened, found.write.reason if found.write else "")

    def _tell(self, found: Verdict) -> None:
        for tell in found.tells:
            self._cluster.tell(tell)

    def _forget(self, now: float) -> None:
        """Drop what was said so long ago that it decides nothing: most Pods do not come again."""
        keep = max(self._state.settings.retry_most, self._state.settings.say_again)
        for uid, (at, _) in list(self._said.items()):
            if now - at > keep:
                self._said.pop(uid, None)

    def _would_say(self, uid: str, write: SetGate, now: float) -> None:
        before = self._said.get(uid)
        if before is None or before[1][:5] != write[:5]:
            fields = {"pod": str(write.pod), "status": write.status, "reason": write.reason}
            LOG.info("gate would say", extra={**fields, "text": write.message})
        self._said[uid] = now, write

    def _said_just_now(self, uid: str, found: Verdict, now: float) -> float:
        """For how long the watch may still bring back that the same was written; 0: not at all."""
        at, write = self._said.get(uid, (0.0, None))
        same = write is not None and found.write is not None and write[:5] == found.write[:5]
        return max(at + self._state.settings.retry_most - now, 0.0) if same else 0.0

    def _what(self, pod: Pod, now: float) -> Look:
        """Call with the lock held."""
        state, settings = self._state, self._state.settings
        changes = self._cluster.changes()
        trusted = changes.synced and now - changes.seen_at <= settings.stale and self._lease.held()
        bindings = [one for one in state.view.bindings_of(pod) if one.gating]
        standings = [(one, self._standing(pod, one)) for one in bindings]
        said = self._said.get(pod.uid)
        open_at = state.open_at.get(pod.uid)
        return Look(
            standings,
            state.ready_since.get(pod.uid),
            state.confirmed_services.get(pod.namespace),
            trusted,
            open_at is not None and open_at != pod.ip,
            tuple(state.view.lost[one.owner] for one in bindings if one.owner in state.view.lost),
            None if said is None else said[0],
            state.view.elsewhere(pod),
        )

    def _standing(self, pod: Pod, binding: Binding) -> Standing:
        if not binding.lb:
            return Standing(gate.NOT_PROVISIONED, f"{binding.owner} names no load balancer")
        one = self._state.balancers.get(binding.lb)
        found = one and one.plan.standings.get((pod.uid, binding.owner, binding.frontend))
        return found or Standing(gate.WAITING, "not read yet")
