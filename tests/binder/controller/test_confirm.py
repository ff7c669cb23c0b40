"""What has been confirmed: our view is right about a namespace, in what decisions depend on."""

from __future__ import annotations

from typing import Any

import pytest

from binder.controller.confirm import Confirmer
from binder.controller.state import State
from binder.core.objects import Pod, Service, ServicePort
from binder.settings import Settings
from schemas import contract

NOW = 100.0
OURS = Service(
    "s",
    "shop",
    "web",
    "LoadBalancer",
    contract.LOAD_BALANCER_CLASS,
    {contract.EXISTING_CLB["service"]: "lb-1"},
    (("app", "web"),),
    (ServicePort("", 80, "TCP", 8080),),
)
TKES = OURS._replace(
    uid="t",
    name="legacy",
    load_balancer_class="",
    annotations={contract.SERVICE_DIRECT_ACCESS: "true"},
)
PLAIN = TKES._replace(uid="p", name="plain", annotations={})
POD = Pod("u", "shop", "web-1", labels={"app": "web"}, ip="10.0.0.1")


class Cluster:
    """What the API server says."""

    def __init__(self, *objects: Any) -> None:
        self.objects = objects

    def live(self, _namespace: str) -> tuple[list[Any], list[Any], list[Any]]:
        pods = [one for one in self.objects if isinstance(one, Pod)]
        return pods, [one for one in self.objects if isinstance(one, Service)], []


def confirmed(known: tuple[Any, ...], there: tuple[Any, ...], namespace: str) -> tuple[bool, bool]:
    """Whether Services, and all, of the namespace are confirmed."""
    state = State(Settings(), lambda: NOW)
    for one in known:
        state.put(one)
    Confirmer(state, Cluster(*there), lambda: NOW).look(namespace)  # type: ignore[arg-type]
    found = state.confirmed_services.get(namespace), state.confirmed_all.get(namespace)
    return found[0] == NOW, found[1] == NOW


@pytest.mark.parametrize("namespace", ["shop", ""])
@pytest.mark.parametrize(
    ("known", "there", "expected"),
    [
        ((OURS, POD), (OURS, POD), (True, True)),
        ((), (), (True, True)),
        ((OURS, POD), (OURS,), (True, True)),  # it has ended since, and keeps its target
        ((OURS,), (OURS, POD), (True, False)),
        ((OURS,), (OURS, POD._replace(dies_at=1.0)), (True, True)),
        ((OURS, POD), (OURS, POD._replace(labels={"app": "other"})), (True, True)),
        # Pods that nothing selects come and go all the time.
        ((OURS,), (OURS, POD._replace(labels={"job": "1"})), (True, True)),
        ((OURS, POD._replace(labels={"app": "other"})), (OURS, POD), (True, False)),
        ((), (OURS,), (False, False)),
        ((OURS,), (OURS._replace(selector=()),), (False, False)),
        # What TKE's controller serves decides whose a gate is; what nobody serves decides nothing.
        ((OURS,), (OURS, TKES), (False, False)),
        ((OURS, TKES), (OURS,), (False, False)),
        ((OURS,), (OURS, PLAIN), (True, True)),
    ],
)
def test_it_compares_what_decisions_depend_on(
    known: tuple[Any, ...], there: tuple[Any, ...], namespace: str, expected: tuple[bool, bool]
) -> None:
    assert confirmed(known, there, namespace) == expected
