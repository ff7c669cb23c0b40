"""Parameters of an action: what is required, of which type, and how long or large.

A schema is a mapping from names to fields. Checking it is what the gateway does before the product
sees a request: UnknownParameter, MissingParameter, InvalidParameter for a type,
InvalidParameterValue with .Length and .Range for the rest.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl

from binder.simulator.errors import ApiError

Params = dict[str, Any]


@dataclass(frozen=True)
class Field:
    """One parameter; limits are inclusive."""

    kind: str  # text, integer, boolean, many, record, anything
    required: bool = False
    longest: int | None = None
    low: int | None = None
    high: int | None = None
    choices: tuple[str, ...] = ()
    item: Field | None = None
    fields: Mapping[str, Field] | None = None


Schema = Mapping[str, Field]


def text(
    *, required: bool = False, longest: int | None = None, choices: tuple[str, ...] = ()
) -> Field:
    """A string."""
    return Field("text", required, longest, choices=choices)


def integer(*, required: bool = False, low: int | None = None, high: int | None = None) -> Field:
    """A whole number from `low` to `high`."""
    return Field("integer", required, low=low, high=high)


def boolean() -> Field:
    """True or false."""
    return Field("boolean")


def many(item: Field, *, required: bool = False, most: int | None = None) -> Field:
    """A list of at most `most` items; a required one has at least one."""
    return Field("many", required, most, item=item)


def record(fields: Schema, *, required: bool = False) -> Field:
    """An object."""
    return Field("record", required, fields=fields)


def anything() -> Field:
    """A field that is taken unread: the simulator does not act on it."""
    return Field("anything")


def parse(method: str, query: str, body: bytes) -> Params:
    """What a request gives, unchecked; InvalidRequest where it cannot be read."""
    return _nested(query) if method == "GET" else _parsed(body)


def check(given: Params, schema: Schema, *, from_text: bool = False) -> Params:
    """The parameters, checked; an ApiError names the first that is wrong.

    `from_text`: they come from a query string, where numbers are text.
    """
    return _record(given, schema, "", from_text=from_text)


def _parsed(body: bytes) -> Params:
    try:
        given = json.loads(body or b"{}")
    except ValueError:
        raise ApiError("InvalidRequest") from None
    if not isinstance(given, dict):
        raise ApiError("InvalidRequest")
    return given


def _nested(query: str) -> Params:
    """What `Ids.0=a&Ids.1=b&Filters.0.Name=c` says: dots descend, numbers count."""
    tree: Params = {}
    for name, value in parse_qsl(query, keep_blank_values=True):
        *above, last = name.split(".")
        node = tree
        for part in above:
            node = node.setdefault(part, {})
            if not isinstance(node, dict):
                raise ApiError("InvalidParameter", f"The parameter `{name}` is given twice.")
        node[last] = value
    return {name: _listed(value) for name, value in tree.items()}


def _listed(value: Any) -> Any:
    """Objects whose names are numbers are lists."""
    if not isinstance(value, dict):
        return value
    inner = {name: _listed(item) for name, item in value.items()}
    if inner and all(name.isdecimal() for name in inner):
        return [inner[name] for name in sorted(inner, key=int)]
    return inner


def _record(given: Any, schema: Schema, where: str, *, from_text: bool) -> Params:
    for name in given:
        if name not in schema:
            raise ApiError("UnknownParameter", name=where + name)
    checked = {}
    for name, field in schema.items():
        value = given.get(name)
        if value is not None:
            checked[name] = _value(value, field, where + name, from_text=from_text)
        elif field.required:
            raise ApiError("MissingParameter", name=where + name)
    return checked


def _value(value: Any, field: Field, name: str, *, from_text: bool) -> Any:
    if from_text and isinstance(value, str):
        value = _from_text(value, field.kind)
    if field.kind == "anything":
        return value
    if not _is(value, field.kind):
        raise ApiError("InvalidParameter", f"The type of parameter `{name}` is not {field.kind}.")
    if field.kind in ("text", "many"):
        _check_length(value, field, name)
    if field.kind == "integer":
        _check_range(value, field, name)
    if field.choices and value not in field.choices:
        raise ApiError("InvalidParameterValue", name=name)
    if field.item:
        inner = enumerate(value)
        return [_value(v, field.item, f"{name}.{at}", from_text=from_text) for at, v in inner]
    if field.fields:
        return _record(value, field.fields, f"{name}.", from_text=from_text)
    return value


def _from_text(value: str, kind: str) -> Any:
    """What a query string meant."""
    if kind == "integer" and re.fullmatch(r"-?\d+", value):
        return int(value)
    if kind == "boolean" and value.lower() in ("true", "false"):
        return value.lower() == "true"
    return value


_TYPES: Mapping[str, type] = {
    "text": str,
    "integer": int,
    "boolean": bool,
    "many": list,
    "record": dict,
}


def _is(value: Any, kind: str) -> bool:
    return isinstance(value, _TYPES[kind]) and not (kind == "integer" and isinstance(value, bool))


def _check_length(value: Any, field: Field, name: str) -> None:
    if field.required and not value:
        raise ApiError("MissingParameter", name=name)
    if field.longest is not None and len(value) > field.longest:
        raise ApiError("InvalidParameterValue.Length", name=name, bound=field.longest + 1)


def _check_range(value: int, field: Field, name: str) -> None:
    low, high = field.low, field.high
    if (low is not None and value < low) or (high is not None and value > high):
        raise ApiError("InvalidParameterValue.Range", name=name, low=low, high=high)
