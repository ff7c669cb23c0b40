"""The walker over plain data: what it refuses, where, and what it advises."""

from __future__ import annotations

import copy
from typing import Any

import pytest

import schemas
from schemas.kubernetes import NEWEST, definitions, name_of
from tests.kubernetes_seeds import SEEDS
from transformer.structure import Defect, defects

POD = ("spec", "template", "spec")
WEB = (*POD, "containers", 0)
TKE = schemas.load("tke-service-config")


def deployment(*path: str | int, **fields: Any) -> list[Defect]:
    """The defects of a Deployment with other `fields` in the object at `path`."""
    manifest: Any = copy.deepcopy(SEEDS["apps/v1", "Deployment"])
    holder = manifest
    for step in path:
        holder = holder[step]
    holder.update(fields)
    name = name_of("apps/v1", "Deployment", NEWEST)
    return defects(manifest, {"$ref": name}, definitions(NEWEST))


def only(found: list[Defect]) -> Defect:
    assert len(found) == 1, found
    return found[0]


def small(data: Any, **schema: Any) -> list[Defect]:
    return defects(data, schema, {})


@pytest.mark.parametrize("kind", SEEDS, ids=" ".join)
def test_a_valid_manifest_has_no_defects(kind: tuple[str, str]) -> None:
    for minor in ("1.20", "1.24", NEWEST):
        if name := name_of(*kind, minor):
            known = definitions(minor)
            assert defects(SEEDS[kind], known[name], known) == []


@pytest.mark.parametrize(
    ("path", "field", "advice"),
    [
        (POD, "readinessGate", "did you mean readinessGates?"),
        (POD, "host_network", "did you mean hostNetwork?"),
        (WEB, "imagePullPolciy", "did you mean imagePullPolicy?"),
        (WEB, "terminationGracePeriodSeconds", "it belongs to spec.template.spec"),
        (POD, "ports", "it belongs to spec.template.spec.containers[]"),
        (WEB, "runAsUser", "it belongs to spec.template.spec.containers[0].securityContext"),
        (("spec",), "labels", "it belongs to metadata"),
        ((), "replicas", "it belongs to spec"),
        (("spec",), "apiVersion", "it belongs to the top level"),
        ((*WEB, "resources"), "cpu", "remove it; the fields are claims, limits, requests"),
        (WEB, "xyzzy", "remove it"),
    ],
)
def test_an_unknown_field_is_told_what_was_meant(
    path: tuple[str | int, ...], field: str, advice: str
) -> None:
    defect = only(deployment(*path, **{field: []}))
    assert defect == Defect("unknown-field", (*path, field), f"is no field here: {advice}")


@pytest.mark.parametrize(
    ("value", "shown"), [(True, "true"), (8080, "8080"), (1.5, "1.5"), (False, "false")]
)
def test_a_value_that_should_have_been_quoted_says_so(value: Any, shown: str) -> None:
    defect = only(deployment(*WEB, "env", 0, value=value))
    message = f"is read as {shown}, but a string is wanted: put it in quotes"
    assert defect == Defect("unquoted-string", (*WEB, "env", 0, "value"), message)


def test_an_unquoted_label_is_found_in_a_map_of_any_keys() -> None:
    found = deployment("spec", "template", "metadata", "labels", **{"version": 2, "canary": True})
    assert [defect.rule for defect in found] == ["unquoted-string", "unquoted-string"]
    assert found[0].path == ("spec", "template", "metadata", "labels", "version")


@pytest.mark.parametrize(
    ("path", "fields", "message"),
    [
        (("spec",), {"replicas": "three"}, 'is "three", but a whole number is wanted'),
        (
            ("spec",),
            {"replicas": "3"},
            'is "3", but a whole number is wanted: write 3 without quotes',
        ),
        (("spec",), {"replicas": 1.5}, "is read as 1.5, but a whole number is wanted"),
        (
            POD,
            {"hostNetwork": "true"},
            'is "true", but true or false is wanted: write true without quotes',
        ),
        (WEB, {"ports": {"containerPort": 80}}, "is a mapping, but a list is wanted"),
        (("spec",), {"template": []}, "is a list, but a mapping is wanted"),
        (
            (*WEB, "readinessProbe", "httpGet"),
            {"port": True},
            "is read as true, but a string or a whole number is wanted",
        ),
    ],
)
def test_a_wrong_type_says_what_is_wanted(
    path: tuple[str | int, ...], fields: dict[str, Any], message: str
) -> None:
    defect = only(deployment(*path, **fields))
    assert defect == Defect("wrong-type", (*path, *fields), message)


