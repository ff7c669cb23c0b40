"""What a test asks for when it needs a cluster; such tests get the marker `cluster`.

- `control_plane`: one for the whole run; `control_plane.kubeconfig()`, `.client()`, `.admin_token`
- `api`: the official client, as administrator, closed at the end
- `namespace`: an empty one for this test, with its default service account
- `kubelet`: two nodes on loopback, for the whole run
- `programs`: for a test that starts control planes of its own
"""

from __future__ import annotations

import secrets
import shutil
from collections.abc import Generator, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.controlplane.programs import HOW, Programs, find
from tests.peers import CACHE

# Not at the top: a run of unit tests should not pay for the client, which is large.
if TYPE_CHECKING:
    from kubernetes.client import ApiClient

    from tests.controlplane.kubelet import Kubelet
    from tests.controlplane.plane import ControlPlane

LOGS = CACHE.parent / "control-plane-logs"


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "cluster: needs etcd and the programs of Kubernetes")


@pytest.hookimpl(tryfirst=True)  # before pytest takes out what -m does not want
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if "programs" in getattr(item, "fixturenames", ()):
            item.add_marker("cluster")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Give one place to all that is skipped for want of the programs, so that it makes one line."""
    report = yield
    if isinstance(report.longrepr, tuple) and HOW in report.longrepr[2]:
        report.longrepr = (__file__, None, report.longrepr[2])  # type: ignore[assignment]
    return report


@pytest.fixture(scope="session")
def programs() -> Programs:
    found = find()
    if not found:
        pytest.skip(HOW)
    return found


@pytest.fixture(scope="session")
def control_plane(programs: Programs, request: pytest.FixtureRequest) -> Iterator[ControlPlane]:
    from tests.controlplane.plane import ControlPlane

    shutil.rmtree(LOGS, ignore_errors=True)  # those of a former run
    plane = ControlPlane(programs)
    failed_before = request.session.testsfailed
    yield plane
    failed = request.session.testsfailed > failed_before
    plane.stop(keep_logs=_place_for_logs(plane.directory) if failed else None)


def _place_for_logs(directory: Path) -> Path:
    place = LOGS / directory.name
    print(f"\nthe logs of the control plane are in {place}")
    return place


@pytest.fixture(scope="session")
def kubelet(control_plane: ControlPlane) -> Iterator[Kubelet]:
    from tests.controlplane.kubelet import Kubelet

    with Kubelet(control_plane) as nodes:
        yield nodes


@pytest.fixture
def api(control_plane: ControlPlane) -> Iterator[ApiClient]:
    with control_plane.client() as client:
        yield client


@pytest.fixture
def namespace(api: ApiClient) -> Iterator[str]:
    from kubernetes.client import CoreV1Api

    from tests.controlplane.access import create
    from tests.controlplane.watching import wait_for

    name, core = f"test-{secrets.token_hex(4)}", CoreV1Api(api)
    create(api, {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}})
    wait_for("the default service account", core.list_namespaced_service_account, bool, name)
    yield name
    core.delete_namespace(name)
