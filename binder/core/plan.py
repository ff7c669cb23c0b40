"""All that is to be done about one load balancer, from what is known of it and of the cluster.

Recomputed from scratch each time: a binder that was killed at any instruction goes on as if it had
not been. The memory carries evidence and pauses only.
"""

from __future__ import annotations

from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
from math import inf
from typing import NamedTuple

from binder.core import gate
from binder.core.actions import Action, SetAddresses, Tell
from binder.core.bindings import Binding, port_of
from binder.core.clb import Frontend, Group, Key, LoadBalancer
from binder.core.evidence import Evidence, missing, observe, proven
from binder.core.gate import Standing
from binder.core.listeners import Listening, plan_listeners, prefix
from binder.core.objects import Changes, Owner, Pod
from binder.core.targets import Leave, Ledger, drains, holders, plan_targets
from binder.core.targets import book as booked
from binder.core.view import View
from binder.settings import Settings

Pair = tuple[str, Owner, Frontend]  # the uid of a Pod, and a binding


class Memory(NamedTuple):
    """What one plan leaves to the next one for the same load balancer."""

    evidence: Mapping[tuple[str, Key], Evidence] = {}
    ledger: Ledger = Ledger()
    missing: Mapping[Frontend, float] = {}  # since when a wanted group has not been there
    full_until: float = 0.0  # CLB refused a target for its quota


class Context(NamedTuple):
    """What a plan depends on beside the two views; seconds of our monotonic clock, but `wall`."""

    now: float
    wall: float  # the API server's clock, as far as we know it
    changes: Changes
    leading_since: float | None
    # Namespace ("": all of them): when the last look at the API server itself started that
    # agreed with our view.
    confirmed: Mapping[str, float] = {}


class Plan(NamedTuple):
    """What to do, whom to tell, and what to remember."""

    actions: tuple[Action, ...] = ()
    addresses: tuple[SetAddresses, ...] = ()
    tells: tuple[Tell, ...] = ()
    confirm: frozenset[str] = frozenset()  # namespaces to ask the API server about
    standings: Mapping[Pair, Standing] = {}  # of Pods whose gate is closed, gating bindings
    memory: Memory = Memory()
    poll: bool = False  # something waits for what CLB says of health or weights
    reread: bool = False  # the targets have to be read again before the next plan
    settled: bool = True  # nothing of ours is there that nobody wants
    again: float | None = None
    foreign: int = 0
    drains: tuple[float, ...] = ()

    @property
    def drained(self) -> tuple[Action, ...]:
        """The actions that cannot wait: CLB is to send nothing more to a target."""
        return tuple(filter(drains, self.actions))

    @property
    def next(self) -> tuple[Action, ...]:
        """What is to be sent now: drains alone, so that it is known at once that they are done.

        The rest is decided anew then.
        """
        return self.drained or self.actions


def book(
    memory: Memory,
    sent: Iterable[Action],
    failed: Container[Action],
    now: float,
    settings: Settings,
) -> Memory:
    """`memory` with what has been asked of CLB, and what of it `failed`."""
    return memory._replace(ledger=booked(memory.ledger, sent, failed, now, settings))


