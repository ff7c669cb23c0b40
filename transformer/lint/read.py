"""Read one chunk for lint: what transform drafts of it, its objects, and what breaks their schema.

Runs in the worker processes; nothing here looks beyond the chunk.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from typing import NamedTuple

import schemas
from schemas import kubernetes
from schemas.contract import CONTROLLER_CONFIG
from schemas.kubernetes import Schema
from transformer.draft import TEMPLATED, Read, draft_of, duplicates, failed, read
from transformer.errors import Malformed
from transformer.lint.objects import Object, matters, subject_of
from transformer.lookup import child, string, strings
from transformer.model import Diagnostic, Draft, Settings
from transformer.resources import objects
from transformer.stream import Chunk
from transformer.structure import Defect, defects
from transformer.tree import start
from transformer.values import Reader, TooLarge, at


class Reading(NamedTuple):
    """What lint keeps of one chunk; ``defects`` has a row for each of ``objects``."""

    draft: Draft | None
    objects: tuple[Object, ...]
    defects: tuple[tuple[Defect, ...], ...]


class SourceReading(NamedTuple):
    """What lint keeps of one source; ``chunks`` is of how many pieces it consists."""

    readings: list[Reading]
    chunks: int

    @property
    def diagnostics(self) -> list[Diagnostic]:
        """Why parts of it cannot be read."""
        drafts = (one.draft for one in self.readings if one.draft)
        return [row for draft in drafts for row in draft.diagnostics]

    @property
    def is_template(self) -> bool:
        """Whether it cannot be read because it is a template."""
        return {row.code for row in self.diagnostics} == {TEMPLATED}

    @property
    def is_kubernetes(self) -> bool:
        """Whether any document of it is a Kubernetes object."""
        drafts = (one.draft for one in self.readings if one.draft)
        return sum(not draft.is_kubernetes for draft in drafts) < self.chunks


def examine(data: bytes, chunk: Chunk, settings: Settings) -> Reading | None:
    """The reading of `chunk`; None when it is well-formed and no rule is about it."""
    relevant = matters(chunk.kind, data[chunk.start : chunk.end], settings)
    found = read(data, chunk, relevant)
    if not isinstance(found, Read):
        return Reading(found, (), ()) if found else None
    try:
        draft = draft_of(found, settings, proven=False)
        if draft and (draft.diagnostics or not draft.is_kubernetes):
            return Reading(draft, (), ())
        read_objects = tuple(_objects(found, settings))
    except TooLarge:
        error = Malformed("syntax", 0, "nests too deeply, or expands to millions of nodes")
        return Reading(failed(data[chunk.start : chunk.end], chunk, error), (), ())
    except Malformed as error:
        return Reading(failed(data[chunk.start : chunk.end], chunk, error), (), ())
    if found.tree.duplicates and read_objects:
        told = duplicates(found.tree, [], found.to_byte)
        return Reading(Draft(chunk.start, chunk.end, (), (), told, True), (), ())
    checked = tuple(tuple(_defects(one, settings)) for one in read_objects)
    return Reading(draft, read_objects, checked) if draft or read_objects else None


def _objects(found: Read, settings: Settings) -> Iterator[Object]:
    chunk, reader = found.chunk, Reader()
    for root, path, node, group, kind in objects(found.tree):
        subject = subject_of(group, kind, settings)
        data = reader.plain(node) if subject else None
        if subject is None or not isinstance(data, dict):
            continue
        name, row = subject
        if name == "config_map" and at(data, "metadata", "name") != CONTROLLER_CONFIG:
            continue  # only one of them is about direct access
        metadata = at(data, "metadata")
        short = string(node, "metadata", "name") or string(node, "metadata", "generateName")
        yield Object(
            subject=name,
            group=group,
            version=(string(node, "apiVersion") or "").rpartition("/")[2],
            kind=kind,
            namespace=str(at(metadata, "namespace") or ""),
            name=short or "(unnamed)",
            data=data,
            selector=strings(child(node, "spec", "selector")),
            pod_labels=strings(child(node, *row.template, "metadata", "labels")) if row else {},
            template=row.template if row else None,
            source=-1,  # set by whoever collects the readings
            chunk=(chunk.start, chunk.end),
            root=root,
            path=path,
            offset=found.to_byte(start(node)),
        )


def _defects(one: Object, settings: Settings) -> list[Defect]:
    """What the Kubernetes API would not take; for kinds it does not know, of the pod template."""
    if one.subject == "service_config":
        return defects(one.data, *_service_config())
    minor = _minor(settings.kubernetes)
    known = kubernetes.definitions(minor)
    name = kubernetes.name_of(one.api_version, one.kind, minor)
    if name is not None:
        found = defects(one.data, known[name], known)
        return _of_version(found, one, minor) if found and minor != kubernetes.NEWEST else found
    if one.template is None or kubernetes.minors_of(one.api_version, one.kind):
        return []
    found = defects(at(one.data, *one.template), known["io.k8s.api.core.v1.PodTemplateSpec"], known)
    return [row._replace(path=(*one.template, *row.path)) for row in found]


def _of_version(found: list[Defect], one: Object, minor: str) -> list[Defect]:
    """The same, saying of a field that newer versions know that it is the version's fault."""
    newest = kubernetes.definitions(kubernetes.NEWEST)
    name = kubernetes.name_of(one.api_version, one.kind, kubernetes.NEWEST)
    if name is None:
        return found
    ever = {(row.rule, row.path) for row in defects(one.data, newest[name], newest)}
    return [
        row
        if row.rule != "unknown-field" or (row.rule, row.path) in ever
        else row._replace(message=f"is no field in Kubernetes {minor}, only in newer versions")
        for row in found
    ]


@cache
def _minor(version: str) -> str:
    """The minor whose schemas are used for a cluster of `version`, '' for an unknown one."""
    minor = ".".join(version.split(".")[:2])
    if minor in kubernetes.MINORS or not minor:
        return minor or kubernetes.NEWEST
    return kubernetes.MINORS[0] if int(minor[2:]) < _OLDEST else kubernetes.NEWEST


_OLDEST = int(kubernetes.MINORS[0][2:])


@cache
def _service_config() -> tuple[Schema, dict[str, Schema]]:
    schema = schemas.load("tke-service-config")
    return schema, schema.get("$defs", {})
