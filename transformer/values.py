"""A tree as plain data, read the way Kubernetes reads it.

kubectl, kustomize's callers and Argo CD read YAML through Go's yaml.v2, so YAML 1.1: ``on`` is a
boolean, ``0777`` is 511, dates and sexagesimals stay strings (source: resolve.go of that module,
and tried with ``kubectl label --local -o json``).
"""

from __future__ import annotations

import base64
import re
from collections.abc import Iterable
from typing import TypeAlias

from transformer.lookup import merged, resolve
from transformer.tree import Mapping, Node, Scalar, Sequence

Value: TypeAlias = "bool | int | float | str | list[Value] | dict[str, Value] | None"
Path: TypeAlias = "tuple[str | int, ...]"

_WORDS: dict[str, Value] = {
    **dict.fromkeys(("y", "Y", "yes", "Yes", "YES", "true", "True", "TRUE"), True),
    **dict.fromkeys(("on", "On", "ON"), True),
    **dict.fromkeys(("n", "N", "no", "No", "NO", "false", "False", "FALSE"), False),
    **dict.fromkeys(("off", "Off", "OFF"), False),
    **dict.fromkeys(("", "~", "null", "Null", "NULL"), None),
    **dict.fromkeys((".inf", ".Inf", ".INF", "+.inf", "+.Inf", "+.INF"), float("inf")),
    **dict.fromkeys(("-.inf", "-.Inf", "-.INF"), float("-inf")),
    **dict.fromkeys((".nan", ".NaN", ".NAN"), float("nan")),
}
_NUMBER_STARTS = frozenset("+-.0123456789")
_DECIMAL = re.compile(r"[-+]?(?:0|[1-9][0-9]*)")
_OCTAL = re.compile(r"[-+]?0o?[0-7]+")
_OTHER_BASE = re.compile(r"[-+]?0(?:x[0-9A-Fa-f]+|b[01]+)")
_FLOAT = re.compile(r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?")

_LONG_NUMBER = 1_000  # digits; Python refuses some thousands, no Kubernetes field takes twenty

# Aliases of aliases grow without bound; no manifest needs this much, and yaml.v2 stops too.
_MOST_NODES = 2_000_000


class TooLarge(Exception):
    """Aliases expand to more than any reader accepts, or nesting goes too deep."""


def plain(node: Node | None) -> Value:
    """`node` as dicts, lists and scalars, aliases and merge keys followed; raises TooLarge."""
    return Reader().plain(node)


class Reader:
    """Reads several nodes of one text, which together may not be too large."""

    def __init__(self) -> None:
        self.left = _MOST_NODES

    def plain(self, node: Node | None) -> Value:
        """`node` as dicts, lists and scalars; raises TooLarge."""
        try:
            return self.value(node)
        except RecursionError:
            raise TooLarge from None

    def value(self, node: Node | None) -> Value:
        kind = type(node)
        if kind is Scalar:
            return scalar(node)  # type: ignore[arg-type]
        self.left -= 1
        if self.left < 0:
            raise TooLarge
        node = resolve(node)
        if type(node) is Mapping:
            return self._mapping(node)
        if type(node) is Sequence:
            self.left -= len(node.parts)
            return [self.value(item) for item in node.parts]
        return scalar(node) if type(node) is Scalar else None

    def _mapping(self, node: Mapping) -> Value:
        entries = node.entries
        self.left -= len(entries)
        if "<<" not in entries:
            return {
                key: scalar(item) if type(item) is Scalar else self.value(item)
                for key, item in entries.items()
            }
        found: dict[str, Value] = {}
        for _, source in reversed(list(merged(node))):  # the first one written wins
            inner = self.value(source) if source is not node else None
            if isinstance(inner, dict):
                found.update(inner)
        found.update((key, self.value(item)) for key, item in entries.items() if key != "<<")
        return found


def scalar(node: Scalar) -> Value:
    """What Kubernetes reads in one scalar."""
    text = node.value
    if node.ctag is not None:
        return _tagged(str(node.ctag), text)
    if node.style:
        return text
    if text in _WORDS:
        return _WORDS[text]
    return _number(text) if text[0] in _NUMBER_STARTS else text


def _tagged(tag: str, text: str) -> Value:
    if tag == "tag:yaml.org,2002:binary":
        try:
            return base64.b64decode(text).decode(errors="replace")
        except ValueError:
            return text
    if tag.startswith("tag:yaml.org,2002:") and tag != "tag:yaml.org,2002:str":
        return _WORDS[text] if text in _WORDS else _number(text)
    return text


def _number(text: str) -> Value:
    bare = text.replace("_", "")
    if _DECIMAL.fullmatch(bare):
        return int(bare) if len(bare) < _LONG_NUMBER else float(bare)
    if _OCTAL.fullmatch(bare):
        return int(bare.replace("o", ""), 8)
    if _OTHER_BASE.fullmatch(bare):
        return int(bare, 0)
    if _FLOAT.fullmatch(bare):
        return float(bare)
    return text


def at(value: Value, *path: str | int) -> Value:
    """What is at `path` below `value`; None when there is nothing."""
    for step in path:
        if type(value) is dict and type(step) is str:
            value = value.get(step)
        elif type(value) is list and type(step) is int and step < len(value):
            value = value[step]
        else:
            return None
    return value


def mapping(value: Value) -> dict[str, Value]:
    """`value` if it is a mapping, else an empty one."""
    return value if isinstance(value, dict) else {}


def items(value: Value) -> list[Value]:
    """`value` if it is a list, else an empty one."""
    return value if isinstance(value, list) else []


def text(value: Value) -> str | None:
    """`value` if it is a string, else None."""
    return value if isinstance(value, str) else None


def integer(value: Value) -> int | None:
    """`value` if it is a whole number, else None."""
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def strings(value: Value) -> dict[str, str]:
    """The entries of a mapping that are strings."""
    return {key: item for key, item in mapping(value).items() if isinstance(item, str)}


def dotted(path: Iterable[str | int]) -> str:
    """``spec.containers[0].resources.limits[example.com/x]``: a path for people."""
    shown = ""
    for step in path:
        if isinstance(step, int) or "." in step or "/" in step:
            shown += f"[{step}]"
        else:
            shown += f".{step}" if shown else step
    return shown


def is_filled_in_later(value: str) -> bool:
    """Whether `value` waits for envsubst, Flux or Kubernetes to put something into it."""
    return "${" in value or "$(" in value
