"""The contract: schemas are valid, current, and say what the constants say."""

from __future__ import annotations

import json
import re

import pytest
from jsonschema import Draft202012Validator

import schemas
from schemas.__main__ import main
from schemas.annotations import (
    ANNOTATIONS,
    DEPRECATED,
    FORMS,
    INVENTED,
    WRITTEN_ANNOTATIONS,
    Annotation,
    On,
)
from schemas.contract import MODES, NETWORKS, NetworkMode


@pytest.mark.parametrize("name", schemas.names())
def test_a_schema_is_valid(name: str) -> None:
    Draft202012Validator.check_schema(schemas.load(name))


def test_generated_schemas_are_current() -> None:
    assert main(["check"]) == 0


def test_the_configuration_knows_the_modes_of_the_contract() -> None:
    known = schemas.load("direct-access")["$defs"]["networkMode"]["enum"]
    assert known == [mode.value for mode in NetworkMode]


@pytest.mark.parametrize("row", ANNOTATIONS, ids=lambda row: f"{row.on.value}:{row.key}")
def test_an_annotation_row_says_one_thing(row: Annotation) -> None:
    assert sum(map(bool, (row.values, row.pattern, row.json))) == 1
    re.compile(row.pattern)
    assert not row.pattern or row.pattern in FORMS, "what it asks for is said in words"


def test_annotation_keys_stand_once_for_each_kind_of_object() -> None:
    keys = [(row.on, row.key) for row in ANNOTATIONS]
    assert len(keys) == len(set(keys))


def test_what_is_written_or_gone_is_not_for_users() -> None:
    settable = {row.key for row in ANNOTATIONS}
    others = [row.key for table in (WRITTEN_ANNOTATIONS, DEPRECATED, INVENTED) for row in table]
    assert len(others) == len(set(others))
    assert not settable & set(others)


def pod_annotations(value: object) -> bool:
    definition = {**schemas.load("annotations"), "anyOf": [{"$ref": "#/$defs/pod"}]}
    return Draft202012Validator(definition).is_valid({NETWORKS: value})


def test_what_every_mode_writes_is_allowed() -> None:
    written = [mode.networks for mode in MODES.values() if mode.networks]
    assert written
    assert all(pod_annotations(value) for value in written)
    assert not pod_annotations("tke-route")
    assert not pod_annotations(True)


def test_every_kind_of_object_has_its_definition() -> None:
    definitions = json.loads(schemas.text("annotations"))["$defs"]
    assert sorted(definitions) == ["ingress", "pod", "service"]
    counts = {on: sum(row.on is on for row in ANNOTATIONS) for on in On}
    assert len(definitions["service"]["properties"]) == counts[On.SERVICE]


KEYWORDS = {"type", "properties", "required", "items", "additionalProperties", "$ref", "enum"}
KEYWORDS |= {"minimum", "maximum", "pattern"}  # what transformer/structure.py knows
WORDS = {"$schema", "$comment", "$defs", "title", "description", "default"}  # for people


@pytest.mark.parametrize("name", ["direct-access", "tke-service-config"])
def test_schemas_for_the_quick_walk_use_only_what_it_knows(name: str) -> None:
    pending = [schemas.load(name)]
    while pending:
        schema = pending.pop()
        assert schema.keys() <= KEYWORDS | WORDS
        for key in ("properties", "$defs"):
            pending += schema.get(key, {}).values()
        inner = (schema.get("items"), schema.get("additionalProperties"))
        pending += [one for one in inner if isinstance(one, dict)]
