"""What the webhook's tests ask for."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.controlplane.plane import ControlPlane


@pytest.fixture(scope="session")
def installed(control_plane: ControlPlane) -> Iterator[object]:
    from tests.binder.webhook.site import Site

    site = Site(control_plane)
    yield site
    site.close()


@pytest.fixture
def site(installed: object) -> Iterator[object]:
    """The shipped manifests, and no trace of a webhook that has run."""
    from tests.binder.webhook.site import Site

    assert isinstance(installed, Site)
    installed.clear()
    yield installed
    installed.clear()