def plan(
    view: View, lb: LoadBalancer, memory: Memory, context: Context, settings: Settings
) -> Plan:
    """The plan for `lb`, as far as it has been read."""
    bindings = view.bindings_on(lb.id)
    if lb.absent is not None or lb.listeners_at is None:
        standings = _standings(
            view, bindings, lb, Listening((), {}, {}, frozenset()), memory, {}, context, settings
        )
        return Plan(
            standings=standings,
            memory=memory,
            settled=_is_gone(lb, settings),
            again=context.now + settings.poll_most,
        )
    leave = _leave(memory, context, settings)
    empty = _Empty(lb, memory, leave, context.now, settings)
    listening = plan_listeners(bindings, lb, settings, empty.may_go)
    if lb.targets_at is None:
        again = context.now + settings.poll_first
        return Plan(
            actions=listening.actions, memory=memory, reread=True, settled=False, again=again
        )
    ours = frozenset(one.id for one in lb.listeners if one.name.startswith(prefix(settings)))
    moves = plan_targets(
        view,
        bindings,
        listening.groups,
        lb,
        memory.ledger,
        leave,
        ours,
        context.now,
        context.wall,
        settings,
    )
    evidence = _evidence(view, bindings, listening, lb, memory, context.now, settings)
    absent = {
        frontend: memory.missing.get(frontend, lb.listeners_at) for frontend in listening.absent
    }
    after = Memory(evidence, moves.ledger, absent, memory.full_until)
    standings = _standings(view, bindings, lb, listening, after, evidence, context, settings)
    due = [] if moves.again is None else [moves.again]
    if not leave.finish or absent:
        due.append(context.now + settings.poll_most)
    if empty.unsure:
        due.append(context.now + settings.poll_first)
    return Plan(
        actions=(*listening.actions, *moves.actions),
        addresses=_addresses(view, bindings, listening, lb),
        tells=(*_conflicts(bindings, listening), *listening.notes, *moves.tells),
        confirm=moves.confirm,
        standings=standings,
        memory=after,
        poll=bool(evidence) or moves.poll,
        reread=moves.reread or empty.unsure,
        settled=not (moves.owned or moves.reread or (ours and not bindings)),
        again=min(due, default=None),
        foreign=moves.foreign,
        drains=moves.drains,
    )


class _Empty:
    """Which listeners and rules have no targets; `unsure`: one was asked about that may have."""

    def __init__(
        self, lb: LoadBalancer, memory: Memory, leave: Leave, now: float, settings: Settings
    ) -> None:
        self.unsure = False
        self._allowed = leave.finish
        self._bound = {(key.listener, key.location) for key in lb.targets}
        self._recent = lb.targets_at is not None and now - lb.targets_at <= settings.fresh
        settled_at = -inf if lb.targets_at is None else lb.targets_at - settings.read_lag
        raised = memory.ledger.raised.items()
        self._filling = {(key.listener, key.location) for key, at in raised if at > settled_at}

    def may_go(self, group: Group) -> bool:
        place = group.listener, group.location
        if place in self._bound or not self._allowed:
            return False
        sure = self._recent and place not in self._filling
        self.unsure |= not sure
        return sure


def _conflicts(bindings: Sequence[Binding], listening: Listening) -> Iterator[Tell]:
    for binding in bindings:
        message = listening.conflicts.get(binding.frontend)
        if message is not None:
            yield Tell(
                binding.owner, "Warning", "ListenerConflict", f"{binding.frontend}: {message}"
            )


def _leave(memory: Memory, context: Context, settings: Settings) -> Leave:
    """What may be done now about targets that should go."""
    now, since = context.now, context.leading_since
    fresh = context.changes.synced and now - context.changes.seen_at <= settings.stale
    leading = fresh and since is not None
    calm = leading and since is not None and now - since >= settings.quarantine
    full = now < memory.full_until
    return Leave(leading, calm, calm, full, context.confirmed, -inf if since is None else since)


def _is_gone(lb: LoadBalancer, settings: Settings) -> bool:
    """Whether CLB has said for long enough that there is no such load balancer."""
    return lb.absent is not None and lb.absent[1] - lb.absent[0] >= settings.confirm_absent


def _evidence(
    view: View,
    bindings: Sequence[Binding],
    listening: Listening,
    lb: LoadBalancer,
    memory: Memory,
    now: float,
    settings: Settings,
) -> dict[tuple[str, Key], Evidence]:
    """What is known of each Pod that should serve and is up, with the latest reading."""
    staying, _ = holders(view, bindings, listening.groups)
    found = {}
    for key, wanted in staying.items():
        for pod in {one.pod.uid: one.pod for one in wanted if one.binding.gating}.values():
            if not pod.gated or pod.open or pod.updating or not pod.containers_ready:
                continue
            before = memory.evidence.get((pod.uid, key), Evidence(now))
            if _was_taken_out(key, before, lb):
                before = Evidence(now)
            if lb.health_at is not None:
                before = observe(before, lb.health.get(key), lb.health_at, settings)
            found[pod.uid, key] = before
    return found


