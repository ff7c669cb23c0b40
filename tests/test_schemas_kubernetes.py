"""The Kubernetes schemas: which kinds and versions there are, and that they are small and sound."""

from __future__ import annotations

import gzip
import json
import time
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft7Validator

from schemas import prune, upstream
from schemas.__main__ import main
from schemas.kubernetes import (
    FILE,
    MINORS,
    NEWEST,
    definitions,
    kinds,
    minors_of,
    name_of,
    standalone,
)
from tests.kubernetes_seeds import SEEDS

ALWAYS = (MINORS[0], NEWEST)
# The first and the last minor that serves a kind; kubernetes.io "Deprecated API Migration Guide".
SERVED = {
    ("v1", "Service"): ALWAYS,
    ("v1", "Pod"): ALWAYS,
    ("v1", "ReplicationController"): ALWAYS,
    ("v1", "ConfigMap"): ALWAYS,
    ("apps/v1", "Deployment"): ALWAYS,
    ("apps/v1", "StatefulSet"): ALWAYS,
    ("apps/v1", "DaemonSet"): ALWAYS,
    ("apps/v1", "ReplicaSet"): ALWAYS,
    ("batch/v1", "Job"): ALWAYS,
    ("batch/v1", "CronJob"): ("1.21", NEWEST),
    ("batch/v1beta1", "CronJob"): ("1.20", "1.24"),
    ("networking.k8s.io/v1", "Ingress"): ALWAYS,
    ("networking.k8s.io/v1", "IngressClass"): ALWAYS,
    ("networking.k8s.io/v1beta1", "Ingress"): ("1.20", "1.21"),
    ("extensions/v1beta1", "Ingress"): ("1.20", "1.21"),
    ("autoscaling/v1", "HorizontalPodAutoscaler"): ALWAYS,
    ("autoscaling/v2", "HorizontalPodAutoscaler"): ("1.23", NEWEST),
    ("autoscaling/v2beta2", "HorizontalPodAutoscaler"): ("1.20", "1.25"),
    ("autoscaling/v2beta1", "HorizontalPodAutoscaler"): ("1.20", "1.24"),
    ("policy/v1", "PodDisruptionBudget"): ("1.21", NEWEST),
    ("policy/v1beta1", "PodDisruptionBudget"): ("1.20", "1.24"),
}
KNOWN_KEYWORDS = {"type", "properties", "required", "items", "additionalProperties", "$ref", "enum"}


def keywords(schema: dict[str, Any]) -> set[str]:
    """The keywords in a schema and those below it."""
    found = set(schema)
    below = [*schema.get("properties", {}).values(), schema.get("items")]
    for inner in (*below, schema.get("additionalProperties")):
        found |= keywords(inner) if isinstance(inner, dict) else set()
    return found


@pytest.mark.parametrize("kind", SERVED, ids=" ".join)
def test_a_kind_is_there_in_the_minors_that_serve_it(kind: tuple[str, str]) -> None:
    first, last = SERVED[kind]
    assert minors_of(*kind) == MINORS[MINORS.index(first) : MINORS.index(last) + 1]


def test_every_kind_is_in_the_tables_of_the_tests() -> None:
    assert kinds() == list(SERVED) == list(SEEDS)


def test_a_kind_that_is_not_kept_has_no_name_and_no_minors() -> None:
    assert name_of("v1", "Node", NEWEST) is None
    assert minors_of("v1", "Node") == ()
    assert name_of("extensions/v1beta1", "Ingress", NEWEST) is None
    with pytest.raises(KeyError):
        standalone("extensions/v1beta1", "Ingress", NEWEST)


def test_an_unknown_minor_is_an_error() -> None:
    with pytest.raises(KeyError):
        definitions("1.19")
    with pytest.raises(KeyError):
        name_of("v1", "Service", "1.99")


@pytest.mark.parametrize("minor", MINORS)
def test_definitions_refer_only_to_each_other_and_use_few_keywords(minor: str) -> None:
    known = definitions(minor)
    for name, schema in known.items():
        assert set(prune.references(schema)) <= known.keys(), name
        assert keywords(dict(schema)) <= KNOWN_KEYWORDS, name
        assert schema.get("additionalProperties") is False or "properties" not in schema, name


def test_fields_come_and_go_with_the_minors() -> None:
    def pod_spec(minor: str) -> dict[str, Any]:
        fields: dict[str, Any] = definitions(minor)["io.k8s.api.core.v1.PodSpec"]["properties"]
        return fields

    assert "readinessGates" in pod_spec("1.20")
    assert "hostUsers" not in pod_spec("1.24")
    assert "hostUsers" in pod_spec("1.25")


@pytest.mark.parametrize("minor", ["1.20", "1.25", NEWEST])
@pytest.mark.parametrize("kind", SERVED, ids=" ".join)
def test_a_standalone_schema_is_valid_and_takes_a_valid_manifest(
    kind: tuple[str, str], minor: str
) -> None:
    if name_of(*kind, minor) is None:
        with pytest.raises(KeyError):
            standalone(*kind, minor)
        return
    schema = standalone(*kind, minor)
    Draft7Validator.check_schema(schema)
    assert Draft7Validator(schema).is_valid(SEEDS[kind])
    assert not Draft7Validator(schema).is_valid({**SEEDS[kind], "specs": {}})
    assert json.loads(json.dumps(schema)) == schema


def test_the_bundle_is_small_and_quick_to_load() -> None:
    data = FILE.read_bytes()
    assert len(data) < 200_000
    assert len(gzip.compress(data)) < 15_000
    tries = []
    for _ in range(5):
        started = time.perf_counter()
        json.loads(data)
        tries.append(time.perf_counter() - started)
    assert min(tries) < 0.02  # about 1 ms; a loaded machine is slower


def test_without_its_sources_the_bundle_is_checked_by_its_checksum(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    def unreachable(source: upstream.Source) -> None:
        raise upstream.Unavailable(f"there is no network for {source.requirement}")

    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setattr(upstream, "_download", unreachable)
    assert main(["check"]) == 0
    assert "only its checksum is compared, for there is no network" in capsys.readouterr().err
    edited = tmp_path / FILE.name
    edited.write_bytes(FILE.read_bytes().replace(b"readinessGates", b"readinessGate"))
    monkeypatch.setattr(upstream, "FILE", edited)
    assert main(["check"]) == 1
    assert f"{FILE.name} is stale" in capsys.readouterr().err


def test_a_source_that_is_not_the_pinned_one_is_not_read(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    folder = tmp_path / "tke-direct" / "kubernetes-validate"
    folder.mkdir(parents=True)
    (folder / upstream.SOURCES[0].file).write_bytes(b"something else")
    assert main(["check"]) == 0
    assert "is not the kubernetes-validate==1.24.1 that is pinned" in capsys.readouterr().err