def test_a_missing_field_is_reported_at_the_object_that_lacks_it() -> None:
    found = deployment(*POD, containers=[{"image": "nginx"}])
    assert only(found) == Defect("missing-field", WEB, "name is missing: add it, a string")


def test_several_defects_come_in_the_order_of_the_document() -> None:
    found = deployment("spec", replicas="x", selector=[], template={"spec": {"x": 1}})
    paths = [defect.path for defect in found]
    assert paths == [
        ("spec", "replicas"),
        ("spec", "selector"),
        (*POD, "x"),
        POD,  # no containers
    ]


def test_null_is_absent_where_a_field_is_optional() -> None:
    assert deployment("spec", replicas=None, strategy=None) == []
    assert deployment(*WEB, image=None, resources=None, env=None) == []
    assert deployment(*POD, containers=[None]) == []
    assert deployment("metadata", annotations=None, labels={"app": None}) == []


@pytest.mark.parametrize(
    ("path", "field"),
    [(WEB, "name"), ((*WEB, "ports", 0), "containerPort"), (POD, "containers")],
)
def test_null_is_refused_where_a_value_is_required(path: tuple[str | int, ...], field: str) -> None:
    defect = only(deployment(*path, **{field: None}))
    assert (defect.rule, defect.path) == ("wrong-type", (*path, field))
    assert defect.message.startswith("is null, which counts as absent, but a ")


def test_a_whole_number_may_be_written_as_a_float() -> None:
    assert deployment("spec", replicas=3.0) == []
    assert small(70000.0, type="integer", maximum=65535) != []


def test_int_or_string_and_quantity_take_both() -> None:
    for value in ("25%", 1, None):
        assert deployment("spec", "strategy", "rollingUpdate", maxSurge=value) == []
    for value in ("500m", 1, 0.5):
        assert deployment(*WEB, "resources", limits={"cpu": value}) == []


def test_a_number_outside_its_range_is_refused() -> None:
    assert only(small(0, type="integer", minimum=1)).message == "is 0, but must be at least 1"
    assert only(small(9, type="integer", maximum=8)).message == "is 9, but must be at most 8"
    assert small(1, type="integer", minimum=1, maximum=1) == []


def test_a_string_that_is_no_choice_or_no_match_is_refused() -> None:
    choice = only(small("LEAST_CON", type="string", enum=["WRR", "LEAST_CONN"]))
    assert choice == Defect(
        "invalid-value",
        (),
        'is "LEAST_CON", but WRR or LEAST_CONN is wanted: did you mean LEAST_CONN?',
    )
    match = only(small("A b", type="string", pattern="^[a-z]+$"))
    assert match.message == 'is "A b", which does not match ^[a-z]+$'


def test_a_schema_without_a_type_takes_everything() -> None:
    for value in (None, 1, "x", [1], {"a": [1]}):
        assert small(value) == []
    assert small({"a": {"b": 1}}, type="object") == []


def test_the_status_is_not_looked_into() -> None:
    assert deployment("status", whatever=[1]) == []


def tke(**listener: Any) -> list[Defect]:
    """The defects of a TkeServiceConfig whose one listener has these fields too."""
    manifest: Any = {
        "apiVersion": TKE["properties"]["apiVersion"]["enum"][0],
        "kind": "TkeServiceConfig",
        "metadata": {"name": "web"},
        "spec": {"loadBalancer": {"l4Listeners": [{"protocol": "TCP", "port": 80, **listener}]}},
    }
    return defects(manifest, TKE, TKE["$defs"])


def test_a_tke_service_config_is_checked_by_its_own_schema() -> None:
    check = {"enable": True, "intervalTime": 10, "timeout": 5, "sourceIpType": 1}
    assert tke(session={"enable": True}, healthCheck=check, scheduler="WRR") == []
    assert only(tke(session={"enable": True, "sessionExpireTime": 10})).rule == "invalid-value"
    assert only(tke(healthcheck=check)).message == ("is no field here: did you mean healthCheck?")
    assert only(tke(session={})).rule == "missing-field"
    assert only(tke(port=None)).rule == "wrong-type"
    assert only(tke(keepaliveEnable=1)).rule == "unknown-field"
