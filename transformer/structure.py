"""Whether plain data has the shape that a JSON Schema wants, and what is wrong where it has not.

The library jsonschema takes longer to import than we to start, and milliseconds for a document;
this walker takes microseconds.  It knows the keywords of our own schemas and no other: type,
properties, required, items, additionalProperties, $ref, enum, minimum, maximum and pattern.
``tests/test_kubeconform.py`` holds its verdicts against those of kubeconform and jsonschema.

null is what the schema makes of it.  The Kubernetes schemas allow it wherever a field is optional,
for the API server takes null for absent; they refuse it for a required value.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple, final

from schemas.kubernetes import Schema
from transformer import structure_text as text
from transformer.values import Path, Value


class Defect(NamedTuple):
    """One thing that is wrong.

    ``rule`` is unknown-field, wrong-type, missing-field, invalid-value or unquoted-string.
    ``path`` leads to the value; for an unknown field to the field, for a missing one to the
    object that lacks it.  ``message`` goes on where "spec.replicas: " ends.
    """

    rule: str
    path: Path
    message: str


_NULL = type(None)
_TYPES: dict[str, frozenset[type]] = {
    "string": frozenset((str,)),
    "integer": frozenset((int,)),
    "number": frozenset((int, float)),
    "boolean": frozenset((bool,)),
    "array": frozenset((list,)),
    "object": frozenset((dict,)),
    "null": frozenset((_NULL,)),
}
_ALL = frozenset.union(*_TYPES.values())


def defects(data: Value, schema: Schema, definitions: Mapping[str, Schema]) -> list[Defect]:
    """What is wrong with `data`, in its order; empty when nothing is.

    The last step of a ``$ref`` is a name in `definitions`.  Schemas are compiled when they are
    met first and kept for good: hand over the same objects each time, and never change them.
    """
    table = _TABLES.get(id(definitions))
    if table is None:
        table = _TABLES[id(definitions)] = _Table(definitions)
    walk = _Walk(schema, table)
    walk.value(data, table.root(schema), ())
    return walk.found


@final
class _Shape:
    """A schema as look-up tables, filled when the first value meets it.

    A value whose type is in ``settled`` needs no look at all, one whose type is not in ``types``
    is wrong.  ``others`` is for keys that are not in ``fields``; None forbids them.
    """

    __slots__ = ("fields", "item", "others", "required", "schema", "settled", "types")

    def __init__(self, schema: Schema) -> None:
        self.schema = schema
        self.types: frozenset[type] = frozenset()
        self.settled: frozenset[type] = frozenset()
        self.fields: dict[str, _Shape] = {}
        self.others: _Shape | None = None
        self.required: list[str] = []
        self.item: _Shape | None = None

    def fill(self, table: _Table) -> None:
        schema = self.schema
        kinds = schema.get("type", [*_TYPES])
        names = [kinds] if isinstance(kinds, str) else kinds
        self.types = frozenset[type]().union(*(_TYPES[name] for name in names))
        self.settled = self.types - _unsettled(schema)
        self.required = schema.get("required", [])
        for key, inner in schema.get("properties", {}).items():
            self.fields[key] = table.shape(inner)
        others = schema.get("additionalProperties", True)
        if others is not False:
            self.others = table.anything if others is True else table.shape(others)
        self.item = table.shape(schema["items"]) if "items" in schema else None


def _unsettled(schema: Schema) -> frozenset[type]:
    """The types whose values have to be looked at, not only their type."""
    if "enum" in schema:
        return _ALL
    found: set[type] = set()
    if "minimum" in schema or "maximum" in schema:
        found |= {int, float}
    if "pattern" in schema:
        found.add(str)
    if "items" in schema:
        found.add(list)
    if schema.keys() & {"properties", "required", "additionalProperties"}:
        found.add(dict)
    return frozenset(found)


@final
class _Table:
    """The shapes of one set of definitions; it keeps them, so that their id stays theirs."""

    def __init__(self, definitions: Mapping[str, Schema]) -> None:
        self.definitions = definitions
        self.named: dict[str, _Shape] = {}
        self.leaves: dict[str, _Shape] = {}
        self.roots: dict[int, _Shape] = {}
        self.anything = _Shape({})
        self.anything.types = self.anything.settled = _ALL

    def shape(self, schema: Schema) -> _Shape:
        """The shape of a schema; what is only a name or a type is made once for all."""
        if "$ref" in schema:
            name = schema["$ref"].rpartition("/")[2]
            if name not in self.named:
                self.named[name] = _Shape(self.definitions[name])  # filled when it is reached
            return self.named[name]
        leaf = str(schema["type"]) if schema.keys() == {"type"} else ""
        shape = self.leaves.get(leaf)
        if shape is None:
            shape = _Shape(schema)
            shape.fill(self)
            if leaf:
                self.leaves[leaf] = shape
        return shape

    def root(self, schema: Schema) -> _Shape:
        """The shape of a whole document."""
        if "$ref" in schema:
            return self.shape(schema)
        shape = self.roots.get(id(schema))
        if shape is None or shape.schema is not schema:
            shape = self.roots[id(schema)] = self.shape(schema)
        return shape


_TABLES: dict[int, _Table] = {}


@final
class _Walk:
    """One pass over a document."""

    def __init__(self, schema: Schema, table: _Table) -> None:
        self.schema, self.table = schema, table
        self.found: list[Defect] = []

    def add(self, rule: str, path: Path, message: str) -> None:
        self.found.append(Defect(rule, path, message))

    def value(self, value: Value, shape: _Shape, path: Path) -> None:
        if not shape.types:
            shape.fill(self.table)
        if type(value) not in shape.types and not _whole(value, shape):
            self.add(_rule(value, shape), path, text.mistyped(value, shape.schema))
        elif isinstance(value, dict):
            self.mapping(value, shape, path)
        elif isinstance(value, list):
            if shape.item is not None:
                self.items(value, shape.item, path)
        elif message := text.outside(value, shape.schema):
            self.add("invalid-value", path, message)

    def mapping(self, value: dict[str, Value], shape: _Shape, path: Path) -> None:
        fields, others = shape.fields, shape.others
        for key, item in value.items():
            inner = fields.get(key, others)
            if inner is None:
                message = text.unknown(key, path, self.schema, self.table.definitions)
                self.add("unknown-field", (*path, key), message)
            elif type(item) not in inner.settled:
                self.value(item, inner, (*path, key))
        for key in shape.required:
            if key not in value:
                message = text.missing(key, shape.schema, self.table.definitions)
                self.add("missing-field", path, message)

    def items(self, value: list[Value], shape: _Shape, path: Path) -> None:
        for index, item in enumerate(value):
            if type(item) not in shape.settled:
                self.value(item, shape, (*path, index))


def _whole(value: Value, shape: _Shape) -> bool:
    """Whether `value` is a whole number written with a point or an exponent, where one may be."""
    return isinstance(value, float) and int in shape.types and value.is_integer()


def _rule(value: Value, shape: _Shape) -> str:
    wanted = str in shape.types and int not in shape.types
    return "unquoted-string" if wanted and isinstance(value, (bool, int, float)) else "wrong-type"
