"""Every folder below tests/fixtures that holds an ``input.*`` is a case.

A case needs one of

* ``expected.*``: what the command prints, byte for byte;
* ``errors.txt``: the command exits with 2, prints nothing, and each line of this file is a regular
  expression that matches one line of stderr.

A folder below ``noop`` needs neither: the output is the input.  ``config.yaml`` is used as
``.tke-direct.yaml`` and then names the network mode; otherwise the mode is the name of the outer
folder, or ``mixed``.  ``pytest tests/test_golden.py --update`` writes the expected files.
"""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest

from schemas.contract import NetworkMode
from tests.conftest import FIXTURES, tke_direct

CASES = sorted(path.parent for path in FIXTURES.rglob("input.*"))
MODES = {mode.value for mode in NetworkMode}


def name_of(case: Path) -> str:
    return str(case.relative_to(FIXTURES))


def arguments_for(case: Path) -> list[str]:
    group = case.parent.name
    if group in MODES:
        return ["--network-mode", group]
    return [] if (case / "config.yaml").exists() else ["--network-mode", "mixed"]


def test_there_are_cases_for_every_mode() -> None:
    groups = {case.parent.name for case in CASES}
    assert groups >= MODES - {"cilium-overlay"} | {"noop", "refused", "styles", "ingress"}
    assert len(CASES) > 100


@pytest.mark.parametrize("case", CASES, ids=name_of)
def test_golden(case: Path, tmp_path: Path, request: pytest.FixtureRequest) -> None:
    source = next(case.glob("input.*"))
    (tmp_path / ".git").mkdir()
    shutil.copy(source, tmp_path)
    if (case / "config.yaml").exists():
        shutil.copy(case / "config.yaml", tmp_path / ".tke-direct.yaml")
    result = tke_direct("transform", *arguments_for(case), source.name, cwd=tmp_path)
    errors = result.stderr.decode()
    assert (tmp_path / source.name).read_bytes() == source.read_bytes()
    if (case / "errors.txt").exists():
        assert result.returncode == 2, errors
        assert result.stdout == b""
        for line in (case / "errors.txt").read_text(encoding="utf-8").splitlines():
            assert any(re.fullmatch(line, seen) for seen in errors.splitlines()), (line, errors)
        return
    assert result.returncode == 0, errors
    expected = case / f"expected{source.suffix}"
    if request.config.getoption("--update") and case.parent.name != "noop":
        expected.write_bytes(result.stdout)
        pytest.skip("rewritten: read the diff before you commit it")
    if case.parent.name == "noop":
        assert not expected.exists()
        expected = source
    assert result.stdout == expected.read_bytes()
