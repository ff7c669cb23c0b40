"""One simulator per test: it starts in two milliseconds."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

pytest.importorskip("aiohttp", reason="the simulator needs aiohttp: pip install '.[simulator]'")
pytest.importorskip("tencentcloud.clb", reason="the SDK is missing: pip install '.[binder]'")

from binder.simulator.clock import VirtualClock
from binder.simulator.simulator import running
from tests.binder.simulator.bed import SEED, Bed, time_of


@pytest.fixture
def bed(monkeypatch: pytest.MonkeyPatch) -> Iterator[Bed]:
    """A simulator without data plane, whose clock stands still, and which throttles nobody."""
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy"):
        monkeypatch.delenv(name, raising=False)
    with running(clock=VirtualClock()) as simulator:
        simulator.world.switches.requests_per_second = 0
        simulator.do(lambda: simulator.simulator.sow(SEED))
        monkeypatch.setattr("tencentcloud.common.abstract_client.time", time_of(simulator.world))
        bed = Bed(simulator)
        yield bed
        bed.close()
