"""Every command that the documentation shows is run, and what it claims is true."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from schemas import kubernetes
from schemas.contract import MODES, WORKLOADS, NetworkMode
from tests.conftest import COMMAND, FIXTURES, ROOT, Run, tke_direct
from transformer import rules
from transformer.lint.objects import subject_of
from transformer.model import Settings, by_kind

PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
README = (ROOT / "README.md").read_text(encoding="utf-8")

README_CONFIG = re.findall(r"```yaml\n(apiVersion: tke-direct.*?)```", README, re.S)[0]

# Run by .ci/run or by hand: they run these very tests, or take long.
ELSEWHERE = {"make test", "make check", "make bench", "make fuzz", "pip install ."}


def commands() -> list[str]:
    found = []
    for page in PAGES:
        for block in re.findall(r"```console\n(.*?)```", page.read_text(encoding="utf-8"), re.S):
            found += [line.removeprefix("$ ") for line in block.splitlines() if line[:2] == "$ "]
    return found


@pytest.mark.parametrize("command", [c for c in commands() if c not in ELSEWHERE])
def test_a_documented_command_works(command: str, tmp_path: Path) -> None:
    if command.startswith("make "):
        command = f"{command} --directory {ROOT}"
    (tmp_path / ".git").mkdir()
    shutil.copytree(ROOT / "tests" / "demo" / "shop", tmp_path / "deploy")
    if "--check" in command:
        tke_direct("transform", "-m", "mixed", "-i", "deploy", cwd=tmp_path)
    if command.endswith("doctor"):
        (tmp_path / ".tke-direct.yaml").write_text(README_CONFIG, encoding="utf-8")
        (tmp_path / "Makefile").write_text("all:\n\tkustomize build . | tke-direct transform -\n")
    shim = tmp_path / "bin" / "tke-direct"
    shim.parent.mkdir()
    shim.write_text(f'#!/bin/sh\nexec {" ".join(COMMAND)} "$@"\n')
    shim.chmod(0o755)
    environment = {
        **os.environ,
        "PATH": f"{shim.parent}:{os.environ['PATH']}",
        "PYTHONPATH": str(ROOT),
    }
    result = subprocess.run(
        ["/bin/sh", "-c", command], cwd=tmp_path, capture_output=True, env=environment, check=False
    )
    mends = " --fix" in command or (" --diff" in command and " lint " in command)
    assert result.returncode == (1 if mends else 0), result.stderr.decode()


def test_the_readme_counts_the_rules() -> None:
    (said,) = re.findall(r"\*\*More than (\d+) rules\*\*", README)
    assert len(rules.names()) - 10 <= int(said) < len(rules.names())


def test_the_readme_counts_the_kinds_whose_fields_are_checked() -> None:
    settings = Settings(NetworkMode.MIXED, by_kind(WORKLOADS))
    checked = {
        kind
        for version, kind in kubernetes.kinds()
        if subject_of(version.rpartition("/")[0], kind, settings)
    }
    (said,) = re.findall(r"\*\*Every field of (\d+) kinds is checked\*\*", README)
    assert int(said) == len(checked) + 1  # TkeServiceConfig's schema is not from Kubernetes
    assert "eight kinds of workloads" in README
    assert len(checked & settings.workloads.keys()) == 8


def test_the_readme_opens_with_what_really_happens(run: Run, tmp_path: Path) -> None:
    block = re.search(r"```diff\n(.*?)```", README, re.S)
    assert block
    lines = block[1].splitlines()
    before = "".join(line[1:] + "\n" for line in lines if line[0] != "+")
    after = "".join(line[1:] + "\n" for line in lines)
    (tmp_path / "web.yaml").write_text(before, encoding="utf-8")
    assert run("transform", "-m", "mixed", "web.yaml").stdout.decode() == after


def test_the_readme_shows_a_valid_configuration(run: Run, tmp_path: Path) -> None:
    (tmp_path / ".tke-direct.yaml").write_text(README_CONFIG, encoding="utf-8")
    assert run("config", "show").returncode == 0


def test_the_readme_shows_a_real_finding(run: Run, tmp_path: Path) -> None:
    shutil.copytree(ROOT / "tests" / "demo" / "pitfalls", tmp_path / "deploy")
    found = run("lint", "-m", "mixed", "deploy").stdout.decode()
    (shown,) = re.findall(r"^deploy/.*host-network.*$", README, re.M)
    assert shown in found.splitlines()


def test_the_readme_has_a_row_for_every_mode() -> None:
    assert all(f"| `{mode.value}` |" in README for mode in MODES)


COMMANDS = [
    (),
    *((name,) for name in ("transform", "lint", "rules", "explain", "graph", "doctor")),
    *(("schema", name) for name in ("list", "show")),
    ("config", "show"),
]


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_has_help_that_teaches(command: tuple[str, ...], run: Run) -> None:
    text = run(*command, "--help").stdout.decode()
    assert text.startswith("Usage: ")
    assert "Options:" in text


def test_the_demo_changes_nothing_in_the_checkout() -> None:
    before = {
        path: path.read_bytes() for path in (ROOT / "tests/demo").rglob("*") if path.is_file()
    }
    subprocess.run(["make", "demo"], cwd=ROOT, check=True, capture_output=True)
    after = {path: path.read_bytes() for path in (ROOT / "tests/demo").rglob("*") if path.is_file()}
    assert before == after


def test_every_fixture_group_is_known() -> None:
    groups = {path.name for path in FIXTURES.iterdir()}
    modes = {mode.value for mode in MODES}
    assert groups <= modes | {"noop", "refused", "styles", "ingress", "lint"}
