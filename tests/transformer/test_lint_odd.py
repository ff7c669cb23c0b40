"""Lint on input that is odd, hostile or half wrong: it agrees with transform, and never crashes."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.conftest import FIXTURES, Run

GOOD = (FIXTURES / "lint" / "host-network" / "good.yaml").read_text(encoding="utf-8")
SERVICE = """\
apiVersion: v1
kind: Service
metadata: {name: web}
spec: {type: LoadBalancer, selector: {app: web}, ports: [{port: 80}]}
"""
DEEP = 400

ODD = {
    "an alias inside its own anchor": "metadata: &a {name: x, labels: {x: *a}}\n",
    "a merge key inside its own anchor": "metadata: &a {name: x, labels: {<<: *a}}\n",
    "deep flow": f"metadata: {{name: x, annotations: {'[' * DEEP}{']' * DEEP}}}\n",
    "a long number": f"spec: {{ports: [{{port: {'9' * 5000}}}]}}\n",
    "a wrong binary": "metadata: {name: !!binary é}\n",
    "keys that are no strings": "metadata: {1: x, true: y, null: z, [a]: b, {c: d}: e}\n",
    "lists for mappings": "metadata: []\nspec: []\n",
    "nulls": "metadata: ~\nspec: ~\n",
}


@pytest.mark.parametrize("command", ["lint", "graph", "transform"])
@pytest.mark.parametrize("name", ODD)
@pytest.mark.parametrize(
    "kind", ["v1 Service", "apps/v1 Deployment", "networking.k8s.io/v1 Ingress"]
)
def test_odd_manifests_are_told_and_never_a_bug(
    kind: str, name: str, command: str, run: Run, tmp_path: Path
) -> None:
    version, kind = kind.split()
    (tmp_path / "odd.yaml").write_text(f"apiVersion: {version}\nkind: {kind}\n{ODD[name]}")
    result = run(command, "-m", "mixed", "odd.yaml")
    assert result.returncode in (0, 1, 2)
    assert b"a bug" not in result.stderr


@pytest.mark.parametrize("command", ["lint", "graph", "transform"])
@pytest.mark.parametrize(
    "text",
    [
        "&l {apiVersion: v1, kind: List, items: [*l]}\n",
        "apiVersion: v1\nkind: List\nitems:\n"
        + "".join(
            f"- &l{n} {{apiVersion: v1, kind: List, items: [{', '.join([f'*l{n - 1}'] * 9)}]}}\n"
            if n
            else "- &l0 {apiVersion: v1, kind: Service, metadata: {name: x}}\n"
            for n in range(12)
        ),
    ],
    ids=["itself", "nine times nine"],
)
def test_lists_in_lists_without_end_are_wrong_input(
    text: str, command: str, run: Run, tmp_path: Path
) -> None:
    (tmp_path / "list.yaml").write_text(text)
    result = run(command, "-m", "mixed", "list.yaml")
    assert result.returncode == 2
    assert b"Lists are nested too deeply" in result.stdout + result.stderr


def test_a_file_that_is_left_out_is_not_mended_either(run: Run, tmp_path: Path) -> None:
    template = SERVICE + "---\napiVersion: v1\nkind: Service\nmetadata: {name: {{ .name }}}\n"
    (tmp_path / "x.yaml").write_text(template)
    result = run("lint", "-m", "vpc-cni", "--fix", ".")
    assert result.returncode == 0
    assert b"fixed" not in result.stderr
    assert (tmp_path / "x.yaml").read_text() == template


def test_resources_of_one_name_are_told_apart(run: Run, tmp_path: Path) -> None:
    refused = '{name: web, annotations: {service.cloud.tencent.com/direct-access: "yes"}}'
    items = [SERVICE.replace("{name: web}", refused), SERVICE]
    rows = ["- " + item.replace("\n", "\n  ").rstrip() + "\n" for item in items]
    (tmp_path / "list.yaml").write_text("apiVersion: v1\nkind: List\nitems:\n" + "".join(rows))
    found = run("lint", "-m", "vpc-cni", "list.yaml").stdout.decode().splitlines()
    assert ["direct-access-value" in line for line in found] == [True, False]
    assert found[1].endswith("[fixable]")


def test_a_key_that_stands_twice_is_told_in_every_kind(run: Run, tmp_path: Path) -> None:
    (tmp_path / "pdb.yaml").write_text(
        "apiVersion: policy/v1\nkind: PodDisruptionBudget\nmetadata: {name: x}\n"
        "spec:\n  minAvailable: 1\n  minAvailable: 2\n"
    )
    result = run("lint", "-m", "vpc-cni", "pdb.yaml")
    assert result.returncode == 2
    assert result.stdout.startswith(b"pdb.yaml:6:3: error duplicate-key: ")


def test_labels_join_as_transform_joins_them(run: Run, tmp_path: Path) -> None:
    text = GOOD.replace("app: web", "app: 1").replace(
        "  annotations:\n    service", "  x:\n    service"
    )
    (tmp_path / "web.yaml").write_text(text)
    fixed = run("lint", "-m", "mixed", "--diff", "web.yaml").stdout
    assert fixed == run("transform", "-m", "mixed", "--diff", "web.yaml").stdout != b""


def test_a_workload_without_containers_is_told_once(run: Run, tmp_path: Path) -> None:
    bare = GOOD.replace("      containers:", "      initContainers:")
    (tmp_path / "web.yaml").write_text(bare)
    found = run("lint", "-m", "vpc-cni", "web.yaml").stdout.decode()
    assert found.count("containers") == found.count("missing-field") == 1


def test_only_who_saw_everything_calls_a_suppression_useless(run: Run, tmp_path: Path) -> None:
    deployment, service = GOOD.split("---\n")
    ignored = deployment.replace(
        "    spec:\n", "    spec:\n      hostNetwork: true # tke-direct: ignore[host-network]\n"
    )
    (tmp_path / "deployment.yaml").write_text(ignored)
    (tmp_path / "service.yaml").write_text(service)
    assert run("lint", "-m", "vpc-cni", "deployment.yaml").stdout.count(b"unused-suppression") == 0
    assert run("lint", "-m", "vpc-cni", ".").stdout == b""
    (tmp_path / "service.yaml").unlink()
    assert run("lint", "-m", "vpc-cni", ".").stdout.count(b"unused-suppression") == 1


@pytest.mark.parametrize("line", ["\u2028", "\x85"])
def test_a_comment_counts_lines_as_findings_do(line: str, run: Run, tmp_path: Path) -> None:
    text = GOOD.replace(
        "    spec:\n", "    spec:\n      hostNetwork: true # tke-direct: ignore[host-network]\n"
    )
    (tmp_path / "web.yaml").write_text(f"# a{line}# b\n{text}", encoding="utf-8")
    assert run("lint", "-m", "vpc-cni", ".").stdout == b""


@pytest.mark.parametrize("kind", ["ConfigMap", '"ConfigMap"'])
def test_config_maps_of_others_are_none_of_our_business(
    kind: str, run: Run, tmp_path: Path
) -> None:
    (tmp_path / "x.yaml").write_text(
        f"apiVersion: v1\nkind: {kind}\nmetadata: {{name: x}}\ndata: {{debug: on}}\n"
    )
    assert run("lint", "-m", "vpc-cni", "x.yaml").stdout == b""


@pytest.mark.parametrize("name", ["_annotations", "__init__", "../host_network", ""])
def test_what_is_no_rule_is_not_explained(name: str, run: Run) -> None:
    assert run("explain", name).returncode == 2


def test_a_value_out_of_its_range_is_told_once(run: Run, tmp_path: Path) -> None:
    (tmp_path / "config.yaml").write_text(
        "apiVersion: cloud.tencent.com/v1alpha1\nkind: TkeServiceConfig\nmetadata: {name: x}\n"
        "spec:\n  loadBalancer:\n    l4Listeners:\n      - protocol: TCP\n        port: 80\n"
        "        healthCheck: {enable: true, intervalTime: 10, timeout: 70}\n"
    )
    found = run("lint", "-m", "vpc-cni", "config.yaml").stdout.decode().splitlines()
    assert [line.split()[2] for line in found] == ["invalid-value:"]
