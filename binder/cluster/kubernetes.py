"""Kubernetes as the controller sees it: what changed, what to write, what to ask it itself."""

from __future__ import annotations

import logging
from collections.abc import Callable

from binder.cluster.api import Api, Failed
from binder.cluster.events import Events
from binder.cluster.informer import Informers
from binder.cluster.live import Live, live
from binder.cluster.status import Outcome, Statuses
from binder.core.actions import SetAddresses, SetGate, Tell
from binder.core.objects import Changes, Condition
from schemas.contract import READINESS_GATE

log = logging.getLogger(__name__)


class Kubernetes:
    """Writes that fail are logged and answered with False: whoever wanted them wants them again.

    `fence` is asked before each write: only a leader writes.
    """

    def __init__(
        self,
        api: Api,
        informers: Informers,
        events: Events,
        fence: Callable[[], bool],
        gate: str = READINESS_GATE,
    ) -> None:
        self._api, self._informers, self._events, self._fence = api, informers, events, fence
        self._statuses, self._gate = Statuses(api, gate=gate), gate

    def changes(self) -> Changes:
        return self._informers.changes()

    def set_gate(self, write: SetGate, before: Condition | None) -> bool:
        """Whether the Pod says so now, or is not there to say anything."""
        return self._done(f"gate of {write.pod}", lambda: self._statuses.set_gate(write, before))

    def set_addresses(self, write: SetAddresses) -> bool:
        return self._done(str(write.owner), lambda: self._statuses.set_addresses(write))

    def tell(self, tell: Tell) -> None:
        self._events.tell(tell)

    def live(self, namespace: str) -> Live:
        """What the API server has, in `namespace` or everywhere; Failed when it does not say."""
        return live(self._api, namespace, self._gate)

    def _done(self, what: str, write: Callable[[], Outcome]) -> bool:
        if not self._fence():
            return False
        try:
            outcome = write()
        except Failed as error:
            log.warning("status of %s not written: %s", what, error)
            return False
        # In conflict, the watch brings what has changed, and it is decided again.
        return outcome is not Outcome.CONFLICT
