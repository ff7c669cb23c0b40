"""Kustomizations: what they list, and which of them run our function.

What kustomize does with these fields was read in its loader and tried with 5.5, 5.6 and 5.8.1.
"""

from __future__ import annotations

import posixpath
from collections.abc import Iterator, Mapping
from functools import cached_property
from typing import NamedTuple

from schemas.contract import API_VERSION, KUSTOMIZATIONS
from transformer.doctor.pages import SUFFIXES, Page, items, read_or_none, strings
from transformer.lookup import child, string
from transformer.tree import Node

FUNCTIONS = ("config.kubernetes.io/function", "config.k8s.io/function")  # the second is old

TRANSFORMERS, VALIDATORS, GENERATORS = "transformers", "validators", "generators"
PLUGIN_FIELDS = (TRANSFORMERS, VALIDATORS, GENERATORS)
_BASE_FIELDS = ("resources", "bases", "components")
EXEC, CONTAINER, LEGACY, UNCLEAR = "exec", "container", "legacy", "unclear"


class Entry(NamedTuple):
    """One item of a list of plugins: the node, and the objects that it stands for.

    ``inline`` says that it is a text with objects rather than a path; kustomize runs those first.
    """

    node: Node
    inline: bool
    objects: tuple[tuple[Page, Node], ...]


class Function(NamedTuple):
    """Our function as a kustomization lists it.

    ``how`` it is run: "exec", "container", "legacy" (no annotation: a plugin of the old layout)
    or "unclear".  ``folder`` is the root of the kustomization that lists it: kustomize starts it
    there.  ``page`` and ``node`` are its config, ``rank`` its place in the order of running.
    """

    kustomization: Kustomization
    field: str
    entry: Node
    page: Page
    node: Node
    how: str
    path: str
    rank: int

    @property
    def kind(self) -> str:
        """DirectAccess or DirectAccessLint."""
        return string(self.node, "kind") or ""

    @property
    def folder(self) -> str:
        """Where kustomize starts it."""
        return self.kustomization.folder


class Kustomization:
    """One kustomization file."""

    def __init__(self, page: Page, files: Mapping[str, bytes]) -> None:
        self.page, self.path, self._files = page, page.path, files
        self.folder = posixpath.dirname(page.path)
        self.root = page.roots[0] if page.roots else None

    @cached_property
    def bases(self) -> tuple[str, ...]:
        """The folders that it builds on, those of other repositories left out."""
        named = [path for field in _BASE_FIELDS for path in strings(self.root, field)]
        return tuple(self._at(path) for path in named if "://" not in path)

    def _at(self, path: str) -> str:
        return relative(self.folder, path)

    def entries(self, field: str) -> list[Entry]:
        """The items of a list of plugins, in the order in which kustomize runs them."""
        found = [self._entry(node) for node in items(self.root, field)]
        return [one for one in found if one.inline] + [one for one in found if not one.inline]

    def _entry(self, node: Node) -> Entry:
        text = string(node)
        if text is None:  # an object instead of a text with an object: kustomize refuses it
            return Entry(node, True, ((self.page, node),))
        page = self.page.inside(node)
        if page is not None and any(string(root, "kind") for root in page.roots):
            return Entry(node, True, tuple((page, root) for root in page.roots))
        return Entry(node, False, tuple(self._listed(self._at(text), set())))

    def _listed(self, path: str, seen: set[str]) -> Iterator[tuple[Page, Node]]:
        """The objects of a file, or of a folder with a kustomization of its own."""
        if path in seen:
            return
        seen.add(path)
        for name in (path, *(posixpath.join(path, name) for name in KUSTOMIZATIONS)):
            page = read_or_none(name, self._files[name]) if name in self._files else None
            if page is None:
                continue
            if posixpath.basename(name) not in KUSTOMIZATIONS:
                yield from ((page, node) for node, _, _ in page.objects())
            elif page.roots:
                for inner in strings(page.roots[0], "resources"):
                    yield from self._listed(relative(posixpath.dirname(name), inner), seen)

    @cached_property
    def functions(self) -> tuple[Function, ...]:
        """Our functions among its plugins."""
        return tuple(found for field in PLUGIN_FIELDS for found in self._ours(field))

    def _ours(self, field: str) -> Iterator[Function]:
        for rank, entry in enumerate(self.entries(field)):
            for page, node in entry.objects:
                if string(node, "apiVersion") == API_VERSION:
                    how, path = _how(page, node)
                    yield Function(self, field, entry.node, page, node, how, path, rank)


def _how(page: Page, node: Node) -> tuple[str, str]:
    """How kustomize runs a function config, and the path or image."""
    annotation = annotation_of(node)
    if annotation is None:
        return LEGACY, ""
    inner = page.inside(annotation)
    root = inner.roots[0] if inner and inner.roots else None
    image = string(root, "container", "image")
    if image is not None:  # given both, kustomize takes the container
        return CONTAINER, image
    path = string(root, "exec", "path")
    return (EXEC, path) if path is not None else (UNCLEAR, "")


def annotation_of(node: Node) -> Node | None:
    """The annotation of a function config that says how to run it."""
    found = (child(node, "metadata", "annotations", key) for key in FUNCTIONS)
    return next((one for one in found if one is not None), None)


def relative(folder: str, path: str) -> str:
    """`path` as seen from `folder`, relative to the examined directory; '' is that directory."""
    joined = posixpath.normpath(posixpath.join(folder, path))
    return "" if joined == "." else joined


def kustomizations(files: Mapping[str, bytes]) -> list[Kustomization]:
    """Every kustomization, in the order of `files`; those that are not YAML are left out."""
    pages = (
        read_or_none(path, data)
        for path, data in files.items()
        if posixpath.basename(path) in KUSTOMIZATIONS
    )
    return [Kustomization(page, files) for page in pages if page is not None]


def is_yaml(path: str) -> bool:
    """Whether the name says that a file is YAML or JSON."""
    return path.endswith(SUFFIXES) or posixpath.basename(path) in KUSTOMIZATIONS


class Builds:
    """All kustomizations, and what a build of one of them takes in."""

    def __init__(self, files: Mapping[str, bytes]) -> None:
        self.all = kustomizations(files)
        self._by_folder = {one.folder: one for one in self.all}

    def at(self, folder: str) -> Kustomization | None:
        """The kustomization in `folder`."""
        return self._by_folder.get(folder)

    def functions(self) -> Iterator[Function]:
        """Our functions, wherever they are listed."""
        for one in self.all:
            yield from one.functions

    def reached(self, one: Kustomization) -> Iterator[Function]:
        """Our functions that run when `one` is built: its own and those of what it builds on."""
        pending, seen = [one], {one.folder}
        while pending:
            current = pending.pop()
            yield from current.functions
            for folder in current.bases:
                base = self.at(folder)
                if base is not None and folder not in seen:
                    seen.add(folder)
                    pending.append(base)

    def users(self, one: Kustomization) -> list[Kustomization]:
        """The kustomizations that build on `one`."""
        return [other for other in self.all if other is not one and one.folder in other.bases]
