"""The work on one load balancer: read what is needed, plan, write, read again."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import NamedTuple

from binder.cloud.codes import NOT_TRIED, CloudError, Kind
from binder.controller.ports import Cloud, Cluster, Lease, Outcome
from binder.controller.state import Balancer, Held, State
from binder.core.actions import (
    Action,
    CreateListener,
    CreateRule,
    DeleteListener,
    DeleteRule,
    Modify,
    Register,
    Tell,
)
from binder.core.objects import Owner
from binder.core.plan import Context, Plan, book, plan
from binder.settings import Settings

LOG = logging.getLogger("binder.balancers")
_LISTENERS = (CreateListener, CreateRule, Modify, DeleteListener, DeleteRule)


class Clocks(NamedTuple):
    """Our monotonic clock, and the wall clock that deletion deadlines are told in."""

    now: Callable[[], float]
    wall: Callable[[], float]


class Next(NamedTuple):
    """What a round leaves to be done: when to come again, whose gates to look at.

    `error`: what could not be read just now, if so; `refused`: the code of a write that failed.
    """

    after: float | None  # seconds; None: when something changes, or the audit is due
    gates: frozenset[str] = frozenset()  # uids of Pods
    confirm: frozenset[str] = frozenset()  # namespaces
    plan: Plan = Plan()  # a value
    error: CloudError | None = None
    refused: str = ""


class _Thought(NamedTuple):
    """What becomes of an action where nothing is written."""

    action: Action
    error: CloudError | None


class Balancers:
    """Rounds of work; one round per load balancer at a time."""

    def __init__(
        self,
        state: State,
        cloud: Cloud,
        cluster: Cluster,
        lease: Lease,
        clocks: Clocks,
        *,
        writes: bool = True,
    ) -> None:
        self._state, self._cloud, self._cluster = state, cloud, cluster
        self._lease, self._clocks, self._writes = lease, clocks, writes

    def round(self, lb: str) -> Next:
        """Bring `lb` nearer to what it should be, as far as it can be read.

        Where it cannot be read now, drains are decided by what was read before: a Pod that ends
        does not wait for CLB's API.
        """
        with self._state.lock:
            one = self._state.balancer(lb)
        error = self._try_to_read(one)
        now = self._clocks.now()
        blind = now < one.read_after
        if blind and one.reading.targets_at is None:
            if error is not None and error.kind is Kind.WRONG and not self._wanted(lb):
                with self._state.lock:
                    self._state.balancers.pop(lb, None)  # its id can be that of none
                return Next(None, error=error)
            return Next(one.read_after - now, error=error)
        made = self._plan(one)
        one.targets_dirty |= made.reread
        wanted = made.drained if blind else made.next
        actions = [action for action in wanted if not self._is_held(one, action, now)]
        wrote = bool(actions) and self._writes
        refused = self._write(one, actions) if wrote else ""
        if not self._writes:
            self._book(one, [_Thought(action, None) for action in actions])
        self._report(made)
        due = self._due(one, made, wrote, blind)
        if made.settled and not blind and not wrote and not self._wanted(lb):
            with self._state.lock:
                self._state.balancers.pop(lb, None)
            due = []
        return Next(
            max(min(due), 0.0) if due else None,
            frozenset(uid for uid, _, _ in made.standings),
            made.confirm,
            made,
            error,
            refused,
        )

    def _due(self, one: Balancer, made: Plan, wrote: bool, blind: bool) -> list[float]:
        """When to come again, in seconds; the soonest counts."""
        settings, now = self._state.settings, self._clocks.now()
        due = [] if made.again is None else [made.again - now]
        if wrote:
            due.append(0.0)
        due += [one.held[action].until - now for action in made.actions if action in one.held]
        if one.reading.listeners_at is None or made.memory.missing:
            due.append(settings.poll_most)
        if blind:
            # What waits for a reading asks for it at once, again and again.
            due = [max(seconds, settings.poll_first) for seconds in due]
            due.append(one.read_after - now)
        return due

    def _wanted(self, lb: str) -> bool:
        with self._state.lock:
            return bool(self._state.view.bindings_on(lb))

    # --- reading

    def _try_to_read(self, one: Balancer) -> CloudError | None:
        """What went wrong just now; after a failure it is tried again later and later."""
        settings, now = self._state.settings, self._clocks.now()
        if now < one.read_after:
            return None
        try:
            self._read(one)
        except CloudError as error:
            one.failures += 1
            pause = settings.retry_first * 2 ** min(one.failures - 1, 10)
            one.read_after = self._clocks.now() + min(pause, settings.retry_most)
            return error
        one.failures, one.read_after = 0, 0.0
        return None

    def _read(self, one: Balancer) -> None:
        lb, settings, now = one.reading.id, self._state.settings, self._clocks.now()
        looked = one.reading.listeners_at
        missing = bool(one.memory.missing) and (
            looked is None or now - looked >= settings.poll_most
        )
        absent = one.reading.absent is not None
        look = one.listeners_dirty or missing or absent or _old(looked, now, settings)
        if look and not self._read_listeners(one):
            return
        if one.targets_dirty or _old(one.reading.targets_at, now, settings):
            with _marked(one, "targets_dirty"):
                read = self._cloud.targets(lb)
            self._note(one, targets=read.value, targets_at=read.started)

    def _read_listeners(self, one: Balancer) -> bool:
        """Whether the load balancer is there."""
        lb = one.reading.id
        found = self._cloud.load_balancers([lb])
        if lb not in found.value:
            first = one.reading.absent[0] if one.reading.absent else found.started
            self._note(one, absent=(first, found.started))
            one.listeners_dirty = one.targets_dirty = True
            return False
        with _marked(one, "listeners_dirty"):
            read = self._cloud.listeners(lb)
        self._note(
            one,
            absent=None,
            addresses=found.value[lb],
            listeners=read.value,
            listeners_at=read.started,
        )
        return True

    def _note(self, one: Balancer, **fields: object) -> None:
        with self._state.lock:
            one.reading = one.reading._replace(**fields)  # type: ignore[arg-type]

    # --- planning

    def _plan(self, one: Balancer) -> Plan:
        state = self._state
        with state.lock:
            made = plan(state.view, one.reading, one.memory, self._context(), state.settings)
            if set(made.standings) - set(one.plan.standings):
                one.pending_since = self._clocks.now()
            one.memory, one.plan = made.memory, made
        return made

    def _context(self) -> Context:
        return Context(
            self._clocks.now(),
            self._clocks.wall(),
            self._cluster.changes(),
            self._lease.since if self._lease.held() else None,
            dict(self._state.confirmed_all),
        )

    def _report(self, made: Plan) -> None:
        if not self._writes:
            return
        for tell in made.tells:
            self._cluster.tell(tell)
        for write in made.addresses:
            self._cluster.set_addresses(write)

    # --- writing

    def _is_held(self, one: Balancer, action: Action, now: float) -> bool:
        held = one.held.get(action)
        return held is not None and now < held.until

    def _write(self, one: Balancer, actions: Sequence[Action]) -> str:
        """Carry `actions` out; the code of one that failed."""
        lb = one.reading.id
        outcomes = self._cloud.perform(lb, actions)
        outcomes = [one for one in outcomes if not _is_untried(one)]
        self._book(one, outcomes)
        one.targets_dirty = True
        one.listeners_dirty |= any(isinstance(action, _LISTENERS) for action in actions)
        self._hold(one, outcomes)
        failed = [outcome for outcome in outcomes if outcome.error is not None]
        done = len(outcomes) - len(failed)
        LOG.info("wrote", extra={"lb": lb, "done": done, "failed": len(failed)})
        if failed:
            self._failed(one, failed)
        return next((outcome.error.code for outcome in failed if outcome.error), "")

    def _book(self, one: Balancer, outcomes: Sequence[Outcome]) -> None:
        sent = [outcome.action for outcome in outcomes]
        failed = {outcome.action for outcome in outcomes if outcome.error is not None}
        now, settings = self._clocks.now(), self._state.settings
        with self._state.lock:
            one.memory = book(one.memory, sent, failed, now, settings)

    def _hold(self, one: Balancer, outcomes: Sequence[Outcome]) -> None:
        """Changes of listeners that failed are tried again later and later; for targets, plans do.

        What was modified is not sent again at once, even if CLB does not show it.
        """
        settings, now = self._state.settings, self._clocks.now()
        before, one.held = one.held, {}
        for action, held in before.items():
            if now < held.until + settings.retry_most:
                one.held[action] = held
        for outcome in outcomes:
            if not isinstance(outcome.action, _LISTENERS):
                continue
            tries = one.held.pop(outcome.action, Held(0, now)).tries
            if outcome.error is not None:
                pause = min(settings.retry_first * 2 ** min(tries, 10), settings.retry_most)
                one.held[outcome.action] = Held(tries + 1, now + pause)
            elif isinstance(outcome.action, Modify):
                one.held[outcome.action] = Held(0, now + settings.audit)

    def _failed(self, one: Balancer, failed: Sequence[Outcome]) -> None:
        lb, settings = one.reading.id, self._state.settings
        kinds = {outcome.error.kind for outcome in failed if outcome.error}
        if Kind.CHANGED in kinds:
            one.listeners_dirty = True
        full = any(
            isinstance(outcome.action, Register)
            and outcome.error
            and outcome.error.kind is Kind.FULL
            for outcome in failed
        )
        if full:
            with self._state.lock:
                until = self._clocks.now() + 2 * settings.drain
                one.memory = one.memory._replace(full_until=until)
        for code, message in dict.fromkeys(
            (outcome.error.code, outcome.error.message) for outcome in failed if outcome.error
        ):
            LOG.warning("CLB refused", extra={"lb": lb, "code": code, "reason": message})
            for owner in self._owners(lb):
                self._cluster.tell(
                    Tell(owner, "Warning", "LoadBalancerSyncFailed", f"{lb}: {code}: {message}")
                )

    def _owners(self, lb: str) -> list[Owner]:
        with self._state.lock:
            return list(dict.fromkeys(one.owner for one in self._state.view.bindings_on(lb)))


def _is_untried(outcome: Outcome) -> bool:
    return outcome.error is not None and outcome.error.code == NOT_TRIED


@contextmanager
def _marked(one: Balancer, mark: str) -> Iterator[None]:
    """Take a mark away for a reading: what marks it meanwhile, or a failure, leaves it there."""
    setattr(one, mark, False)
    try:
        yield
    except Exception:
        setattr(one, mark, True)
        raise


def _old(at: float | None, now: float, settings: Settings) -> bool:
    return at is None or now - at >= settings.audit
