"""The parameters of our Argo CD plugin: what an Application may ask for, and what we announce.

Whoever may edit an Application sets them, and so does whoever may commit `.argocd-source.yaml`.
So none of them names a program or a path.
Sources: Argo CD, pkg/apis/application/v1alpha1/types.go (ARGOCD_APP_PARAMETERS: a JSON list) and
reposerver/repository/repository.proto (ParameterAnnouncement).
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any, NamedTuple

from schemas.contract import NetworkMode
from transformer.config import meant
from transformer.errors import ConfigError

OFF = "off"
_MODE, _LINT, _RECURSE = "network-mode", "lint", "directory-recurse"


class Parameter(NamedTuple):
    """One parameter; ``known`` has the values it may take."""

    name: str
    title: str
    tooltip: str
    default: str
    known: tuple[str, ...]
    item_type: str = "string"


PARAMETERS = (
    Parameter(
        _MODE,
        "Network mode",
        "How Pods of the cluster get addresses; overrules spec.networkMode of .tke-direct.yaml",
        "",
        tuple(mode.value for mode in NetworkMode),
    ),
    Parameter(
        _LINT,
        "Lint",
        "The severity from which on a finding stops the build: error or warning; off: no lint",
        "error",
        ("error", "warning", OFF),
    ),
    Parameter(
        _RECURSE,
        "Read folders below",
        "Without a kustomization: take the YAML of folders below too; true or false",
        "false",
        ("false", "true"),
        "boolean",
    ),
)


class Wanted(NamedTuple):
    """What an Application asks for.

    ``mode`` is None when the configuration decides, ``lint`` the severity that stops the build or
    "off", ``recurse`` says to read the folders below one of plain YAML.
    """

    mode: NetworkMode | None
    lint: str
    recurse: bool


def parse(text: str) -> Wanted:
    """What the JSON of ARGOCD_APP_PARAMETERS asks for, '' for nothing; raises ConfigError."""
    values = {row.name: row.default for row in PARAMETERS}
    said: set[str] = set()
    for name, value in _said(text):
        if name in said:
            raise ConfigError(f"parameter {name} stands twice")
        said.add(name)
        values[name] = value
    return Wanted(
        NetworkMode(values[_MODE]) if values[_MODE] else None,
        values[_LINT],
        values[_RECURSE] == "true",
    )


def announcements(mode: NetworkMode | None) -> str:
    """What ``cmp parameters`` prints; `mode` is the configuration's own, None: it has to be said.

    Argo CD shows these values in its forms, and never sends them to us.
    """
    return json.dumps([_announcement(row, mode) for row in PARAMETERS], indent=2)


def _announcement(row: Parameter, mode: NetworkMode | None) -> dict[str, Any]:
    made: dict[str, Any] = {"name": row.name, "title": row.title, "tooltip": row.tooltip}
    made["required"] = row.name == _MODE and mode is None
    made["itemType"] = row.item_type
    made["collectionType"] = "string"
    if row.name == _MODE:
        return made | ({"string": mode.value} if mode else {})
    return made | {"string": row.default}


def _said(text: str) -> Iterator[tuple[str, str]]:
    """The names and checked values that the JSON in `text` has."""
    try:
        rows = json.loads(text or "[]")
    except (ValueError, RecursionError) as error:
        raise ConfigError(f"ARGOCD_APP_PARAMETERS is no JSON: {error}") from None
    rows = [] if rows is None else rows  # how Go writes an empty list
    if not isinstance(rows, list) or not all(
        isinstance(row, dict) and isinstance(row.get("name"), str) for row in rows
    ):
        raise ConfigError("ARGOCD_APP_PARAMETERS: expected a list of objects with a name")
    for row in rows:
        parameter = _named(row["name"])
        yield parameter.name, _checked(parameter, row)


def _named(name: str) -> Parameter:
    """The parameter `name`; raises ConfigError with the nearest one and all of them."""
    for row in PARAMETERS:
        if row.name == name:
            return row
    known = [row.name for row in PARAMETERS]
    nearest = meant(name, known).partition("; known: ")[0]
    raise ConfigError(f"unknown parameter {name!r}{nearest}; known: {', '.join(known)}")


def _checked(parameter: Parameter, row: dict[str, Any]) -> str:
    """The value that `row` gives to `parameter`."""
    value = row.get("string")
    if row.keys() != {"name", "string"} or not isinstance(value, str):
        raise ConfigError(f"parameter {parameter.name}: expected string: TEXT, and nothing else")
    if value not in parameter.known:
        hint = meant(value, list(parameter.known))
        raise ConfigError(f"parameter {parameter.name}: unknown value {value!r}{hint}")
    return value
