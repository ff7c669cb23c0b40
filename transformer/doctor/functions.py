"""Whether each kustomization lists our function in a place and a way that works.

The claims about kustomize were tried with 5.5, 5.6 and 5.8.1.
"""

from __future__ import annotations

import posixpath
from collections.abc import Iterator, Mapping
from typing import NamedTuple

from schemas.contract import API_VERSION, CONFIG_KIND, LINT_KIND, NetworkMode
from transformer.doctor.kustomizations import (
    CONTAINER,
    EXEC,
    GENERATORS,
    LEGACY,
    PLUGIN_FIELDS,
    TRANSFORMERS,
    UNCLEAR,
    VALIDATORS,
    Builds,
    Function,
    Kustomization,
)
from transformer.doctor.model import ERROR, INFO, OK, WARNING, Finding, Plugins, Program
from transformer.doctor.pages import items
from transformer.doors.task import task_of
from transformer.errors import ConfigError
from transformer.lookup import child, string
from transformer.tree import Mapping as Object
from transformer.tree import Node
from transformer.values import TooLarge, plain

_NAME = "functionConfig"
_MODES = tuple(mode.value for mode in NetworkMode)


class World(NamedTuple):
    """What a function meets where it runs.

    ``argo_cd`` says that the repository has to do with Argo CD, ``modes_kept`` that its plugins
    keep the mode of files.
    """

    programs: Mapping[tuple[str, str], Program]
    plugins: Plugins
    argo_cd: bool
    modes_kept: bool


def check(one: Function, builds: Builds, world: World) -> Iterator[Finding]:
    """Everything about one function."""
    problem = "" if one.config.patched else _wrong(one)
    if problem:
        yield one.page.finding(one.node, ERROR, "configuration", problem)
    yield from _field(one)
    yield from _layer(one, builds)
    if one.kind == LINT_KIND and one.field == TRANSFORMERS:
        yield from _order(one)
    ways = {EXEC: _exec, LEGACY: _legacy, CONTAINER: _container, UNCLEAR: _unclear}
    if one.how != LEGACY or one.kind in (CONFIG_KIND, LINT_KIND):  # of others there is no plugin
        yield from ways[one.how](one, world)


def _wrong(one: Function) -> str:
    """What our program says about the configuration of a function when it refuses it."""
    try:
        task_of(plain(one.node), _NAME)
    except ConfigError as error:
        said = str(error).partition("\n")[0].removeprefix(f"{_NAME}: ")
    except TooLarge:
        return "its aliases expand to millions of nodes"
    else:
        return ""
    if said.startswith("no network mode"):  # goes on with ways that a function does not have
        return f"no network mode: set spec.networkMode here; known: {', '.join(_MODES)}"
    return said


def disagreements(kustomization: Kustomization, builds: Builds) -> Iterator[Finding]:
    """Functions that name different network modes and run when `kustomization` is built."""
    known = [one for one in builds.reached(kustomization) if _mode(one) in _MODES]
    known.sort(key=lambda one: (one.page.path, one.page.place(_mode_node(one))))
    for one in known[1:]:
        if _mode(one) != _mode(known[0]):
            yield one.page.finding(_mode_node(one), ERROR, "mode", _disagree(known[0], one))


def _disagree(first: Function, other: Function) -> str:
    line, _ = first.page.place(_mode_node(first))
    return (
        f"your two configurations disagree: {first.page.path}:{line} says {_mode(first)}, this one "
        f"{_mode(other)}; what one build makes goes to one cluster, which has one network mode"
    )


def _mode(one: Function) -> str | None:
    """The network mode that a function names; None when that may be changed elsewhere."""
    return None if one.config.patched else string(_mode_node(one))


def _mode_node(one: Function) -> Node | None:
    return child(one.node, "spec", "networkMode")


def objects_for_texts(kustomization: Kustomization) -> Iterator[Finding]:
    """Functions that are written as objects: kustomize wants each as a text."""
    for field in PLUGIN_FIELDS:
        for node in items(kustomization.root, field):
            if type(node) is Object and string(node, "apiVersion") == API_VERSION:
                yield kustomization.page.finding(
                    node,
                    ERROR,
                    "inline-object",
                    f"{field} takes texts, and kustomize refuses an object: put it into a file, "
                    "or make it a text with '- |-'",
                )


def _field(one: Function) -> Iterator[Finding]:
    emit = child(one.node, "spec", "emit")
    silent = string(emit) == "none"
    if one.field == VALIDATORS and not silent:
        yield one.page.finding(
            emit or one.node,
            ERROR,
            "validator-emits",
            "kustomize rejects every validator that returns what it was given: set "
            "spec.emit: none, or list it last in transformers",
        )
    if one.field == TRANSFORMERS and silent:
        yield one.page.finding(
            emit,
            ERROR,
            "transformer-emits-nothing",
            "a transformer that returns nothing deletes every resource of the build, and "
            "kustomize exits 0: remove spec.emit, or list it in validators",
        )
    if one.field == GENERATORS:
        yield _at_entry(
            one,
            ERROR,
            "generator",
            f"a generator is not given the resources, so {one.kind} has nothing to work on: "
            "list it in transformers",
        )


