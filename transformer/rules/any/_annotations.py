"""Where annotations stand, and which row of TKE's documents is about each of them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from functools import lru_cache
from typing import NamedTuple

from schemas.annotations import ANNOTATIONS, Annotation, On
from transformer.lint.build import is_foreign
from transformer.lint.objects import WORKLOAD, Object
from transformer.values import Path, Value, mapping

OWN_METADATA: Path = ("metadata", "annotations")

_READER = {"service": On.SERVICE, "ingress": On.INGRESS}


class Place(NamedTuple):
    """Annotations of an object; ``on`` says what TKE reads there, None for nothing."""

    on: On | None
    path: Path
    entries: dict[str, Value]


class Said(NamedTuple):
    """An annotation with a string, where TKE reads it."""

    path: Path
    row: Annotation
    value: str


def rows() -> dict[str, dict[On, Annotation]]:
    """The rows of every key that users may set, by what carries it."""
    return _ROWS


def _by_key() -> dict[str, dict[On, Annotation]]:
    found: dict[str, dict[On, Annotation]] = defaultdict(dict)
    for row in ANNOTATIONS:
        found[row.key][row.on] = row
    return dict(found)


_ROWS = _by_key()


@lru_cache(maxsize=16)  # seven rules ask for each object
def places(one: Object) -> tuple[Place, ...]:
    """The places of annotations in `one`: its own, its pod template's, and those between."""
    return tuple(_places(one))


def _places(one: Object) -> Iterator[Place]:
    if one.template:
        for depth in range(len(one.template)):
            yield from _place(one, None, one.template[:depth])
        yield from _place(one, On.POD, one.template)
    elif one.subject == WORKLOAD:
        yield from _place(one, On.POD, ())
    else:
        yield from _place(one, _READER.get(one.subject), ())


def _place(one: Object, on: On | None, above: tuple[str, ...]) -> Iterator[Place]:
    path = (*above, *OWN_METADATA)
    if entries := mapping(one.get(*path)):
        yield Place(on, path, entries)


@lru_cache(maxsize=16)
def said(one: Object) -> tuple[Said, ...]:
    """The annotations of `one` that TKE reads; none of an Ingress of another controller."""
    return tuple(_said(one))


def _said(one: Object) -> Iterator[Said]:
    for place in places(one):
        if place.on is None or is_foreign(one):
            continue
        for key, value in place.entries.items():
            row = _ROWS.get(key, {}).get(place.on)
            if row is not None and isinstance(value, str):
                yield Said((*place.path, key), row, value)
