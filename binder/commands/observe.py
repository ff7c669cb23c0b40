"""``tke-direct-binder observe``: the log says for ever what ``run`` would do. Writes nothing."""

from __future__ import annotations

import logging
import signal
import threading
from collections.abc import Callable
from typing import Any

from binder.commands.assembly import Parts, controller, given
from binder.commands.run import operate
from binder.commands.trouble import NOTHING, told
from binder.commands.words import step, where, words
from binder.controller.state import Balancer, State
from binder.core.actions import Action
from binder.core.clb import Key
from binder.core.plan import Plan
from binder.operations import logs
from binder.operations.health import Heart
from binder.operations.metrics import Metrics
from binder.operations.watcher import Operator

LOG = logging.getLogger("binder.observe")


class Changes(Operator):
    """A watcher that logs what comes into a plan and what leaves it."""

    def __init__(self, metrics: Metrics, heart: Heart, clock: Callable[[], float]) -> None:
        super().__init__(metrics, heart, clock)
        self._seen: dict[str, tuple[Plan, frozenset[Action]]] = {}

    def planned(self, state: State) -> None:
        super().planned(state)
        with state.lock:
            found = dict(state.balancers)
        for lb in self._seen.keys() - found.keys():
            del self._seen[lb]
        for lb, one in found.items():
            self._compare(lb, one)

    def _compare(self, lb: str, one: Balancer) -> None:
        made = one.plan
        before, was = self._seen.get(lb, (None, frozenset[Action]()))
        if made is before:
            return
        now = wanted(made)
        for text, actions in (("would", now - was), ("no longer would", was - now)):
            for action in sorted(actions, key=lambda each: (step(each)[0], str(each))):
                LOG.info(text, extra={"lb": lb, **_fields(action, one)})
        self._seen[lb] = made, now


def wanted(made: Plan) -> frozenset[Action]:
    """What a plan wants: its actions, and those that wait until their effect might show."""
    return frozenset(made.actions) | frozenset(made.memory.ledger.retries)


def _fields(action: Action, one: Balancer) -> dict[str, object]:
    key = getattr(action, "key", None)
    target = {"target": f"{key.ip}:{key.port}"} if isinstance(key, Key) else {}
    return {"do": words(action), "where": where(action, one.reading), **target}


def observe(*, metrics_port: int, log_format: str | None, log_level: str, **options: Any) -> int:
    """Look until SIGTERM or SIGINT; Trouble when there is no way to the cluster."""
    place, settings = given(options)
    redactor = logs.set_up(log_format, log_level)
    metrics = Metrics()
    with told():
        parts = Parts(place, settings, metrics, leads=False)
    heart = Heart(parts.clocks.now)
    watcher = Changes(metrics, heart, parts.clocks.now)
    made, informers = controller(parts, settings, watcher, writes=False)
    parts.keep_secret(redactor.hide)
    operations = operate(parts, informers, watcher, metrics, heart, settings, metrics_port)
    over = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: over.set())
    LOG.info("looking, nothing is written", extra={"metrics_port": operations.start()})
    parts.spawn("credentials", parts.credentials.keep)
    informers.start()
    made.start()
    over.wait()
    made.stop()
    informers.stop()
    parts.close()
    operations.stop()
    return NOTHING
