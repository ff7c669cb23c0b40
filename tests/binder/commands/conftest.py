"""One simulator per test, as the tests of the adapter to CLB have it."""

from __future__ import annotations

from tests.binder.cloud.conftest import bed, cloud, new_cloud

__all__ = ["bed", "cloud", "new_cloud"]
