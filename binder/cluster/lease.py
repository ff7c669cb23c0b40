"""Which of several binders acts: a Lease of the API server, as client-go's leaderelection does it.

Two rules keep two from acting at once, however clocks of machines differ.  A holder counts from
before its last renewal that succeeded, and stops acting after `renew` seconds; all others count
from after they have seen that renewal, and wait `lease` seconds, which is more.
"""

from __future__ import annotations

import logging
import math
import random
import re
import threading
import time
from collections.abc import Callable, Iterable
from typing import Any

from binder.cluster.api import CONFLICT, NOT_FOUND, Api, Failed, Json, Refused
from binder.cluster.status import stamp
from binder.settings import Settings
from schemas.contract import LEASE_NOTE

log = logging.getLogger(__name__)
_ID = re.compile(r"lb-[0-9a-z]+")


class Lease:
    """A candidate; `identity` is this process's alone, for instance its Pod and a random part."""

    def __init__(
        self,
        api: Api,
        namespace: str,
        name: str,
        identity: str,
        settings: Settings,
        *,
        clock: Callable[[], float] = time.monotonic,
        wall: Callable[[], float] = time.time,
        jitter: Callable[[], float] = random.random,
    ) -> None:
        self._api, self._identity, self._settings = api, identity, settings
        self._clock, self._wall, self._jitter = clock, wall, jitter
        self._collection = f"/apis/coordination.k8s.io/v1/namespaces/{namespace}/leases"
        self._place = namespace, name
        # Half of what lies between the end of acting and that of the lease.
        self._timeout = (settings.lease - settings.renew) / 2
        self._until = -math.inf  # when it has to stop acting
        self._since: float | None = None
        self._term = threading.local()
        self._retired = False
        self._note: str | None = None  # None: that of whoever had it before stays
        self._found: Json | None = None  # the object as last seen
        self._found_at = -math.inf  # when it was first seen so

    def valid(self, now: float) -> bool:
        """Whether we may act at `now`, of our monotonic clock: ask before each single write."""
        return now < self._until

    def held(self) -> bool:
        return self.valid(self._clock())

    def enter(self) -> bool:
        """Begin a piece of work in this thread, if we hold it."""
        self._term.since = self.since
        return self._term.since is not None

    def may_write(self) -> bool:
        """Whether we hold it, and have since this thread's work began.

        What was decided before a lapse may not suit what another one has done since.
        """
        same = getattr(self._term, "since", self._since) == self._since
        return self.held() and same and not self._retired

    def retire(self) -> None:
        """Keep it, and write nothing more: soon it is given back."""
        self._retired = True

    @property
    def since(self) -> float | None:
        """When we took over, by our clock, without a lapse since then; None: we do not hold it."""
        return self._since if self.held() else None

    @property
    def holder(self) -> str:
        """Who holds it, as far as is known; "" for nobody."""
        return str(_spec(self._found).get("holderIdentity") or "")

    def run(self, stop: threading.Event) -> None:
        """Get and keep it until `stop`, then give it up.

        Who acts under the lease must have ended when `stop` is set: the next one starts at once.
        """
        while not stop.is_set():
            self.step()
            stop.wait(self._pause())
        self.release()

    def _pause(self) -> float:
        """Until the next attempt: no longer than until the one who holds it has lost it."""
        pause = self._settings.retry_lease * (1 + 0.2 * self._jitter())
        if self.held() or self._found is None:
            return pause
        left = self._found_at + _duration(self._found, self._settings.lease) - self._clock()
        return min(pause, left + 0.01) if left > 0 else pause

    def inherited(self) -> list[str]:
        """The load balancers that the last holder said it works on."""
        meta = (self._found or {}).get("metadata")
        notes = meta.get("annotations") if isinstance(meta, dict) else None
        note = notes.get(LEASE_NOTE) if isinstance(notes, dict) else None
        return [lb for lb in str(note or "").split(",") if _ID.fullmatch(lb)]

    def leave_behind(self, lbs: Iterable[str]) -> None:
        """Say so with the next renewal, for whoever holds it after us."""
        self._note = ",".join(sorted(lbs))

    def step(self) -> None:
        """One attempt to get or to keep it."""
        held = self.held()
        try:
            self._attempt_twice()
        except Failed as error:
            log.warning("lease: %s", error)
        if held != self.held():
            log.info("lease: %s", "taken over" if self.held() else f"lost to {self.holder!r}")

    def release(self) -> None:
        """Stop acting, and let the next one start at once; if that fails it waits a while."""
        ours = self.held() or self.holder == self._identity
        self._until, self._since = -math.inf, None
        if not ours or self._found is None:
            return
        freed = {**_spec(self._found), "holderIdentity": "", "leaseDurationSeconds": 1}
        try:
            self._put({**self._found, "spec": {**freed, "renewTime": self._now()}})
        except Failed as error:
            log.warning("lease: not released: %s", error)

    def _attempt_twice(self) -> None:
        """Again after a conflict: a write of ours that timed out may have been done anyway."""
        try:
            self._attempt()
        except Refused as error:
            if error.status not in (CONFLICT, NOT_FOUND):
                raise
            self._found = None
            self._attempt()

    def _attempt(self) -> None:
        # Who holds it need not look: a change by somebody else makes the write a conflict.
        if not (self.held() and self._found):
            self._look()
        now = self._clock()
        if self._found is None:
            self._acquired(now, self._create())
        elif self._free(self._found, now):
            self._acquired(now, self._put(self._wanted(self._found)))

    def _free(self, found: Json, now: float) -> bool:
        """It is ours or nobody's, or its holder has not renewed it in time."""
        if self.holder in ("", self._identity):
            return True
        return now > self._found_at + _duration(found, self._settings.lease)

    def _look(self) -> None:
        try:
            found: Json | None = self._call("GET", f"{self._collection}/{self._place[1]}")
        except Refused as error:
            if error.status != NOT_FOUND:
                raise
            found = None
        if _version(found) != _version(self._found):
            self._found_at = self._clock()
        self._found = found

    def _acquired(self, began: float, found: Json) -> None:
        """Count from before the write, for it was done at some time after."""
        if not self.held():  # not even for the time that the write took
            self._since = self._clock()
        self._found, self._found_at = found, began
        self._until = began + self._settings.renew

    def _create(self) -> Json:
        namespace, name = self._place
        lease: Json = {
            "apiVersion": "coordination.k8s.io/v1",
            "kind": "Lease",
            "metadata": {"name": name, "namespace": namespace},
        }
        return self._call("POST", self._collection, self._wanted(lease))

    def _put(self, lease: Json) -> Json:
        """Compare and swap: its resourceVersion stands in it."""
        return self._call("PUT", f"{self._collection}/{self._place[1]}", lease)

    def _wanted(self, lease: Json) -> Json:
        """`lease`, ours and renewed."""
        spec = dict(_spec(lease))
        if spec.get("holderIdentity") != self._identity:
            transitions = spec.get("leaseTransitions")
            known = transitions if isinstance(transitions, int) else -1
            spec.update(acquireTime=self._now(), leaseTransitions=known + 1)
            self._note = None  # what we said when we led before is old
        seconds = math.ceil(self._settings.lease)
        spec.update(
            holderIdentity=self._identity, leaseDurationSeconds=seconds, renewTime=self._now()
        )
        if self._note is None:
            return {**lease, "spec": spec}
        meta = lease["metadata"]
        notes = {**(meta.get("annotations") or {}), LEASE_NOTE: self._note}
        return {**lease, "metadata": {**meta, "annotations": notes}, "spec": spec}

    def _call(self, method: str, path: str, body: Json | None = None) -> Json:
        return self._api.call(method, path, body=body, timeout=self._timeout)

    def _now(self) -> str:
        return stamp(self._wall(), "microseconds")


def _spec(lease: Json | None) -> dict[str, Any]:
    spec = (lease or {}).get("spec")
    return spec if isinstance(spec, dict) else {}


def _version(lease: Json | None) -> object:
    meta = (lease or {}).get("metadata")
    return meta.get("resourceVersion") if isinstance(meta, dict) else None


def _duration(lease: Json, default: float) -> float:
    """How long it lasts: what its holder wrote, but never less than we would."""
    seconds = _spec(lease).get("leaseDurationSeconds")
    return max(float(seconds), default) if isinstance(seconds, int) else default
