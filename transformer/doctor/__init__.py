"""Whether a repository is wired so that tke-direct really runs: a snapshot in, findings out."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from schemas.contract import CONTROLLER_CONFIG, ENI_RESOURCES, KUSTOMIZATIONS, NETWORKS
from transformer.doctor import argocd, commands, flags, functions, modes
from transformer.doctor.kustomizations import EXEC, Builds, is_yaml
from transformer.doctor.model import ERROR, INFO, OK, SEVERITIES, WARNING, Finding, Snapshot
from transformer.doctor.pages import Page, read, read_or_none
from transformer.errors import Malformed

# How scripts, pre-commit and plugins name us, those as a list of words; the name of a folder or an
# image is no call.
_RUNS_US = re.compile(
    r"""(?<![\w./-])(?:tke-direct(?:\s|["']?,\s*["']?)\s*(?:transform|lint|cmp)\b"""
    r"|id:\s*tke-direct-(?:lint|fix|tree)\b)"
)

# An object that the doctor looks into has one of these words in it.
_MARKS = tuple(
    mark.encode()
    for mark in (
        *("ConfigManagementPlugin", "argocd-cm", "argoproj.io"),
        *(CONTROLLER_CONFIG, NETWORKS, *ENI_RESOURCES, modes.SUPER_NODE),
    )
)


def diagnose(snapshot: Snapshot) -> list[Finding]:
    """Everything there is to say, by file and place; what is fine comes last."""
    builds = Builds(snapshot.files, snapshot.below)
    pages = _pages(snapshot.files)
    governed, found = modes.read(snapshot.configurations)
    found += _unreadable(snapshot.files)
    for page in pages:
        found += modes.check(page, governed)
    argo_cd = argocd.look(pages)
    found += argocd.check(argo_cd, builds)
    world = functions.World(snapshot.programs, snapshot.plugins, argo_cd.seen, argo_cd.modes_kept)
    for kustomization in builds.all:
        found += functions.objects_for_texts(kustomization)
        found += functions.disagreements(kustomization, builds)
    for one in builds.functions():
        found += functions.check(one, builds, world)
    found += _calls(snapshot.files, builds)
    found += _runs(snapshot.files, builds, found)
    return sorted(set(found), key=_order)


def _order(one: Finding) -> tuple[bool, str, int, int, int, str]:
    return (
        one.severity == OK,
        *(one.path, one.line, one.column),
        SEVERITIES.index(one.severity),
        one.message,
    )


def _pages(files: Mapping[str, bytes]) -> list[Page]:
    """The files with objects that something is to be said about; all others are not parsed."""
    found = (
        read_or_none(path, data)
        for path, data in files.items()
        if is_yaml(path) and any(mark in data for mark in _MARKS)
    )
    return [page for page in found if page is not None]


def _unreadable(files: Mapping[str, bytes]) -> Iterator[Finding]:
    """Kustomizations that are not YAML; lint speaks about other files."""
    for path, data in files.items():
        if path.rpartition("/")[2] in KUSTOMIZATIONS:
            try:
                read(path, data)
            except Malformed as error:
                before = data.decode(errors="replace")[: error.offset]
                line, column = before.count("\n") + 1, len(before.rpartition("\n")[2]) + 1
                yield Finding(path, line, column, ERROR, "syntax", error.message)


def _calls(files: Mapping[str, bytes], builds: Builds) -> Iterator[Finding]:
    for path, data in files.items():
        if commands.is_script(path):
            for call in commands.calls(path, data.decode(errors="replace")):
                yield from flags.look(call, builds)


def _runs(files: Mapping[str, bytes], builds: Builds, said: list[Finding]) -> Iterator[Finding]:
    """Whether anything runs us at all, and how to build when nothing here shows it."""
    wired = list(builds.functions())
    callers = list(_callers(files))
    yield from callers
    if wired and not any(one.code in ("flags", "kubectl-exec", "kubectl-apply") for one in said):
        needed = flags.BOTH if any(one.how == EXEC for one in wired) else flags.ALPHA_FLAG
        message = f"no command here builds it; it takes: kustomize build {needed} DIR"
        page = wired[0].kustomization.page
        yield page.finding(wired[0].entry, INFO, "flags", message)
    if not wired and not callers:
        yield Finding(
            "",
            1,
            1,
            WARNING,  # whoever commits what transform made has nothing to wire
            "not-wired",
            "nothing here runs tke-direct: no kustomization lists it, and no Makefile, script, "
            "workflow, hook or plugin calls it; unless you commit transformed manifests, use the "
            "pipe: kustomize build DIR | tke-direct transform -",
        )


def _callers(files: Mapping[str, bytes]) -> Iterator[Finding]:
    for path, data in files.items():
        automatic = commands.is_script(path) and not path.endswith(".md")
        if automatic or b"ConfigManagementPlugin" in data:
            for line in commands.lines(path, data.decode(errors="replace")):
                match = _RUNS_US.search(line.text)
                if match:
                    words = re.sub(r"""[\s,"']+""", " ", match[0].removeprefix("id:"))
                    message = f"runs {words.strip()}"
                    yield Finding(path, line.number, match.start() + 1, OK, "runs", message)
