"""From the OpenAPI definitions of Kubernetes to the little that validation needs.

Kept: the kinds of ``KINDS`` and all that they refer to, of each definition ``type``,
``properties``, ``required``, ``items``, ``additionalProperties`` and ``$ref``.

Changed, in the same manner for every minor, because the sources differ among themselves:

- An object with ``properties`` forbids others.
- null is allowed except for a required field whose value is no ``$ref``; so says the source from
  1.25 on, and the API server takes null for absent.
- int-or-string and quantity are a list of types where they are used, instead of a reference to
  ``oneOf``.  The source's ``oneOf`` forbids null, by accident: both of its branches allow it.
- ``apiVersion`` and ``kind`` are fixed by ``enum``.
- Other ``enum`` are dropped: the source has them for 1.23 alone.
- ``format`` is dropped: ``int32`` and the like mean nothing to JSON Schema validators.
- ``status`` is any object: the cluster writes it.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any

from schemas.kubernetes import Schema, references

KINDS: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("v1", ("Service", "Pod", "ReplicationController", "ConfigMap")),
    ("apps/v1", ("Deployment", "StatefulSet", "DaemonSet", "ReplicaSet")),
    ("batch/v1", ("Job", "CronJob")),
    ("batch/v1beta1", ("CronJob",)),
    ("networking.k8s.io/v1", ("Ingress", "IngressClass")),
    ("networking.k8s.io/v1beta1", ("Ingress",)),
    ("extensions/v1beta1", ("Ingress",)),
    ("autoscaling/v1", ("HorizontalPodAutoscaler",)),
    ("autoscaling/v2", ("HorizontalPodAutoscaler",)),
    ("autoscaling/v2beta2", ("HorizontalPodAutoscaler",)),
    ("autoscaling/v2beta1", ("HorizontalPodAutoscaler",)),
    ("policy/v1", ("PodDisruptionBudget",)),
    ("policy/v1beta1", ("PodDisruptionBudget",)),
)

_GROUP_VERSION_KIND = "x-kubernetes-group-version-kind"
_UNIONS = {
    "io.k8s.apimachinery.pkg.util.intstr.IntOrString": ["string", "integer"],
    "io.k8s.apimachinery.pkg.api.resource.Quantity": ["string", "number"],
}


def bundle(minors: Iterable[Mapping[str, Schema]]) -> dict[str, Any]:
    """The definitions of several minors in one, oldest first.

    ``kinds`` has the definition's name of each "apiVersion kind".  ``definitions`` has, by name,
    the distinct variants of a definition as ``[first, last, schema]``, where the numbers count
    minors from 0 on and ``$ref`` is a name.
    """
    kinds: dict[str, str] = {}
    merged: dict[str, list[list[Any]]] = {}
    for number, raw in enumerate(minors):
        roots = _roots(raw)
        kinds |= roots
        for name, schema in _closure(raw, roots.values()).items():
            variants = merged.setdefault(name, [])
            if variants and variants[-1][1] == number - 1 and variants[-1][2] == schema:
                variants[-1][1] = number
            else:
                variants.append([number, number, schema])
    order = [f"{version} {kind}" for version, names in KINDS for kind in names]
    return {
        "kinds": {key: kinds[key] for key in order},
        "definitions": {name: merged[name] for name in sorted(merged)},
    }


def rendered(bundle: Mapping[str, Any]) -> str:
    """`bundle` as JSON with one definition on a line: small, and its changes can be read."""
    definitions = ",\n".join(
        f"{json.dumps(name)}:{json.dumps(variants, separators=(',', ':'))}"
        for name, variants in bundle["definitions"].items()
    )
    kinds = json.dumps(bundle["kinds"], indent=0)
    return f'{{"kinds":{kinds},\n"definitions":{{\n{definitions}\n}}}}\n'


def _roots(raw: Mapping[str, Schema]) -> dict[str, str]:
    """Names of the definitions of our kinds, by "apiVersion kind"."""
    named = {_key(schema): name for name, schema in raw.items()}
    wanted = [f"{version} {kind}" for version, kinds in KINDS for kind in kinds]
    return {key: named[key] for key in wanted if key in named}


def _key(schema: Schema) -> str:
    """The "apiVersion kind" of a definition; '' when it has none, or more than one."""
    known = schema.get(_GROUP_VERSION_KIND, [])
    if len(known) != 1:
        return ""
    group, version, kind = known[0]["group"], known[0]["version"], known[0]["kind"]
    return f"{group}/{version} {kind}" if group else f"{version} {kind}"


def _closure(raw: Mapping[str, Schema], roots: Iterable[str]) -> dict[str, dict[str, Any]]:
    """The pruned definitions of `roots` and of all that they refer to."""
    kept: dict[str, dict[str, Any]] = {}
    waiting = list(roots)
    while waiting:
        name = waiting.pop()
        if name not in kept:
            kept[name] = _definition(raw[name])
            waiting += references(kept[name])
    return kept


def _definition(raw: Schema) -> dict[str, Any]:
    schema = _pruned(raw, nullable=True)
    api_version, _, kind = _key(raw).partition(" ")
    if kind:
        schema["properties"]["apiVersion"]["enum"] = [api_version]
        schema["properties"]["kind"]["enum"] = [kind]
    return schema


def _pruned(raw: Schema, *, nullable: bool) -> dict[str, Any]:
    if "$ref" in raw:
        name = raw["$ref"].rpartition("/")[2]
        if name not in _UNIONS:
            return {"$ref": name}
        return {"type": [*_UNIONS[name], "null"] if nullable else _UNIONS[name]}
    kind = raw["type"][0] if isinstance(raw["type"], list) else raw["type"]
    schema: dict[str, Any] = {"type": [kind, "null"] if nullable else kind}
    for keyword in ("items", "additionalProperties"):
        if isinstance(raw.get(keyword), dict):
            schema[keyword] = _pruned(raw[keyword], nullable=True)
    if "properties" in raw:
        required = sorted(raw.get("required", []))
        schema["properties"] = {
            name: _property(name, inner, nullable=name not in required)
            for name, inner in sorted(raw["properties"].items())
        }
        schema["additionalProperties"] = False
        if required:
            schema["required"] = required
    return schema


def _property(name: str, raw: Schema, *, nullable: bool) -> dict[str, Any]:
    if name == "status" and raw.get("$ref", "").endswith("Status"):
        return {"type": ["object", "null"]}
    return _pruned(raw, nullable=nullable)
