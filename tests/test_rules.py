"""Every rule has a folder below tests/fixtures/lint with a good and a bad manifest.

* ``good.*`` has no finding at all, of no rule.
* ``bad.*`` has findings of this one rule and of no other, so no two rules tell of one defect.
* ``bad.txt`` is what ``tke-direct lint`` prints for it, line and column included.
* ``config.yaml``, if there is one, is the configuration; otherwise the mode is ``vpc-cni``.

``pytest tests/test_rules.py --update`` writes the files ``bad.txt``.
"""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest
from click.testing import CliRunner

from tests.conftest import FIXTURES, ROOT
from transformer import rules
from transformer.cli import cli
from transformer.lint.rule import ERROR, GRADES, SEVERITIES
from transformer.rules import Known

CASES = sorted(path for path in (FIXTURES / "lint").iterdir())
HEADINGS = ["## What it does", "## Why it matters", "## Example", "## Use instead"]
NO_GOLDEN = {"unreadable"}  # Git keeps no permissions; tests/transformer/test_lint.py has it
LINE = re.compile(r"[^:]+:\d+:\d+: (?:error|warning|info) (?P<rule>[a-z0-9-]+): .*")


def lint(folder: Path, name: str, *options: str) -> str:
    """What lint prints for one file of a case, run in a copy of it."""
    shutil.copy(next(folder.glob(f"{name}.[yj]*")), Path.cwd())
    file = next(Path.cwd().glob(f"{name}.[yj]*"))
    mode = ["-m", "vpc-cni"]
    if (folder / "config.yaml").exists():
        shutil.copy(folder / "config.yaml", ".tke-direct.yaml")
        mode = []
    Path(".git").mkdir(exist_ok=True)
    # Only a walk has seen everything, so that it can tell of a suppression without use; only a
    # file that is named is an error when it is a template.
    path = file.name if folder.name == "templated" else "."
    arguments = ["lint", *mode, "--format", "text", "--color", "never", *options, path]
    result = CliRunner().invoke(cli, arguments)
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    return result.stdout


@pytest.fixture(autouse=True)
def _in_a_folder_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def test_every_rule_has_a_good_and_a_bad_golden() -> None:
    names = {case.name for case in CASES}
    assert names == rules.names() - NO_GOLDEN
    for case in CASES:
        assert {path.stem for path in case.iterdir()} >= {"good", "bad"}, case.name


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_the_good_manifest_has_no_finding(case: Path) -> None:
    assert lint(case, "good") == ""


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_the_bad_manifest_has_findings_of_this_rule_only(
    case: Path, request: pytest.FixtureRequest
) -> None:
    shown = lint(case, "bad")
    expected = case / "bad.txt"
    if request.config.getoption("--update"):
        expected.write_text(shown, encoding="utf-8")
        pytest.skip("rewritten: read the diff before you commit it")
    found = [match for match in map(LINE.fullmatch, shown.splitlines()) if match]
    assert found, shown
    assert len(found) == len(shown.splitlines())
    assert {match["rule"] for match in found} == {case.name}
    assert shown == expected.read_text(encoding="utf-8")
    assert len({match[0] for match in found}) == len(found), "told twice"


KNOWN = sorted(rules.everything())


@pytest.mark.parametrize("known", KNOWN, ids=lambda known: known.name)
def test_a_rule_teaches(known: Known) -> None:
    lines = known.text.splitlines()
    assert lines[0].endswith("."), "the first line is one sentence"
    assert len(lines[0]) <= 100
    assert [line for line in lines if line.startswith("## ")] == HEADINGS
    assert known.text.count("```") >= 4
    assert known.row.source


@pytest.mark.parametrize("known", KNOWN, ids=lambda known: known.name)
def test_only_sure_facts_may_be_errors(known: Known) -> None:
    assert known.row.severity in SEVERITIES
    assert known.row.grade in GRADES
    assert known.row.severity != ERROR or known.row.grade in "AB"


def test_rules_know_whether_they_are_checked_or_reported() -> None:
    reported = {"input", "schema", "edit"}
    for known in KNOWN:
        assert (known.check is None) == (known.subject in reported or known.name == UNUSED)


UNUSED = "unused-suppression"


def test_the_page_of_rules_is_current(request: pytest.FixtureRequest) -> None:
    page = ROOT / "docs" / "rules.md"
    made = CliRunner().invoke(cli, ["rules", "--format", "markdown"]).stdout
    if request.config.getoption("--update"):
        page.write_text(made, encoding="utf-8")
    assert page.read_text(encoding="utf-8") == made
