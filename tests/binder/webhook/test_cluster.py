"""The webhook as it is shipped, asked by a real API server that verifies its certificate."""

from __future__ import annotations

import base64
import functools
import json
import shutil
import ssl
import subprocess
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import pytest
from kubernetes import client
from kubernetes.client import ApiClient, ApiException

from binder.webhook.certificates import fresh
from binder.webhook.configuration import (
    INJECT_CA_FROM,
    VERSION_ANNOTATION,
    WEBHOOK,
    webhook_in,
)
from binder.webhook.options import DAY, NAME
from binder.webhook.secret import ROTATE
from schemas.contract import READINESS_GATE, SKIP
from tests.binder.webhook.damage import DAMAGE, OPTIONS, is_in_order
from tests.binder.webhook.site import NAMESPACE, Replica, Site, free_port, healed_within
from tests.controlplane.access import create, token
from tests.controlplane.manifests import deployment, pod, template
from tests.controlplane.plane import ControlPlane
from tests.controlplane.watching import eventually, wait_for

OTHER = {"conditionType": "example.com/other"}
GATE = {"conditionType": READINESS_GATE}
OTHER_GATE, OUR_GATE = OTHER["conditionType"], GATE["conditionType"]


@pytest.fixture
def running(site: Site, namespace: str) -> Iterator[Replica]:
    """A replica that the API server asks about Pods of `namespace`."""
    site.opt_in(namespace)
    with site.replica() as replica:
        replica.wait_ready()
        wait_until_asked(site, namespace)
        yield replica


def wait_until_asked(site: Site, namespace: str) -> None:
    eventually("the API server asks us", lambda: gates_of(site, pod(namespace, "any")) != [])


def gates_of(site: Site, given: dict[str, Any]) -> list[str]:
    """What the Pod would have, without creating it."""
    body: Any = given
    made: Any = site.core.create_namespaced_pod(given["metadata"]["namespace"], body, dry_run="All")
    return [gate.condition_type for gate in made.spec.readiness_gates or ()]


def labelled(namespace: str, **labels: str) -> dict[str, Any]:
    made = pod(namespace, "any")
    made["metadata"]["labels"] |= labels
    return made


def test_a_pod_of_a_namespace_that_opts_in_has_the_gate_once(
    running: Replica, site: Site, namespace: str
) -> None:
    cases: dict[str, tuple[dict[str, Any], list[str]]] = {
        "new": (pod(namespace, "a"), [OUR_GATE]),
        "with another": (pod(namespace, "a", readinessGates=[OTHER]), [OTHER_GATE, OUR_GATE]),
        "has it": (pod(namespace, "a", readinessGates=[GATE]), [OUR_GATE]),
        "host network": (pod(namespace, "a", hostNetwork=True), []),
        "opted out": (labelled(namespace, **{SKIP: "true"}), []),
        "another namespace": (pod("default", "a"), []),
    }
    noted = pod(namespace, "a")
    noted["metadata"]["annotations"] = {SKIP: "true"}
    cases["opted out by an annotation"] = (noted, [])
    assert {name: gates_of(site, given) for name, (given, _) in cases.items()} == {
        name: expected for name, (_, expected) in cases.items()
    }


def test_our_own_namespace_and_the_system_are_never_asked_about(
    running: Replica, site: Site
) -> None:
    for name in (NAMESPACE, "kube-system"):
        site.opt_in(name)
        create(site.api, account_of(name))
        assert gates_of(site, pod(name, "a", serviceAccountName="any", **SAFE)) == []


SAFE: dict[str, Any] = {
    "containers": [
        {
            "name": "web",
            "image": "web",
            "securityContext": {
                "allowPrivilegeEscalation": False,
                "capabilities": {"drop": ["ALL"]},
            },
        }
    ],
    "securityContext": {"runAsNonRoot": True, "seccompProfile": {"type": "RuntimeDefault"}},
}


