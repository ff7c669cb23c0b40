"""What the doctor finds in small repositories, each beside its clean counterpart."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from schemas.contract import DIRECT_ENI, ENI_IP
from tests.conftest import FIXTURES, Run
from tests.peers import needs, peer
from tests.transformer.doctor_cases import (
    CASES,
    CONFIG_MAP,
    FLAGS,
    MIXED,
    RESOURCES,
    WIRED,
    Case,
    Files,
    config_for,
    function,
    plugin,
    template,
)
from transformer.doctor import diagnose
from transformer.doctor.model import Finding
from transformer.doctor.run import snapshot

KUSTOMIZE = peer("kustomize-5.8")
needs_kustomize = needs(KUSTOMIZE.name)


def build(folder: Path, files: Files) -> Path:
    """`folder` with `files`; a name that ends with " ->" is a link to its text."""
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if name.endswith(" ->"):
            path.with_name(path.name.removesuffix(" ->")).symlink_to(text)
            continue
        path.write_bytes(text.encode())
        if name.rpartition("/")[0].endswith("bin") or "plugin/" in name:
            path.chmod(0o755)
    (folder / ".git").mkdir(exist_ok=True)
    return folder


def examined(folder: Path, files: Files, **environment: str) -> list[Finding]:
    """The findings about `files`; programs are found in bin/, plugins nowhere."""
    build(folder, files)
    known = {"PATH": str(folder / "bin"), "HOME": str(folder / "home"), **environment}
    return diagnose(snapshot(folder, known))


def bad(found: list[Finding]) -> list[Finding]:
    return [one for one in found if one.severity in ("error", "warning")]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_a_defect_is_found_in_its_place_and_gone_when_mended(case: Case, tmp_path: Path) -> None:
    found = bad(examined(tmp_path / "bad", {**WIRED, **case.files}))
    assert len(found) == 1, found
    one = found[0]
    assert f"{one.path}:{one.line}:{one.column}" == case.place
    assert one.severity == case.severity
    assert case.says in one.message
    assert bad(examined(tmp_path / "good", {**WIRED, **case.files, **case.mended})) == []


def test_a_wired_repository_is_fine_and_says_why(tmp_path: Path) -> None:
    found = examined(tmp_path, {**WIRED, "Makefile": f"x:\n\tkustomize build {FLAGS} .\n"})
    assert {one.severity for one in found} == {"ok"}
    assert [(one.path, one.line, one.message) for one in found] == [
        (".tke-direct.yaml", 1, "is read; mixed"),
        (
            "Makefile",
            2,
            "kustomize build has the flags that the DirectAccess of kustomization.yaml needs",
        ),
        ("direct.yaml", 7, "tke-direct-fn is there and executable"),
    ]


def test_without_a_command_it_says_what_to_run(tmp_path: Path) -> None:
    (one,) = (one for one in examined(tmp_path, WIRED) if one.severity != "ok")
    assert one.severity == "info"
    assert one.message == f"no command here builds it; it takes: kustomize build {FLAGS} DIR"


def test_without_a_configuration_it_says_so(tmp_path: Path) -> None:
    files = {name: text for name, text in WIRED.items() if name != ".tke-direct.yaml"}
    says = [one.message for one in examined(tmp_path, files) if one.code == "configuration"]
    assert says == ["no .tke-direct.yaml governs this directory: every call needs --network-mode"]


def test_a_configuration_above_the_directory_governs_it(tmp_path: Path) -> None:
    build(tmp_path, MIXED)
    (tmp_path / "app").mkdir()
    (tmp_path / "app" / "x.yaml").write_text(
        template(resources=f'{{limits: {{{DIRECT_ENI}: "1"}}}}')
    )
    found = diagnose(snapshot(tmp_path / "app", {}))
    assert [one.path for one in found if one.code == "configuration"] == ["../.tke-direct.yaml"]
    assert [one.severity for one in found if one.code == "mode"] == ["error"]


def test_the_nearest_configuration_decides(tmp_path: Path) -> None:
    request = template(resources=f'{{limits: {{{ENI_IP}: "1"}}}}')
    files = {"gr/.tke-direct.yaml": config_for("global-router"), "gr/a.yaml": request}
    found = bad(examined(tmp_path, {**WIRED, **files, "b.yaml": request}))
    assert [one.path for one in found] == ["gr/a.yaml"]


def test_an_override_may_be_what_a_template_is_under(tmp_path: Path) -> None:
    config = config_for("global-router").replace(
        "global-router}", "global-router, overrides: [{networkMode: mixed, namespaces: [a]}]}"
    )
    request = template(resources=f'{{limits: {{{ENI_IP}: "1"}}}}')
    assert bad(examined(tmp_path, {**WIRED, ".tke-direct.yaml": config, "a.yaml": request})) == []


def test_super_nodes_in_another_mode_are_worth_a_word(tmp_path: Path) -> None:
    pods = template(selector="{node.kubernetes.io/instance-type: eklet}")
    says = [one for one in examined(tmp_path, {**WIRED, "a.yaml": pods}) if one.code == "mode"]
    assert [(one.severity, one.line) for one in says] == [("info", 9)]


def test_a_repository_that_runs_nothing_of_ours_is_not_wired(tmp_path: Path) -> None:
    files = {"kustomization.yaml": RESOURCES, "web.yaml": CONFIG_MAP}
    (one,) = bad(examined(tmp_path, {**MIXED, **files}))
    assert (one.severity, one.path) == ("warning", "")
    assert "nothing here runs tke-direct" in one.message
    assert "kustomize build DIR | tke-direct transform -" in one.message


@pytest.mark.parametrize(
    "files",
    [
        {"Makefile": "x:\n\tkustomize build . | tke-direct transform -\n"},
        {".pre-commit-config.yaml": "repos:\n- hooks:\n  - id: tke-direct-lint\n"},
        {".github/workflows/a.yaml": "on: push\njobs: {a: {steps: [{run: tke-direct lint .}]}}\n"},
        {"cmp.yaml": plugin("[bash, -c, 'set -o pipefail; cat x | tke-direct transform -']")},
    ],
    ids=lambda files: next(iter(files)),
)
def test_a_pipe_a_hook_or_a_workflow_is_a_wire_too(files: Files, tmp_path: Path) -> None:
    found = examined(tmp_path, {**MIXED, "kustomization.yaml": RESOURCES, **files})
    assert bad(found) == []
    assert any(one.message.startswith("runs tke-direct") for one in found)


@pytest.mark.parametrize(
    "text",
    [
        "# kustomize build .\n",
        "echo 'say: kustomize build .'\n",
        "x: ## runs kustomize build .\n",
        "kustomize build other\n",
        "kustomize build https://example.com/base.git\n",
        "kustomize edit set image a=b\n",
        "kubectl apply -f out.yaml\n",
        "kustomize build --enable-alpha-plugins . | tke-direct transform - | kubectl apply -f -\n",
        f"out=$(kustomize build {FLAGS} . 2>/dev/null)\n",
        f'"$KUSTOMIZE" build "$dir" {FLAGS} >out.yaml\n',
        f"export FLAGS='{FLAGS}'\nkustomize build $FLAGS .\n",
    ],
)
def test_what_needs_no_flags_or_has_them_is_no_problem(text: str, tmp_path: Path) -> None:
    other = {"other/kustomization.yaml": "resources: []\n", "go.sh": text}
    assert bad(examined(tmp_path, {**WIRED, **other})) == []


@pytest.mark.parametrize(
    "text",
    [
        "cd other && kustomize build .\n",
        "a=$(kustomize build) && echo\n",
        "echo go; kustomize build .\n",
        "/usr/local/bin/kustomize build \\\n .\n",
        'for d in *; do kustomize build "$d"; done\n',
        f"kustomize build . # {FLAGS}\n",
        f"kustomize build . | grep -- {FLAGS}\n",
        "kustomize build . --enable-exec=false\n",
        "kubectl -n prod diff --kustomize=.\n",
        "oc apply -f x -k .\n",
        "\t-kustomize build .\n",
    ],
)
def test_a_call_without_flags_is_found_however_it_is_written(text: str, tmp_path: Path) -> None:
    other = {"other/kustomization.yaml": "resources: []\n", "go.sh": text}
    assert [one.path for one in bad(examined(tmp_path, {**WIRED, **other}))] == ["go.sh"]


@pytest.mark.parametrize("named", ["deploy/prod", "./deploy/prod/", "prod", "deploy/base"])
def test_a_command_may_start_at_the_git_root(named: str, tmp_path: Path) -> None:
    files = {f"deploy/prod/{name}": text for name, text in WIRED.items()}
    base = {"deploy/base/kustomization.yaml": "resources: []\n"}
    build(tmp_path, {**files, **base, "deploy/go.sh": f"kustomize build {named}\n"})
    says = bad(diagnose(snapshot(tmp_path / "deploy", {"PATH": str(tmp_path / "deploy/prod/bin")})))
    assert [one.path for one in says] == ([] if named == "deploy/base" else ["go.sh"])


def test_a_command_that_builds_what_is_not_here_blames_nobody(tmp_path: Path) -> None:
    files = {**WIRED, "go.sh": "kustomize build elsewhere/prod\nkubectl apply -k ../x\n"}
    assert bad(examined(tmp_path, files)) == []


def test_a_configuration_that_a_kustomization_patches_is_not_judged(tmp_path: Path) -> None:
    shared = "resources: [direct.yaml]\npatches: [{path: mode.yaml}]\n"
    files = {
        **WIRED,
        "kustomization.yaml": f"{RESOURCES}transformers: [shared]\n",
        "shared/kustomization.yaml": shared,
        "shared/direct.yaml": function(spec=""),
    }
    assert bad(examined(tmp_path, files)) == []


def test_one_build_has_one_mode_whatever_layer_says_it(tmp_path: Path) -> None:
    files = {
        **WIRED,
        "top/kustomization.yaml": "resources: [..]\ntransformers: [lint.yaml]\n",
        "top/lint.yaml": function(kind="DirectAccessLint", spec="networkMode: vpc-cni"),
    }
    found = [one for one in bad(examined(tmp_path, files)) if one.code == "mode"]
    assert [(one.path, one.line, one.column) for one in found] == [("top/lint.yaml", 8, 21)]


def test_a_folded_text_of_a_workflow_is_one_command(tmp_path: Path) -> None:
    workflow = "a:\n  - run: >-\n      kustomize build .\n      --enable-alpha-plugins\n"
    (one,) = bad(examined(tmp_path, {**WIRED, ".github/workflows/a.yml": workflow}))
    assert (one.line, one.message.partition(" ")[0]) == (3, "--enable-exec")
    folded = {".github/workflows/a.yml": f"{workflow}      --enable-exec\n"}
    assert bad(examined(tmp_path, {**WIRED, **folded})) == []


def test_no_manifest_confuses_it(run: Run) -> None:
    result = run("doctor", FIXTURES)
    assert result.returncode in (0, 1)
    assert b"bug" not in result.stderr


def test_hidden_folders_and_excluded_files_are_left_out(tmp_path: Path) -> None:
    config = config_for("mixed").replace("mixed}", "mixed, exclude: [vendor]}")
    bad_script = "kustomize build .\n"
    files = {".cache/a.sh": bad_script, "vendor/a.sh": bad_script, ".tke-direct.yaml": config}
    assert bad(examined(tmp_path, {**WIRED, **files})) == []


def test_the_plugin_home_is_the_first_that_exists(tmp_path: Path) -> None:
    inside = "plugin/tke-direct.dev/v1alpha1/directaccess/DirectAccess"
    files = {**WIRED, "direct.yaml": function(""), f"xdg/kustomize/{inside}": "#!/bin/sh\n"}
    found = examined(tmp_path, files, XDG_CONFIG_HOME=str(tmp_path / "xdg"))
    assert bad(found) == []
    own = tmp_path / "own"
    own.mkdir()
    found = examined(
        tmp_path, {}, KUSTOMIZE_PLUGIN_HOME=str(own), XDG_CONFIG_HOME=str(tmp_path / "xdg")
    )
    assert [f"{own}/tke-direct.dev" in one.message for one in bad(found)] == [True]


def test_a_function_in_a_folder_of_transformers_is_found(tmp_path: Path) -> None:
    files = {
        **{name: text for name, text in WIRED.items() if name != "direct.yaml"},
        "kustomization.yaml": f"{RESOURCES}transformers: [shared]\n",
        "shared/kustomization.yaml": "resources: [direct.yaml]\n",
        "shared/direct.yaml": function("exec: {path: ./fn}"),
        "shared/fn": "#!/bin/sh\n",
    }
    (one,) = bad(examined(tmp_path, files))
    assert one.path == "shared/direct.yaml"
    assert "./fn does not exist" in one.message  # not from where the text stands


def test_the_command_prints_places_and_counts_and_exits_1(run: Run, tmp_path: Path) -> None:
    build(tmp_path / "repo", {**WIRED, "go.sh": "kubectl apply -k .\n"})
    result = run("doctor", "repo")
    assert result.returncode == 1
    lines = result.stdout.decode().splitlines()
    assert lines[1].startswith("repo/go.sh:1:1: error kubectl-apply: kubectl apply -k cannot run ")
    assert lines[-1] == "ok: repo/.tke-direct.yaml:1:1: is read; mixed"
    assert result.stderr == b"2 problems, 0 warnings\n"  # tke-direct-fn is on no PATH here


def test_the_command_exits_0_when_all_is_fine(run: Run, tmp_path: Path) -> None:
    build(tmp_path, {**MIXED, "go.sh": "kustomize build . | tke-direct transform -\n"})
    result = run("doctor")
    assert result.returncode == 0
    assert result.stdout.decode().splitlines() == [
        "ok: .tke-direct.yaml:1:1: is read; mixed",
        "ok: go.sh:1:21: runs tke-direct transform",
    ]


def test_what_is_no_directory_is_wrong_input(run: Run, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    assert run("doctor", "file").returncode == 2
    assert run("doctor", "missing").returncode == 2


def kustomize(folder: Path, *flags: str) -> subprocess.CompletedProcess[str]:
    environment = {"PATH": f"{folder / 'bin'}:{os.environ['PATH']}", "HOME": str(folder / "home")}
    return subprocess.run(
        [KUSTOMIZE, "build", *flags, folder],
        capture_output=True,
        text=True,
        env=environment,
        check=False,
    )


@needs_kustomize
def test_kustomize_itself_skips_the_function_in_silence(tmp_path: Path) -> None:
    build(tmp_path, WIRED)
    skipped = kustomize(tmp_path, "--enable-alpha-plugins")
    assert (skipped.returncode, skipped.stderr) == (0, "")
    assert "a: before" in skipped.stdout
    ran = kustomize(tmp_path, *FLAGS.split())
    assert ran.returncode == 0
    assert "a: after" in ran.stdout
    refused = kustomize(tmp_path)
    assert refused.returncode == 1
    assert "external plugins disabled" in refused.stderr


FAILURES = {
    "a function that is on no PATH": "executable file not found",
    "a function that does not exist": "no such file or directory",
    "a function that is not executable": "permission denied",
    "a function without #!": "exec format error",
    "a function with CRLF": "no such file or directory",
    "no plugin home": "unable to find plugin root",
    "a plugin home without our plugin": "DirectAccess",
    "an annotation that names no program": "failed to get FunctionSpec",
    "an object where kustomize wants a text": "cannot unmarshal object",
    "a validator that emits": "validator shouldn't modify the resource map",
}


@needs_kustomize
@pytest.mark.parametrize("name", FAILURES)
def test_kustomize_itself_fails_where_we_say_so(name: str, tmp_path: Path) -> None:
    (case,) = (case for case in CASES if case.name == name)
    through = {"bin/tke-direct-fn": "#!/bin/sh\ncat\n"} if name == "a validator that emits" else {}
    spoilt = kustomize(build(tmp_path / "bad", {**WIRED, **through, **case.files}), *FLAGS.split())
    assert spoilt.returncode == 1
    assert FAILURES[name] in spoilt.stderr


@needs_kustomize
def test_kustomize_itself_loses_everything_to_a_transformer_that_emits_nothing(
    tmp_path: Path,
) -> None:
    build(tmp_path, {**WIRED, "bin/tke-direct-fn": "#!/bin/sh\ncat >/dev/null\n"})
    result = kustomize(tmp_path, *FLAGS.split())
    assert (result.returncode, result.stdout) == (0, "")


@needs_kustomize
def test_kustomize_itself_runs_texts_before_files(tmp_path: Path) -> None:
    (case,) = (case for case in CASES if case.name == "lint before another transformer")
    script = (
        "#!/bin/sh\ninput=$(cat)\n"
        "case $input in *'kind: DirectAccessLint'*) mark=L;; *) mark=T;; esac\n"
        'echo "$input" | sed "s/a: .*/&$mark/"\n'
    )
    files = {**WIRED, **case.files, "bin/tke-direct-fn": script}
    assert "a: beforeLT" in kustomize(build(tmp_path, files), *FLAGS.split()).stdout


@needs_kustomize
def test_a_pipe_in_sh_hides_that_kustomize_failed(tmp_path: Path) -> None:
    result = subprocess.run(
        ["sh", "-c", f"'{KUSTOMIZE}' build '{tmp_path}' 2>/dev/null | cat"],
        capture_output=True,
        check=False,
    )
    assert (result.returncode, result.stdout) == (0, b"")
