"""What the tests of the doors share."""

from __future__ import annotations

import pytest

from tests.doors.kustomize import Machine, provenance


@pytest.fixture(scope="session")
def machine(tmp_path_factory: pytest.TempPathFactory) -> Machine:
    return Machine(tmp_path_factory.mktemp("machine"))


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say which programs were tested; a header would not show in a quiet run."""
    reports = [one for group in terminalreporter.stats.values() for one in group]
    if any("tests/doors/test_kustomize.py" in getattr(one, "nodeid", "") for one in reports):
        terminalreporter.section("kustomize")
        for line in provenance():
            terminalreporter.line(line)
