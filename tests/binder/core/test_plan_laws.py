"""The laws of the core over random worlds; `python -m tests.binder.core.laws` runs more of them."""

from __future__ import annotations

import os

import pytest

from tests.binder.core import laws

STEPS = int(os.environ.get("TKE_DIRECT_BINDER_STEPS", "24000"))
PARTS = 6


@pytest.mark.parametrize("part", range(PARTS))
def test_no_law_is_broken_in_random_worlds(part: int) -> None:
    assert laws.run(first=part * 100_000, steps=STEPS // PARTS) >= STEPS // PARTS


@pytest.mark.parametrize("seed", range(4))
def test_a_load_balancer_that_never_answers_holds_nobody_else(seed: int) -> None:
    assert laws.isolation(seed)


def test_the_same_seed_makes_the_same_world() -> None:
    worlds = [laws.make(5), laws.make(5)]
    for world in worlds:
        laws.chaos(world, 80)
    assert worlds[0].log == worlds[1].log
    assert worlds[0].pods == worlds[1].pods