def account_of(namespace: str) -> dict[str, Any]:
    meta = {"name": "any", "namespace": namespace}
    return {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": meta}


def test_pods_of_kubectl_deployments_and_jobs_have_it(
    running: Replica, site: Site, namespace: str
) -> None:
    kubectl = shutil.which("kubectl")
    if not kubectl:
        pytest.skip("kubectl is missing: install it")
    spec = template("job", restartPolicy="Never")
    del spec["spec"]["containers"][0]["readinessProbe"]
    job = {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": {"name": "job", "namespace": namespace},
        "spec": {"template": {"spec": spec["spec"]}},
    }
    items = [pod(namespace, "applied"), deployment(namespace, "web", 3), job]
    config = Path(site.folder.name, "admin")
    config.write_text(site.plane.kubeconfig(), encoding="utf-8")
    subprocess.run(
        [kubectl, f"--kubeconfig={config}", "apply", "--validate=false", "-f", "-"],
        input=json.dumps({"apiVersion": "v1", "kind": "List", "items": items}).encode(),
        check=True,
        capture_output=True,
    )
    pods = wait_for(
        "five Pods", site.core.list_namespaced_pod, lambda found: len(found) == 5, namespace
    )
    gates = [[gate.condition_type for gate in each.spec.readiness_gates or ()] for each in pods]
    assert gates == [[OUR_GATE]] * 5


def test_damage_is_healed_within_seconds_and_pods_can_be_created(
    running: Replica, site: Site, namespace: str
) -> None:
    took = {}
    for damage in DAMAGE:
        damage(site)
        site.core.create_namespaced_pod(namespace, _body(namespace, damage.__name__))
        took[damage.__name__] = healed_within(lambda: is_in_order(site))
        wait_until_asked(site, namespace)
        running.wait_ready()
    print("\nhealed after", {name: f"{seconds * 1000:.0f} ms" for name, seconds in took.items()})


def _body(namespace: str, name: str) -> Any:
    return pod(namespace, name.replace("_", "-"))


@pytest.mark.parametrize("damage", DAMAGE[::3], ids=lambda damage: damage.__name__)
def test_damage_that_is_there_at_the_start_is_healed(
    damage: Callable[[Site], None], site: Site
) -> None:
    with site.replica() as replica:
        replica.wait_ready()
    damage(site)
    with site.replica() as replica:
        replica.wait_ready()
        assert is_in_order(site)


def test_webhooks_of_others_stay_and_so_do_their_fields(running: Replica, site: Site) -> None:
    found: Any = site.configuration()
    theirs = {
        **found["webhooks"][0],
        "name": "theirs.example.com",
        "objectSelector": {"matchLabels": {"no": "such"}},
    }
    body = {"metadata": {"labels": {"theirs": "x"}}, "webhooks": [theirs]}
    site.patch_configuration(body)
    site.patch_configuration({"webhooks": [{"name": WEBHOOK, "failurePolicy": "Fail"}]})
    healed_within(lambda: is_in_order(site))
    found = site.configuration()
    assert found["metadata"]["labels"]["theirs"] == "x"
    assert [each["name"] for each in found["webhooks"]] == ["theirs.example.com", WEBHOOK]


def test_two_replicas_do_not_fight(running: Replica, site: Site) -> None:
    with site.replica(port=free_port()) as second:
        second.wait_ready()
        for damage in DAMAGE:
            damage(site)
            healed_within(lambda: is_in_order(site))
        site.patch_secret({"metadata": {"annotations": {ROTATE: "now"}}})
        eventually(
            "the new certificate is served by both",
            lambda: served(running) == served(second) != "",
        )
        settled = generation_when_settled(site, running, second)
        look_again(site, [running, second], times=3)
        assert generation(site) == settled


def generation(site: Site) -> tuple[Any, Any]:
    live, stored = site.configuration(), site.secret()
    assert live
    assert stored
    return live["metadata"]["generation"], stored["metadata"]["resourceVersion"]


def generation_when_settled(site: Site, *replicas: Replica) -> tuple[Any, Any]:
    """What it is when each has looked three times in a row and had nothing to heal."""

    def quiet() -> bool:
        counts = [heals(each) for each in replicas]
        look_again(site, replicas, times=3)
        return [heals(each) for each in replicas] == counts

    eventually("nobody has anything to heal", quiet)
    return generation(site)


def look_again(site: Site, replicas: Sequence[Replica], times: int) -> None:
    """Let each look so often, by a change that is nothing to them."""
    for _ in range(times):
        before = {each: passes(each) for each in replicas}
        value = str(sum(before.values()))
        site.patch_configuration({"metadata": {"annotations": {"look": value}}})
        for each, then in before.items():
            eventually("it has looked", functools.partial(has_looked, each, then))


def has_looked(replica: Replica, then: float) -> bool:
    return passes(replica) > then


def passes(replica: Replica) -> float:
    return replica.metric("webhook_passes_total")


def heals(replica: Replica) -> float:
    lines = replica.get("/metrics")[1].splitlines()
    return sum(float(line.split()[-1]) for line in lines if line.startswith("heals_total"))


def served(replica: Replica) -> str:
    """Its certificate, as a client sees it."""
    return ssl.get_server_certificate(("127.0.0.1", replica.port))


def test_the_configuration_of_a_newer_version_is_not_written_over(
    running: Replica, site: Site
) -> None:
    newer = {"metadata": {"annotations": {VERSION_ANNOTATION: "99"}}}
    site.patch_configuration({**newer, "webhooks": [{"name": WEBHOOK, "timeoutSeconds": 9}]})
    with site.replica(port=free_port()) as older:
        older.wait_ready()
        site.patch_secret({"metadata": {"annotations": {ROTATE: "now"}}})
        stored: Any = None

        def rotated() -> bool:
            nonlocal stored
            stored = site.secret()
            found = webhook_in(site.configuration())
            return len(stored["data"]) == 5 and (
                found["clientConfig"]["caBundle"] == stored["data"]["ca.crt"]  # type: ignore[index]
            )

        eventually("the bundle is mended all the same", rotated)
    found: Any = site.configuration()
    assert found["metadata"]["annotations"][VERSION_ANNOTATION] == "99"
    assert found["webhooks"][0]["timeoutSeconds"] == 9


def test_fail_is_taken_only_with_two_replicas(site: Site) -> None:
    apps = client.AppsV1Api(site.api)
    options = ("--failure-policy=Fail", "--object-selector=direct=yes")
    with site.replica(*options) as replica:
        replica.wait_ready()
        assert webhook_in(site.configuration())["failurePolicy"] == "Fail"
    scale: Any = {"spec": {"replicas": 1}}
    apps.patch_namespaced_deployment_scale(NAME, NAMESPACE, scale)
    try:
        with pytest.raises(AssertionError, match="has 1"), site.replica(*options):
            pass
    finally:
        scale = {"spec": {"replicas": 2}}
        apps.patch_namespaced_deployment_scale(NAME, NAMESPACE, scale)


def test_certificates_of_cert_manager_are_served_and_its_bundle_left_alone(
    site: Site, namespace: str, tmp_path: Path
) -> None:
    site.opt_in(namespace)
    made = fresh(OPTIONS.names[:1], datetime.now(timezone.utc), 7 * DAY)
    for name, text in zip(("tls.crt", "tls.key"), made.pairs[0], strict=True):
        (tmp_path / name).write_text(text, encoding="utf-8")
    bundle = base64.b64encode(made.bundle.encode()).decode()
    options = (f"--certificates={tmp_path}", f"--inject-ca-from={NAMESPACE}/web")
    with site.replica(*options) as replica:
        eventually("a configuration", lambda: site.configuration() is not None)
        assert not replica.is_ready()
        found: Any = site.configuration()
        assert found["metadata"]["annotations"][INJECT_CA_FROM] == f"{NAMESPACE}/web"
        client_config = {"caBundle": bundle}
        hook = {"name": WEBHOOK, "clientConfig": client_config, "timeoutSeconds": 30}
        site.patch_configuration({"webhooks": [hook]}, "cert-manager-cainjector")
        replica.wait_ready()
        wait_until_asked(site, namespace)
    mended = webhook_in(site.configuration())
    assert mended["clientConfig"]["caBundle"] == bundle  # type: ignore[index]
    assert mended["timeoutSeconds"] == 3
    assert site.secret() is None


def test_the_account_may_do_nothing_but_this(control_plane: ControlPlane, site: Site) -> None:
    with control_plane.client(token(site.api, NAMESPACE, NAME)) as own:
        refused = [
            lambda: client.CoreV1Api(own).list_namespaced_secret(NAMESPACE),
            lambda: client.CoreV1Api(own).read_namespaced_secret("other", NAMESPACE),
            lambda: client.CoreV1Api(own).create_namespaced_secret(NAMESPACE, _named("other")),
            lambda: client.CoreV1Api(own).list_namespaced_pod(NAMESPACE),
            lambda: _hooks(own).list_mutating_webhook_configuration(),
            lambda: _hooks(own).create_mutating_webhook_configuration(_named(NAME)),
            lambda: _hooks(own).delete_mutating_webhook_configuration(NAME),
            lambda: _hooks(own).patch_mutating_webhook_configuration(
                "other", _named("other"), field_manager="x", _content_type=APPLY
            ),
        ]
        for call in refused:
            with pytest.raises(ApiException, match="403"):
                call()


APPLY = "application/apply-patch+yaml"


def _hooks(api: ApiClient) -> client.AdmissionregistrationV1Api:
    return client.AdmissionregistrationV1Api(api)


def _named(name: str) -> Any:
    return {"metadata": {"name": name}}
