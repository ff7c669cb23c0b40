"""The configuration, and manifests that say another network mode than it does.

Sources: TKE docs "VPC-CNI", "CLB-to-Pod direct access" (457/41897) and "Service controller"
(457/131136), read 2026-08.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from schemas.contract import (
    CONTROLLER_CONFIG,
    ENI_RESOURCES,
    MODES,
    NETWORKS,
    NetworkMode,
)
from transformer import config
from transformer.doctor.model import ERROR, INFO, OK, WARNING, Configuration, Finding
from transformer.doctor.pages import Page, items, key_of
from transformer.errors import ConfigError
from transformer.lookup import child, string
from transformer.model import Settings
from transformer.tree import Node

_SWITCH = "GlobalRouteDirectAccess"
_INSTANCE_TYPE, SUPER_NODE = "node.kubernetes.io/instance-type", "eklet"
_NETWORKS_OF = {mode.networks: mode.resource for mode in MODES.values() if mode.networks}


class Governed(NamedTuple):
    """A readable configuration, its settings when it names a mode, and the folder it governs."""

    source: Configuration
    settings: Settings | None


def read(found: tuple[Configuration, ...]) -> tuple[list[Governed], list[Finding]]:
    """The configurations that can be read, and what is to be said about each."""
    governed: list[Governed] = []
    said: list[Finding] = []
    for one in found:
        try:
            content = config.parse(one.data, one.shown)
            named = (content.get("spec") or {}).get("networkMode")
            settings = config.settings(content) if named else None
        except ConfigError as error:
            said.append(_unplaced(one.shown, ERROR, "configuration", str(error)))
            continue
        governed.append(Governed(one, settings))
        mode = settings.mode.value if settings else "no network mode: --network-mode has to say it"
        said.append(Finding(one.shown, 1, 1, OK, "configuration", f"is read; {mode}"))
    if not any(one.folder == "" for one in found):
        message = f"no {config.FILE_NAME} governs this directory: every call needs --network-mode"
        said.append(_unplaced("", INFO, "configuration", message))
    return governed, said


def _unplaced(shown: str, severity: str, code: str, message: str) -> Finding:
    """A finding whose place stands at the start of `message` already, if it has one."""
    rest = message.removeprefix(f"{shown}:") if shown else message
    line, _, after = rest.partition(":")
    column, _, text = after.partition(": ")
    if shown and line.isdigit() and column.isdigit():
        return Finding(shown, int(line), int(column), severity, code, text)
    return Finding(shown, 1, 1, severity, code, rest.strip())


def check(page: Page, governed: list[Governed]) -> Iterator[Finding]:
    """What the objects of `page` say about the network that its configuration does not."""
    settings = _of(page.path, governed)
    if settings is None:
        return
    for node, group, kind in page.objects():
        row = settings.workloads.get(kind, {}).get(group)
        if row is not None:
            yield from _template(page, child(node, *row.template), settings)
        elif kind == "ConfigMap" and string(node, "metadata", "name") == CONTROLLER_CONFIG:
            yield from _switch(page, node, settings)


def _of(path: str, governed: list[Governed]) -> Settings | None:
    """The settings of the nearest configuration at or above `path`."""
    above = [
        one
        for one in governed
        if one.source.folder == "" or path.startswith(f"{one.source.folder}/")
    ]
    nearest = max(above, key=lambda one: len(one.source.folder), default=None)
    return nearest.settings if nearest else None


def _template(page: Page, template: Node | None, settings: Settings) -> Iterator[Finding]:
    for node, asked, resource in _requests(template):
        # An override may be what these Pods are under: one mode that fits is enough.
        wrong = [_against(mode, resource) for mode in settings.modes]
        if None not in wrong and wrong[0] is not None:
            severity, why = wrong[0]
            message = f"{asked}, but the mode is {settings.mode.value}: {why}"
            yield page.finding(node, severity, "mode", message)
    place = child(template, "spec", "nodeSelector", _INSTANCE_TYPE)
    if string(place) == SUPER_NODE and NetworkMode.SERVERLESS not in settings.modes:
        yield page.finding(
            place,
            INFO,
            "mode",
            f"these Pods run on super nodes, but the mode is {settings.mode.value}: an override "
            "with networkMode: serverless leaves their templates alone",
        )


def _requests(template: Node | None) -> Iterator[tuple[Node, str, str]]:
    """What a pod template asks of the network: the place, in words, and the resource it means."""
    annotations = child(template, "metadata", "annotations")
    value = string(annotations, NETWORKS) or ""
    for name in value.split(","):
        resource = _NETWORKS_OF.get(name.strip())
        place = key_of(annotations, NETWORKS) or child(annotations, NETWORKS)
        if resource and place:
            yield place, f"the pod template asks for the network {name.strip()}", resource
    for container in items(template, "spec", "containers"):
        for field in ("requests", "limits"):
            holder = child(container, "resources", field)
            for resource in ENI_RESOURCES:
                place = key_of(holder, resource) or child(holder, resource)
                if place is not None:
                    yield place, f"a container {field} {resource}", resource


def _against(mode: NetworkMode, resource: str) -> tuple[str, str] | None:
    """How bad it is to ask for `resource` in `mode`, and why; None when that is right."""
    row = MODES[mode]
    if row.resource == resource:
        return None
    if row.resource is None and not row.forbids_eni:
        fitting = next(one.name.value for one in MODES.values() if one.resource == resource)
        return (
            WARNING,
            f"Pods there have such an address anyway; if the cluster is one where they have to "
            f"ask, the mode is {fitting}",
        )
    return ERROR, "no node there offers it, so the Pods stay Pending; correct one of the two"


def _switch(page: Page, node: Node, settings: Settings) -> Iterator[Finding]:
    if settings.mode is not NetworkMode.GLOBAL_ROUTER:
        return
    data = child(node, "data")
    value = child(data, _SWITCH)
    if value is None:
        message = (
            f'data.{_SWITCH} is missing, and mode global-router needs it to be "true"; clusters '
            "that were upgraded do not get it by themselves"
        )
        yield page.finding(key_of(node, "data") or node, WARNING, "mode", message)
    elif (string(value) or "").lower() != "true":
        message = f'{_SWITCH} is {string(value)!r}, and mode global-router needs "true"'
        yield page.finding(value, ERROR, "mode", message)
