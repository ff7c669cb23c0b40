"""What ``tke-direct lint`` does around its rules: which files, what is silenced, what is mended."""

from __future__ import annotations

import json
import os
import re
import subprocess
from pathlib import Path

import pytest
from click.testing import CliRunner

from tests.conftest import COMMAND, FIXTURES, ROOT, Run
from transformer.cli import cli

GOOD = (FIXTURES / "lint" / "host-network" / "good.yaml").read_text(encoding="utf-8")
HOST = GOOD.replace("    spec:\n      term", "    spec:\n      hostNetwork: true\n      term")
MISSING = GOOD.replace('  annotations:\n    service.cloud.tencent.com/direct-access: "true"\n', "")
CONFIG = "apiVersion: tke-direct.dev/v1alpha1\nkind: DirectAccess\nspec:\n  networkMode: vpc-cni\n"
PLACE = "spec.template.spec.hostNetwork: "


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Where the command runs, with a configuration."""
    (tmp_path / ".tke-direct.yaml").write_text(CONFIG, encoding="utf-8")
    return tmp_path


def rules_in(output: bytes) -> list[str]:
    return [line.split(": ")[1].split()[1] for line in output.decode().splitlines()]


def test_a_clean_file_is_passed_over_in_silence(run: Run, folder: Path) -> None:
    (folder / "web.yaml").write_text(GOOD)
    result = run("lint", "web.yaml")
    assert (result.returncode, result.stdout) == (0, b"")
    assert result.stderr == b"no findings in 1 file\n"


def test_a_finding_says_where_what_and_what_to_do(run: Run, folder: Path) -> None:
    (folder / "web.yaml").write_text(HOST)
    result = run("lint", ".")
    assert result.returncode == 1
    assert result.stdout.decode().startswith(
        f"web.yaml:13:20: error host-network: Deployment web: {PLACE}is true: "
    )
    assert result.stderr == b"1 error in 1 file\n"


def test_without_a_mode_lint_teaches_how_to_find_it(run: Run, tmp_path: Path) -> None:
    (tmp_path / "web.yaml").write_text(GOOD)
    result = run("lint", "web.yaml")
    assert result.returncode == 2
    assert b"tke-eni-agent" in result.stderr


@pytest.mark.parametrize("option", ["--select", "--ignore"])
def test_a_rule_that_is_not_there_is_an_error_with_the_nearest_name(
    option: str, run: Run, folder: Path
) -> None:
    result = run("lint", option, "hots-network", ".")
    assert result.returncode == 2
    assert b"did you mean 'host-network'?" in result.stderr


def test_rules_are_selected_and_left_out_by_name(run: Run, folder: Path) -> None:
    (folder / "web.yaml").write_text(HOST)
    assert run("lint", "--select", "unknown-field,wrong-type", ".").returncode == 0
    assert run("lint", "--ignore", "host-network", ".").returncode == 0


def test_warnings_fail_when_they_are_asked_to(run: Run, folder: Path) -> None:
    (folder / "web.yaml").write_text(MISSING)
    assert run("lint", ".").returncode == 0
    assert run("lint", "--fail-on", "warning", ".").returncode == 1
    assert run("lint", "--fail-on", "warning", "--exit-zero", ".").returncode == 0


def test_what_should_be_transformed_already_is_an_error_on_request(run: Run, folder: Path) -> None:
    (folder / "web.yaml").write_text(MISSING)
    result = run("lint", "--require-transformed", ".")
    assert result.returncode == 1
    assert b": error direct-access-missing: " in result.stdout


def test_lint_reads_standard_input(run: Run, folder: Path) -> None:
    result = run("lint", "-", "--stdin-filename", "deploy/web.yaml", stdin=HOST.encode())
    assert result.stdout.startswith(b"deploy/web.yaml:13:20: error host-network")


# Which files


def test_files_alone_are_not_judged_by_what_other_files_say(run: Run, folder: Path) -> None:
    deployment, service = HOST.split("---\n")
    (folder / "deployment.yaml").write_text(deployment)
    (folder / "service.yaml").write_text(service)
    assert rules_in(run("lint", ".").stdout) == ["host-network"]
    result = run("lint", "--per-file", "deployment.yaml", "service.yaml")
    assert (result.returncode, result.stdout) == (0, b"")


def test_what_is_no_manifest_is_counted_by_reason(run: Run, folder: Path) -> None:
    (folder / "web.yaml").write_text(GOOD)
    (folder / "values.yaml").write_text("replicas: 3\n")
    (folder / "chart.yaml").write_text("apiVersion: v1\nkind: Service\nmetadata: {{ .name }}\n")
    (folder / "patch.yaml").write_text("apiVersion: apps/v1\nkind: Deployment\nmetadata: {}\n")
    (folder / "kustomization.yaml").write_text(
        "apiVersion: kustomize.config.k8s.io/v1beta1\nkind: Kustomization\n"
        "patches:\n  - path: patch.yaml\n"
    )
    result = run("lint", ".")
    assert result.returncode == 0, result.stdout
    assert result.stderr.decode() == (
        "no findings in 2 files; 1 kustomize patches, 1 not Kubernetes, 1 skipped (templates)\n"
    )


def test_a_patch_is_no_manifest_even_when_it_is_named(run: Run, folder: Path) -> None:
    patch = folder / "overlay" / "patches" / "web.yaml"
    patch.parent.mkdir(parents=True)
    patch.write_text("apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: web}\n")
    assert rules_in(run("lint", "--per-file", patch).stdout) == ["missing-field"]
    (folder / "overlay" / "kustomization.yaml").write_text(
        "kind: Kustomization\npatchesStrategicMerge: [patches/web.yaml]\n"
    )
    assert run("lint", "--per-file", patch).stdout == b""


def test_unreadable_yaml_is_wrong_input_and_stops_every_fix(run: Run, folder: Path) -> None:
    (folder / "web.yaml").write_text(MISSING)
    (folder / "broken.yaml").write_text("apiVersion: v1\nkind: Service\nmetadata: {\n")
    result = run("lint", "--fix", ".")
    assert result.returncode == 2
    assert b"broken.yaml:4:1: error syntax: " in result.stdout
    assert (folder / "web.yaml").read_text() == MISSING


@pytest.mark.parametrize("command", ["lint", "transform"])
@pytest.mark.parametrize("text", [b"", b"Error: accumulating resources\n"])
def test_standard_input_without_an_object_is_wrong_input(
    text: bytes, command: str, run: Run, folder: Path
) -> None:
    result = run(command, "-", stdin=text)
    assert result.returncode == 2
    assert result.stdout == b""
    assert b"did the command before the pipe fail?" in result.stderr


def test_a_file_that_cannot_be_read_is_a_finding_in_every_format(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (folder / ".git").mkdir()
    (folder / "web.yaml").write_text(GOOD)
    monkeypatch.chdir(folder)
    read = Path.read_bytes

    def refuse(path: Path) -> bytes:
        if path.name == "web.yaml":
            raise PermissionError(13, "Permission denied", str(path))
        return read(path)

    monkeypatch.setattr(Path, "read_bytes", refuse)
    for form, sign in (("json", '"unreadable"'), ("junit", 'failures="1"'), ("github", "::error")):
        result = CliRunner().invoke(cli, ["lint", "--format", form, "."])
        assert result.exit_code == 2
        assert sign in result.stdout


def test_versions_are_written_as_tke_writes_them(run: Run, folder: Path) -> None:
    (folder / ".tke-direct.yaml").write_text(CONFIG + "  kubernetesVersion: v1.28.3-tke.1\n")
    (folder / "web.yaml").write_text(GOOD)
    assert run("lint", ".").returncode == 0
    (folder / ".tke-direct.yaml").write_text(CONFIG + "  kubernetesVersion: 1.3\n")
    result = run("lint", ".")
    assert result.returncode == 2
    assert b"spec.kubernetesVersion: is read as 1.3, but a string is wanted" in result.stderr


def test_a_field_of_a_newer_version_is_said_to_be_one(run: Run, folder: Path) -> None:
    (folder / ".tke-direct.yaml").write_text(CONFIG + '  kubernetesVersion: "1.22"\n')
    (folder / "web.yaml").write_text(
        GOOD.replace("      containers", "      hostUsers: true\n      containers", 1)
    )
    assert b"is no field in Kubernetes 1.22, only in newer versions" in run("lint", ".").stdout


def test_a_reader_that_goes_away_is_not_told_of_findings(run: Run, folder: Path) -> None:
    (folder / "web.yaml").write_text("---\n".join([HOST] * 400))
    program = [*COMMAND, "lint", "web.yaml"]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    with subprocess.Popen(program, cwd=folder, stdout=subprocess.PIPE, env=environment) as process:
        assert process.stdout
        process.stdout.close()
        assert process.wait() == 141


def test_an_alias_bomb_is_a_finding_and_no_crash(run: Run, folder: Path) -> None:
    rows = "".join(f"  a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]\n" for n in range(1, 12))
    text = f"apiVersion: v1\nkind: Service\nmetadata:\n  a0: &a0 [x, x]\n{rows}"
    (folder / "bomb.yaml").write_text(text)
    result = run("lint", "bomb.yaml")
    assert result.returncode == 2
    assert b"millions of nodes" in result.stdout


def test_folders_with_their_own_configuration_are_builds_of_their_own(
    run: Run, folder: Path
) -> None:
    inner = folder / "other"
    inner.mkdir()
    (inner / ".tke-direct.yaml").write_text(CONFIG.replace("vpc-cni", "mixed"))
    (inner / "web.yaml").write_text(GOOD)
    (folder / "web.yaml").write_text(GOOD)
    found = run("lint", ".").stdout.decode().splitlines()
    assert {line.split(":")[0] for line in found} == {"other/web.yaml"}
    assert rules_in("\n".join(found).encode()) == ["networks-missing", "eni-request-missing"]


def test_the_kubernetes_version_chooses_the_schema(run: Run, folder: Path) -> None:
    text = GOOD.replace("command: [", "exec2: [").replace(
        'exec:\n                exec2: ["sleep", "15"]', "sleep: {seconds: 15}"
    )
    assert "sleep: {seconds" in text
    (folder / "web.yaml").write_text(text)
    assert run("lint", ".").returncode == 0
    (folder / ".tke-direct.yaml").write_text(CONFIG + '  kubernetesVersion: "1.28"\n')
    assert rules_in(run("lint", ".").stdout) == ["unknown-field"]


def test_pod_templates_of_kinds_without_a_schema_are_checked(run: Run, folder: Path) -> None:
    rollout = HOST.replace("apps/v1", "argoproj.io/v1alpha1").replace("Deployment", "Rollout")
    (folder / "web.yaml").write_text(rollout.replace("readinessProbe", "readynessProbe"))
    assert "unknown-field" in rules_in(run("lint", ".").stdout)


# What is silenced


def test_an_annotation_silences_a_rule_for_its_resource(run: Run, folder: Path) -> None:
    text = HOST.replace(
        "  name: web\nspec:\n  replicas",
        "  name: web\n  annotations: {tke-direct.dev/ignore: host-network}\nspec:\n  replicas",
    )
    (folder / "web.yaml").write_text(text)
    result = run("lint", ".")
    assert result.returncode == 0
    assert result.stderr == b"no findings in 1 file; 1 silenced by annotation\n"
    assert run("lint", "--no-inline-ignores", ".").returncode == 1


@pytest.mark.parametrize(
    "line",
    [
        "      hostNetwork: true  # tke-direct: ignore[host-network] the node is ours\n",
        "      # tke-direct: ignore[other-rule, host-network]\n      hostNetwork: true\n",
        "      hostNetwork: true  #tke-direct:Ignore[ host-network ]\n",
    ],
)
def test_a_comment_silences_a_rule_on_its_line_or_the_next(
    line: str, run: Run, folder: Path
) -> None:
    (folder / "web.yaml").write_text(HOST.replace("      hostNetwork: true\n", line))
    result = run("lint", "--ignore", "unused-suppression", ".")
    assert (result.returncode, result.stdout) == (0, b"")
    assert b"1 silenced by comment" in result.stderr
    assert run("lint", "--no-inline-ignores", ".").returncode == 1


def test_a_comment_without_a_rule_is_told(run: Run, folder: Path) -> None:
    (folder / "web.yaml").write_text(
        GOOD.replace("image: nginx", "image: nginx # tke-direct: ignore")
    )
    assert b"unused-suppression: names no rule: write ignore[RULE]" in run("lint", ".").stdout


def test_text_that_looks_like_a_comment_silences_nothing(run: Run, folder: Path) -> None:
    note = 'hostNetwork: true\n      hostname: "# tke-direct: ignore[host-network]"\n'
    (folder / "web.yaml").write_text(HOST.replace("hostNetwork: true\n", note))
    block = "# tke-direct: ignore[wrong-type]"
    (folder / "other.yaml").write_text(
        "apiVersion: v1\nkind: Service\nmetadata:\n  name: x\n  annotations:\n"
        f"    note: |\n      {block}\n"
        "spec: {ports: [{port: 80}]}\n"
    )
    assert rules_in(run("lint", ".").stdout) == ["host-network"]


def test_the_configuration_silences_rules_by_resource(run: Run, folder: Path) -> None:
    ignore = "  lint:\n    ignore:\n      - {rules: [host-network], resources: [%s]}\n"
    (folder / "web.yaml").write_text(HOST)
    for glob, code in (("Deployment w*", 0), ("'*'", 0), ("Deployment shop/*", 1)):
        (folder / ".tke-direct.yaml").write_text(CONFIG + ignore % glob)
        assert run("lint", "web.yaml").returncode == code, glob


def test_a_row_of_the_configuration_that_silences_nothing_is_a_finding(
    run: Run, folder: Path
) -> None:
    row = "  lint:\n    ignore:\n      - {rules: [host-network]}\n      - {rules: [hots-network]}\n"
    (folder / ".tke-direct.yaml").write_text(CONFIG + row)
    (folder / "web.yaml").write_text(GOOD)
    shown = run("lint", ".").stdout.decode().splitlines()
    assert [line.split(":")[1] for line in shown] == ["7", "8"]
    assert "host-network finds nothing in *: remove the name" in shown[0]
    assert "there is no rule 'hots-network'" in shown[1]
    only_some = run("lint", "web.yaml").stdout.decode().splitlines()
    assert only_some == shown[1:]


def test_one_overlay_in_a_pipe_proves_no_row_of_a_shared_configuration_useless(
    run: Run, folder: Path
) -> None:
    row = "  lint:\n    ignore:\n      - {rules: [host-network]}\n      - {rules: [hots-network]}\n"
    (folder / ".tke-direct.yaml").write_text(CONFIG + row)
    needless = GOOD.replace("image: nginx", "image: nginx # tke-direct: ignore[wrong-type]")
    shown = run("lint", "-", stdin=needless.encode()).stdout.decode().splitlines()
    assert len(shown) == 2
    assert "there is no rule 'hots-network'" in shown[0]
    assert "wrong-type finds nothing here any more: remove the name" in shown[1]
    (folder / "web.yaml").write_text(GOOD)
    walked = run("lint", ".", "-", stdin=needless.encode()).stdout.decode()
    assert "host-network finds nothing in *: remove the name" in walked


def test_a_pipe_proves_nothing_about_a_file_of_another_build(run: Run, folder: Path) -> None:
    other = folder / "other"
    other.mkdir()
    (other / ".tke-direct.yaml").write_text(CONFIG)
    needless = GOOD.replace("image: nginx", "image: nginx # tke-direct: ignore[wrong-type]")
    (other / "web.yaml").write_text(needless)
    assert run("lint", "other/web.yaml", "-", stdin=GOOD.encode()).stdout == b""


def test_a_name_that_no_rule_has_is_repeated_as_it_is_written(run: Run, folder: Path) -> None:
    row = "  lint:\n    ignore:\n      - {rules: [here any more]}\n"
    (folder / ".tke-direct.yaml").write_text(CONFIG + row)
    (folder / "web.yaml").write_text(GOOD)
    assert b"there is no rule 'here any more'" in run("lint", ".").stdout


def test_a_baseline_keeps_old_findings_apart_from_new_ones(run: Run, folder: Path) -> None:
    (folder / "web.yaml").write_text(HOST)
    written = run("lint", "--baseline", "old.json", "--write-baseline", ".")
    assert written.returncode == 0, written.stderr
    (folder / "web.yaml").write_text("# one line more\n" + HOST)
    known = run("lint", "--baseline", "old.json", ".")
    assert (known.returncode, known.stdout) == (0, b"")
    assert b"1 silenced by baseline" in known.stderr
    (folder / "new.yaml").write_text(HOST.replace("web", "api"))
    assert rules_in(run("lint", "--baseline", "old.json", ".").stdout) == ["host-network"]
    (folder / "new.yaml").unlink()
    elsewhere = run("lint", "--baseline", folder / "old.json", folder / "web.yaml")
    assert (elsewhere.returncode, elsewhere.stdout) == (0, b"")
    (folder.parent / "link").symlink_to(folder)
    linked = run("lint", "--baseline", folder.parent / "link" / "old.json", folder / "web.yaml")
    assert (linked.returncode, linked.stdout) == (0, b"")
    (folder / "web.yaml").write_text(GOOD)
    assert b"1 of its findings no longer occur" in run("lint", "--baseline", "old.json", ".").stderr
    (folder / "broken.yaml").write_text("apiVersion: v1\nkind: Service\nmetadata: {\n")
    refused = run("lint", "--baseline", "old.json", "--write-baseline", ".")
    assert refused.returncode == 2
    assert b"old.json: not written: broken.yaml cannot be read" in refused.stderr


# What is mended


def test_fix_writes_what_transform_would_and_exits_with_1(run: Run, folder: Path) -> None:
    (folder / "web.yaml").write_text(MISSING)
    result = run("lint", "--fix", ".")
    assert (result.returncode, result.stdout) == (1, b"")
    assert result.stderr == b"fixed 1 finding; no findings in 1 file\n"
    assert 'service.cloud.tencent.com/direct-access: "true"' in (folder / "web.yaml").read_text()
    assert run("lint", "--fix", ".").returncode == 0


def test_diff_shows_what_fix_would_write_and_changes_nothing(run: Run, folder: Path) -> None:
    (folder / "web.yaml").write_text(MISSING)
    result = run("lint", "--diff", ".")
    assert result.returncode == 1
    assert b'+    service.cloud.tencent.com/direct-access: "true"\n' in result.stdout
    assert (folder / "web.yaml").read_text() == MISSING


def test_fix_writes_only_what_is_selected_and_not_silenced(run: Run, folder: Path) -> None:
    (folder / ".tke-direct.yaml").write_text(CONFIG.replace("vpc-cni", "mixed"))
    (folder / "web.yaml").write_text(GOOD)
    run("lint", "--fix", "--select", "networks-missing", ".")
    text = (folder / "web.yaml").read_text()
    assert "tke-route-eni" in text
    assert "eni-ip" not in text
    silenced = text.replace(
        "  name: web\nspec:\n  replicas",
        "  name: web\n  annotations: {tke-direct.dev/ignore: eni-request-missing}\n"
        "spec:\n  replicas",
    )
    (folder / "web.yaml").write_text(silenced)
    assert run("lint", "--fix", ".").returncode == 0
    assert (folder / "web.yaml").read_text() == silenced


def test_one_resource_of_a_list_is_mended_though_another_is_refused(run: Run, folder: Path) -> None:
    service = {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": "web"},
        "spec": {"type": "LoadBalancer", "selector": {"app": "x"}, "ports": [{"port": 80}]},
    }
    wrong = json.loads(json.dumps(service).replace('"web"', '"api"'))
    wrong["metadata"]["annotations"] = {"service.cloud.tencent.com/direct-access": "yes"}
    items = {"apiVersion": "v1", "kind": "List", "items": [wrong, service]}
    (folder / "list.json").write_text(json.dumps(items, indent=2))
    result = run("lint", "--fix", ".")
    assert result.returncode == 1
    assert rules_in(result.stdout) == ["direct-access-value"]
    mended = json.loads((folder / "list.json").read_text())["items"][1]["metadata"]
    assert mended["annotations"] == {"service.cloud.tencent.com/direct-access": "true"}


BARE = MISSING.split("---\n")[0]
SERVICE = MISSING.split("---\n")[1]


@pytest.mark.parametrize("workload", ["hostNetwork: true", "hostNetwork: yes"])
def test_a_service_is_not_switched_while_its_pods_cannot_follow(
    workload: str, run: Run, folder: Path
) -> None:
    text = MISSING.replace("    spec:\n      term", f"    spec:\n      {workload}\n      term")
    (folder / "web.yaml").write_text(text)
    result = run("lint", "--fix", ".")
    assert (folder / "web.yaml").read_text() == text
    assert b"[fixable]" not in result.stdout


def test_a_service_is_not_switched_without_what_its_pods_lack(run: Run, folder: Path) -> None:
    (folder / ".tke-direct.yaml").write_text(CONFIG.replace("vpc-cni", "mixed"))
    (folder / "web.yaml").write_text(MISSING)
    run("lint", "--fix", "--select", "direct-access-missing", ".")
    assert (folder / "web.yaml").read_text() == MISSING
    run("lint", "--fix", ".")
    assert "direct-access" in (folder / "web.yaml").read_text()


def test_a_service_alone_in_its_file_waits_for_the_file_of_its_pods(run: Run, folder: Path) -> None:
    (folder / "service.yaml").write_text(SERVICE)
    (folder / "web.yaml").write_text(BARE)
    run("lint", "--fix", "--per-file", "service.yaml", "web.yaml")
    assert (folder / "service.yaml").read_text() == SERVICE
    run("lint", "--fix", ".")
    assert (folder / "service.yaml").read_text() != SERVICE


def test_no_gate_is_added_where_nothing_will_open_it(run: Run, folder: Path) -> None:
    gateless = BARE[: BARE.index("      readinessGates:")]
    refused = SERVICE.replace("  name: web\n", "  name: web\n  annotations: &x {a: b}\n", 1)
    refused += "---\napiVersion: v1\nkind: ConfigMap\nmetadata: {name: x, annotations: {}}\n"
    refused = refused.replace("&x {a: b}", "&x {a: b}\n  labels: *x")
    (folder / "web.yaml").write_text(gateless + "---\n" + refused)
    result = run("lint", "--fix", ".")
    assert "shared-block" in rules_in(result.stdout)
    assert "readinessGates" not in (folder / "web.yaml").read_text()


def test_what_the_baseline_knows_is_not_mended(run: Run, folder: Path) -> None:
    (folder / "web.yaml").write_text(MISSING)
    run("lint", "--baseline", "old.json", "--write-baseline", ".")
    result = run("lint", "--baseline", "old.json", "--fix", ".")
    assert result.returncode == 0
    assert (folder / "web.yaml").read_text() == MISSING


@pytest.mark.parametrize("wrong", ["missing/x", "."])
def test_nothing_is_mended_when_the_report_cannot_be_written(
    wrong: str, run: Run, folder: Path
) -> None:
    (folder / "web.yaml").write_text(MISSING)
    result = run("lint", "--fix", "--output", wrong, "web.yaml")
    assert result.returncode == 2
    assert b"cannot be written" in result.stderr
    assert (folder / "web.yaml").read_text() == MISSING


def test_nothing_is_mended_when_the_baseline_cannot_be_read(run: Run, folder: Path) -> None:
    (folder / "web.yaml").write_text(MISSING)
    result = run("lint", "--fix", "--baseline", "nowhere.json", "web.yaml")
    assert result.returncode == 2
    assert (folder / "web.yaml").read_text() == MISSING


def test_a_diff_goes_with_what_stopped_it(run: Run, folder: Path) -> None:
    (folder / "web.yaml").write_text(MISSING)
    assert run("lint", "--diff", ".").stderr == b"would fix 1 finding; 1 warning in 1 file" + (
        b" (1 fixable with --fix)\n"
    )
    (folder / "broken.yaml").write_text("apiVersion: v1\nkind: Service\nmetadata: {\n")
    result = run("lint", "--diff", ".")
    assert (result.returncode, result.stdout) == (2, b"")
    assert b"broken.yaml:4:1: error syntax: " in result.stderr
    assert b"nothing was mended: broken.yaml cannot be read" in result.stderr


def test_a_note_is_said_once_though_a_fix_looks_twice(run: Run, folder: Path) -> None:
    (folder / "a.yaml").write_text(MISSING)
    (folder / "b.yaml").write_text(MISSING)
    assert run("lint", "--fix", ".").stderr.count(b"stands in a.yaml and b.yaml") == 1


# Where it goes


def test_findings_go_to_a_file_on_request(run: Run, folder: Path) -> None:
    (folder / "web.yaml").write_text(HOST)
    result = run("lint", "--format", "json", "--output", "found.json", ".")
    assert (result.returncode, result.stdout) == (1, b"")
    assert json.loads((folder / "found.json").read_text())["findings"][0]["rule"] == "host-network"


def test_a_finding_carries_the_edits_that_mend_it(run: Run, folder: Path) -> None:
    (folder / "web.yaml").write_text(MISSING)
    found = json.loads(run("lint", "--format", "json", ".").stdout)["findings"]
    (fix,) = found[0]["fixes"]
    data = MISSING.encode()
    mended = data[: fix["offset"]] + fix["text"].encode() + data[fix["offset"] + fix["length"] :]
    run("lint", "--fix", ".")
    assert mended == (folder / "web.yaml").read_bytes()


def test_github_gets_its_own_format(
    run: Run, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (folder / "web.yaml").write_text(HOST)
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    assert run("lint", ".").stdout.startswith(b"::error file=web.yaml,line=13,col=20")
    assert run("lint", "--format", "text", ".").stdout.startswith(b"web.yaml:13:20")


def test_the_graph_marks_what_is_wrong(run: Run, folder: Path) -> None:
    (folder / "web.yaml").write_text(HOST)
    assert run("graph", ".").stdout.decode() == (
        "Service web  (direct, vpc-cni)\n"
        "└─ Deployment web  (readiness gate)\n"
        "      ! error host-network\n"
    )
    mermaid = run("graph", "--format", "mermaid", ".").stdout.decode()
    assert mermaid.startswith("flowchart LR\n")
    assert "--> n0_" in mermaid
    assert run("graph", "--format", "dot", ".").stdout.startswith(b"digraph direct {\n")


def test_the_graph_shows_backends_that_are_not_there(run: Run, folder: Path) -> None:
    (folder / "front.yaml").write_text(
        "apiVersion: networking.k8s.io/v1\nkind: Ingress\n"
        "metadata: {name: front, namespace: shop}\n"
        "spec: {defaultBackend: {service: {name: web, port: {number: 80}}}}\n"
    )
    assert run("graph", ".").stdout.decode() == (
        "Ingress shop/front\n└─ Service shop/web  (not in this build)\n"
    )


def test_backends_that_are_not_there_get_names_that_every_form_can_read(
    run: Run, folder: Path
) -> None:
    names = ("a b", "a-b.x", "a-b", "a_b")
    backends = (
        f"{{backend: {{service: {{name: {name}, port: {{number: 80}}}}}}}}" for name in names
    )
    (folder / "front.yaml").write_text(
        "apiVersion: networking.k8s.io/v1\nkind: Ingress\nmetadata: {name: front}\n"
        f"spec: {{rules: [{{http: {{paths: [{', '.join(backends)}]}}}}]}}\n"
    )
    for form, arrow in (("dot", "->"), ("mermaid", "-.->")):
        drawn = run("graph", "--format", form, ".").stdout.decode()
        targets = re.findall(rf"^  n0_0 {re.escape(arrow)} (\w+)(?: \[.*)?;?$", drawn, re.M)
        assert len(set(targets)) == len(names), drawn


def test_explain_teaches_and_knows_near_names(run: Run, folder: Path) -> None:
    assert b"## Why it matters" in run("explain", "host-network").stdout
    wrong = run("explain", "host-netwrk")
    assert wrong.returncode == 2
    assert b"did you mean 'host-network'?" in wrong.stderr


def test_rules_are_listed_for_people_and_for_machines(run: Run, folder: Path) -> None:
    listed = run("rules").stdout.decode().splitlines()
    rows = json.loads(run("rules", "--format", "json").stdout)
    assert [row["name"] for row in rows] == [line.split()[0] for line in listed]
    assert len(rows) >= 60
