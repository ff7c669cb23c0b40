"""The promise that all is built for: who drains before unbinding loses no request."""

from __future__ import annotations

import pytest

from tests.binder.plane.bed import run
from tests.binder.plane.rollout import Pace, rollout


@pytest.mark.parametrize("protocol", ["TCP", "HTTP"])
def test_draining_first_loses_nothing(protocol: str) -> None:
    async def scenario() -> None:
        result, served = await rollout(Pace(protocol, drain=True, timeout_s=5.0))
        assert (result.failures, served) == (0, 20), result
        assert result.sent > 50

    run(scenario)


@pytest.mark.parametrize("protocol", ["TCP", "HTTP"])
def test_unbinding_first_loses_requests(protocol: str) -> None:
    async def scenario() -> None:
        result, _ = await rollout(Pace(protocol, drain=False))
        assert result.failures > 0, result

    run(scenario)
