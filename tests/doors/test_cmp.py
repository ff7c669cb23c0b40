"""``tke-direct cmp`` as Argo CD calls it, with scripts in kustomize's place; and its parameters."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from schemas.contract import KUSTOMIZATIONS, NetworkMode
from tests.conftest import COMMAND, ROOT, Result, tke_direct
from tests.doors.slow import Slow, next_bytes
from transformer.doors import child, parameters
from transformer.doors.argocd import configuration
from transformer.errors import ConfigError
from transformer.parallel import Spread

CONFIG = "apiVersion: tke-direct.dev/v1alpha1\nkind: DirectAccess\nspec: {networkMode: %s}\n"
SERVICE = """\
apiVersion: v1
kind: Service
metadata:
  name: web
spec:
  type: LoadBalancer
  selector: {app: web}
  ports: [{port: 80}]
"""
DIRECT = """\
apiVersion: v1
kind: Service
metadata:
  name: web
  annotations:
    service.cloud.tencent.com/direct-access: "true"
spec:
  type: LoadBalancer
  selector: {app: web}
  ports: [{port: 80}]
"""
SETTINGS = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: '%s'}\n"
MIXED = {"name": "network-mode", "string": "mixed"}


class App:
    """The folder of an application, in a repository at `root`."""

    def __init__(self, root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.root, self.patch = root, monkeypatch
        self.folder, self.programs = root / "apps" / "web", root / "bin"
        (root / ".git").mkdir()
        self.folder.mkdir(parents=True)
        self.programs.mkdir()
        monkeypatch.setenv("PATH", f"{self.programs}:/usr/bin:/bin")
        monkeypatch.setenv("ARGOCD_APP_SOURCE_PATH", "apps/web")
        for name in ("ARGOCD_APP_NAMESPACE", "KUBE_VERSION"):
            monkeypatch.delenv(name, raising=False)
        self.ask(MIXED)

    def write(self, **texts: str) -> None:
        """Files by name; two underscores are a dot."""
        for name, text in texts.items():
            (self.folder / name.replace("__", ".")).write_text(text, encoding="utf-8")

    def kustomize(self, script: str) -> None:
        """Let kustomize be this script."""
        self.write(kustomization__yaml="resources: []\n")
        path = self.programs / "kustomize"
        path.write_text(f"#!/bin/sh\n{script}\n", encoding="utf-8")
        path.chmod(0o755)

    def builds(self, text: str, then: str = "") -> None:
        """Let kustomize print `text`, and do something more."""
        (self.root / "built").write_text(text, encoding="utf-8")
        self.kustomize(f"cat {self.root}/built\n{then}")

    def ask(self, *wanted: dict[str, Any]) -> None:
        self.patch.setenv("ARGOCD_APP_PARAMETERS", json.dumps(wanted))

    def call(self, *arguments: str) -> Result:
        return tke_direct("cmp", *arguments, cwd=self.folder)

    def made(self, *options: str) -> str:
        result = self.call("generate", *options)
        assert result.returncode == 0, result.stderr.decode()
        return result.stdout.decode()

    def refused(self, *options: str) -> list[str]:
        """Why nothing is printed, in lines."""
        result = self.call("generate", *options)
        lines = result.stderr.decode().splitlines()
        assert (result.returncode != 0, result.stdout) == (True, b""), lines
        assert len(lines) <= 20
        return lines


@pytest.fixture
def app(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> App:
    return App(tmp_path, monkeypatch)


# What kustomize builds.


@pytest.mark.parametrize("name", KUSTOMIZATIONS)
def test_what_kustomize_builds_is_completed(name: str, app: App) -> None:
    app.builds(SERVICE)
    (app.folder / "kustomization.yaml").rename(app.folder / name)
    app.write(ignored__yaml=SETTINGS % "not-by-kustomize")
    assert app.made() == DIRECT


def test_bytes_that_programs_like_to_spoil_stay_as_they_are(app: App) -> None:
    odd = SETTINGS % "a" + "data: {x: '100%s %%n 😀 \\u00e9', y: on, z: 1e400}\n"
    app.builds(odd)
    assert app.made() == odd


def test_kustomize_gets_the_options_of_the_administrator(app: App) -> None:
    app.builds(SERVICE, 'echo "$@" >&2')
    options = ("--kustomize-option=--enable-helm", "--kustomize-option=--helm-kube-version=1.30")
    said = app.call("generate", *options)
    assert said.stderr.decode().splitlines()[0] == "build . --enable-helm --helm-kube-version=1.30"


def test_a_failure_is_said_in_the_first_line_and_nothing_is_printed(app: App) -> None:
    app.builds(SERVICE, "echo '# Warning: old' >&2; echo 'Error: 100% bad' >&2; exit 7")
    assert app.refused() == [
        "error: kustomize build failed (exit status 7): Error: 100% bad",
        "# Warning: old",
    ]


def test_a_long_failure_is_cut(app: App) -> None:
    app.kustomize("seq 1000 >&2; exit 1")
    lines = app.refused()
    assert lines[0] == "error: kustomize build failed (exit status 1): 1"
    assert (len(lines), lines[-1]) == (20, "… and 981 more lines")


def test_a_failure_without_a_word_is_said_all_the_same(app: App) -> None:
    app.kustomize("exit 1")
    assert app.refused() == ["error: kustomize build failed (exit status 1): it said nothing"]


def test_a_kustomize_that_was_killed_is_a_failure(app: App) -> None:
    app.builds(SERVICE, "kill -KILL $$")
    assert app.refused()[0].startswith("error: kustomize build failed (killed by signal 9): ")


def test_a_kustomize_that_drives_terminals_is_shown_harmless(app: App) -> None:
    app.kustomize("printf 'Error: \\033[2Jgone\\n' >&2; exit 1")
    assert app.refused()[0].endswith("Error: \\x1b[2Jgone")


EMPTY_LIST = "apiVersion: v1\nkind: List\nitems: []\n"


@pytest.mark.parametrize("nothing", ["", "# switched off\n", "---\nnull\n", "{}\n", EMPTY_LIST])
def test_a_build_of_nothing_is_refused_unless_it_is_allowed(nothing: str, app: App) -> None:
    app.builds(nothing)
    assert app.refused()[0].startswith("error: kustomize build printed no Kubernetes object: ")
    assert app.made("--allow-empty") == ""


def test_half_of_a_document_is_refused(app: App) -> None:
    app.builds("apiVersion: v1\nkind: Service\nmetadata: {name: web,")
    assert app.refused()[0].startswith("error syntax: kustomize build:3:22: ")


def test_a_missing_kustomize_is_named(app: App) -> None:
    app.kustomize("")
    (app.programs / "kustomize").unlink()
    (line,) = app.refused()
    assert line.startswith(f"error: kustomize is not on the PATH ({app.programs}:/usr/bin:/bin): ")


def test_a_kustomize_that_cannot_run_is_named(app: App) -> None:
    app.kustomize("")
    (app.programs / "kustomize").chmod(0o644)
    assert app.refused() == ["error: kustomize cannot be started: Permission denied"]


# Folders of plain manifests.


def test_the_files_of_a_plain_folder_are_one_stream_in_order(app: App) -> None:
    app.write(b__yml=SETTINGS % "b", a__yaml=SERVICE, c__json='{"apiVersion": "v1", "kind": "X"}')
    app.write(__hidden__yaml=SETTINGS % "hidden", notes__txt=SETTINGS % "no")
    expected = [SETTINGS % "hidden", DIRECT, SETTINGS % "b", '{"apiVersion": "v1", "kind": "X"}']
    assert app.made() == "---\n".join(expected)


def test_folders_below_are_read_only_when_asked_to(app: App) -> None:
    app.write(a__yaml=SETTINGS % "a")
    (app.folder / "more").mkdir()
    (app.folder / "more" / "b.yaml").write_text(SETTINGS % "b")
    assert app.made() == SETTINGS % "a"
    app.ask(MIXED, {"name": "directory-recurse", "string": "true"})
    assert app.made() == SETTINGS % "a" + "---\n" + SETTINGS % "b"


def test_what_is_no_manifest_is_left_out_and_named(app: App) -> None:
    app.write(__tke_direct__yaml="", a__yaml=SERVICE, values__yaml="x: 1\n")
    (app.folder / ".tke_direct.yaml").rename(app.folder / ".tke-direct.yaml")
    (app.folder / ".tke-direct.yaml").write_text(CONFIG % "mixed")
    app.write(readme__yaml="# about apiVersion\ntext: 1\n")
    app.write(off__yaml="# +argocd:skip-file-rendering\n" + SETTINGS % "off")
    result = app.call("generate")
    assert result.stdout.decode() == DIRECT
    assert sorted(result.stderr.decode().splitlines()[:3]) == [
        "off.yaml: left out: +argocd:skip-file-rendering",
        "readme.yaml: left out: not Kubernetes",
        "values.yaml: left out: not Kubernetes",
    ]


def test_a_stream_never_opens_as_json_does(app: App) -> None:
    one = '{"apiVersion": "v1", "kind": "X"}\n'
    (app.folder / "a.json").write_bytes(b"\xef\xbb\xbf" + one.encode())
    app.write(b__yaml=SETTINGS % "b")
    assert app.made() == f"---\n{one}---\n{SETTINGS % 'b'}"


def test_an_empty_folder_is_refused_unless_it_is_allowed(app: App) -> None:
    app.write(values__yaml="x: 1\n")
    why, note = app.refused()
    assert why.startswith("error: this folder has neither a kustomization nor a Kubernetes object")
    assert note == "values.yaml: left out: not Kubernetes"
    assert app.made("--allow-empty") == ""


def test_a_file_that_cannot_be_parsed_is_named_with_its_line(app: App) -> None:
    app.write(a__yaml=SETTINGS % "a", b__yaml="apiVersion: v1\nkind: Service\nspec: [\n")
    assert app.refused()[0].startswith("error syntax: b.yaml:4:1: ")


def test_a_chart_is_refused_with_a_way_to_go_on(app: App) -> None:
    app.write(Chart__yaml="apiVersion: v2\nname: web\n", values__yaml="x: 1\n")
    (line,) = app.refused()
    assert line.startswith("error: Chart.yaml: this folder is a Helm chart")
    assert "--kustomize-option=--enable-helm" in line
    app.builds(SERVICE)  # which names the chart
    assert app.made() == DIRECT


def test_jsonnet_is_refused_where_argo_cd_would_render_it(app: App) -> None:
    app.write(a__yaml=SERVICE, b__jsonnet="{apiVersion: 'v1', kind: 'ConfigMap'}")
    app.write(lib__libsonnet="{kind: 'x'}")
    (line,) = app.refused()
    assert line.startswith("error: b.jsonnet: the plugin does not run Jsonnet")
    app.write(b__jsonnet="// +argocd:skip-file-rendering\n{}")
    assert app.made() == DIRECT
    app.write(b__jsonnet="{}", __jsonnet="apiVersion")
    app.builds(SERVICE)  # Argo CD would not read it either
    assert app.made() == DIRECT


def test_jsonnet_in_folders_below_counts_when_they_are_read(app: App) -> None:
    app.write(a__yaml=SERVICE)
    (app.folder / "more").mkdir()
    (app.folder / "more" / "b.jsonnet").write_text("{}")
    assert app.made() == DIRECT
    app.ask(MIXED, {"name": "directory-recurse", "string": "true"})
    assert app.refused()[0].startswith("error: more/b.jsonnet: ")


def test_a_link_is_followed_within_the_repository_only(app: App) -> None:
    (app.root / "apps" / "other.yaml").write_text(SERVICE)
    link = app.folder / "a.yaml"
    link.symlink_to("../other.yaml")
    assert app.made() == DIRECT
    app.patch.setenv("ARGOCD_APP_SOURCE_PATH", ".")  # the repository is this folder
    assert app.refused() == ["error: a.yaml: is a link that leads out of the repository"]
    link.unlink()
    link.symlink_to("nowhere.yaml")
    assert app.refused() == ["error: a.yaml: cannot be read: No such file or directory"]


# Where it goes: what Argo CD says about the cluster.

DEPLOYMENT = """\
apiVersion: apps/v1
kind: Deployment
metadata:
  name: web
