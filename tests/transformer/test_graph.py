"""Who reaches whom: selectors, namespaces, Ingress backends, modes."""

from __future__ import annotations

from schemas.contract import WORKLOADS, NetworkMode
from transformer.graph import reach
from transformer.model import LabelSelector, Override, Resource, Settings, by_kind

MIXED, SERVERLESS = NetworkMode.MIXED, NetworkMode.SERVERLESS
SETTINGS = Settings(MIXED, by_kind(WORKLOADS))


def resource(role: str, name: str, namespace: str = "shop", **rest: object) -> Resource:
    fields = {"labels": {}, "selector": {}, "backends": (), "wants": False, **rest}
    return Resource(role, f"{role} {name}", namespace, name, 0, **fields)  # type: ignore[arg-type]


def service(name: str, selector: dict[str, str], wants: bool = True, **rest: object) -> Resource:
    return resource("service", name, selector=selector, wants=wants, **rest)


def workload(name: str, labels: dict[str, str], namespace: str = "shop") -> Resource:
    return resource("workload", name, namespace, labels=labels)


def reached(*resources: Resource, settings: Settings = SETTINGS) -> set[str]:
    found = reach(list(resources), settings)
    return {resources[index].short_name for index in found.modes}


def test_a_service_reaches_the_workloads_that_have_all_its_labels() -> None:
    web = {"app": "web", "tier": "front"}
    assert reached(
        service("svc", web),
        workload("both", {**web, "more": "x"}),
        workload("one", {"app": "web"}),
        workload("none", {}),
    ) == {"svc", "both"}


def test_namespaces_are_walls() -> None:
    assert reached(service("svc", {"a": "b"}), workload("w", {"a": "b"}, "other")) == {"svc"}


def test_a_service_that_wants_nothing_reaches_nothing() -> None:
    assert reached(service("svc", {"a": "b"}, wants=False), workload("w", {"a": "b"})) == set()


def test_an_ingress_reaches_workloads_through_its_services_which_stay_as_they_are() -> None:
    assert reached(
        resource("ingress", "ing", backends=("svc", "missing"), wants=True),
        service("svc", {"a": "b"}, wants=False),
        workload("w", {"a": "b"}),
    ) == {"ing", "w"}


def test_an_empty_selector_selects_nothing() -> None:
    assert reached(service("svc", {}), workload("w", {"a": "b"})) == {"svc"}


def test_the_first_override_that_matches_gives_the_mode() -> None:
    settings = SETTINGS._replace(
        overrides=(
            Override(SERVERLESS, ("games",), LabelSelector()),
            Override(NetworkMode.VPC_CNI, (), LabelSelector((("pool", "eni"),))),
        )
    )
    resources = [
        service("a", {"x": "y"}, namespace="games"),
        service("b", {"x": "y"}, labels={"pool": "eni"}),
        service("c", {"x": "y"}),
    ]
    modes = reach(resources, settings).modes
    assert modes == {0: SERVERLESS, 1: NetworkMode.VPC_CNI, 2: MIXED}


def test_two_modes_for_one_workload_are_a_conflict_and_no_edit() -> None:
    settings = SETTINGS._replace(
        overrides=(Override(SERVERLESS, (), LabelSelector((("pool", "super"),))),)
    )
    resources = [
        service("a", {"x": "y"}),
        service("b", {"x": "y"}, labels={"pool": "super"}),
        workload("w", {"x": "y"}),
    ]
    found = reach(resources, settings)
    assert 2 not in found.modes
    assert found.conflicts[2].code == "two-modes"
    assert "service a (mixed), service b (serverless)" in found.conflicts[2].message
