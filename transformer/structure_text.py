"""What to say about a value that its JSON Schema refuses: what was wanted, what was meant.

Only asked when something is wrong, so it reads the schemas as they stand.  The messages go on
where "spec.replicas: " ends.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from schemas.kubernetes import Schema
from transformer.values import Path, Value, dotted

_WANTED = {
    "string": "a string",
    "integer": "a whole number",
    "number": "a number",
    "boolean": "true or false",
    "array": "a list",
    "object": "a mapping",
    "null": "null",
}
# So many known fields still help; more are noise.
_FEW = 8


def mistyped(value: Value, schema: Schema) -> str:
    """`value` is of a type that `schema` does not allow."""
    wanted, kinds = _wanted(schema), _types(schema)
    if value is None:
        return f"is null, which counts as absent, but {wanted} is needed: write it"
    if isinstance(value, (list, dict)):
        return f"is {'a mapping' if isinstance(value, dict) else 'a list'}, but {wanted} is wanted"
    if isinstance(value, str):
        quoted = "boolean" in kinds and value in ("true", "false")
        quoted = quoted or ("integer" in kinds and value.isdecimal())
        advice = f": write {value} without quotes" if quoted else ""
        return f"is {_shown(value)}, but {wanted} is wanted{advice}"
    text = "string" in kinds and "integer" not in kinds
    advice = ": put it in quotes" if text else ""
    return f"is read as {_shown(value)}, but {wanted} is wanted{advice}"


def outside(value: Value, schema: Schema) -> str:
    """`value` has the right type, but is not among what `schema` allows; '' when it is."""
    if "enum" in schema and value not in schema["enum"]:
        choices = [str(choice) for choice in schema["enum"]]
        close = _closest(str(value), choices) if len(choices) > 1 else ""
        advice = f": did you mean {close}?" if close else ""
        return f"is {_shown(value)}, but {' or '.join(choices)} is wanted{advice}"
    if isinstance(value, str) and not re.search(schema.get("pattern", ""), value):
        return f"is {_shown(value)}, which does not match {schema['pattern']}"
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        if value < schema.get("minimum", value):
            return f"is {value}, but must be at least {schema['minimum']}"
        if value > schema.get("maximum", value):
            return f"is {value}, but must be at most {schema['maximum']}"
    return ""


def missing(key: str, schema: Schema, definitions: Mapping[str, Schema]) -> str:
    """The object of `schema` lacks its required field `key`."""
    field = _fields(schema, definitions).get(key, {})
    return f"{key} is missing: add it, {_wanted(_resolved(field, definitions))}"


def unknown(key: str, path: Path, root: Schema, definitions: Mapping[str, Schema]) -> str:
    """The object at `path` of a document of schema `root` has no field `key`."""
    above = list(_descend(path, root, definitions))
    here = _fields(above[-1][1], definitions)
    for name in here:
        if _bare(name) == _bare(key):
            return f"is no field here: did you mean {name}?"
    if (home := _home(key, above, definitions)) is not None:
        return f"is no field here: it belongs to {home}"
    if close := _closest(key, list(here)):
        return f"is no field here: did you mean {close}?"
    known = f"; the fields are {', '.join(sorted(here))}" if 0 < len(here) <= _FEW else ""
    return f"is no field here: remove it{known}"


def _home(
    key: str, above: list[tuple[Path, Schema]], definitions: Mapping[str, Schema]
) -> str | None:
    """Where a field `key` is known: further up, else inside a neighbour, the nearest first.

    `above` are the objects from the document to the one where the field stands, with their paths.
    """
    for path, schema in reversed(above[:-1]):
        if key in _fields(schema, definitions):
            return dotted(path) or "the top level"
    for path, schema in reversed(above):
        for name, inner in _fields(schema, definitions).items():
            if name != "status" and key in _fields(inner, definitions):
                inside = "[]" if "items" in _resolved(inner, definitions) else ""
                return dotted((*path, name)) + inside
    return None


def _descend(
    path: Path, schema: Schema, definitions: Mapping[str, Schema]
) -> Iterator[tuple[Path, Schema]]:
    """The schema of every step down `path`, with the path to it."""
    yield (), schema
    for depth, step in enumerate(path, 1):
        schema = _resolved(schema, definitions)
        if isinstance(step, int):
            schema = schema["items"]
        else:
            known = schema.get("properties", {})
            schema = known[step] if step in known else schema["additionalProperties"]
        yield path[:depth], schema


def _fields(schema: Schema, definitions: Mapping[str, Schema]) -> Mapping[str, Schema]:
    """The fields of an object, or of the objects in a list."""
    schema = _resolved(schema, definitions)
    if "items" in schema:
        schema = _resolved(schema["items"], definitions)
    found: Mapping[str, Schema] = schema.get("properties", {})
    return found


def _resolved(schema: Schema, definitions: Mapping[str, Schema]) -> Schema:
    if "$ref" in schema:
        return definitions[schema["$ref"].rpartition("/")[2]]
    return schema


def _closest(word: str, choices: list[str]) -> str:
    """The choice that looks most like `word`, '' when none does."""
    from difflib import get_close_matches  # 1 ms, and only wanted when something is misspelt

    return next(iter(get_close_matches(word, choices, 1, 0.75)), "")


def _bare(name: str) -> str:
    """What is left of a name when case, separators and the plural do not count."""
    return re.sub(r"[-_. ]", "", name).lower().removesuffix("s")


def _types(schema: Schema) -> list[str]:
    kinds = schema.get("type", [])
    return [kinds] if isinstance(kinds, str) else list(kinds)


def _wanted(schema: Schema) -> str:
    """What `schema` wants, for people; null is not worth a word."""
    return " or ".join(_WANTED[kind] for kind in _types(schema) if kind != "null") or "a value"


def _shown(value: Value) -> str:
    """A scalar as YAML has it, cut to a readable length."""
    if isinstance(value, bool):
        return "true" if value else "false"
    text = f'"{value}"' if isinstance(value, str) else str(value)
    return text if len(text) <= 60 else f'{text[:57]}…"'
