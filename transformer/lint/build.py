"""One build as rules ask about it: who is direct and why, and what transform would write.

Nothing here judges.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from functools import cached_property
from typing import NamedTuple

from schemas.contract import (
    INGRESS_CLASS,
    INGRESS_CLASS_ANNOTATION,
    INGRESS_DIRECT_ACCESS,
    SERVICE_DIRECT_ACCESS,
    NetworkMode,
)
from transformer.lint.joins import Joins, Key
from transformer.lint.objects import WORKLOAD, Object
from transformer.model import Diagnostic, Settings
from transformer.values import Path, text

_FEW = 3  # so many names are said in a message

_SWITCH = {"service": SERVICE_DIRECT_ACCESS, "ingress": INGRESS_DIRECT_ACCESS}


class Plan(NamedTuple):
    """What ``transform`` would do to one object.

    ``mode`` is the network mode that reaches it, ``lacks`` the places that would be written
    (paths from the object), ``refused`` why nothing is written.
    """

    mode: NetworkMode | None = None
    lacks: tuple[Path, ...] = ()
    refused: tuple[Diagnostic, ...] = ()


class Build(Joins):
    """The objects of one run, their relations, and what direct access makes of them."""

    def __init__(
        self, objects: list[Object], settings: Settings, plans: Mapping[Key, Plan]
    ) -> None:
        super().__init__(objects)
        self.settings, self._plans = settings, plans

    def prepare(self) -> None:
        """Compute the joins that nearly every rule asks for, before work is divided."""
        self._services, self._entry_points, self._ingresses_by_backend  # noqa: B018

    def plan(self, one: Object) -> Plan:
        """What ``transform`` would do to `one`."""
        return self._plans.get(one.key, Plan())

    def lacks(self, one: Object, *last: str) -> tuple[Path, ...]:
        """The places that ``transform`` would write in `one` and that end with the steps `last`."""
        return tuple(path for path in self.plan(one).lacks if path[len(path) - len(last) :] == last)

    # Direct access:

    def declares(self, one: Object) -> bool:
        """Whether a Service or Ingress says itself, to TKE, that it wants direct access."""
        value = one.raw_annotations.get(_SWITCH.get(one.subject, ""))
        says = value is True or (isinstance(value, str) and value.lower() == "true")
        return says and not is_foreign(one)

    def is_direct(self, one: Object) -> bool:
        """Whether CLB is to bind Pods for `one`, by its own word or by the configuration.

        A Service or Ingress is; a workload is when one of them reaches it.
        """
        if one.subject == WORKLOAD:
            return bool(self.entry_points(one))
        return self.declares(one) or self.plan(one).mode is not None

    def is_declared(self, one: Object) -> bool:
        """As is_direct, but only by the manifests' own word: it is so in the cluster already."""
        if one.subject == WORKLOAD:
            return any(self.declares(entry) for entry in self.entry_points(one))
        return self.declares(one)

    def entry_points(self, workload: Object) -> list[Object]:
        """The direct Services and Ingresses that reach `workload`."""
        return self._entry_points.get(workload.key, [])

    def reached_by(self, entry: Object) -> list[Object]:
        """The workloads that a Service or Ingress sends traffic to; not those left alone."""
        services = [entry]
        if entry.subject == "ingress":
            names = dict.fromkeys(name for _, name, _ in entry.backends())
            services = [one for name in names for one in self.services_named(entry.namespace, name)]
        found = {one.key: one for service in services for one in self.workloads_of(service)}
        return [one for one in found.values() if not one.skipped]

    def behind(self, workload: Object) -> str:
        """``behind Service shop/web``: why a workload is direct, for messages."""
        names = [entry.shown for entry in self.entry_points(workload)]
        more = f" and {len(names) - _FEW} more" if len(names) > _FEW else ""
        return f"behind {', '.join(names[:_FEW])}{more}"

    @cached_property
    def _entry_points(self) -> dict[Key, list[Object]]:
        found: dict[Key, dict[Key, Object]] = defaultdict(dict)
        for service in self.by_subject["service"]:
            reach = [service, *self.ingresses_of(service)]
            direct = {one.key: one for one in reach if self.is_direct(one)}
            for workload in self._workloads[service.key]:
                if not workload.skipped:
                    found[workload.key].update(direct)
        return {key: list(rows.values()) for key, rows in found.items()}


def is_clb_ingress(ingress: Object, settings: Settings) -> bool:
    """Whether TKE's CLB controller serves `ingress`: by its class, or by default."""
    named = _class_of(ingress)
    return named == INGRESS_CLASS or (not named and settings.ingress_default_class)


def is_foreign(one: Object) -> bool:
    """Whether `one` is an Ingress that names another controller than TKE's."""
    return one.subject == "ingress" and _class_of(one) not in ("", INGRESS_CLASS)


def _class_of(ingress: Object) -> str:
    named = ingress.annotations.get(INGRESS_CLASS_ANNOTATION)
    return named or text(ingress.get("spec", "ingressClassName")) or ""
