"""The parameters of our Argo CD plugin: what an Application may ask for, and what we announce.

Whoever may edit an Application sets them, and so does whoever may commit `.argocd-source.yaml`.
So none of them names a program or a path.
Sources: Argo CD, pkg/apis/application/v1alpha1/types.go (ARGOCD_APP_PARAMETERS: a JSON list) and
reposerver/repository/repository.proto (ParameterAnnouncement); `kustomize build --help`.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

from schemas.contract import NetworkMode
from transformer.config import meant
from transformer.errors import ConfigError

OFF = "off"
_MODE, _LINT, _RECURSE = "network-mode", "lint", "directory-recurse"
_OPTIONS = "kustomize-build-options"


class Parameter(NamedTuple):
    """One parameter; ``default`` is a tuple for an array, ``known`` has the values it may take."""

    name: str
    title: str
    tooltip: str
    default: str | tuple[str, ...]
    known: tuple[str, ...]
    item_type: str = "string"

    @property
    def is_array(self) -> bool:
        """Whether Argo CD keeps its value as ``array``, else as ``string``."""
        return isinstance(self.default, tuple)


class Option(NamedTuple):
    """An option of ``kustomize build``; ``value`` matches its value, None: it takes none."""

    name: str
    value: re.Pattern[str] | None


# None of them names a program or a path.  The first one runs helm, which our image does not have.
BUILD_OPTIONS = (
    Option("--enable-helm", None),
    Option("--helm-kube-version", re.compile(r"v?\d+\.\d+[\w.+-]*")),
    Option("--helm-api-versions", re.compile(r"\w[\w./-]*")),
)

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
        _OPTIONS,
        "Options of kustomize build",
        f"Any of {', '.join(row.name for row in BUILD_OPTIONS)}",
        (),
        tuple(row.name for row in BUILD_OPTIONS),
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
    "off", ``build_options`` are words for ``kustomize build``, ``recurse`` says to read the
    folders below one of plain YAML.
    """

    mode: NetworkMode | None
    lint: str
    build_options: tuple[str, ...]
    recurse: bool


def parse(text: str) -> Wanted:
    """What the JSON of ARGOCD_APP_PARAMETERS asks for, '' for nothing; raises ConfigError."""
    values: dict[str, Any] = {row.name: row.default for row in PARAMETERS}
    said: set[str] = set()
    for name, value in _said(text):
        if name in said:
            raise ConfigError(f"parameter {name} stands twice")
        said.add(name)
        values[name] = value
    return Wanted(
        NetworkMode(values[_MODE]) if values[_MODE] else None,
        values[_LINT],
        tuple(_options(values[_OPTIONS])),
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
    made["collectionType"] = "array" if row.is_array else "string"
    if row.name == _MODE:
        return made | ({"string": mode.value} if mode else {})
    return made | {made["collectionType"]: row.default}


def _said(text: str) -> Iterator[tuple[str, str | list[str]]]:
    """The names and checked values that the JSON in `text` has."""
    try:
        rows = json.loads(text or "[]")
    except ValueError as error:
        raise ConfigError(f"ARGOCD_APP_PARAMETERS is no JSON: {error}") from None
    rows = [] if rows is None else rows  # how Go writes an empty list
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        raise ConfigError("ARGOCD_APP_PARAMETERS: expected a list of objects with a name")
    for row in rows:
        parameter = _named(str(row.get("name")))
        yield parameter.name, _checked(parameter, row)


def _named(name: str) -> Parameter:
    """The parameter `name`; raises ConfigError with the nearest one and all of them."""
    for row in PARAMETERS:
        if row.name == name:
            return row
    known = [row.name for row in PARAMETERS]
    nearest = meant(name, known).partition("; known: ")[0]
    raise ConfigError(f"unknown parameter {name!r}{nearest}; known: {', '.join(known)}")


def _checked(parameter: Parameter, row: dict[str, Any]) -> str | list[str]:
    """The value that `row` gives to `parameter`."""
    key = "array" if parameter.is_array else "string"
    value: Any = row.get(key)
    if row.keys() != {"name", key} or not _is_text(value, parameter.is_array):
        shape = "array: [TEXT, …]" if parameter.is_array else "string: TEXT"
        raise ConfigError(f"parameter {parameter.name}: expected {shape}, and nothing else")
    if isinstance(value, str) and value not in parameter.known:
        hint = meant(value, list(parameter.known))
        raise ConfigError(f"parameter {parameter.name}: unknown value {value!r}{hint}")
    return value  # type: ignore[no-any-return]


def _is_text(value: object, is_array: bool) -> bool:
    if is_array:
        return isinstance(value, list) and all(isinstance(one, str) for one in value)
    return isinstance(value, str)


def _options(items: Sequence[str]) -> Iterator[str]:
    """The words for kustomize, each option one word; an item may hold several, as in a shell."""
    by_name = {row.name: row for row in BUILD_OPTIONS}
    words = iter([word for item in items for word in item.split()])
    for word in words:
        name, has_value, value = word.partition("=")
        if name not in by_name:
            raise ConfigError(
                f"parameter {_OPTIONS}: {name} is not for Applications to set; they may set "
                f"{', '.join(by_name)}; an administrator may add it to plugin.yaml, as "
                f"--kustomize-option={word}"
            )
        yield _word(by_name[name], value if has_value else None, words)


def _word(option: Option, value: str | None, following: Iterator[str]) -> str:
    """``--name`` or ``--name=value``; the value may be the word after it."""
    if option.value is None:
        if value is not None:
            raise ConfigError(f"parameter {_OPTIONS}: {option.name} takes no value")
        return option.name
    value = next(following, "") if value is None else value
    if not option.value.fullmatch(value):
        raise ConfigError(f"parameter {_OPTIONS}: {option.name}: {value!r} is no value for it")
    return f"{option.name}={value}"
