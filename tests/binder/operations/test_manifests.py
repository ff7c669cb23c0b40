"""The manifests: they build, ask for no more than is needed, and say nothing that is not there."""

from __future__ import annotations

import re
import shlex
import shutil
import subprocess
from collections import defaultdict
from pathlib import Path
from typing import Any

import click
import pytest
from kubernetes import client
from ruamel.yaml import YAML

from binder.cli import cli
from binder.cluster.api import Api
from binder.commands.assembly import LEASE_NAME, Place
from binder.core import gate
from binder.operations.metrics import PREFIX, Metrics
from schemas import contract
from tests.conftest import ROOT, Run
from tests.peers import needs, peer
from transformer import __version__

FOLDER = ROOT / "kustomize-plugin" / "binder"
KUSTOMIZE = "kustomize-5.8"
GUIDE = (ROOT / "docs" / "binder.md").read_text(encoding="utf-8")
WITH_ALL = """\
apiVersion: kustomize.config.k8s.io/v1beta1
kind: Kustomization
resources: [../binder]
components: [../binder/monitoring, ../binder/network-policy]
"""

Manifest = dict[str, Any]


def build(folder: Path) -> str:
    built = subprocess.run([peer(KUSTOMIZE), "build", folder], capture_output=True, check=False)
    assert built.returncode == 0, built.stderr.decode()
    return built.stdout.decode()


@pytest.fixture(scope="module")
def text(tmp_path_factory: pytest.TempPathFactory) -> str:
    """Everything, components too."""
    if not peer(KUSTOMIZE).exists():
        pytest.skip(f"{KUSTOMIZE} is missing: install Go, then `make peers`")
    top = tmp_path_factory.mktemp("manifests")
    shutil.copytree(FOLDER, top / "binder")
    (top / "all").mkdir()
    (top / "all" / "kustomization.yaml").write_text(WITH_ALL, encoding="utf-8")
    return build(top / "all")


@pytest.fixture(scope="module")
def manifests(text: str) -> dict[str, Manifest]:
    """By kind; there is one of each."""
    found = [one for one in YAML(typ="safe", pure=True).load_all(text) if one]
    by_kind = {one["kind"]: one for one in found}
    assert len(by_kind) == len(found)
    return by_kind


@pytest.fixture
def pod(manifests: dict[str, Manifest]) -> Manifest:
    spec: Manifest = manifests["Deployment"]["spec"]["template"]["spec"]
    return spec


@pytest.fixture
def container(pod: Manifest) -> Manifest:
    (one,) = pod["containers"]
    found: Manifest = one
    return found


# What it may do.


CLUSTER_WIDE = {
    ("", "pods"): {"list", "watch"},
    ("", "services"): {"list", "watch"},
    ("networking.k8s.io", "ingresses"): {"list", "watch"},
    (contract.SERVICE_CONFIG_GROUP, "tkeserviceconfigs"): {"list", "watch"},
    ("", "pods/status"): {"patch"},
    ("", "services/status"): {"patch"},
    ("networking.k8s.io", "ingresses/status"): {"patch"},
    ("", "events"): {"create", "patch"},
}


def test_the_cluster_role_has_these_verbs_and_no_others(manifests: dict[str, Manifest]) -> None:
    found: dict[tuple[str, str], set[str]] = defaultdict(set)
    for rule in manifests["ClusterRole"]["rules"]:
        assert rule.keys() == {"apiGroups", "resources", "verbs"}
        for group in rule["apiGroups"]:
            for resource in rule["resources"]:
                found[group, resource] |= set(rule["verbs"])
    assert found == CLUSTER_WIDE


def test_the_role_is_for_one_lease(manifests: dict[str, Manifest]) -> None:
    making, keeping = manifests["Role"]["rules"]
    lease = {"apiGroups": ["coordination.k8s.io"], "resources": ["leases"]}
    assert making == {**lease, "verbs": ["create"]}
    assert keeping == {**lease, "resourceNames": [LEASE_NAME], "verbs": ["get", "update"]}


