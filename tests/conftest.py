"""Options and helpers that every test may use."""

from __future__ import annotations

import os
import shlex
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

pytest_plugins = ["tests.controlplane.fixtures"]

ROOT = Path(__file__).resolve().parent.parent
FIXTURES = ROOT / "tests" / "fixtures"

# The command under test: this checkout, or for instance the one of an installed wheel.
COMMAND = shlex.split(os.environ.get("TKE_DIRECT", "")) or [sys.executable, "-m", "transformer"]

Result = subprocess.CompletedProcess[bytes]
Run = Callable[..., Result]


def pytest_configure() -> None:
    # A shell that starts us in the background lets us ignore SIGINT, and our children would too.
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--update", action="store_true", help="rewrite the expected files of the goldens"
    )


def tke_direct(*arguments: str | Path, cwd: Path, stdin: bytes = b"", **options: object) -> Result:
    """Run the command as a user would: a process of its own, no configuration but `cwd`'s."""
    environment = {
        name: value
        for name, value in os.environ.items()
        if name not in ("NO_COLOR", "FORCE_COLOR", "TKE_DIRECT_TRACEBACK")
    }
    if "TKE_DIRECT" not in os.environ:
        environment["PYTHONPATH"] = str(ROOT)
    return subprocess.run(  # type: ignore[call-overload,no-any-return]
        [*COMMAND, *map(str, arguments)],
        cwd=cwd,
        input=stdin,
        capture_output=True,
        check=False,
        env=environment,
        **options,
    )


@pytest.fixture
def run(tmp_path: Path) -> Run:
    """The command, run in an empty directory of its own."""
    (tmp_path / ".git").mkdir(exist_ok=True)  # the look-up of configuration stops here

    def call(*arguments: str | Path, **options: object) -> Result:
        return tke_direct(*arguments, cwd=tmp_path, **options)

    return call