def _was_taken_out(key: Key, before: Evidence, lb: LoadBalancer) -> bool:
    """Whether a target that had been seen is not there now: bound again, it is another one."""
    if before.health is None or before.read_at is None or lb.targets_at is None:
        return False
    return key not in lb.targets and lb.targets_at >= before.read_at


def _standings(
    view: View,
    bindings: Sequence[Binding],
    lb: LoadBalancer,
    listening: Listening,
    memory: Memory,
    evidence: Mapping[tuple[str, Key], Evidence],
    context: Context,
    settings: Settings,
) -> dict[Pair, Standing]:
    found = {}
    for binding in bindings:
        if binding.gating:
            for pod in view.selected(binding):
                if pod.gated and not (pod.open or pod.terminating or pod.over):
                    found[pod.uid, binding.owner, binding.frontend] = standing(
                        pod, binding, lb, listening, memory, evidence, context.now, settings
                    )
    return found


def standing(
    pod: Pod,
    binding: Binding,
    lb: LoadBalancer,
    listening: Listening,
    memory: Memory,
    evidence: Mapping[tuple[str, Key], Evidence],
    now: float,
    settings: Settings,
) -> Standing:
    """How `pod` stands with `binding`, which is on `lb`."""
    port = port_of(pod, binding)
    impossible = (
        "the Pod is on the host's network"
        if pod.host_network
        else f"the Pod has no {binding.transport} port {binding.target_port!r}"
        if port is None
        else "the Pod asks for weight 0"
        if pod.weight == 0
        else listening.conflicts.get(binding.frontend)
    )
    if impossible:
        return Standing(gate.UNSUPPORTED, impossible)
    if lb.absent is not None:
        if _is_gone(lb, settings):
            return Standing(gate.DETACHED, f"{lb.id} does not exist", lb.absent[1])
        return Standing(gate.WAITING, f"{lb.id} was not found; looking again")
    group = listening.groups.get(binding.frontend)
    if group is None or port is None:
        return _unbound(binding, lb, memory, settings)
    known = evidence.get((pod.uid, Key(group.listener, group.location, pod.ip, port)))
    if known is None:
        return Standing(gate.WAITING, "containers are not ready")
    if proven(known, group.check, now, settings):
        reason = gate.SERVING if group.check.enabled else gate.NO_CHECK
        return Standing(reason, _proof(binding, group), known.read_at)
    return Standing(gate.WAITING, missing(known, group.check, now, settings))


def _proof(binding: Binding, group: Group) -> str:
    where = f"{binding.lb} {binding.frontend}"
    return f"{where} is Alive" if group.check.enabled else f"{where} has no health check"


def _unbound(binding: Binding, lb: LoadBalancer, memory: Memory, settings: Settings) -> Standing:
    """The listener or rule is not there: being made, or gone for good."""
    since, read_at = memory.missing.get(binding.frontend), lb.listeners_at
    if settings.manage_listeners:
        return Standing(gate.WAITING, f"{binding.frontend} is being made")
    if since is not None and read_at is not None and read_at - since >= settings.confirm_absent:
        return Standing(gate.DETACHED, f"{lb.id} has no {binding.frontend}", read_at)
    return Standing(gate.WAITING, f"{lb.id} has no {binding.frontend}; looking again")


def _addresses(
    view: View, bindings: Sequence[Binding], listening: Listening, lb: LoadBalancer
) -> tuple[SetAddresses, ...]:
    """Where clients come in, for owners whose status does not say so yet."""
    owners = dict.fromkeys(
        one.owner for one in bindings if one.frontend in listening.groups and lb.addresses
    )
    return tuple(
        SetAddresses(owner, lb.addresses)
        for owner in owners
        if view.owner_addresses(owner) not in (None, lb.addresses)
    )