@pytest.mark.parametrize("kind", ["ClusterRole", "Role"])
def test_a_role_is_bound_to_the_service_account_of_the_pod(
    kind: str, manifests: dict[str, Manifest], pod: Manifest
) -> None:
    binding = manifests[f"{kind}Binding"]
    (subject,) = binding["subjects"]
    account = manifests["ServiceAccount"]["metadata"]
    assert (subject["namespace"], subject["name"]) == (account["namespace"], account["name"])
    assert pod["serviceAccountName"] == account["name"]
    assert binding["roleRef"]["name"] == manifests[kind]["metadata"]["name"]


def test_it_runs_as_nobody_and_can_change_nothing(pod: Manifest, container: Manifest) -> None:
    assert pod["securityContext"]["runAsNonRoot"] is True
    assert pod["securityContext"]["runAsUser"] > 0
    assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    assert container["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }
    assert not {"hostNetwork", "hostPID", "hostIPC"} & pod.keys()


# How it runs.


def test_one_of_two_may_be_missing(manifests: dict[str, Manifest]) -> None:
    deployment, budget = manifests["Deployment"], manifests["PodDisruptionBudget"]
    assert deployment["spec"]["replicas"] == 2
    assert budget["spec"]["minAvailable"] == 1
    labels = deployment["spec"]["template"]["metadata"]["labels"].items()
    for selector in (
        deployment["spec"]["selector"]["matchLabels"],
        budget["spec"]["selector"]["matchLabels"],
        manifests["PodMonitor"]["spec"]["selector"]["matchLabels"],
        manifests["NetworkPolicy"]["spec"]["podSelector"]["matchLabels"],
    ):
        assert selector.items() <= labels


def variables(manifests: dict[str, Manifest]) -> dict[str, str]:
    """As the kubelet gives them."""
    return {**manifests["ConfigMap"]["data"], "POD_NAMESPACE": "tke-direct"}


def test_what_it_is_given_are_options_that_there_are(
    manifests: dict[str, Manifest], container: Manifest, monkeypatch: pytest.MonkeyPatch
) -> None:
    values = variables(manifests)
    command, *options = (
        re.sub(r"\$\((\w+)\)", lambda match: values[match[1]], one) for one in container["args"]
    )
    for name, value in values.items():
        monkeypatch.setenv(name, value)
    with cli.commands[command].make_context(command, options) as context:
        given = context.params
    assert given["cluster_id"] == manifests["ConfigMap"]["data"]["CLUSTER_ID"]
    assert given["metrics_port"] == container["ports"][0]["containerPort"]
    assert given["namespace"] == Place("").namespace == manifests["Namespace"]["metadata"]["name"]
    assert given["listeners"] == "owned"
    assert (given["adopt_all"], given["allow_mass_removal"]) == (False, False)


@pytest.mark.parametrize("command", ["run", "plan", "observe", "explain"])
def test_who_looks_from_within_its_pod_has_its_options(
    manifests: dict[str, Manifest], command: str
) -> None:
    options = [one for one in cli.commands[command].params if isinstance(one, click.Option)]
    known = {one.envvar for one in options} | {"LOG_LEVEL"}  # an argument of the Deployment
    assert variables(manifests).keys() <= known
    required = {one.envvar for one in options if one.required}
    assert required <= variables(manifests).keys()
    shared = {"--kubeconfig", "--context", "--timing", *OF_LOOKING[command]}
    assert {one.opts[0] for one in options if not one.envvar} == shared


OF_LOOKING = {
    "run": ("--metrics-port", "--log-format", "--log-level"),
    "plan": ("-o",),
    "observe": ("--metrics-port", "--log-format", "--log-level"),
    "explain": ("-n",),
}


def test_a_change_of_the_configuration_restarts_it(
    manifests: dict[str, Manifest], container: Manifest
) -> None:
    name = container["envFrom"][0]["configMapRef"]["name"]
    assert name == manifests["ConfigMap"]["metadata"]["name"]
    assert re.fullmatch(r"tke-direct-binder-options-[0-9a-z]{10}", name)


def test_probes_and_monitors_ask_what_is_served(
    manifests: dict[str, Manifest], container: Manifest
) -> None:
    (port,) = container["ports"]
    live, ready = (container[f"{kind}Probe"]["httpGet"] for kind in ("liveness", "readiness"))
    (endpoint,) = manifests["PodMonitor"]["spec"]["podMetricsEndpoints"]
    (ingress,) = manifests["NetworkPolicy"]["spec"]["ingress"]
    asked = [(one["path"], one["port"]) for one in (live, ready, endpoint)]
    assert asked == [(path, port["name"]) for path in ("/healthz", "/readyz", "/metrics")]
    assert [one["port"] for one in ingress["ports"]] == [port["name"]]


def test_the_image_has_the_version_of_the_program(container: Manifest) -> None:
    assert container["image"] == f"tke-direct/binder:{__version__}"


# What it is told by.


def alerts(manifests: dict[str, Manifest]) -> list[Manifest]:
    (group,) = manifests["PrometheusRule"]["spec"]["groups"]
    return list(group["rules"])


def test_alerts_are_about_metrics_that_there_are(manifests: dict[str, Manifest]) -> None:
    known = Metrics().names()
    for alert in alerts(manifests):
        used = set(re.findall(rf"{PREFIX}\w+", alert["expr"]))
        assert used, alert["alert"]
        assert used <= known, alert["alert"]


def test_alerts_are_whole(manifests: dict[str, Manifest]) -> None:
    rules = alerts(manifests)
    assert len({one["alert"] for one in rules}) == len(rules)
    for one in rules:
        assert one["labels"]["severity"] in ("critical", "warning", "info")
        assert one["expr"].count("(") == one["expr"].count(")")
        text = one["annotations"]["summary"]
        assert text.count("{{") == text.count("}}")
        # Labels in the text are those that the expression leaves.
        kept = set(re.findall(r"\w+", " ".join(re.findall(r"by \(([^)]*)\)", one["expr"]))))
        assert set(re.findall(r"\$labels\.(\w+)", text)) <= kept


def test_the_guide_says_what_to_do_about_each_alert(manifests: dict[str, Manifest]) -> None:
    assert [one["alert"] for one in alerts(manifests) if f"`{one['alert']}`" not in GUIDE] == []


def test_the_guide_names_every_metric_and_no_other() -> None:
    names = {
        re.sub(r"_(bucket|sum|count|total)$", "", name).removeprefix(PREFIX)
        for name in Metrics().names()
    }
    (table,) = re.findall(r"\| metric \|.*?\n\n", GUIDE, re.DOTALL)
    rows = re.findall(r"^\| `(\w+)", table, re.MULTILINE)
    assert {re.sub(r"_total$", "", row) for row in rows} == names


def test_the_guide_names_every_annotation_of_ours() -> None:
    ours = {
        value
        for value in vars(contract).values()
        if isinstance(value, str) and value.startswith(f"{contract.API_GROUP}/")
    } - {f"{contract.API_GROUP}/v1alpha1", contract.SKIP, contract.IGNORE}
    assert [one for one in sorted(ours) if f"`{one}`" not in GUIDE] == []


def test_the_guide_explains_every_reason_of_the_condition() -> None:
    reasons = {*gate.GRAVITY, gate.NO_LOAD_BALANCER, gate.WAITING, gate.REARMED}
    assert [one for one in sorted(reasons) if f"`{one}`" not in GUIDE] == []


def test_the_guide_names_every_option_of_run() -> None:
    options = {
        one.opts[0]
        for one in cli.commands["run"].params
        if isinstance(one, click.Option) and not one.hidden
    }
    assert [one for one in sorted(options) if not re.search(rf"`{one}[`=]", GUIDE)] == []


@pytest.mark.parametrize("network_mode", ["mixed", "vpc-cni", "vpc-cni-exclusive"])
@needs(KUSTOMIZE)
def test_our_own_lint_finds_nothing(network_mode: str, text: str, run: Run) -> None:
    found = run("lint", "-m", network_mode, "--fail-on", "info", "-", stdin=text.encode())
    assert found.returncode == 0, found.stdout.decode()


@needs(KUSTOMIZE)
def test_it_builds_without_any_component() -> None:
    assert "monitoring.coreos.com" not in build(FOLDER)


@needs(KUSTOMIZE)
def test_the_example_of_the_readme_builds(tmp_path: Path) -> None:
    shutil.copytree(FOLDER, tmp_path / "binder")
    readme = (FOLDER / "README.md").read_text(encoding="utf-8")
    (example,) = re.findall(r"```yaml\n(.*?)```", readme, re.DOTALL)
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "kustomization.yaml").write_text(example, encoding="utf-8")
    found = build(tmp_path / "mine")
    for mine in ("cls-1a2b3c4d", "ap-shanghai", "registry.example.com/", "ENDPOINT: clb."):
        assert mine in found
    assert "cls-xxxxxxxx" not in found
    assert "LISTENERS: owned" in found


