"""Which targets of one load balancer are bound, marked, weighed and unbound.

Register before anything leaves; drain before unbinding; never drain the last one that serves;
never touch what is not ours. Decided for a target (listener, rule, address, port), not for a Pod:
an address may have got a new Pod, which then keeps the target.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Container, Iterable, Mapping
from math import inf
from typing import NamedTuple

from binder.core import tag
from binder.core.actions import Action, Deregister, Register, Retag, Tell, Weigh
from binder.core.bindings import Binding, port_of
from binder.core.brake import Brake, Origin
from binder.core.clb import ALIVE, CLOSE, UNKNOWN, Frontend, Group, Key, LoadBalancer, Target
from binder.core.objects import Owner, Pod
from binder.core.view import View
from binder.settings import Settings

_DOUBLINGS = 10  # of a pause; more would be beyond any limit


class Retry(NamedTuple):
    """An action whose effect has not been seen."""

    tries: int
    after: float


class Home(NamedTuple):
    """What is remembered of a Pod behind a target."""

    namespace: str
    uid: str


class Ledger(NamedTuple):
    """What is remembered about the targets of one load balancer between two plans.

    Forgetting it costs time and no safety: drains start again, retries come sooner.
    """

    drained: Mapping[Key, float] = {}  # when weight 0 was first read
    retries: Mapping[Action, Retry] = {}
    registered: Mapping[Key, float] = {}  # by this process, for a CLB that keeps no tags
    lowered: Mapping[Key, float] = {}  # weight 0 was asked for, and may not show in a reading yet
    raised: Mapping[Key, float] = {}  # the same of anything else
    wrote_at: float = -inf  # when anything was asked for
    held: Mapping[Key, float] = {}  # since when a removal waits for the API server's word
    left: Mapping[Key, float] = {}  # when it went though no Pod was being deleted
    asked: Mapping[Key, float] = {}  # when weight 0 was first wanted for a Pod that terminates
    pods: Mapping[Key, Home] = {}  # who is or was behind it, as far as that was seen


class Leave(NamedTuple):
    """What may be done about targets that should go."""

    terminating: bool  # weight 0 because the Pod terminates
    drain: bool  # weight 0 for any other reason
    finish: bool  # unbind
    full: bool  # CLB takes no more targets: what has been drained goes at once
    # Namespace ("": all of them): when the API server itself last agreed with our view.
    confirmed: Mapping[str, float] = {}
    since: float = -inf  # we lead; what others wrote before may not show in a reading yet


class Wanted(NamedTuple):
    """A Pod behind a target, and why it is there."""

    pod: Pod
    binding: Binding


class Moves(NamedTuple):
    """The actions, and what they leave behind."""

    actions: tuple[Action, ...]
    ledger: Ledger
    tells: tuple[Tell, ...]
    confirm: frozenset[str]  # namespaces ("": all): a removal waits until the API server agrees
    poll: bool  # something waits for health
    reread: bool  # the targets have to be read again: they are too old, or a write may not show
    owned: bool  # there are targets of ours
    again: float | None  # when to look again at the latest
    foreign: int  # targets of others in groups that we use
    drains: tuple[float, ...]  # seconds from a deletion to the acknowledged weight 0, new ones


def holders(
    view: View, bindings: Iterable[Binding], groups: Mapping[Frontend, Group]
) -> tuple[dict[Key, list[Wanted]], dict[Key, Wanted]]:
    """Who wants which target, and which targets belong to Pods that terminate."""
    staying: dict[Key, list[Wanted]] = defaultdict(list)
    leaving: dict[Key, Wanted] = {}
    for binding in bindings:
        group = groups.get(binding.frontend)
        if group is None:
            continue
        for pod in view.selected(binding):
            port = port_of(pod, binding)
            if port is None or not pod.ip or pod.host_network or pod.over:
                continue
            key = Key(group.listener, group.location, pod.ip, port)
            if pod.terminating:
                # Of several that had one address, the one that dies last has it.
                other = leaving.get(key)
                if other is None or (other.pod.dies_at or 0) < (pod.dies_at or 0):
                    leaving[key] = Wanted(pod, binding)
            else:
                staying[key].append(Wanted(pod, binding))
    for key in staying:
        leaving.pop(key, None)
    return staying, leaving


def plan_targets(
    view: View,
    bindings: Iterable[Binding],
    groups: Mapping[Frontend, Group],
    lb: LoadBalancer,
    ledger: Ledger,
    leave: Leave,
    ours: frozenset[str],
    now: float,
    wall: float,
    settings: Settings,
) -> Moves:
    """`ours` are the listeners that we made; `lb` has had its targets read."""
    return _Planner(view, lb, ledger, leave, ours, now, wall, settings).plan(bindings, groups)


class _Planner:
    def __init__(
        self,
        view: View,
        lb: LoadBalancer,
        ledger: Ledger,
        leave: Leave,
        ours: frozenset[str],
        now: float,
        wall: float,
        settings: Settings,
    ) -> None:
        self.view, self.lb, self.before, self.leave = view, lb, ledger, leave
        self.our_listeners, self.now, self.wall, self.settings = ours, now, wall, settings
        self.actions: list[Action] = []
        self.tells: list[Tell] = []
        self.drained: dict[Key, float] = {}
        self.retries: dict[Action, Retry] = {}
        self.asked: dict[Key, float] = {}
        self.pods: dict[Key, Home] = {}
        self.poll = self.reread = False
        self.again: list[float] = []
        self.drains: list[float] = []
        self.cluster = tag.short(settings.cluster)
        self.brake = Brake(ledger.held, ledger.left, leave.confirmed, now, settings)
        self.targets_at = -inf if lb.targets_at is None else lb.targets_at
        self.settled_at = self.targets_at - settings.read_lag  # writes up to then show in it
        self.lowered = _younger(ledger.lowered, self.settled_at)
        self.raised = _younger(ledger.raised, self.settled_at)
        self.targets_fresh = now - self.targets_at <= settings.fresh
        self.health_fresh = lb.health_at is not None and now - lb.health_at <= settings.fresh
        self.used: set[tuple[str, str]] = set()
        # What will still serve when the actions so far are done.
        self.serving: dict[tuple[str, str], set[Key]] = defaultdict(set)
        self.weighty: dict[tuple[str, str], set[Key]] = defaultdict(set)
        self.counted: dict[tuple[str, str], set[Key]] = defaultdict(set)  # ours with weight

    def plan(self, bindings: Iterable[Binding], groups: Mapping[Frontend, Group]) -> Moves:
        bindings = list(bindings)
        staying, leaving = holders(self.view, bindings, groups)
        pods = {key: _holder(wanted) for key, wanted in staying.items()}
        pods |= {key: one.pod for key, one in leaving.items()}
        self.pods = {
            key: Home(pods[key].namespace, pods[key].uid) if key in pods else self.before.pods[key]
            for key in self.lb.targets
            if key in pods or key in self.before.pods
        }
        self.used = {(group.listener, group.location) for group in groups.values()}
        self._count_serving(groups, staying)
        for key, wanted in staying.items():
            self._keep(key, wanted)
        kinds = self._leaving(leaving, staying)
        # Whoever dies first is drained first.
        terminating = sorted(kinds.terminating, key=lambda row: (row[1].pod.dies_at or 0, row[0]))
        for key, one in terminating:
            self._drain_terminating(key, one)
        self._drain_others(kinds.others, bindings)
        return self._moves()

    def _moves(self) -> Moves:
        ours = {key for key, target in self.lb.targets.items() if self._is_ours(key, target)}
        foreign = sum(
            (key.listener, key.location) in self.used and key not in ours for key in self.lb.targets
        )
        wrote_at = max(self.before.wrote_at, self.leave.since)
        if wrote_at > self.settled_at:
            self._read_again(wrote_at + self.settings.read_lag)
        registered = {
            key: at
            for key, at in self.before.registered.items()
            # It may show late, or nothing may have been read since.
            if key in self.lb.targets or at > self.targets_at - self.settings.retry_most
        }
        ledger = Ledger(
            self.drained,
            self.retries,
            registered,
            self.lowered,
            self.raised,
            self.before.wrote_at,
            self.brake.held,
            self.brake.left,
            self.asked,
            self.pods,
        )
        return Moves(
            tuple(self.actions),
            ledger,
            (*self.brake.tells, *self.tells),
            frozenset(self.brake.confirm),
            self.poll,
            self.reread,
            bool(ours),
            min(self.again, default=None),
            foreign,
            tuple(self.drains),
        )

    def _do(self, action: Action) -> None:
        """Want `action`, unless it was sent just now and its effect may show yet."""
        before = self.before.retries.get(action)
        if before is not None:
            self.retries[action] = before
        if not self.targets_fresh and not drains(action):
            self._read_again(self.now)  # the target may have got weight, or another owner, since
        elif before is not None and before.after > self.now and not self._shows(action):
            self.again.append(before.after)
        else:
            self.again.append(self.now + self.settings.retry_first)
            self.actions.append(action)

    def _shows(self, action: Action) -> bool:
        """Whether a drain was sent so long ago that the reading would show it, and does not."""
        return isinstance(action, Weigh) and drains(action) and action.key not in self.lowered

    def _soon(self) -> None:
        self.again.append(self.now + self.settings.poll_first)

    def _read_again(self, at: float) -> None:
        self.reread = True
        self.again.append(max(at, self.now))

    # --- what stays

    def _keep(self, key: Key, wanted: list[Wanted]) -> None:
        pod = _holder(wanted)
        weight = 0 if pod.updating else self.settings.weight if pod.weight is None else pod.weight
        target = self.lb.targets.get(key)
        if target is None:
            if pod.containers_ready and not pod.updating:
                self._register(key, weight, pod)
            return
        if not self._is_ours(key, target):
            return
        mark = tag.mark(self.settings.cluster, pod.uid)
        if target.tag and tag.read(target.tag) != mark:
            self._do(Retag(key, tag.write(mark)))
        if target.weight == weight:
            return
        if weight and pod.containers_ready:
            self._do(Weigh(key, weight))
        elif not weight:
            self._lower(key, last_chance=False)

    def _register(self, key: Key, weight: int, pod: Pod) -> None:
        mark = tag.write(tag.mark(self.settings.cluster, pod.uid))
        self._do(Register(key, weight, mark))

    # --- what goes

    class _Going(NamedTuple):
        terminating: list[tuple[Key, Wanted]]
        others: list[Key]

    def _leaving(
        self, leaving: Mapping[Key, Wanted], staying: Mapping[Key, list[Wanted]]
    ) -> _Going:
        """Targets of ours that nobody wants: whose Pods terminate, and all others."""
        going = self._Going([], [])
        for key, target in self.lb.targets.items():
            if key in staying or not self._is_ours(key, target):
                continue
            if key in leaving:
                going.terminating.append((key, leaving[key]))
            else:
                going.others.append(key)
        return going

    def _drain_terminating(self, key: Key, one: Wanted) -> None:
        pod = one.pod
        asked = self.asked[key] = self.before.asked.get(key, self.now)
        if self._has_drained(key):
            if key not in self.before.drained and key in self.before.asked:
                self._acknowledge(pod, asked)
            self._finish(key, 0 if self.leave.full else self.settings.drain)
            return
        dies_at = pod.dies_at if pod.dies_at is not None else self.wall
        self._hurry(key, asked, self.wall >= dies_at - self.settings.last_moment)

    def _drain_others(self, keys: list[Key], bindings: list[Binding]) -> None:
        """Those that no Pod which terminates explains: held when they are many."""
        groups: dict[tuple[str, str], list[Key]] = defaultdict(list)
        for key in keys:
            if key in self.before.asked:  # its Pod was being deleted, and has gone
                self.asked[key] = self.before.asked[key]
            if self._has_drained(key):
                self._finish(key, self.settings.drain if self._pods_marked(key) else 0)
            elif key not in self.asked and not self._is_ending(key):
                groups[key.listener, key.location].append(key)
            else:
                asked = self.asked[key] = self.before.asked.get(key, self.now)
                self._hurry(key, asked, self._dies_now(key))
        owner = bindings[0].owner if bindings else None
        for place, going in groups.items():
            origin = Origin(self.lb.id, *place, owner, self.counted[place])
            homes = {key: self.pods[key].namespace if key in self.pods else "" for key in going}
            for key in self.brake.release(origin, homes):
                self._lower(key, last_chance=not self._pods_marked(key))
        if self.brake.confirm:
            self._soon()

    def _hurry(self, key: Key, asked: float, last_chance: bool) -> None:
        """Drain a target whose Pod is being deleted, waiting only for readings that come soon."""
        patient = not last_chance and self.now - asked < self.settings.call_timeout
        self.poll = True
        if not self.leave.terminating:
            self._soon()
        elif not patient or self._is_informed(asks_health=True):
            self._weigh_nothing(key, last_chance)

    def _lower(self, key: Key, last_chance: bool) -> None:
        """Drain a target whose Pod is not being deleted: there is time for it."""
        guarded = not last_chance and (key.listener, key.location) in self.used
        if not self.leave.drain:
            self._soon()
        elif self._is_informed(asks_health=guarded):
            self._weigh_nothing(key, last_chance)

    def _is_informed(self, asks_health: bool) -> bool:
        """Whether it has been read lately whose targets these are, and which ones serve."""
        lacks_health = asks_health and not self.health_fresh
        if not self.targets_fresh:
            self._read_again(self.now)
        if lacks_health:
            self.poll = True
            self._soon()
        return self.targets_fresh and not lacks_health

    def _weigh_nothing(self, key: Key, last_chance: bool) -> None:
        """Drain it, if then another one serves, or waiting is of no use."""
        group = key.listener, key.location
        if not last_chance and group in self.used and not self._others_serve(key):
            self.poll = True
            self._soon()
            return
        self.serving[group].discard(key)
        self.weighty[group].discard(key)
        self._do(Weigh(key, 0))

    def _others_serve(self, key: Key) -> bool:
        group = key.listener, key.location
        serving = self.serving[group]
        if self.leave.since > self.settled_at:
            return False  # whoever led before may have drained the others
        if serving or not self.health_fresh:
            return bool(serving - {key})
        known = self.lb.health.get(key)
        if known is not None and known.detail == ALIVE:
            return False  # it has got weight since, and serves
        # CLB sends to all when none is Alive, but those that it has not probed enough.
        return any(
            self.lb.health[other].detail != UNKNOWN
            for other in self.weighty[group]
            if other != key and other in self.lb.health
        )

    def _finish(self, key: Key, drain: float) -> None:
        if self.now - self.drained[key] < drain:
            self.again.append(self.drained[key] + drain)
        elif not self.leave.finish:
            self._soon()
        elif key in self.raised:
            self._read_again(self.raised[key] + self.settings.read_lag)
        else:
            self._do(Deregister(key))

    # --- facts

    def _has_drained(self, key: Key) -> bool:
        if self.lb.targets[key].weight != 0:
            return False
        self.drained[key] = self.before.drained.get(key, self.now)
        return True

    def _acknowledge(self, pod: Pod, asked: float) -> None:
        took = self.now - asked
        self.drains.append(took)
        since = None if pod.deleted_at is None else self.wall - pod.deleted_at
        if pod.pre_stop is not None and since is not None and since > pod.pre_stop:
            self.tells.append(
                Tell(
                    Owner("Pod", pod.namespace, pod.name, pod.uid),
                    "Warning",
                    "DrainBudgetExceeded",
                    f"CLB stopped sending {since:.0f} s after the deletion, and preStop waits for "
                    f"{pod.pre_stop:.0f} s only; requests may have been dropped",
                )
            )

    def _is_ours(self, key: Key, target: Target) -> bool:
        if target.tag:
            mark = tag.read(target.tag)
            return mark is not None and mark.cluster == self.cluster
        return key.listener in self.our_listeners or key in self.before.registered

    def _pods_marked(self, key: Key, ended: bool = False) -> list[Pod]:
        """The Pods at that address that may be the one that this target was bound for."""
        mark = tag.read(self.lb.targets[key].tag)
        if mark is None and key in self.pods:
            mark = tag.mark(self.settings.cluster, self.pods[key].uid)
        return [
            pod
            for pod in self.view.at(key.ip)
            if ended or not pod.over
            if mark is None or tag.mark(self.settings.cluster, pod.uid) == mark
        ]

    def _is_ending(self, key: Key) -> bool:
        """Whether a Pod explains that this target goes: it is being deleted, or has ended."""
        pods = self._pods_marked(key, ended=True)
        return bool(pods) and all(pod.over or pod.terminating for pod in pods)

    def _dies_now(self, key: Key) -> bool:
        """Whether nobody is there any more whom the target could serve, or not for long."""
        soon = self.wall + self.settings.last_moment
        return all(
            pod.dies_at is not None and pod.dies_at <= soon for pod in self._pods_marked(key)
        )

    def _count_serving(
        self, groups: Mapping[Frontend, Group], staying: Mapping[Key, list[Wanted]]
    ) -> None:
        checked = {(one.listener, one.location): one.check.enabled for one in groups.values()}
        for key, target in self.lb.targets.items():
            if target.weight <= 0 or key in self.lowered:
                continue
            group = key.listener, key.location
            self.weighty[group].add(key)
            if self._is_ours(key, target):
                self.counted[group].add(key)
                if key not in staying and self._dies_now(key):
                    continue  # it goes in any case, so that it is no help to others
            pods = [one.pod for one in staying.get(key, ())]
            if self._serves(key, pods, checked.get(group, True)):
                self.serving[group].add(key)

    def _serves(self, key: Key, pods: list[Pod], checked: bool) -> bool:
        health = self.lb.health.get(key)
        if not self.health_fresh:
            # A Pod that is Ready with its gate open has been served before.
            return any(pod.ready and (pod.open or not checked) for pod in pods)
        if health is None or health.weight <= 0:
            return False
        if pods and not any(pod.containers_ready and (pod.open or not pod.gated) for pod in pods):
            return False  # what CLB says may be about who had the address before
        return health.detail == ALIVE or (health.detail == CLOSE and not checked)


def drains(action: Action) -> bool:
    """Whether CLB is to send nothing more to a target."""
    return isinstance(action, Weigh) and action.weight == 0


def book(
    ledger: Ledger,
    sent: Iterable[Action],
    failed: Container[Action],
    now: float,
    settings: Settings,
) -> Ledger:
    """`ledger` with what has been asked of CLB, and what of it `failed`.

    What was planned and not sent is not in it: it will be planned anew.
    """
    retries, registered = dict(ledger.retries), dict(ledger.registered)
    lowered, raised, wrote_at = dict(ledger.lowered), dict(ledger.raised), ledger.wrote_at
    for one in sent:
        if not isinstance(one, (Register, Retag, Weigh, Deregister)):
            continue
        wrote_at = now
        tries = retries[one].tries if one in retries else 0
        pause = min(settings.retry_first * 2 ** min(tries, _DOUBLINGS), settings.retry_most)
        if drains(one):
            # One that failed is tried again soon, however often; one that CLB has acknowledged
            # when a reading shows the weight all the same.
            pause = settings.retry_first if one in failed else settings.retry_most
        retries[one] = Retry(tries + 1, now + pause)
        if isinstance(one, Register):
            registered[one.key] = now
        if drains(one):
            lowered[one.key] = now
        elif not isinstance(one, Deregister):
            raised[one.key] = now
    return ledger._replace(
        retries=retries, registered=registered, lowered=lowered, raised=raised, wrote_at=wrote_at
    )


def _younger(times: Mapping[Key, float], oldest: float) -> dict[Key, float]:
    return {key: at for key, at in times.items() if at > oldest}


def _holder(wanted: list[Wanted]) -> Pod:
    """Of Pods that claim one address, the one that is up; the kubelet gives it to one only."""
    return max((one.pod for one in wanted), key=lambda pod: (pod.containers_ready, pod.uid))
