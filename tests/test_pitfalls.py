"""The five documented pitfalls, in the small repository tests/demo/pitfalls."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.conftest import ROOT, Run

PITFALLS = ROOT / "tests" / "demo" / "pitfalls"

FOUND = [
    "1-missing-eni-ip.yaml:18:11: error eni-request-missing: Deployment cart",
    "2-host-network.yaml:16:20: error host-network: Deployment edge",
    "3-annotation-on-the-deployment.yaml:7:5: error misplaced-annotation: Deployment search",
    "3-annotation-on-the-deployment.yaml:13:5: error networks-missing: Deployment search",
    "4-gate-without-service.yaml:32:26: warning gate-without-entry-point: Deployment worker",
    "5-unquoted.yaml:39:46: error unquoted-string: Service shop",
]
LEFT = ["host-network", "gate-without-entry-point"]  # only people know what they meant


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    shutil.copytree(PITFALLS, tmp_path, dirs_exist_ok=True)
    return tmp_path


def shown(output: bytes) -> list[str]:
    return [": ".join(line.split(": ")[:3]) for line in output.decode().splitlines()]


def test_every_pitfall_is_found_at_its_line_and_column(run: Run, repository: Path) -> None:
    result = run("lint", ".")
    assert result.returncode == 1
    assert shown(result.stdout) == FOUND


def rules_in(output: bytes) -> list[str]:
    return [line.split()[2].rstrip(":") for line in shown(output)]


def test_what_can_be_mended_is_and_the_rest_remains(run: Run, repository: Path) -> None:
    result = run("lint", "--fix", ".")
    assert result.returncode == 1
    assert result.stderr == b"fixed 3 findings; 1 error, 1 warning in 5 files\n"
    assert rules_in(result.stdout) == LEFT
    again = run("lint", "--fix", ".")
    assert again.stdout == result.stdout
    assert b"fixed" not in again.stderr


def test_after_transform_nothing_that_can_be_mended_is_left(run: Run, repository: Path) -> None:
    (repository / "2-host-network.yaml").unlink()  # transform refuses it
    assert run("transform", "-i", ".").returncode == 0
    result = run("lint", "--require-transformed", ".")
    assert b"[fixable]" not in result.stdout
    assert rules_in(result.stdout) == LEFT[1:]