def test_the_examples_of_the_guide_are_sound(run: Run) -> None:
    blocks = re.findall(r"```yaml\n(apiVersion: .*?)```", GUIDE, re.DOTALL)
    assert len(blocks) >= 3
    found = run("lint", "-m", "vpc-cni", "-", stdin="---\n".join(blocks).encode())
    assert found.stdout.decode().splitlines()[-1:] in ([], ["no findings in 1 file"])


# The image.


def test_the_image_is_made_of_what_the_build_is_sent() -> None:
    file = (FOLDER / "Dockerfile").read_text(encoding="utf-8")
    ignored = (FOLDER / "Dockerfile.dockerignore").read_text(encoding="utf-8").splitlines()
    sources = [
        word
        for line in re.findall(r"^COPY (?!--from)(.*)$", file, re.MULTILINE)
        for word in shlex.split(line)[:-1]
    ]
    assert {f"!{source}" for source in sources} == {one for one in ignored if one[0] == "!"}
    assert all((ROOT / source).exists() for source in sources)


def test_the_image_is_that_of_the_other_door_but_for_what_is_in_it() -> None:
    """Its build was tried in that one's tests; here only what differs could be wrong."""
    ours, other = (
        [line for line in path.read_text(encoding="utf-8").splitlines() if line[:1] != "#"]
        for path in (FOLDER / "Dockerfile", FOLDER.parent / "Dockerfile")
    )
    added = [line for line in ours if line not in other]
    assert added == [
        "COPY binder binder",
        "        --constraint requirements.txt '.[binder]' \\",
        "FROM ${PYTHON}",
        'ENTRYPOINT ["tke-direct-binder"]',
    ]


