"""A small deterministic model of a cluster and of CLB, with the pure core of the binder between.

One virtual clock, one seeded generator. The world knows what no binder can know: whose process
answers at an address, and what CLB really has. Laws are checked against that.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from random import Random

from binder.core import gate, tag
from binder.core.actions import (
    Action,
    CreateListener,
    DeleteListener,
    Deregister,
    Register,
    Retag,
    SetGate,
    Weigh,
)
from binder.core.bindings import Binding, bindings, port_of, selects
from binder.core.clb import (
    ALIVE,
    CLOSE,
    DEAD,
    UNKNOWN,
    Check,
    Frontend,
    Group,
    Health,
    Key,
    Listener,
    LoadBalancer,
    Target,
)
from binder.core.gate import Look, Standing, verdict
from binder.core.objects import Changes, Condition, Pod, Service, ServicePort
from binder.core.plan import Context, Memory, Plan, book, plan
from binder.core.view import View
from binder.settings import Settings
from schemas.contract import EXISTING_CLB, LOAD_BALANCER_CLASS

SETTINGS = Settings(cluster="ours", manage_listeners=False)
CHECK = Check(interval=2, timeout=1, healthy=2, unhealthy=2)
NO_CHECK = Check(enabled=False)
FRONTENDS = (
    ("lb-1", Frontend("TCP", 80), CHECK),
    ("lb-2", Frontend("TCP", 81), CHECK),
    ("lb-2", Frontend("TCP", 82), NO_CHECK),
)
PORT = 8080
TICK = 0.5
WRITE_LAG, READ_LAG = 1.0, 1.5  # together below Settings.read_lag
PRE_STOP, GRACE = 20.0, 30.0
FOREIGN = tag.write(tag.mark("theirs", "f" * 16))
WALL = 1_000_000.0  # the API server's clock is that far ahead of ours


class CallFailed(Exception):
    """CLB did not answer, or refused."""


# --- CLB


@dataclass
class Bound:
    """A target in CLB."""

    weight: int
    tag: str
    detail: str = UNKNOWN
    bound_for: str = ""  # the tag as it was written, whether CLB keeps tags or not
    good: int = 0
    bad: int = 0
    probed: str = ""  # the uid of the Pod that answered last
    alive_at: float = -1e9  # last moment at which it was Alive thanks to the Pod `alive_of`
    alive_of: str = ""
    empty_since: float | None = None  # weight 0 since
    alive_since: float | None = None
    probe_at: float = 0.0
    by_hand: float = -1e9  # when somebody else changed it last


@dataclass
class Clb:
    """One load balancer: what is, what was, and what is under way."""

    id: str
    listeners: dict[str, Listener] = field(default_factory=dict)
    bound: dict[Key, Bound] = field(default_factory=dict)
    under_way: deque[tuple[float, Action]] = field(default_factory=deque)
    past: deque[tuple[float, dict[Key, tuple[int, str, str]]]] = field(default_factory=deque)
    gone_at: float | None = None
    listener_gone_at: dict[Frontend, float] = field(default_factory=dict)
    back_at: dict[Frontend, float] = field(default_factory=dict)
    history: dict[tuple[str, int], str] = field(default_factory=dict)  # health of what was unbound
    broken_until: float = -1.0  # every call fails
    blind_until: float = -1.0  # health fails
    quota: int = 1000  # targets of a listener


@dataclass
class Life:
    """What really is behind a Pod object."""

    starts_at: float
    ready_at: float
    holds_ip: bool = False  # its sandbox has the address that its status says
    answers: bool = False  # a process answers at the address
    mute: bool = False  # ready by its own probe, and does not answer CLB
    deaf_until: float = 0.0  # the same, at first
    ends_at: float | None = None
    wakes_at: float | None = None  # after a crash or an update


@dataclass
class Deployment:
    namespace: str
    name: str
    replicas: int
    revision: int = 1
    gated: bool = True


@dataclass
class Known:
    """What the binder holds of one load balancer; lost when it dies."""

    reading: LoadBalancer
    memory: Memory = field(default_factory=Memory)
    plan: Plan = field(default_factory=Plan)
    due: float = -1.0
    targets_dirty: bool = True
    listeners_dirty: bool = True
    polled_at: float = -1e9
    # For the laws: when CLB first and last denied it, with no other answer between.
    denied: dict[Frontend, tuple[float, float]] = field(default_factory=dict)


class World:
    """The fakes, the clock, and a binder as its controller drives the core."""

    def __init__(
        self, seed: int, settings: Settings = SETTINGS, tags: bool = True, chaos: bool = True
    ) -> None:
        self.random, self.settings, self.tags, self.chaos = Random(seed), settings, tags, chaos
        self.now, self.number = 100.0, 0
        self.log: deque[str] = deque(maxlen=60)
        self.steps = 0
        self.clbs = {name: Clb(name) for name in ("lb-1", "lb-2")}
        self.pods: dict[str, Pod] = {}  # what the API server has
        self.lives: dict[str, Life] = {}
        self.services: dict[tuple[str, str], Service] = {}
        self.deployments = [
            Deployment("a", "web", 3),
            Deployment("b", "shared", 2),
            Deployment("b", "plain", 2, gated=self.random.random() < 0.8),
            Deployment("b", "free", 1),
        ]
        self.free = [f"10.0.0.{n}" for n in range(1, 19)]
        # The watch.
        self.queue: deque[tuple[float, str, Pod | Service]] = deque()
        self.seen_at, self.frozen_until = self.now, -1.0
        # The binder.
        self.view = View(settings)
        self.known: dict[str, Known] = {}
        self.leading_since: float | None = self.now
        self.next_leader_at: float | None = None
        self.confirmed: dict[str, float] = {}
        self.listed: dict[str, tuple[float, set[str]]] = {}  # namespace: when, uids that gate then
        self.confirming: dict[str, float] = {}
        self.ready_since: dict[str, float] = {}
        self.open_at: dict[str, str] = {}
        self.said: dict[str, float] = {}
        self.laws: list[str] = []  # broken ones, with what happened
        for lb, frontend, check in FRONTENDS:
            if not settings.manage_listeners:
                self.add_listener(lb, frontend, check)
        for name in ("web", "api", "shared", "plain"):
            self.put_service(name)
        self.bring("10.9.9.9", PORT, "lb-1", FOREIGN if tags else "")
        self.tick(0)

    # --- what people and controllers do to the cluster

    def put_service(self, name: str, lb: str | None = None) -> None:
        namespace, usual, port, app = {
            "web": ("a", "lb-1", 80, "web"),
            "api": ("a", "lb-2", 81, "web"),  # the same Pods, behind two load balancers
            "shared": ("b", "lb-1", 80, "shared"),  # another's Pods, behind one frontend
            "plain": ("b", "lb-2", 82, "plain"),  # no health check
        }[name]
        before = self.services.get((namespace, name))
        lb = usual if lb is None else lb
        one = Service(
            before.uid if before else self.uid(),
            namespace,
            name,
            "LoadBalancer",
            LOAD_BALANCER_CLASS,
            {EXISTING_CLB["service"]: lb} if lb else {},
            (("app", app),),
            (ServicePort("", port, "TCP", PORT),),
        )
        self.services[namespace, name] = one
        self.send("put", one)

    def drop_service(self, name: str) -> None:
        for key in [key for key in self.services if key[1] == name]:
            self.send("drop", self.services.pop(key))

    def uid(self) -> str:
        self.number += 1
        return f"{self.number:016x}"

    def create(self, of: Deployment) -> Pod | None:
        uid = self.uid()
        labels = {"app": of.name, "revision": str(of.revision)}
        pod = Pod(uid, of.namespace, f"{of.name}-{uid[-4:]}", labels=labels, gated=of.gated)
        start = self.now + self.random.choice((0, 1, 2))
        life = self.lives[uid] = Life(start, start + self.random.choice((1, 2, 5)))
        life.deaf_until = start + self.random.choice((0, 0, 0, 15))
        self.write(pod)
        return pod

    def write(self, pod: Pod, **fields: object) -> None:
        """Change a Pod at the API server; Ready follows."""
        pod = pod._replace(**fields)  # type: ignore[arg-type]  # a table of fields
        ready = pod.containers_ready and not pod.updating and (pod.open or not pod.gated)
        pod = pod._replace(ready=ready, resource_version=str(self.steps) + self.uid())
        self.pods[pod.uid] = pod
        self.send("put", pod)

    def remove(self, pod: Pod) -> None:
        """Take the object away, and the process with it."""
        self.end_process(pod)
        self.pods.pop(pod.uid, None)
        self.lives.pop(pod.uid, None)
        self.send("drop", pod)

    def end_process(self, pod: Pod) -> None:
        life = self.lives.get(pod.uid)
        if life is not None:
            if life.holds_ip:
                self.free.insert(0, self.pods[pod.uid].ip)  # taken again soon
            life.answers, life.holds_ip, life.ends_at = False, False, self.now

    def delete(self, pod: Pod) -> None:
        if not pod.terminating:
            wall = self.now + WALL
            self.write(pod, deleted_at=wall, dies_at=wall + GRACE, pre_stop=PRE_STOP)
            self.lives[pod.uid].ends_at = self.now + PRE_STOP + self.random.choice((0, 5))

    def owner(self, ip: str) -> str:
        """The Pod whose sandbox has this address."""
        holds = (uid for uid, pod in self.pods.items() if pod.ip == ip)
        return next((uid for uid in holds if self.lives[uid].holds_ip), "")

    def answers(self, ip: str) -> str:
        """The uid of the Pod whose process answers at this address now, or ""."""
        uid = self.owner(ip)
        life = self.lives.get(uid)
        if life is None or not life.answers or life.mute or self.now < life.deaf_until:
            return ""
        return uid

    def send(self, what: str, item: Pod | Service) -> None:
        self.queue.append((self.now + self.random.choice((0, 0, 0.5, 1)), what, item))

    def live_pods(self, of: Deployment) -> list[Pod]:
        return [
            pod
            for pod in self.pods.values()
            if pod.namespace == of.namespace and pod.labels.get("app") == of.name
            if not pod.terminating and not pod.over
        ]

    def live_bindings(self, namespace: str) -> tuple[Binding, ...]:
        services = [one for one in self.services.values() if one.namespace == namespace]
        return bindings(services, (), (), self.settings).bindings

    # --- time

    def tick(self, seconds: float = TICK) -> None:
        self.steps += 1
        self.now += seconds
        self._run_pods()
        self._run_deployments()
        for clb in self.clbs.values():
            self._run_clb(clb)
        self._run_binder()

    def _run_pods(self) -> None:
        for uid, pod in list(self.pods.items()):
            life = self.lives[uid]
            if pod.terminating and life.ends_at is not None and life.ends_at <= self.now:
                self.remove(pod)
            elif pod.over:
                if life.ends_at is not None and self.now - life.ends_at > 20:
                    self.remove(pod)
            elif not pod.ip and not pod.terminating and life.starts_at <= self.now and self.free:
                at = 0 if self.random.random() < 0.7 else self.random.randrange(len(self.free))
                life.holds_ip = True
                self.write(pod, ip=self.free.pop(at), phase="Running", node="n")
            elif pod.ip and not life.answers and life.wakes_at is None:
                if life.ready_at <= self.now and not pod.terminating:
                    life.answers = True
                    self.write(pod, containers_ready=True)
            elif life.wakes_at is not None and life.wakes_at <= self.now:
                life.wakes_at = None
                life.answers = True
                self.write(self.pods[uid], containers_ready=True, updating=False)

    def _run_deployments(self) -> None:
        for one in self.deployments:
            pods = self.live_pods(one)
            new = [pod for pod in pods if pod.labels.get("revision") == str(one.revision)]
            old = [pod for pod in pods if pod not in new]
            if len(new) < one.replicas and len(pods) <= one.replicas:
                self.create(one)
            ready = sum(pod.ready for pod in pods)
            if len(new) > one.replicas:
                self.delete(new[0])
            elif old and (ready > one.replicas or not all(pod.ready for pod in old)):
                self.delete(min(old, key=lambda pod: pod.ready))

    # --- CLB: what it is

    def add_listener(
        self, lb: str, frontend: Frontend, check: Check, name: str = "by hand"
    ) -> None:
        self.number += 1
        id_ = f"lbl-{self.number}"
        group = Group(id_, "", frontend, check)
        clb = self.clbs[lb]
        clb.listeners[id_] = Listener(id_, name, frontend.protocol, frontend.port, (group,))
        if clb.listener_gone_at.pop(frontend, None) is not None:
            clb.back_at[frontend] = self.now

    def drop_listener(self, clb: Clb, id_: str) -> None:
        one = clb.listeners.pop(id_)
        clb.listener_gone_at[one.groups[0].frontend] = self.now
        clb.bound = {key: row for key, row in clb.bound.items() if key.listener != id_}

    def bring(self, ip: str, port: int, lb: str, text: str) -> None:
        """Somebody else binds a target, or takes one over."""
        clb = self.clbs[lb]
        for id_ in list(clb.listeners)[:1]:
            clb.bound[Key(id_, "", ip, port)] = Bound(10, text, by_hand=self.now)

    def _run_clb(self, clb: Clb) -> None:
        while clb.under_way and clb.under_way[0][0] <= self.now:
            self._carry_out(clb, clb.under_way.popleft()[1])
        for key, row in clb.bound.items():
            if not clb.listeners[key.listener].groups[0].check.enabled:
                row.detail = CLOSE
            elif row.probe_at <= self.now:
                row.probe_at = self.now + CHECK.interval
                self._probe(row, self.answers(key.ip))
            row.alive_since = None if row.detail != ALIVE else row.alive_since or self.now
            if row.detail == ALIVE and row.probed:
                row.alive_at, row.alive_of = self.now, row.probed
        clb.past.append(
            (self.now, {key: (row.weight, row.tag, row.detail) for key, row in clb.bound.items()})
        )
        while len(clb.past) > 1 and clb.past[1][0] <= self.now - READ_LAG:
            clb.past.popleft()

    def _probe(self, row: Bound, uid: str) -> None:
        if uid:
            row.good, row.bad, row.probed = row.good + 1, 0, uid
            if row.good >= CHECK.healthy:
                row.detail = ALIVE
        else:
            row.good, row.bad = 0, row.bad + 1
            if row.bad >= CHECK.unhealthy:
                row.detail = DEAD

    def _carry_out(self, clb: Clb, action: Action) -> None:
        assert isinstance(action, (Register, Retag, Weigh, Deregister))
        key = action.key
        row = clb.bound.get(key)
        if key.listener not in clb.listeners:
            return
        if isinstance(action, Register):
            if row is None:
                detail = clb.history.get((key.ip, key.port), UNKNOWN)
                row = clb.bound[key] = Bound(action.weight, "", detail)
                if detail == ALIVE:  # CLB may remember what it knew of an address
                    row.good = CHECK.healthy
            row.weight, row.tag = action.weight, action.tag if self.tags else ""
            row.bound_for = action.tag
        elif row is not None:
            if isinstance(action, Deregister):
                clb.history[key.ip, key.port] = row.detail
                del clb.bound[key]
            elif isinstance(action, Weigh):
                row.weight = action.weight
            else:
                row.tag, row.bound_for = action.tag if self.tags else "", action.tag
        row = clb.bound.get(key)
        if row is not None:
            row.empty_since = None if row.weight else row.empty_since or self.now

    def to_be(self, clb: Clb) -> dict[Key, int]:
        """The weights when all that is under way has been carried out."""
        found = {key: row.weight for key, row in clb.bound.items()}
        for _, action in clb.under_way:
            if isinstance(action, (Register, Weigh)):
                found[action.key] = action.weight
            elif isinstance(action, Deregister):
                found.pop(action.key, None)
        return found

    # --- CLB: its API

    def _call(self, clb: Clb) -> None:
        if self.now < clb.broken_until or (self.chaos and self.random.random() < 0.02):
            raise CallFailed

    def _past(self, clb: Clb) -> dict[Key, tuple[int, str, str]]:
        self._call(clb)
        return self.random.choice(clb.past)[1] if clb.past else {}

    # --- the binder

    def crash(self) -> None:
        """All that the binder remembers is lost, and it starts again at once."""
        self.known.clear()
        self.confirmed.clear()
        self.confirming.clear()
        self.said.clear()
        self.ready_since.clear()
        self.open_at.clear()
        self.view = View(self.settings)
        self.queue.clear()
        for item in (*self.services.values(), *self.pods.values()):
            self._deliver("put", item)
        self.seen_at = self.now
        self.leading_since = self.now

    def lose_lead(self, seconds: float) -> None:
        self.leading_since, self.next_leader_at = None, self.now + seconds
        self.known.clear()

    def _deliver(self, what: str, item: Pod | Service) -> None:
        if isinstance(item, Pod):
            before = self.view.pods.get(item.uid)
            moved = before is not None and before.ip != item.ip
            if what == "drop" or not item.containers_ready or not item.ip:
                self.ready_since.pop(item.uid, None)
            elif item.uid not in self.ready_since or moved:
                self.ready_since[item.uid] = self.now
            if what == "put" and item.open and item.ip:
                self.open_at.setdefault(item.uid, item.ip)
            elif not item.open or what == "drop":
                self.open_at.pop(item.uid, None)
        touched = (self.view.put if what == "put" else self.view.drop)(item, self.now)
        for lb in sorted(touched & self.clbs.keys()):
            self.of(lb).due = self.now

    def of(self, lb: str) -> Known:
        if lb not in self.known:
            self.known[lb] = Known(LoadBalancer(lb))
        return self.known[lb]

    def _run_binder(self) -> None:
        if self.now >= self.frozen_until:
            self.seen_at = self.now
            while self.queue and self.queue[0][0] <= self.now:
                _, what, item = self.queue.popleft()
                self._deliver(what, item)
        if self.leading_since is None and self.next_leader_at is not None:
            if self.now < self.next_leader_at:
                return
            self.leading_since, self.next_leader_at = self.now, None
        for lb in self.clbs:
            self.of(lb)
        self._poll()
        for lb, one in self.known.items():
            if one.due <= self.now:
                self._round(lb, one)
        self._confirm()
        self._gates()

    def _poll(self) -> None:
        for lb, one in self.known.items():
            if one.plan.poll and self.now - one.polled_at >= self.settings.poll_first:
                one.polled_at = self.now
                clb = self.clbs[lb]
                if self.now < clb.blind_until:
                    continue
                try:
                    past = self._past(clb)
                except CallFailed:
                    continue
                one.due = self.now
                if clb.gone_at is not None:
                    one.listeners_dirty = True
                    continue
                health = {key: Health(detail, weight) for key, (weight, _, detail) in past.items()}
                one.reading = one.reading._replace(health=health, health_at=self.now)

    def _round(self, lb: str, one: Known) -> None:
        clb = self.clbs[lb]
        blind = False
        try:
            self._read(clb, one)
        except CallFailed:
            one.due = self.now + self.settings.retry_first
            if one.reading.targets_at is None:
                return
            blind = True
        made = plan(self.view, one.reading, one.memory, self.context(), self.settings)
        one.memory, one.plan = made.memory, made
        one.targets_dirty |= made.reread
        self.check_plan(lb, one, made)
        dues = [] if made.again is None else [made.again]
        actions = made.drained if blind else made.next
        if actions:
            failed = () if self._perform(clb, one, actions) else actions
            one.memory = book(one.memory, actions, failed, self.now, self.settings)
            dues.append(self.now + self.settings.coalesce)
        if one.reading.listeners_at is None or made.memory.missing:
            dues.append(self.now + self.settings.poll_most)
        dues.append(self.now + self.settings.audit)
        one.due = min(dues)
        for namespace in made.confirm:
            self.confirming.setdefault(namespace, self.now)

    def context(self) -> Context:
        return Context(
            self.now,
            self.now + WALL,
            Changes(True, self.seen_at),
            self.leading_since,
            dict(self.confirmed),
        )

    def _read(self, clb: Clb, one: Known) -> None:
        at, settings, reading = self.now, self.settings, one.reading
        listeners_at, targets_at = reading.listeners_at, reading.targets_at
        old = listeners_at is None or at - listeners_at >= settings.audit
        looked = listeners_at is None or at - listeners_at >= settings.poll_most
        missing = bool(one.memory.missing) and looked
        if old or missing or one.listeners_dirty or reading.absent is not None:
            self._call(clb)
            hiccup = self.chaos and self.random.random() < 0.02
            there = clb.gone_at is None and not hiccup
            self._note_denials(clb, one, there)
            if not there:
                first = reading.absent[0] if reading.absent else at
                one.reading = reading._replace(absent=(first, at))
                one.listeners_dirty = one.targets_dirty = True
                return
            one.reading = one.reading._replace(
                absent=None,
                addresses=("1.2.3.4",),
                listeners=tuple(clb.listeners.values()),
                listeners_at=at,
            )
            one.listeners_dirty = False
        if one.targets_dirty or targets_at is None or at - targets_at >= settings.audit:
            past = self._past(clb)
            targets = {key: Target(weight, text) for key, (weight, text, _) in past.items()}
            one.reading = one.reading._replace(targets=targets, targets_at=at)
            one.targets_dirty = False

    def _note_denials(self, clb: Clb, one: Known, there: bool) -> None:
        """Keep, apart from what the binder makes of it, what CLB answers: it has `clb`, or not."""
        shown = {listener.groups[0].frontend for listener in clb.listeners.values()}
        for frontend in [frontend for lb, frontend, _ in FRONTENDS if lb == clb.id]:
            # A listener that is ours to make is not denied, it is not there yet.
            if there and (self.settings.manage_listeners or frontend in shown):
                one.denied.pop(frontend, None)
            else:
                first, _ = one.denied.get(frontend, (self.now, self.now))
                one.denied[frontend] = first, self.now

    def _perform(self, clb: Clb, one: Known, actions: tuple[Action, ...]) -> bool:
        one.targets_dirty = True
        try:
            self._call(clb)
        except CallFailed:
            return False
        failing = {id_ for id_ in clb.listeners if self.chaos and self.random.random() < 0.03}
        for action in actions:
            self.note(f"{clb.id} {action}")
            if isinstance(action, CreateListener):
                self.add_listener(clb.id, action.frontend, CHECK, action.name)
                one.listeners_dirty = True
            elif isinstance(action, DeleteListener):
                self.check_action(clb, one, action)
                if action.listener in clb.listeners:
                    self.drop_listener(clb, action.listener)
                one.listeners_dirty = True
            elif isinstance(action, (Register, Retag, Weigh, Deregister)):
                if action.key.listener not in clb.listeners:
                    one.listeners_dirty = True
                elif action.key.listener not in failing:
                    self._accept(clb, one, action)
        return True

    def _accept(self, clb: Clb, one: Known, action: Register | Retag | Weigh | Deregister) -> None:
        if isinstance(action, Register):
            there = sum(key.listener == action.key.listener for key in self.to_be(clb))
            if there >= clb.quota:
                until = self.now + 2 * self.settings.drain
                one.memory = one.memory._replace(full_until=until)
                return
            if self.chaos and self.random.random() < 0.03:
                return  # accepted and never bound
        self.check_action(clb, one, action)
        last = clb.under_way[-1][0] if clb.under_way else 0.0
        at = max(self.now + self.random.choice((0, 0.5, WRITE_LAG)), last)
        clb.under_way.append((at, action))

    def _confirm(self) -> None:
        for namespace, asked in list(self.confirming.items()):
            if self.now - asked < TICK:
                continue
            del self.confirming[namespace]
            same, gating = True, set()
            for space in (namespace,) if namespace else ("a", "b"):
                found = self.live_bindings(space)
                same &= _who(found) == _who(self.view.bindings_in(space))
                live = [pod for pod in self.pods.values() if pod.namespace == space]
                same &= _labels(live) == _labels(self.view.pods_in(space))
                gating |= {
                    pod.uid
                    for pod in live
                    if any(selects(one, pod) and one.lb for one in found if one.gating)
                }
            if same:
                self.confirmed[namespace] = self.now
                self.listed[namespace] = self.now, gating
                for one in self.known.values():
                    one.due = self.now

    def standing(self, pod: Pod, binding: Binding) -> Standing:
        if not binding.lb:
            return Standing(gate.NOT_PROVISIONED, "no load balancer")
        one = self.known.get(binding.lb)
        found = one and one.plan.standings.get((pod.uid, binding.owner, binding.frontend))
        return found or Standing(gate.WAITING, "not read yet")

    def look(self, pod: Pod) -> Look:
        gating = [one for one in self.view.bindings_of(pod) if one.gating]
        open_at = self.open_at.get(pod.uid)
        return Look(
            [(one, self.standing(pod, one)) for one in gating],
            self.ready_since.get(pod.uid),
            self.confirmed.get(pod.namespace),
            self.now - self.seen_at <= self.settings.stale and self.leading_since is not None,
            open_at is not None and open_at != pod.ip,
            tuple(self.view.lost[one.owner] for one in gating if one.owner in self.view.lost),
            self.said.get(pod.uid),
        )

    def _gates(self) -> None:
        for pod in list(self.view.pods.values()):
            if not pod.gated:
                continue
            found = verdict(pod, self.look(pod), self.now, self.settings)
            if found.confirm:
                self.confirming.setdefault(pod.namespace, self.now)
            if found.write is not None:
                self.said[pod.uid] = self.now
                self.patch(found.write)

    def patch(self, write: SetGate) -> None:
        pod = self.pods.get(write.uid)
        if pod is None:
            return
        if write.resource_version and write.resource_version != pod.resource_version:
            return  # a conflict
        self.check_gate(pod, write)
        condition = Condition(write.status, write.reason, write.message)
        if condition != pod.condition:
            self.note(f"gate {pod.key} {pod.uid[-4:]} {write.status} {write.reason}")
            self.write(pod, condition=condition)

    # --- laws: a subclass has them

    def note(self, text: str) -> None:
        self.log.append(f"{self.now:.1f} {text}")

    def check_plan(self, lb: str, one: Known, made: Plan) -> None:
        """A plan has been made."""

    def check_action(self, clb: Clb, one: Known, action: Action) -> None:
        """CLB is about to accept a write."""

    def check_gate(self, pod: Pod, write: SetGate) -> None:
        """The API server is about to accept a condition."""


def _who(found: tuple[Binding, ...]) -> set[tuple[object, ...]]:
    return {(one.owner, one.lb, one.frontend, one.selector) for one in found}


def _labels(pods: list[Pod]) -> dict[str, object]:
    return {pod.uid: pod.labels for pod in pods if not pod.terminating}


def wanted(world: World, clb: Clb) -> dict[Key, Pod]:
    """The targets that Pods which are up should have, by the API server's word."""
    found = {}
    groups = {group.frontend: group for one in clb.listeners.values() for group in one.groups}
    for namespace in ("a", "b"):
        for binding in world.live_bindings(namespace):
            group = groups.get(binding.frontend)
            if binding.lb != clb.id or group is None:
                continue
            for pod in world.pods.values():
                port = port_of(pod, binding)
                up = pod.containers_ready and not (pod.terminating or pod.over or pod.updating)
                if up and port is not None and selects(binding, pod):
                    found[Key(group.listener, group.location, pod.ip, port)] = pod
    return found
