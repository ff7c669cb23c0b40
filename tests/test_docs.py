"""Every command that the documentation shows is run, and what it claims is true."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from schemas import kubernetes
from schemas.contract import MODES, WORKLOADS, NetworkMode
from tests.conftest import FIXTURES, ROOT, Result, Run
from tests.peers import peer
from transformer import rules
from transformer.lint.objects import subject_of
from transformer.model import Settings, by_kind

PAGES = [
    ROOT / "README.md",
    *sorted((ROOT / "docs").glob("*.md")),
    *sorted((ROOT / "kustomize-plugin").rglob("README.md")),
]
README = PAGES[0].read_text(encoding="utf-8")

README_CONFIG = re.findall(r"```yaml\n(apiVersion: tke-direct.*?)```", README, re.S)[0]

# Not run here: each is the beginning of commands that run these very tests, take long, ask a
# registry, or need a cluster or an image of ours.
ELSEWHERE = (
    *("make test", "make check", "make bench", "make fuzz", "make soak"),
    *("pip install .", "pre-commit "),
    *("docker build ", "kubectl apply "),
    "kustomize build --enable-alpha-plugins kustomize-plugin/container/",
    "kubectl kustomize --enable-alpha-plugins kustomize-plugin/container/",
)

# What a machine may lack; others than these every machine has.
PROGRAM = re.compile(r"(?<![\w./-])(?<!kubectl )(kustomize|helm|kubectl|git|bash)(?=\s)")


class Step(NamedTuple):
    """A command of a page, and the Helm that the page speaks of there."""

    command: str
    helm: str

    @property
    def is_elsewhere(self) -> bool:
        return self.command.startswith(ELSEWHERE)

    @property
    def programs(self) -> dict[str, Path]:
        """The programs that it calls by name, and where each is."""
        known = {"kustomize": peer("kustomize-5.8"), "helm": peer(self.helm)}
        names = PROGRAM.findall(self.command)
        return {name: known.get(name) or Path(shutil.which(name) or name) for name in names}


def steps(page: Path) -> Iterator[Step]:
    """The commands of `page`, from top to bottom."""
    fence, helm = "", "helm-4"
    for line in page.read_text(encoding="utf-8").splitlines():
        if line.startswith("```"):
            fence = "" if fence else line
        elif fence == "```console" and line.startswith("$ "):
            yield Step(line.removeprefix("$ "), helm)
        elif not fence and (named := re.match(r"#+ .*\bHelm ([34])$", line)):
            helm = f"helm-{named[1]}"


class Clone:
    """A fresh clone of this repository, in a home without any settings."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.home = folder / "clone", folder / "home"
        left_out = shutil.ignore_patterns(".git", ".venv", ".*_cache", ".hypothesis", "__pycache__")
        shutil.copytree(ROOT, self.folder, ignore=left_out)
        self.home.mkdir()
        self.bin = folder / "bin"
        self.bin.mkdir()
        own = ("HELM_", "XDG_", "KUSTOMIZE_", "GIT_")
        self.environment = {
            **{name: text for name, text in os.environ.items() if not name.startswith(own)},
            "HOME": str(self.home),
            # The programs of the page, then tke-direct as it is installed beside this Python.
            "PATH": f"{self.bin}:{Path(sys.executable).parent}:{os.environ['PATH']}",
        }
        (self.folder / ".git").mkdir()  # the look-up of configuration stops here

    def run(self, step: Step) -> Result:
        for name, program in step.programs.items():
            link = self.bin / name
            link.unlink(missing_ok=True)
            link.symlink_to(program)
        return subprocess.run(
            ["/bin/sh", "-c", step.command],
            cwd=self.folder,
            env=self.environment,
            capture_output=True,
            check=False,
        )


def skip_without(step: Step) -> None:
    for name, program in step.programs.items():
        if not program.exists():
            how = "install it" if program.name == name else "install Go, then `make peers`"
            pytest.skip(f"{program.name} is missing: {how}")


@pytest.mark.parametrize(
    "step",
    [step for step in steps(PAGES[0]) if not step.is_elsewhere],
    ids=lambda step: step.command,
)
def test_a_command_of_the_readme_works(step: Step, tmp_path: Path) -> None:
    command = step.command
    skip_without(step)
    clone = Clone(tmp_path)
    shutil.copytree(ROOT / "tests" / "demo" / "shop", clone.folder / "deploy")
    if command.startswith("make "):  # for a clone it would set up an environment of its own
        command = f"{command} --directory {ROOT}"
    if "--check" in command:
        clone.run(Step("tke-direct transform -m mixed -i deploy", step.helm))
    if command.endswith("doctor"):
        clone.run(Step("tke-direct install-plugin", step.helm))
    result = clone.run(step._replace(command=command))
    mends = " --fix" in command or (" --diff" in command and " lint " in command)
    assert result.returncode == (1 if mends else 0), result.stderr.decode()


@pytest.mark.parametrize(
    "page",
    [page for page in PAGES[1:] if any(steps(page))],
    ids=lambda page: str(page.relative_to(ROOT)),
)
def test_a_page_works_from_top_to_bottom(page: Path, tmp_path: Path) -> None:
    clone = Clone(tmp_path)
    clone.run(Step("git init --quiet", ""))  # a page that needs it calls git, or is skipped
    for step in steps(page):
        if not step.is_elsewhere:
            skip_without(step)
            result = clone.run(step)
            assert result.returncode == 0, f"{step.command}\n{result.stderr.decode()}"


def test_every_command_that_is_not_run_is_in_a_page() -> None:
    shown = [step.command for page in PAGES for step in steps(page)]
    unused = [known for known in ELSEWHERE if not any(one.startswith(known) for one in shown)]
    assert not unused


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_link_to_a_file_leads_there(page: Path) -> None:
    links = re.findall(r"\]\(([^)#\s]+)", page.read_text(encoding="utf-8"))
    files = [link for link in links if "://" not in link]
    assert not [link for link in files if not (page.parent / link).exists()]


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
    *((name,) for name in ("install-plugin", "helm-post-render")),
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
