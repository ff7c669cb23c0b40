"""The command line, and the manifests that are shipped with it."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from kubernetes.client import ApiClient, Configuration
from ruamel.yaml import YAML

from binder.cli import cli
from binder.cluster.api import Api
from binder.webhook import command
from binder.webhook.command import CannotStartError, check_replicas
from binder.webhook.configuration import INJECT_CA_FROM, VERSION_ANNOTATION
from binder.webhook.heal import MANAGER
from binder.webhook.options import NAME, Options
from tests.binder.webhook.site import BASE, CLUSTER_WIDE, NAMESPACE, manifests
from tests.conftest import ROOT
from transformer import __version__

PAGE = (ROOT / "docs" / "webhook.md").read_text(encoding="utf-8")
FAIL = ("--failure-policy=Fail", "--object-selector=direct=yes")


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ([], "not in a Pod: say with --namespace where the Secret is"),
        (["--namespace=own", "--kubeconfig=/none"], "no cluster: "),
        (["--namespace=own", "--failure-policy=Fail"], "Fail needs an --object-selector"),
        (["--namespace=own", "--object-selector=x"], "KEY=VALUE is expected, not 'x'"),
        (["--namespace=own", "--inject-ca-from=a/b"], "--inject-ca-from is for --certificates"),
        (
            ["--namespace=own", "--certificates=/certs", "--inject-ca-from=b"],
            "NAMESPACE/NAME of a Certificate is expected",
        ),
    ],
)
def test_options_that_do_not_fit_are_refused_in_one_line(
    options: list[str], said: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(command, "OWN_NAMESPACE", tmp_path / "none")
    result = CliRunner().invoke(cli, ["webhook", *options])
    assert result.exit_code == 1
    (line,) = result.output.splitlines()
    assert line.startswith("Error: ")
    assert said in line


@contextmanager
def api_server(status: int, body: Any) -> Iterator[Api]:
    """One that always says the same."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(status)
            self.end_headers()
            self.wfile.write(json.dumps(body).encode())

        def log_message(self, *_: object) -> None:
            pass

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        settings = Configuration()
        settings.host, settings.retries = f"http://127.0.0.1:{server.server_port}", False
        with ApiClient(settings) as client:
            yield Api(client)
        server.shutdown()
        thread.join()


@pytest.mark.parametrize(
    ("status", "body", "why"),
    [
        (200, {"spec": {"replicas": 2}}, ""),
        (200, {"spec": {"replicas": 1}}, "the Deployment own/tke-direct-webhook has 1"),
        (200, {}, "the Deployment own/tke-direct-webhook has 0"),
        (404, {"message": "not found"}, "the Deployment own/tke-direct-webhook has 0"),
        (403, {"message": "you may not"}, "you may not"),
    ],
)
def test_fail_needs_two_replicas(status: int, body: Any, why: str) -> None:
    options = Options("own", failure_policy="Fail", object_selector=(("direct", "yes"),))
    with api_server(status, body) as api:
        if why:
            with pytest.raises(CannotStartError, match=why):
                check_replicas(options, api)
        else:
            check_replicas(options, api)


# The manifests.


def of_kind(kind: str) -> dict[str, Any]:
    (found,) = [each for each in manifests() if each["kind"] == kind]
    return found


def test_every_right_is_for_one_object_by_its_name() -> None:
    rules = [rule for kind in ("Role", "ClusterRole") for rule in of_kind(kind)["rules"]]
    assert len(rules) == 3
    assert {tuple(rule["resourceNames"]) for rule in rules} == {(NAME,)}
    assert "*" not in str(rules)
    assert {each for rule in of_kind("ClusterRole")["rules"] for each in rule["resources"]} == {
        "mutatingwebhookconfigurations"
    }


def test_nothing_that_the_webhook_makes_is_in_the_manifests() -> None:
    kinds = [each["kind"] for each in manifests()]
    assert "Secret" not in kinds
    assert "MutatingWebhookConfiguration" not in kinds


def test_all_objects_are_called_the_same_and_are_in_one_namespace() -> None:
    for each in manifests():
        if each["kind"] != "Namespace":
            assert each["metadata"]["name"] == NAME
        if each["kind"] not in CLUSTER_WIDE:
            assert each["metadata"]["namespace"] == NAMESPACE
    assert of_kind("ClusterRoleBinding")["subjects"][0]["namespace"] == NAMESPACE


def test_the_deployment_is_safe_and_never_without_a_replica() -> None:
    deployment = of_kind("Deployment")["spec"]
    spec = deployment["template"]["spec"]
    (container,) = spec["containers"]
    assert deployment["replicas"] == 2
    assert deployment["strategy"]["rollingUpdate"] == {"maxSurge": 1, "maxUnavailable": 0}
    assert of_kind("PodDisruptionBudget")["spec"]["maxUnavailable"] == 1
    assert spec["securityContext"]["runAsNonRoot"] is True
    assert container["securityContext"] == {
        "readOnlyRootFilesystem": True,
        "allowPrivilegeEscalation": False,
        "capabilities": {"drop": ["ALL"]},
    }
    assert container["image"] == f"tke-direct/binder:{__version__}"


def test_ports_are_those_that_the_command_listens_on() -> None:
    (container,) = of_kind("Deployment")["spec"]["template"]["spec"]["containers"]
    ports = {port["name"]: port["containerPort"] for port in container["ports"]}
    options = {one.name: one.default for one in cli.commands["webhook"].params}
    assert ports == {"webhook": options["port"], "metrics": options["metrics_port"]}
    (port,) = of_kind("Service")["spec"]["ports"]
    assert (port["port"], port["targetPort"]) == (options["service_port"], "webhook")


# The page.


def test_the_page_has_every_option() -> None:
    for option in cli.commands["webhook"].params:
        for name in option.opts:
            if name.startswith("--") and name != "--help":
                assert f"`{name}" in PAGE, name


def test_the_page_names_what_argo_cd_is_to_ignore() -> None:
    shipped = YAML(typ="safe").load(BASE / "argocd-ignore.yaml")
    (entry,) = shipped["spec"]["ignoreDifferences"]
    assert entry["name"] == NAME
    assert entry["managedFieldsManagers"] == [MANAGER]
    assert "argocd-ignore.yaml" in PAGE


def test_the_page_names_annotations_by_their_right_names() -> None:
    assert VERSION_ANNOTATION in PAGE
    assert INJECT_CA_FROM in PAGE
