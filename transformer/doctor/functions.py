"""Whether each kustomization lists our function in a place and a way that works.

The claims about kustomize were tried with 5.5, 5.6 and 5.8.1.
"""

from __future__ import annotations

import posixpath
from collections.abc import Iterator, Mapping
from typing import NamedTuple

from schemas.contract import API_VERSION, LINT_KIND
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
from transformer.lookup import child, string
from transformer.tree import Mapping as Node


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
    yield from _field(one)
    yield from _layer(one, builds)
    if one.kind == LINT_KIND and one.field == TRANSFORMERS:
        yield from _order(one)
    ways = {EXEC: _exec, LEGACY: _legacy, CONTAINER: _container, UNCLEAR: _unclear}
    yield from ways[one.how](one, world)


def objects_for_texts(kustomization: Kustomization) -> Iterator[Finding]:
    """Functions that are written as objects: kustomize wants each as a text."""
    for field in PLUGIN_FIELDS:
        for node in items(kustomization.root, field):
            if type(node) is Node and string(node, "apiVersion") == API_VERSION:
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
        return f"{path} does not exist{origin}: correct the path, or name a program on the PATH"
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
            f"no annotation says how to run it, and {plugins.home}/{inside} does not exist: run "
            "`tke-direct install-plugin`, or add the annotation config.kubernetes.io/function",
        )
    elif not program.executable:
        yield _at_node(one, f"{plugins.home}/{inside} is not executable: chmod +x")
    else:
        message = f"{plugins.home}/{inside} is there and executable"
        yield one.page.finding(one.node, OK, "plugin", message)


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
