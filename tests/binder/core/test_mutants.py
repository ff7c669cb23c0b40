"""Each law can fail: the binder's core with one thing made wrong, in a world where that shows."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import pytest

from binder.core import plan as planning
from binder.core import targets
from binder.core.actions import Register, SetGate, Weigh
from binder.core.clb import ALIVE, Check, Health
from binder.core.evidence import Evidence, observe
from binder.core.gate import Look, Verdict, verdict
from binder.core.objects import Pod
from binder.core.plan import Context, Memory, Plan, plan
from binder.core.targets import Leave
from binder.core.view import View
from binder.settings import Settings
from tests.binder.core import laws, world
from tests.binder.core.laws import Broken

Patch = Callable[[pytest.MonkeyPatch], None]
Planner = targets._Planner


def _nothing(patch: pytest.MonkeyPatch) -> None:
    """Only a setting is wrong."""


def _closes_on_bad_health(patch: pytest.MonkeyPatch) -> None:
    def wrong(pod: Pod, look: Look, now: float, settings: Settings) -> Verdict:
        if (
            pod.open
            and look.trusted
            and not pod.terminating
            and any(not one.passes for _, one in look.standings)
        ):
            return Verdict(SetGate(pod.key, pod.uid, "False", "Dead", ""))
        return verdict(pod, look, now, settings)

    patch.setattr(world, "verdict", wrong)


def _writes_without_a_version(patch: pytest.MonkeyPatch) -> None:
    def wrong(pod: Pod, look: Look, now: float, settings: Settings) -> Verdict:
        return verdict(pod._replace(resource_version=""), look, now, settings)

    patch.setattr(world, "verdict", wrong)


def _believes_the_first_alive(patch: pytest.MonkeyPatch) -> None:
    def wrong(evidence: Evidence, check: Check, now: float, settings: Settings) -> bool:
        health = evidence.health
        if health is None or health.weight == 0:
            return False
        return health.detail == ALIVE or not check.enabled

    patch.setattr(planning, "proven", wrong)


def _believes_readings_of_before(patch: pytest.MonkeyPatch) -> None:
    def wrong(
        before: Evidence, health: Health | None, read_at: float, settings: Settings
    ) -> Evidence:
        return observe(before._replace(since=-1e9), health, read_at, settings)._replace(unwell=-1e9)

    patch.setattr(planning, "observe", wrong)


def _does_not_ask(patch: pytest.MonkeyPatch) -> None:
    def wrong(pod: Pod, look: Look, now: float, settings: Settings) -> Verdict:
        return verdict(pod, look._replace(confirmed_at=1e9), now, settings)

    patch.setattr(world, "verdict", wrong)


def _always_may(patch: pytest.MonkeyPatch) -> None:
    leave = Leave(True, True, True, False)
    patch.setattr(planning, "_leave", lambda *_: leave)


def _takes_all_for_its_own(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(Planner, "_is_ours", lambda *_: True)


def _thinks_that_others_serve(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(Planner, "_others_serve", lambda *_: True)


def _counts_all_with_weight(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(Planner, "_serves", lambda *_: True)


def _takes_its_word_for_weight_0(patch: pytest.MonkeyPatch) -> None:
    def wrong(self: Planner, key: targets.Key) -> bool:  # type: ignore[valid-type]
        self.drained[key] = self.before.drained.get(key, self.now)
        return key in self.before.drained

    patch.setattr(Planner, "_has_drained", wrong)


def _never_tries_again(patch: pytest.MonkeyPatch) -> None:
    right = Planner._do

    def wrong(self: Planner, action: targets.Action) -> None:
        once = isinstance(action, Register) and action in self.before.retries
        if once:
            self.retries[action] = self.before.retries[action]
            self._soon()
        else:
            right(self, action)

    patch.setattr(Planner, "_do", wrong)


def _never_unbinds(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(Planner, "_finish", lambda self, *_: self._soon())


def _waits_for_all_of_the_namespace(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(View, "bindings_of", lambda self, pod: list(self.bindings_in(pod.namespace)))


def _forgets_what_it_saw(patch: pytest.MonkeyPatch) -> None:
    right = planning._evidence

    def wrong(view, bindings, listening, lb, memory, now, settings):  # type: ignore[no-untyped-def]
        return right(view, bindings, listening, lb, Memory(), now, settings)

    patch.setattr(planning, "_evidence", wrong)


def _never_says_when(patch: pytest.MonkeyPatch) -> None:
    def wrong(
        view: View, lb: world.LoadBalancer, memory: Memory, context: Context, settings: Settings
    ) -> Plan:
        return plan(view, lb, memory, context, settings)._replace(again=None)

    patch.setattr(world, "plan", wrong)


def _repeats_itself(patch: pytest.MonkeyPatch) -> None:
    right = Planner._keep

    def wrong(self: Planner, key: targets.Key, wanted: list[targets.Wanted]) -> None:
        right(self, key, wanted)
        if key in self.lb.targets and not self.actions and self._is_ours(key, self.lb.targets[key]):
            self.actions.append(Weigh(key, self.lb.targets[key].weight))

    patch.setattr(Planner, "_keep", wrong)


class Mutant(NamedTuple):
    """What is made wrong, the law that it breaks, and a world where that shows."""

    law: str
    make: Patch
    seed: int
    settings: Settings = laws.SETTINGS


SET = laws.SETTINGS._replace
MUTANTS = (
    Mutant(laws.STICKY, _closes_on_bad_health, 0),
    Mutant(laws.STICKY, _writes_without_a_version, 1),
    Mutant(laws.EVIDENCE, _believes_the_first_alive, 15),
    Mutant(laws.EVIDENCE, _believes_readings_of_before, 5),
    Mutant(laws.EVIDENCE, _nothing, 3, SET(window_slack=-100.0)),
    Mutant(laws.RELEASED, _does_not_ask, 0),
    Mutant(laws.TRUSTED, _always_may, 1),
    Mutant(laws.TRUSTED, _nothing, 0, SET(quarantine=0.0)),
    Mutant(laws.TRUSTED, _nothing, 1, SET(stale=1e9)),
    Mutant(laws.OURS, _takes_all_for_its_own, 9),
    Mutant(laws.NEVER_EMPTY, _thinks_that_others_serve, 10),
    Mutant(laws.NEVER_EMPTY, _counts_all_with_weight, 6),
    Mutant(laws.DRAINED, _nothing, 0, SET(drain=0.0)),
    Mutant(laws.DRAINED, _takes_its_word_for_weight_0, 0),
    Mutant(laws.UNKNOWN_IS_NOT_GONE, _nothing, 14, SET(confirm_absent=0.0)),
    Mutant(laws.HARMLESS, _never_tries_again, 14),
    Mutant(laws.HARMLESS, _never_unbinds, 0),
    Mutant(laws.ISOLATED, _waits_for_all_of_the_namespace, 7),
    Mutant(laws.NO_DEADLOCK, _forgets_what_it_saw, 0),
    Mutant(laws.AWAKE, _never_says_when, 0),
    Mutant(laws.QUIET, _repeats_itself, 0),
)


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda one: f"{one.make.__name__}: {one.law}")
def test_a_core_with_one_thing_wrong_breaks_the_law(
    mutant: Mutant, monkeypatch: pytest.MonkeyPatch
) -> None:
    mutant.make(monkeypatch)
    assert any(broken_law(seed, mutant.settings) == mutant.law for seed in near(mutant.seed))


def broken_law(seed: int, settings: Settings) -> str | None:
    try:
        laws.episode(seed, settings)
    except Broken as broken:
        return broken.law
    return None


def near(seed: int) -> range:
    """The first one shows it today; when the core changes, one of the next ones does."""
    return range(seed, seed + 50)


def test_every_law_has_a_mutant() -> None:
    assert {one.law for one in MUTANTS} == set(laws.LAWS)
