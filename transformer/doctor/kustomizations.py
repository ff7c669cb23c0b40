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
# What may change more of an object than its names, labels and annotations.
_CHANGING = (
    *("patches", "patchesStrategicMerge", "patchesJson6902", "replacements", "vars"),
    *("components", "transformers"),
)
EXEC, CONTAINER, LEGACY, UNCLEAR = "exec", "container", "legacy", "unclear"


class Listed(NamedTuple):
    """An object that a list of plugins stands for, and what says how to run it.

    ``note`` is that annotation with the page it is written on, its own or one that a kustomization
    puts on everything; None when there is none.  ``patched`` says that a kustomization may change
    what is written.
    """

    page: Page
    node: Node
    note: tuple[Page, Node] | None
    patched: bool = False


class Entry(NamedTuple):
    """One item of a list of plugins: the node, and the objects that it stands for.

    ``inline`` says that it is a text with objects rather than a path; kustomize runs those first.
    """

    node: Node
    inline: bool
    objects: tuple[Listed, ...]


class Function(NamedTuple):
    """Our function as a kustomization lists it.

    ``how`` it is run: "exec", "container", "legacy" (no annotation: a plugin of the old layout)
    or "unclear".  ``folder`` is the root of the kustomization that lists it: kustomize starts it
    there.  ``config`` is its configuration, ``rank`` its place in the order of running.
    """

    kustomization: Kustomization
    field: str
    entry: Node
    config: Listed
    how: str
    path: str
    rank: int

    @property
    def page(self) -> Page:
        """Where its configuration stands."""
        return self.config.page

    @property
    def node(self) -> Node:
        """Its configuration."""
        return self.config.node

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
            return Entry(node, True, (_listed(self.page, node),))
        page = self.page.inside(node)
        if page is not None and any(string(root, "kind") for root in page.roots):
            return Entry(node, True, tuple(_listed(page, root) for root in page.roots))
        return Entry(node, False, tuple(self._from(self._at(text), set())))

    def _from(self, path: str, seen: set[str]) -> Iterator[Listed]:
        """The objects of a file, or of a folder with a kustomization of its own."""
        if path in seen:
            return
        seen.add(path)
        for name in (path, *(posixpath.join(path, name) for name in KUSTOMIZATIONS)):
            page = read_or_none(name, self._files[name]) if name in self._files else None
            if page is None:
                continue
            if posixpath.basename(name) not in KUSTOMIZATIONS:
                yield from (_listed(page, node) for node, _, _ in page.objects())
            elif page.roots:
                yield from self._inside(page, seen)

    def _inside(self, page: Page, seen: set[str]) -> Iterator[Listed]:
        """The objects of the kustomization on `page`, with what it does to all of them."""
        note = _note(page, child(page.roots[0], "commonAnnotations"))
        patched = any(child(page.roots[0], field) is not None for field in _CHANGING)
        for inner in strings(page.roots[0], "resources"):
            for one in self._from(relative(posixpath.dirname(page.path), inner), seen):
                yield one._replace(note=note or one.note, patched=patched or one.patched)

    @cached_property
    def functions(self) -> tuple[Function, ...]:
        """Our functions among its plugins."""
        return tuple(found for field in PLUGIN_FIELDS for found in self._ours(field))

    def _ours(self, field: str) -> Iterator[Function]:
        for rank, entry in enumerate(self.entries(field)):
            for one in entry.objects:
                if string(one.node, "apiVersion") == API_VERSION:
                    how, path = _how(one)
                    yield Function(self, field, entry.node, one, how, path, rank)


def _listed(page: Page, node: Node) -> Listed:
    return Listed(page, node, _note(page, child(node, "metadata", "annotations")))


def _note(page: Page, annotations: Node | None) -> tuple[Page, Node] | None:
    """The one of `annotations` that says how to run a function, and its page."""
    found = (child(annotations, key) for key in FUNCTIONS)
    return next(((page, one) for one in found if one is not None), None)


def _how(one: Listed) -> tuple[str, str]:
    """How kustomize runs a function config, and the path or image."""
    if one.note is None:
        return LEGACY, ""
    page, annotation = one.note
    inner = page.inside(annotation)
    root = inner.roots[0] if inner and inner.roots else None
    image = string(root, "container", "image")
    if image is not None:  # given both, kustomize takes the container
        return CONTAINER, image
    path = string(root, "exec", "path")
    return (EXEC, path) if path is not None else (UNCLEAR, "")


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
    """All kustomizations, and what a build of one of them takes in.

    `below` is the examined directory as its Git root sees it; '' for that root itself.
    """

    def __init__(self, files: Mapping[str, bytes], below: str = "") -> None:
        self.all, self._below = kustomizations(files), below
        self._by_folder = {one.folder: one for one in self.all}

    def at(self, folder: str) -> Kustomization | None:
        """The kustomization in `folder`."""
        return self._by_folder.get(folder)

    def named(self, path: str, here: str) -> Kustomization | None:
        """What a command in the folder `here` calls `path`.

        People start commands at the examined directory, where they stand, or at the Git root.
        """
        tried = [relative("", path), relative(here, path)]
        if self._below and f"{tried[0]}/".startswith(f"{self._below}/"):
            tried.append(tried[0][len(self._below) + 1 :])
        return next((one for folder in tried if (one := self.at(folder))), None)

    def ending(self, path: str) -> list[Kustomization]:
        """The kustomizations whose folder ends with `path`, which starts from who knows where."""
        tail = relative("", path)
        while tail.startswith("../"):
            tail = tail[3:]
        return [one for one in self.all if tail and one.folder.endswith(f"/{tail}")]

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
