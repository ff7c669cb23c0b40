"""Loops that beat, and checks that say what is wrong."""

from __future__ import annotations

import pytest

from binder.core.objects import Changes
from binder.operations.health import USUAL, Checks, Heart, view


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def test_a_loop_that_beats_is_alive() -> None:
    clock = Clock()
    heart = Heart(clock)
    heart.expect("tick", 5.0)
    clock.now += 4
    heart.beat("tick")
    clock.now += 5
    assert heart.silent() == []


def test_a_loop_that_is_silent_is_named() -> None:
    clock = Clock()
    heart = Heart(clock)
    heart.expect("tick", 5.0)
    heart.expect("slow", 50.0)
    clock.now += 7
    assert heart.silent() == ["tick: silent for 7 s, 5 s are allowed"]


def test_a_loop_that_has_ended_as_it_should_is_not_missed() -> None:
    clock = Clock()
    heart = Heart(clock)
    heart.expect("tick", 5.0)
    heart.forget("tick")
    clock.now += 9
    assert heart.silent() == []


def test_a_loop_that_nobody_expected_is_watched_from_its_first_beat_on() -> None:
    clock = Clock()
    heart = Heart(clock)
    heart.beat("new")
    clock.now += USUAL + 1
    assert [line.split(":")[0] for line in heart.silent()] == ["new"]


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        (Changes(True, 50.0), ""),
        (Changes(False, 100.0), "the cluster has not been listed yet"),
        (Changes(True, 39.0), "the API server was last heard of 61 s ago"),
    ],
)
def test_the_view_is_ready_when_it_is_complete_and_fresh(changes: Changes, problem: str) -> None:
    assert view(lambda: changes, lambda: 100.0, 60.0)() == problem


def test_only_failing_checks_are_named() -> None:
    checks = Checks()
    checks.add("view", lambda: "")
    checks.add("certificate", lambda: "expired")
    assert checks.failing() == ["certificate: expired"]


def test_a_check_that_cannot_check_fails() -> None:
    checks = Checks()
    checks.add("view", lambda: str(1 / 0))
    assert checks.failing() == ["view: could not be checked (ZeroDivisionError)"]