# With a real API server.


@needs(KUSTOMIZE)
def test_the_api_server_takes_every_field_in_any_namespace(
    api: client.ApiClient, namespace: str, tmp_path: Path
) -> None:
    shutil.copytree(FOLDER, tmp_path / "binder")
    (tmp_path / "all").mkdir()
    overlay = f"{WITH_ALL}namespace: {namespace}\n"
    (tmp_path / "all" / "kustomization.yaml").write_text(overlay, encoding="utf-8")
    found = [one for one in YAML(typ="safe", pure=True).load_all(build(tmp_path / "all")) if one]
    by_kind = {one["kind"]: one for one in found}
    labels = by_kind.pop("Namespace")["metadata"]["labels"]
    client.CoreV1Api(api).patch_namespace(namespace, {"metadata": {"labels": labels}})
    account = by_kind.pop("ServiceAccount")
    post(api, account)
    for one in by_kind.values():
        if not one["apiVersion"].startswith("monitoring.coreos.com/"):  # not Kubernetes' own
            post(api, one, dryRun="All")
    # A Pod of it, under the Pod Security Standard that the namespace asks for.
    template = by_kind["Deployment"]["spec"]["template"]
    meta = {**template["metadata"], "name": "binder", "namespace": namespace}
    pod = {"apiVersion": "v1", "kind": "Pod", "metadata": meta, "spec": template["spec"]}
    post(api, pod, dryRun="All")
    for kind in ("ClusterRoleBinding", "RoleBinding"):
        assert by_kind[kind]["subjects"][0]["namespace"] == namespace


PLURALS = {"NetworkPolicy": "networkpolicies"}


def post(api: client.ApiClient, one: Manifest, **options: str) -> None:
    """Create it; a field that the API server does not know is an error."""
    version, kind = one["apiVersion"], one["kind"]
    root = f"/apis/{version}" if "/" in version else f"/api/{version}"
    namespace = one["metadata"].get("namespace")
    within = f"{root}/namespaces/{namespace}" if namespace else root
    path = f"{within}/{PLURALS.get(kind, kind.lower() + 's')}"
    Api(api, 10.0).call("POST", path, {"fieldValidation": "Strict", **options}, body=one)