spec:
  selector: {matchLabels: {app: web}}
  template:
    metadata:
      labels: {app: web}
    spec:
      containers: [{name: web, image: "web:1"}]
"""
GATE = "cloud.tencent.com/load-balancer-backendgroup-ready"


def placed(text: str, namespace: str) -> str:
    return text.replace("  name: web\n", f"  name: web\n  namespace: {namespace}\n", 1)


@pytest.mark.parametrize("by_kustomize", [False, True])
@pytest.mark.parametrize(
    ("said", "service", "deployment", "joined"),
    [
        ("shop", placed(SERVICE, "shop"), DEPLOYMENT, True),
        ("shop", SERVICE, placed(DEPLOYMENT, "shop"), True),
        ("shop", SERVICE, DEPLOYMENT, True),
        ("shop", placed(SERVICE, "shop"), placed(DEPLOYMENT, "other"), False),
        ("other", placed(SERVICE, "shop"), DEPLOYMENT, False),
        ("", placed(SERVICE, "shop"), DEPLOYMENT, False),
        (None, placed(SERVICE, "shop"), DEPLOYMENT, False),
        (None, SERVICE, DEPLOYMENT, True),
    ],
)
def test_what_has_no_namespace_is_joined_in_the_applications(
    said: str | None, service: str, deployment: str, joined: bool, by_kustomize: bool, app: App
) -> None:
    if by_kustomize:
        app.builds(f"{service}---\n{deployment}")
    else:
        app.write(a__yaml=service, b__yaml=deployment)
    if said is not None:
        app.patch.setenv("ARGOCD_APP_NAMESPACE", said)
    made = app.made()
    assert (GATE in made) == joined
    assert made.count("namespace:") == (service + deployment).count("namespace:")


def test_lint_joins_in_the_namespace_of_the_application(app: App) -> None:
    app.write(a__yaml=placed(SERVICE, "shop"), b__yaml=DEPLOYMENT.replace("app: web", "app: other"))
    app.ask(MIXED, {"name": "lint", "string": "warning"})
    app.patch.setenv("ARGOCD_APP_NAMESPACE", "shop")
    assert "selects-nothing" in "\n".join(app.refused())
    app.write(b__yaml=DEPLOYMENT)
    assert b"selects-nothing" not in app.call("generate").stderr


OLD = "apiVersion: policy/v1beta1\nkind: PodDisruptionBudget\nmetadata: {name: web}\n"


@pytest.mark.parametrize(
    ("cluster", "configured", "fails"),
    [
        ("1.31", "", True),
        ("v1.31.2", "", True),
        ("v1.30.4-tke.1", "", True),
        ("1.24", "", False),
        ("v1.24.4-tke.5", "", False),
        ("1.31", ', kubernetesVersion: "1.24"', False),
        ("1.24", ', kubernetesVersion: "1.31"', True),
        ("", "", False),  # then it is a warning
        ("newest", "", False),
        (None, "", False),
    ],
)
def test_the_version_of_the_cluster_counts_unless_one_is_configured(
    cluster: str | None, configured: str, fails: bool, app: App
) -> None:
    app.write(a__yaml=OLD)
    (app.root / ".tke-direct.yaml").write_text(CONFIG % f"mixed{configured}")
    if cluster is not None:
        app.patch.setenv("KUBE_VERSION", cluster)
    result = app.call("generate")
    assert (result.returncode != 0) == fails, result.stderr.decode()
    assert (b"error removed-api-version" in result.stderr) == fails


def test_plain_manifests_start_no_program_and_import_nothing_for_it(app: App) -> None:
    app.write(a__yaml=SERVICE)
    result = subprocess.run(
        [sys.executable, "-X", "importtime", "-m", "transformer", "cmp", "generate"],
        cwd=app.folder,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        check=True,
    )
    loaded = {line.rpartition(b"|")[2].strip() for line in result.stderr.splitlines()}
    assert b"transformer.doors.child" in loaded
    assert not loaded & {b"subprocess", b"jsonschema"}


# Configuration.


def test_the_nearest_configuration_counts_and_the_parameter_overrules_it(app: App) -> None:
    app.write(a__yaml=SERVICE)
    app.ask()
    (app.root / ".tke-direct.yaml").write_text(CONFIG % "cilium-overlay")
    assert "cilium-overlay does not support direct access" in app.refused()[0]
    (app.folder / ".tke-direct.yaml").write_text(CONFIG % "mixed")
    assert app.made() == DIRECT
    (app.folder / ".tke-direct.yaml").unlink()
    app.ask(MIXED)
    assert app.made() == DIRECT


def test_without_a_mode_the_refusal_says_where_to_set_it(app: App) -> None:
    app.write(a__yaml=SERVICE)
    app.ask()
    (line,) = app.refused()
    assert line.startswith("error: no network mode: set spec.networkMode in .tke-direct.yaml")
    assert "parameter network-mode" in line


@pytest.mark.parametrize(
    ("config", "app_path", "source_path", "found"),
    [
        ("apps/web", "apps/web", "apps/web", True),
        ("apps", "apps/web", "apps/web", True),
        (".", "apps/web", "./apps//web/", True),
        (".", ".", ".", True),
        ("..", "apps/web", "apps/web", False),  # another repository, or a temporary folder
        ("..", ".", ".", False),
        (".", "web", "apps/web", True),  # only a part of the repository was copied
        ("..", "web", "apps/web", False),
        ("..", "apps/web", None, True),  # nobody said, and there is no .git
    ],
)
def test_configuration_is_looked_for_up_to_the_root_of_the_copy(
    config: str, app_path: str, source_path: str | None, found: bool, tmp_path: Path
) -> None:
    copy = tmp_path / "copy"
    here = copy / app_path
    here.mkdir(parents=True)
    path = (copy / config).resolve() / ".tke-direct.yaml"
    path.write_text(CONFIG % "mixed")
    said = {} if source_path is None else {"ARGOCD_APP_SOURCE_PATH": source_path}
    assert configuration(here, said) == (path if found else None)


def test_a_configuration_that_is_a_link_out_of_the_repository_is_refused(app: App) -> None:
    app.write(a__yaml=SERVICE)
    (app.root / "mine.yaml").write_text(CONFIG % "mixed")
    (app.folder / ".tke-direct.yaml").symlink_to(app.root / "mine.yaml")
    assert app.made() == DIRECT
    app.patch.setenv("ARGOCD_APP_SOURCE_PATH", ".")
    why = "error: .tke-direct.yaml: is a link that leads out of the repository"
    assert app.refused() == [why]
    assert app.call("discover").stderr.decode() == f"{why}\n"
    assert app.call("parameters").returncode == 0


def test_discover_prints_the_configuration_or_nothing(app: App) -> None:
    nothing = app.call("discover")
    assert (nothing.returncode, nothing.stdout) == (0, b"")
    (app.root / ".tke-direct.yaml").write_text(CONFIG % "mixed")
    found = app.call("discover")
    assert (found.returncode, found.stdout.decode()) == (0, f"{app.root}/.tke-direct.yaml\n")


def test_the_configured_mode_is_the_one_that_forms_show(app: App) -> None:
    def shown() -> dict[str, Any]:
        result = app.call("parameters")
        assert result.returncode == 0
        (row,) = [row for row in json.loads(result.stdout) if row["name"] == "network-mode"]
        return {name: row.get(name) for name in ("string", "required")}

    assert shown() == {"string": None, "required": True}
    (app.root / ".tke-direct.yaml").write_text(CONFIG % "serverless")
    assert shown() == {"string": "serverless", "required": False}
    (app.root / ".tke-direct.yaml").write_text(CONFIG % "no-such-mode")
    assert shown() == {"string": None, "required": True}


# Refusals and lint.


def test_what_cannot_be_direct_is_refused_with_its_file(app: App) -> None:
    app.write(a__yaml=SERVICE.replace("name: web\n", "name: web\n  annotations: 7\n", 1))
    first, *_, last = app.refused()
    assert first.startswith("error ")
    assert "a.yaml: Service web: metadata.annotations" in first
    assert last == "tke-direct: 1 error"


WARNED = SERVICE.replace(
    "name: web\n", 'name: web\n  annotations: {service.cloud.tencent.com/direct-acess: "x"}\n', 1
)
WRONG = SERVICE.replace("port: 80", "port: eighty")


@pytest.mark.parametrize(
    ("manifest", "lint", "first"),
    [
        (WRONG, "error", "error wrong-type: a.yaml: Service web: spec.ports[0].port: "),
        (WRONG, "off", None),
        (WARNED, "error", None),
        (WARNED, "warning", "error: a warning stops the build, as the parameter lint has it"),
        (WARNED, "off", None),
    ],
)
def test_lint_stops_the_build_as_its_parameter_says(
    manifest: str, lint: str, first: str | None, app: App
) -> None:
    app.write(a__yaml=manifest)
    app.ask(MIXED, {"name": "lint", "string": lint})
    if first:
        assert app.refused()[0].startswith(first)
    else:
        said = app.call("generate")
        assert b"direct-access: " in said.stdout
        assert (b"warning unknown-annotation" in said.stderr) == (lint == "error")


def test_many_findings_are_cut_and_the_gravest_come_first(app: App) -> None:
    app.write(z__yaml=WRONG, a__yaml="---\n".join([WARNED] * 30))
    lines = app.refused()
    assert lines[0].startswith("error wrong-type: z.yaml: ")
    assert lines[-2].startswith("… and ")
    assert lines[-1].startswith("tke-direct: 1 error, ")


# Parameters.


def test_without_parameters_the_defaults_count() -> None:
    default = parameters.Wanted(None, "error", False)
    assert [parameters.parse(text) for text in ("", "[]", "null")] == [default] * 3


def test_what_is_announced_as_default_may_be_said() -> None:
    rows = json.loads(parameters.announcements(NetworkMode.MIXED))
    said = [{key: row[key] for key in ("name", row["collectionType"])} for row in rows]
    wanted = parameters.parse(json.dumps(said))
    assert wanted == parameters.Wanted(NetworkMode.MIXED, "error", False)


def test_announcements_have_only_keys_that_argo_cd_knows() -> None:
    known = {"name", "title", "tooltip", "required", "itemType", "collectionType"}
    for row in json.loads(parameters.announcements(None)):
        assert known <= row.keys() <= known | {"string", "array"}
        assert all(row[key] for key in ("name", "title", "tooltip"))


@pytest.mark.parametrize(
    ("said", "message"),
    [
        ("[", "ARGOCD_APP_PARAMETERS is no JSON: "),
        ("{}", "expected a list of objects"),
        ('["lint"]', "expected a list of objects"),
        ("[" * 100_000, "ARGOCD_APP_PARAMETERS is no JSON: "),
        ([{"string": "x"}], "expected a list of objects with a name"),
        ([{"name": ["lint"]}], "expected a list of objects with a name"),
        ([{"name": "lnt"}], "unknown parameter 'lnt'; did you mean 'lint'?; known: network-mode, "),
        ([{"name": "lnt", "string": "off"}], "'lnt'; did you mean 'lint'?; known: network-mode, "),
        ([{"name": "lint", "string": "warn"}], "lint: unknown value 'warn'; did you mean 'warnin"),
        ([{"name": "lint", "string": ""}], "lint: unknown value ''; known: error, warning, off"),
        ([{"name": "lint", "array": ["off"]}], "lint: expected string: TEXT"),
        ([{"name": "lint"}], "lint: expected string: TEXT"),
        ([{"name": "lint", "string": "off", "map": {}}], "lint: expected string: TEXT"),
        ([MIXED, MIXED], "parameter network-mode stands twice"),
        ([MIXED | {"string": "Mixed"}], "unknown value 'Mixed'; did you mean 'mixed'?"),
        ([{"name": "directory-recurse", "string": "yes"}], "unknown value 'yes'; known: false, tr"),
        ([{"name": "lint", "string": 1}], "lint: expected string: TEXT"),
        ([{"name": "kustomize-build-options", "array": ["--enable-exec"]}], "unknown parameter "),
    ],
)
def test_a_wrong_parameter_is_refused_with_what_was_expected(said: Any, message: str) -> None:
    with pytest.raises(ConfigError) as caught:
        parameters.parse(said if isinstance(said, str) else json.dumps(said))
    assert message in str(caught.value)


# Nothing is left behind.


@pytest.mark.parametrize("leads", [False, True], ids=["in a group", "leading a group"])
def test_sigterm_ends_kustomize_and_all_it_started(leads: bool, app: App) -> None:
    app.kustomize("")
    slow = Slow(app.programs / "kustomize")
    process = subprocess.Popen(
        [*COMMAND, "cmp", "generate"],
        cwd=app.folder,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        start_new_session=leads,
    )
    slow.wait_until_it_runs()
    process.terminate()
    out, err = process.communicate()
    slow.wait_until_all_is_gone()
    assert (process.returncode, out) == (128 + signal.SIGTERM, b"")
    assert err.startswith(b"error: ended by SIGTERM")


def test_any_exception_ends_the_program_that_runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    slow = Slow(tmp_path / "slow")

    def interrupted(_: object) -> None:
        slow.wait_until_it_runs()
        raise KeyboardInterrupt

    monkeypatch.setattr(subprocess.Popen, "communicate", interrupted)
    monkeypatch.setattr(child, "_leads_group", lambda: False)  # a test that leads would end itself
    with pytest.raises(KeyboardInterrupt):
        child.run([str(tmp_path / "slow")])
    slow.wait_until_all_is_gone()


def test_sigterm_while_the_program_starts_is_not_lost(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    slow = Slow(tmp_path / "slow")
    start = child._started

    def started(argv: list[str]) -> subprocess.Popen[bytes]:
        process = start(argv)
        slow.wait_until_it_runs()
        os.kill(os.getpid(), signal.SIGTERM)
        return process

    monkeypatch.setattr(child, "_started", started)
    monkeypatch.setattr(child, "_leads_group", lambda: False)
    with pytest.raises(child.Stopped), child.stoppable():
        child.run([str(tmp_path / "slow")])
    slow.wait_until_all_is_gone()


def test_sigterm_means_afterwards_what_it_meant_before() -> None:
    before = signal.getsignal(signal.SIGTERM)
    with child.stoppable():
        child.run(["true"])
    assert signal.getsignal(signal.SIGTERM) == before


def test_a_failure_here_ends_the_worker_processes() -> None:
    # A worker waits for what is never written, and holds the only other end of `held`.
    never, _writer = os.pipe()
    held, holder = os.pipe()

    def work(first: int, _: int) -> list[int]:
        if first:
            next_bytes(never)
        os.close(holder)
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        Spread[int](2)(work, 1000)
    assert next_bytes(held) == b""
    for one in (never, _writer, held):
        os.close(one)
