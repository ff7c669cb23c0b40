"""One simulator per test, and our adapter in front of it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

pytest.importorskip("aiohttp", reason="the simulator needs aiohttp: pip install '.[simulator]'")
pytest.importorskip("tencentcloud.common", reason="the SDK is missing: pip install '.[binder]'")

from tests.binder.cloud.bed import Cloud
from tests.binder.simulator.bed import Bed
from tests.binder.simulator.conftest import bed

__all__ = ["bed", "cloud", "new_cloud"]


@pytest.fixture
def new_cloud(bed: Bed) -> Iterator[Callable[..., Cloud]]:
    made: list[Cloud] = []

    def make(**options: Any) -> Cloud:
        made.append(Cloud(bed, **options))
        return made[-1]

    bed.simulator.do(lambda: bed.world.quotas.update({"TOTAL_TARGET_BIND_QUOTA": 5000}))
    yield make
    for cloud in made:
        cloud.client.close()


@pytest.fixture
def cloud(new_cloud: Callable[..., Cloud]) -> Cloud:
    return new_cloud()
