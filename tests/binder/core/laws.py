"""The laws of the binder's core, checked in every step of a model world.

``python -m tests.binder.core.laws --steps 1000000`` runs as many steps as one likes, with progress.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor, as_completed

from binder.core import gate, tag
from binder.core.actions import Action, DeleteListener, Deregister, Register, Retag, SetGate, Weigh
from binder.core.bindings import selects
from binder.core.clb import ALIVE, CLOSE, Frontend, Key
from binder.core.objects import Pod
from binder.core.plan import Plan
from binder.settings import Settings
from tests.binder.core.world import (
    FRONTENDS,
    PORT,
    SETTINGS,
    TICK,
    WALL,
    Bound,
    Clb,
    Known,
    World,
    wanted,
)

# The names of the laws; the numbers are those of the invariants in the specification.
STICKY = "1 a Ready Pod's condition never goes from True to False"
EVIDENCE = "2 the gate opens only when CLB has served this very Pod on every gating binding"
RELEASED = "3 a Pod that nothing gates is released on the API server's own word"
TRUSTED = "4 nothing destructive on a stale view, without the lease or in quarantine"
OURS = "4 no target of others is ever written"
NEVER_EMPTY = "5 the last target that serves is not drained while its Pod is there"
DRAINED = "5 nothing is unbound before weight 0 was read, and the drain time is over"
UNKNOWN_IS_NOT_GONE = "6 only what CLB has denied for long enough counts as gone"
HARMLESS = "7 after any crash all comes right: what is bound is what should be"
ISOLATED = "8 a load balancer that fails holds nobody but those behind it"
NO_DEADLOCK = "gates of Pods that are up and served open when the world is quiet"
AWAKE = "whoever has work left has said when to look again"
QUIET = "nothing is written when there is nothing to do"
LAWS = (
    STICKY,
    EVIDENCE,
    RELEASED,
    TRUSTED,
    OURS,
    NEVER_EMPTY,
    DRAINED,
    UNKNOWN_IS_NOT_GONE,
    HARMLESS,
    ISOLATED,
    NO_DEADLOCK,
    AWAKE,
    QUIET,
)

SLACK = SETTINGS.read_lag + 2 * TICK  # what was read may be that much older than its reading
EPISODE = 300  # steps of chaos
CALM = 260.0  # seconds for all to come right
WATCHED = 60.0  # seconds in which nothing may be written then
QUIET_TICK = 1.0


class Broken(AssertionError):
    """A law is broken; the message has the seed and what happened last."""

    def __init__(self, law: str, detail: str) -> None:
        super().__init__(law, detail)  # as they came: it travels between processes
        self.law, self.detail = law, detail

    def __str__(self) -> str:
        return f"{self.law}\n{self.detail}"


class LawWorld(World):
    """A world in which every write is judged."""

    def __init__(
        self, seed: int, settings: Settings = SETTINGS, tags: bool = True, chaos: bool = True
    ) -> None:
        self.seed = seed
        self.wrote_at = 0.0
        self.restarts = 0
        self.removed: dict[tuple[str, str], float] = {}  # when somebody else took a target out
        super().__init__(seed, settings, tags, chaos)

    def demand(self, law: str, holds: bool, detail: object) -> None:
        if not holds:
            log = "\n".join(self.log)
            raise Broken(law, f"{self.now:.1f} {detail}\nseed {self.seed}\n{log}")

    # --- gates

    def check_gate(self, pod: Pod, write: SetGate) -> None:
        self.wrote_at = self.now
        if write.status == "False":
            self.demand(STICKY, not (pod.open and pod.ready), write)
            return
        leads = self.leading_since is not None and self.now - self.seen_at <= SETTINGS.stale
        self.demand(TRUSTED, leads, write)
        if pod.open or pod.over:
            return  # it says so already, or it says nothing to anybody
        known = self.view.bindings_of(pod)
        if write.reason in (gate.NO_LOAD_BALANCER, gate.NOT_PROVISIONED):
            at, gating = self.listed.get(pod.namespace, (-1e9, {pod.uid}))
            late = at <= self.ready_since.get(pod.uid, 1e9)
            live = self.live_bindings(pod.namespace)
            now = any(selects(one, pod) and one.lb for one in live if one.gating)
            unbound = pod.uid not in gating or not now or write.reason == gate.NOT_PROVISIONED
            self.demand(RELEASED, not late and unbound, write)
        for binding in known:
            clb = self.clbs.get(binding.lb)
            if clb is None or self.view.pods[pod.uid].weight == 0:
                continue
            if self._denied_for_long(clb, binding.frontend):
                continue
            gone = self._gone(clb, binding.frontend)
            if gone is not None:
                recent = self.now - gone <= SETTINGS.fresh + SLACK
                self.demand(UNKNOWN_IS_NOT_GONE, recent, write)
                continue
            back = self.now - clb.back_at.get(binding.frontend, -1e9)
            just_back = back <= SETTINGS.fresh + SLACK
            served = self._served(clb, binding.frontend, pod) or just_back
            detail = f"{write} {binding.lb} {binding.frontend}\n{clb.bound}\n{self.of(clb.id)}"
            self.demand(EVIDENCE, served, detail)

    def _denied_for_long(self, clb: Clb, frontend: Frontend) -> bool:
        """Whether CLB has said twice, far enough apart, that it is not there.

        It may have gone later than that: CLB denies what is there at times, and nobody can tell.
        """
        first, last = self.of(clb.id).denied.get(frontend, (0.0, 0.0))
        return last - first >= SETTINGS.confirm_absent and self.now - last <= SETTINGS.fresh

    def _gone(self, clb: Clb, frontend: Frontend) -> float | None:
        """Since when there is no such load balancer or listener."""
        if clb.gone_at is not None:
            return clb.gone_at
        return clb.listener_gone_at.get(frontend)

    def _served(self, clb: Clb, frontend: Frontend, pod: Pod) -> bool:
        for key, row in clb.bound.items():
            group = clb.listeners[key.listener].groups[0]
            if group.frontend != frontend or (key.ip, key.port) != (pod.ip, PORT):
                continue
            if not group.check.enabled:
                return True
            recent = self.now - SETTINGS.fresh - SLACK
            return row.by_hand > recent or (row.alive_at > recent and row.alive_of == pod.uid)
        # It may have been taken out by others since it was read; then it is bound again.
        return self.removed.get((clb.id, pod.ip), -1e9) >= self.now - SETTINGS.fresh - SLACK

    # --- targets

    def check_action(self, clb: Clb, one: Known, action: Action) -> None:
        self.wrote_at = self.now
        self._check_trust(one, action)
        if isinstance(action, DeleteListener):
            bound = [key for key in clb.bound if key.listener == action.listener]
            recent = [key for key in bound if self.now - clb.bound[key].by_hand < 20]
            self.demand(DRAINED, len(bound) == len(recent), action)
            listener = clb.listeners.get(action.listener)
            if listener is not None:
                self.demand(OURS, listener.name.startswith("tke-direct/"), action)
            return
        assert isinstance(action, (Register, Retag, Weigh, Deregister))
        row = clb.bound.get(action.key)
        if row is None:
            return
        mark = tag.read(row.tag)
        theirs = row.tag and (mark is None or mark.cluster != tag.short(self.settings.cluster))
        # CLB has no conditional writes: who takes a target over right now is not seen.
        last_read = one.reading.targets_at or 0.0
        just_now = self.now - row.by_hand <= SETTINGS.fresh + SLACK or (
            # Who dies is drained, even if nothing can be read.
            self.now - max(clb.broken_until, clb.blind_until) < SETTINGS.fresh
            and row.by_hand > last_read - SLACK
        )
        self.demand(OURS, not theirs or just_now, action)
        if isinstance(action, Weigh) and action.weight == 0:
            self._check_never_empty(clb, one, action.key, row)
        if isinstance(action, Deregister):
            self._check_drained(clb, one, action.key, row)

    def _check_trust(self, one: Known, action: Action) -> None:
        lowers = isinstance(action, Weigh) and action.weight == 0
        if not (lowers or isinstance(action, (Deregister, DeleteListener))):
            return
        since = self.leading_since
        fresh = self.now - self.seen_at <= SETTINGS.stale
        self.demand(TRUSTED, since is not None and fresh, action)
        assert since is not None
        if self.now - since >= 14:  # the lease and a call of whoever led before
            return
        excused = False
        if isinstance(action, Weigh):
            ledger = one.memory.ledger
            ended = any(pod.over or pod.terminating for pod in self.view.at(action.key.ip))
            excused = ended or action.key in ledger.asked
        self.demand(TRUSTED, excused, f"{action} in quarantine")

    def _check_never_empty(self, clb: Clb, one: Known, key: Key, row: Bound) -> None:
        group = clb.listeners[key.listener].groups[0]
        bindings = self.view.bindings_on(clb.id)
        used = any(binding.frontend == group.frontend for binding in bindings)
        uid = self.answers(key.ip)
        pod = self.view.pods.get(uid)
        if not used or pod is None or pod.ip != key.ip or self._is_of_another(row, pod):
            return  # nobody asks for it, or its Pod is not known to be there
        last_moment = SETTINGS.last_moment + TICK
        if pod.dies_at is not None and self.now + WALL >= pod.dies_at - last_moment:
            return
        serves = row.weight > 0 and (row.detail == ALIVE or not group.check.enabled)
        read_at = one.reading.health_at or 0.0
        just_now = row.alive_since is not None and row.alive_since > read_at - SLACK
        if not serves or just_now:
            return
        blind = self.now - max(clb.blind_until, clb.broken_until) < SETTINGS.fresh
        to_be = self.to_be(clb)
        recent = self.now - SETTINGS.fresh - SLACK
        others = [
            other
            for other, it in clb.bound.items()
            if other != key and other.listener == key.listener
            if to_be.get(other, 0) > 0 or it.by_hand > recent
            if self._said_to_serve(one, other)
            or it.alive_at > recent
            or it.detail == ALIVE
            or not group.check.enabled
            or blind
        ]
        lost = any(at > recent for (lb, _), at in self.removed.items() if lb == clb.id)
        held = bool(others) or lost or self._listener_is_new(clb, key)
        detail = (
            f"{clb.id} {key} {pod.name} {to_be}\n{clb.bound}\n{one.reading}\n{one.memory.ledger}"
        )
        self.demand(NEVER_EMPTY, held, detail)

    def _said_to_serve(self, one: Known, key: Key) -> bool:
        """CLB says so; of a Pod without a gate nobody asks for more proof."""
        health = one.reading.health.get(key)
        gated = any(pod.gated for pod in self.view.at(key.ip))
        return health is not None and health.detail == ALIVE and not gated

    def _is_of_another(self, row: Bound, pod: Pod) -> bool:
        """Bound for a Pod that had the address before."""
        mark = tag.read(row.bound_for)
        return mark is not None and mark != tag.mark(self.settings.cluster, pod.uid)

    def _listener_is_new(self, clb: Clb, key: Key) -> bool:
        return key.listener not in {one.id for one in self.of(clb.id).reading.listeners}

    def _check_drained(self, clb: Clb, one: Known, key: Key, row: Bound) -> None:
        read = one.reading.targets.get(key)
        self.demand(DRAINED, read is not None and read.weight == 0, f"unbind {key}")
        uid = self.answers(key.ip)
        pod = self.view.pods.get(uid)
        recent = self.now - row.by_hand <= SETTINGS.fresh + SLACK
        if recent or pod is None or pod.ip != key.ip or self._is_of_another(row, pod):
            return
        full = self.now < one.memory.full_until
        since = row.empty_since
        self.demand(DRAINED, since is not None, f"unbind {key} with weight {row.weight}")
        assert since is not None
        long = self.now - since >= SETTINGS.drain - TICK
        self.demand(DRAINED, long or full, f"unbind {key} after {self.now - since} s")

    def check_plan(self, lb: str, one: Known, made: Plan) -> None:
        clb = self.clbs[lb]
        if made.actions:
            self.wrote_at = self.now
        if made.actions or made.again is not None or one.reading.targets_at is None:
            return
        need = wanted(self, clb)
        if self.queue or one.reading.absent is not None:
            return
        there = {
            key: target
            for key, target in one.reading.targets.items()
            if tag.read(target.tag) is not None and target.tag != FOREIGN_TAG
        }
        extra = there.keys() - need.keys() if self.tags else set()
        extra = {key for key in extra if not self.view.at(key.ip)}
        listeners = {listener.id for listener in one.reading.listeners}
        lacking = {
            key for key in need.keys() - one.reading.targets.keys() if key.listener in listeners
        }
        self.demand(AWAKE, not extra and not lacking, f"{lb} {extra} {lacking}")


FOREIGN_TAG = tag.write(tag.mark("theirs", "f" * 16))


# --- events


def _pod(world: LawWorld) -> Pod | None:
    found = [pod for pod in world.pods.values() if not pod.terminating and not pod.over and pod.ip]
    return world.random.choice(found) if found else None


def _roll(world: LawWorld) -> None:
    world.random.choice(world.deployments).revision += 1


def _scale(world: LawWorld) -> None:
    world.random.choice(world.deployments).replicas = world.random.randrange(0, 5)


def _delete(world: LawWorld) -> None:
    pod = _pod(world)
    if pod is not None:
        world.delete(pod)


def _force_delete(world: LawWorld) -> None:
    pod = _pod(world)
    if pod is not None:
        world.remove(pod)


def _evict(world: LawWorld) -> None:
    pod = _pod(world)
    if pod is not None:
        world.end_process(pod)
        world.write(pod, phase="Failed", containers_ready=False)


def _crash_pod(world: LawWorld) -> None:
    pod = _pod(world)
    if pod is not None and pod.containers_ready:
        life = world.lives[pod.uid]
        life.answers, life.wakes_at = False, world.now + world.random.choice((2, 8))
        world.write(pod, containers_ready=False)


def _mute_pod(world: LawWorld) -> None:
    pod = _pod(world)
    if pod is not None:
        life = world.lives[pod.uid]
        life.mute = not life.mute


def _update_in_place(world: LawWorld) -> None:
    pod = _pod(world)
    if pod is not None and pod.containers_ready:
        life = world.lives[pod.uid]
        life.answers, life.wakes_at = False, world.now + world.random.choice((2, 8))
        world.write(pod, containers_ready=False, updating=True)


def _relabel(world: LawWorld) -> None:
    pod = _pod(world)
    if pod is not None:
        app = "nobody" if pod.labels["app"] != "nobody" else "web"
        world.write(pod, labels={**pod.labels, "app": app})


def _weight(world: LawWorld) -> None:
    pod = _pod(world)
    if pod is not None:
        world.write(pod, weight=world.random.choice((None, 0, 20)))


def _drop_service(world: LawWorld) -> None:
    world.drop_service(world.random.choice(SERVICES))


def _put_service(world: LawWorld) -> None:
    for name in SERVICES:
        world.put_service(name)


def _unprovision(world: LawWorld) -> None:
    world.put_service(world.random.choice(SERVICES), lb="")


def _break(world: LawWorld) -> None:
    clb = _clb(world)
    clb.broken_until = world.now + world.random.choice((2, 20, 60))


def _blind(world: LawWorld) -> None:
    clb = _clb(world)
    clb.blind_until = world.now + world.random.choice((2, 20, 60))


def _clb(world: LawWorld) -> Clb:
    return world.clbs[world.random.choice(("lb-1", "lb-2"))]


def _drop_listener(world: LawWorld) -> None:
    clb = _clb(world)
    if clb.listeners and clb.gone_at is None:
        world.drop_listener(clb, world.random.choice(list(clb.listeners)))


def _restore_listeners(world: LawWorld) -> None:
    for clb in world.clbs.values():
        clb.gone_at = None
        there = {one.groups[0].frontend for one in clb.listeners.values()}
        for lb, frontend, check in FRONTENDS:
            if lb == clb.id and frontend not in there and not world.settings.manage_listeners:
                world.add_listener(lb, frontend, check)


def _drop_lb(world: LawWorld) -> None:
    clb = _clb(world)
    if clb.gone_at is None:
        for id_ in list(clb.listeners):
            world.drop_listener(clb, id_)
        clb.gone_at = world.now


def _take_out(world: LawWorld) -> None:
    clb = _clb(world)
    if clb.bound:
        key = world.random.choice(list(clb.bound))
        del clb.bound[key]
        world.removed[clb.id, key.ip] = world.now


def _weigh_by_hand(world: LawWorld) -> None:
    clb = _clb(world)
    if clb.bound:
        row = clb.bound[world.random.choice(list(clb.bound))]
        row.weight, row.by_hand = world.random.choice((0, 10)), world.now
        row.empty_since = None if row.weight else row.empty_since or world.now


def _take_over(world: LawWorld) -> None:
    pod = _pod(world)
    if pod is not None and world.tags:
        world.bring(pod.ip, PORT, "lb-1", FOREIGN_TAG)


def _foreign(world: LawWorld) -> None:
    ip = f"10.9.0.{world.random.randrange(5)}"
    world.bring(ip, PORT, world.random.choice(("lb-1", "lb-2")), FOREIGN_TAG)


def _quota(world: LawWorld) -> None:
    _clb(world).quota = world.random.choice((3, 5, 1000))


def _freeze(world: LawWorld) -> None:
    world.frozen_until = world.now + world.random.choice((5, 30, 90))


def _restart(world: LawWorld) -> None:
    world.restarts += 1
    world.crash()


def _lose_lead(world: LawWorld) -> None:
    world.restarts += 1
    world.lose_lead(world.random.choice((1, 15)))


SERVICES = ("web", "api", "shared", "plain")
EVENTS: tuple[tuple[int, Callable[[LawWorld], None]], ...] = (
    (8, _roll),
    (4, _scale),
    (6, _delete),
    (3, _force_delete),
    (2, _evict),
    (3, _crash_pod),
    (3, _mute_pod),
    (3, _update_in_place),
    (3, _relabel),
    (2, _weight),
    (2, _drop_service),
    (4, _put_service),
    (1, _unprovision),
    (2, _break),
    (2, _blind),
    (1, _drop_listener),
    (3, _restore_listeners),
    (1, _drop_lb),
    (2, _take_out),
    (2, _weigh_by_hand),
    (1, _take_over),
    (1, _foreign),
    (1, _quota),
    (2, _freeze),
    (2, _restart),
    (2, _lose_lead),
)
_WEIGHTS, _CALLS = zip(*EVENTS, strict=True)


# --- episodes


def make(seed: int, settings: Settings = SETTINGS) -> LawWorld:
    """A world; the kind of it follows from the seed."""
    settings = settings._replace(manage_listeners=seed % 4 == 3)
    return LawWorld(seed, settings, tags=seed % 5 != 4)


def chaos(world: LawWorld, steps: int = EPISODE) -> None:
    """Random events and time."""
    for _ in range(steps):
        if world.random.random() < 0.15:
            call = world.random.choices(_CALLS, _WEIGHTS)[0]
            world.note(call.__name__)
            call(world)
        world.tick(world.random.choice((TICK, TICK, 1.0)))


def heal(world: LawWorld) -> None:
    """No more faults, and everything that was taken away is there again."""
    world.chaos = False
    world.frozen_until = -1.0
    if world.leading_since is None:
        world.next_leader_at = world.now
    _restore_listeners(world)
    _put_service(world)
    for clb in world.clbs.values():
        clb.broken_until = clb.blind_until = -1.0
        clb.quota = 1000
    for pod in list(world.pods.values()):
        world.lives[pod.uid].mute = False
        if (pod.namespace, pod.labels["app"]) not in {
            (one.namespace, one.name) for one in world.deployments
        }:
            world.delete(pod)
    for clb in world.clbs.values():
        for key in [key for key, row in clb.bound.items() if row.tag == FOREIGN_TAG]:
            if not key.ip.startswith("10.9."):
                del clb.bound[key]
                world.removed[clb.id, key.ip] = world.now


def audit(world: LawWorld) -> None:
    """In the end the binder reads everything again."""
    for one in world.known.values():
        one.targets_dirty = one.listeners_dirty = True
        one.due = world.now


def calm(world: LawWorld) -> None:
    """A healed world comes to rest, and all is as it should be."""
    heal(world)
    start = world.now
    while world.now < start + CALM:
        if world.now == start + 10:
            audit(world)
        world.tick(QUIET_TICK)
    check_rest(world)
    quiet_since = world.now
    while world.now < quiet_since + WATCHED:
        world.tick(QUIET_TICK)
    world.demand(QUIET, world.wrote_at <= quiet_since, "still writing")


def check_rest(world: LawWorld) -> None:
    # Without tags it is our memory only that says what is ours, and whose it was.
    forgotten = not world.tags and world.restarts > 0
    for clb in world.clbs.values():
        need = wanted(world, clb)
        for key, pod in need.items():
            weight = world.settings.weight if pod.weight is None else pod.weight
            row = clb.bound.get(key)
            world.demand(HARMLESS, row is not None, f"{clb.id}: {pod.name} is not bound")
            assert row is not None
            # The last one is kept, whatever weight it asks for.
            lone = weight == 0 and not _others(clb, key)
            if not forgotten:
                detail = f"{clb.id} {key} {row} {weight}"
                world.demand(HARMLESS, row.weight == weight or lone, detail)
        for key, row in clb.bound.items():
            theirs = key.ip.startswith("10.9.") or forgotten
            world.demand(HARMLESS, theirs or key in need, f"{clb.id} {key} {row} is left over")
    for pod in world.pods.values():
        up = pod.containers_ready and not (pod.updating or pod.terminating or pod.over)
        # Without them a weight of 0 that an earlier life of ours gave is not ours to raise.
        if up and pod.gated and not forgotten:
            world.demand(NO_DEADLOCK, pod.open, pod)


def _others(clb: Clb, key: Key) -> bool:
    return any(
        row.weight > 0 and row.detail in (ALIVE, CLOSE)
        for other, row in clb.bound.items()
        if other.listener == key.listener != key
        if other != key
    )


def isolation(seed: int, settings: Settings = SETTINGS) -> int:
    """One load balancer never answers; Pods that are not behind it get their gates."""
    world = make(seed, settings)
    broken = world.random.choice(("lb-1", "lb-2"))
    world.clbs[broken].broken_until = 1e9
    for _ in range(3):
        for one in world.deployments:
            one.revision += 1
        for _ in range(60):
            world.tick(QUIET_TICK)
    for pod in list(world.pods.values()):
        namespaced = world.live_bindings(pod.namespace)
        old = world.now - world.ready_since.get(pod.uid, world.now) > 45
        behind = any(selects(one, pod) and one.lb == broken for one in namespaced)
        if pod.gated and old and not behind and not pod.terminating:
            world.demand(ISOLATED, pod.open, pod)
    return world.steps


def episode(seed: int, settings: Settings = SETTINGS) -> int:
    """Chaos, then calm; steps made."""
    if seed % 10 == 7:
        return isolation(seed, settings)
    world = make(seed, settings)
    chaos(world)
    calm(world)
    return world.steps


def run(
    first: int, steps: int, processes: int = 1, report: Callable[[int], None] | None = None
) -> int:
    """Run episodes from seed `first` on until `steps` have been made; Broken when a law is."""
    done, seed = 0, first
    if processes == 1:
        while done < steps:
            done += episode(seed)
            seed += 1
            if report:
                report(done)
        return done
    with ProcessPoolExecutor(processes) as pool:
        waiting = {pool.submit(episode, seed + n) for n in range(2 * processes)}
        seed += 2 * processes
        while waiting:
            finished = next(as_completed(waiting))
            waiting.remove(finished)
            done += finished.result()
            if report:
                report(done)
            if done < steps:
                waiting.add(pool.submit(episode, seed))
                seed += 1
    return done


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--steps", type=int, default=1_000_000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--processes", type=int, default=len(os.sched_getaffinity(0)))
    options = parser.parse_args()
    started = said = time.monotonic()

    def report(done: int) -> None:
        nonlocal said
        if time.monotonic() - said >= 10:
            said = time.monotonic()
            rate = done / (said - started)
            print(f"{done:,} of {options.steps:,} steps, {rate:,.0f} a second", flush=True)

    try:
        done = run(options.seed, options.steps, options.processes, report)
    except Broken as broken:
        print(f"broken: {broken}")
        return 1
    took = time.monotonic() - started
    print(f"{done:,} steps in {took:,.0f} s, {len(LAWS)} laws, none broken")
    return 0


if __name__ == "__main__":
    sys.exit(main())