def _layer(one: Function, builds: Builds) -> Iterator[Finding]:
    users = builds.users(one.kustomization)
    if users:
        above = users[0].path
        yield _at_entry(
            one,
            WARNING,
            "not-topmost",
            f"{above} builds on this one, and what it patches comes after {one.kind}: list it in "
            "the topmost overlays instead",
        )


def _order(one: Function) -> Iterator[Finding]:
    later = one.kustomization.entries(one.field)[one.rank + 1 :]
    if later:
        line, _ = one.kustomization.page.place(later[0].node)
        yield _at_entry(
            one,
            WARNING,
            "lint-not-last",
            f"the transformer of line {line} runs after this lint, which does not see what it "
            "does: list lint last (kustomize runs texts before files)",
        )


def _exec(one: Function, world: World) -> Iterator[Finding]:
    program = world.programs.get((one.folder, one.path), Program(False))
    local = "/" in one.path and not posixpath.isabs(one.path)
    problem = _not_runnable(one.path, program, local)
    if problem:
        yield _at_annotation(one, ERROR, "exec", problem)
    else:
        yield _at_annotation(one, OK, "exec", f"{one.path} is there and executable")
    if local and not world.modes_kept:
        yield _at_annotation(
            one,
            WARNING if world.argo_cd else INFO,
            "exec-bit",
            "a config management plugin of Argo CD gets the repository without executable files, "
            f"so {one.path} cannot run there: put the program on the PATH of the plugin's image "
            "and name it without a folder, or set preserveFileMode: true",
        )


def _not_runnable(path: str, program: Program, local: bool) -> str:
    if not program.exists and "/" not in path:
        return (
            f"{path} is not on the PATH: kustomize stops with 'executable file not found'; "
            "install it where kustomize runs, or use the pipe "
            "kustomize build DIR | tke-direct transform -"
        )
    if not program.exists:
        origin = " (kustomize starts from the folder of the kustomization)" if local else ""
        absent = _missing(program)
        return f"{path} {absent}{origin}: correct the path, or name a program on the PATH"
    if not program.executable:
        return f"{path} is not executable: chmod +x, and git update-index --chmod=+x"
    if not program.first_line.startswith(b"#!") and b"\0" not in program.first_line:
        return f"{path} has no #! in its first line: kustomize stops with 'exec format error'"
    if program.first_line.startswith(b"#!") and program.first_line.endswith(b"\r"):
        return f"{path} has CRLF line endings, so that its #! line names no program: save it as LF"
    return ""


def _legacy(one: Function, world: World) -> Iterator[Finding]:
    plugins = world.plugins
    inside = f"{API_VERSION}/{one.kind.lower()}/{one.kind}"
    if plugins.home is None:
        yield _at_node(
            one,
            f"no annotation says how to run it, so kustomize looks for a plugin in its plugin "
            f"home, and there is none (tried {', '.join(plugins.tried)}): run `tke-direct "
            "install-plugin`, or add the annotation config.kubernetes.io/function",
        )
        return
    program = plugins.programs.get(one.kind, Program(False))
    if not program.exists:
        yield _at_node(
            one,
            f"no annotation says how to run it, and {plugins.home}/{inside} {_missing(program)}: "
            "run `tke-direct install-plugin`, or add the annotation config.kubernetes.io/function",
        )
    elif not program.executable:
        yield _at_node(one, f"{plugins.home}/{inside} is not executable: chmod +x")
    else:
        message = f"{plugins.home}/{inside} is there and executable"
        yield one.page.finding(one.node, OK, "plugin", message)


def _missing(program: Program) -> str:
    gone = program.gone
    return f"is a link to {gone}, which does not exist any more" if gone else "does not exist"


def _container(one: Function, world: World) -> Iterator[Finding]:
    del world  # whether docker runs where kustomize does cannot be told from here
    yield _at_annotation(one, OK, "container", f"runs as the container {one.path}")


def _unclear(one: Function, world: World) -> Iterator[Finding]:
    del world
    yield _at_annotation(
        one,
        ERROR,
        "annotation",
        "the annotation names neither exec: {path: …} nor container: {image: …}: kustomize "
        "cannot run the function",
    )


def _at_entry(one: Function, severity: str, code: str, message: str) -> Finding:
    return one.kustomization.page.finding(one.entry, severity, code, message)


def _at_annotation(one: Function, severity: str, code: str, message: str) -> Finding:
    """At the path or image inside the annotation, which is a text of its own."""
    if one.config.note is None:
        return one.page.finding(one.node, severity, code, message)
    page, annotation = one.config.note
    inner = page.inside(annotation)
    root = inner.roots[0] if inner and inner.roots else None
    place = child(root, "container", "image") or child(root, "exec", "path")
    if inner is None or place is None:
        return page.finding(annotation, severity, code, message)
    return inner.finding(place, severity, code, message)


def _at_node(one: Function, message: str) -> Finding:
    return one.page.finding(one.node, ERROR, "plugin", message)
