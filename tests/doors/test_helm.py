"""The post-renderer under the real Helm 3 and Helm 4, which call it differently."""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from tests.conftest import COMMAND, ROOT, Result, Run
from tests.peers import needs, peer
from transformer import __version__

EXAMPLES = ROOT / "kustomize-plugin" / "helm"

# A Pod that a Service of the chart selects, as the charts of `helm create` have one.
TEST_HOOK = """\
apiVersion: v1
kind: Pod
metadata:
  name: {{ .Release.Name }}-try
  labels: {app: front, release: {{ .Release.Name }}}
  annotations:
    helm.sh/hook: test
spec:
  restartPolicy: Never
  containers:
    - name: curl
      image: curlimages/curl:8.10.1
      ports:
        - {name: http, containerPort: 8080}
"""

Objects = dict[tuple[str, str], Any]


def objects(stream: bytes) -> Objects:
    """The objects of a stream by kind and name."""
    found = [one for one in YAML(typ="safe").load_all(stream) if one]
    named = {(one["kind"], one["metadata"]["name"]): one for one in found}
    assert len(named) == len(found)
    return named


def without_hooks(found: Objects) -> Objects:
    return {
        name: one
        for name, one in found.items()
        if "helm.sh/hook" not in one["metadata"].get("annotations", {})
    }


class Helm:
    """A Helm of somebody who installed tke-direct, and a chart in a folder of theirs."""

    def __init__(self, name: str, folder: Path) -> None:
        self.name, self.folder = name, folder
        self.chart = folder / "shop"
        shutil.copytree(EXAMPLES / "shop", self.chart)
        (folder / ".git").mkdir(exist_ok=True)  # the look-up of configuration stops here
        shim = folder / "bin" / "tke-direct"
        shim.parent.mkdir()
        shim.write_text(
            f'#!/bin/sh\nPYTHONPATH={shlex.quote(str(ROOT))} exec {shlex.join(COMMAND)} "$@"\n'
        )
        shim.chmod(0o755)
        known = {name: text for name, text in os.environ.items() if not name.startswith("HELM_")}
        homes = {f"HELM_{one}_HOME": str(folder / one) for one in ("CACHE", "CONFIG", "DATA")}
        self.environment = {
            **known,
            **homes,
            "PATH": f"{shim.parent}:{os.environ['PATH']}",
        }
        if name == "helm-4":
            installed = self("plugin", "install", EXAMPLES / "tke-direct")
            assert installed.returncode == 0, installed.stderr.decode()

    def __call__(self, *arguments: str | Path) -> Result:
        return subprocess.run(
            [peer(self.name), *arguments],
            cwd=self.folder,
            env=self.environment,
            capture_output=True,
            check=False,
        )

    def template(self, *options: str) -> bytes:
        """What the chart renders, without us."""
        result = self("template", "shop", self.chart, *options)
        assert result.returncode == 0, result.stderr.decode()
        return result.stdout

    def post_rendered(
        self, *options: str, ours: tuple[str, ...] = ("--network-mode=mixed",)
    ) -> Result:
        """The same with us as its post-renderer, called with `ours`."""
        if self.name == "helm-3":
            ours = ("helm-post-render", *ours)
        passed = [word for one in ours for word in ("--post-renderer-args", one)]
        return self(
            "template", "shop", self.chart, *options, "--post-renderer", "tke-direct", *passed
        )


@pytest.fixture(
    params=[pytest.param(name, marks=needs(name)) for name in ("helm-3", "helm-4")],
)
def helm(request: pytest.FixtureRequest, tmp_path: Path) -> Helm:
    return Helm(request.param, tmp_path)


def test_the_example_gets_what_the_pipe_makes_of_it(helm: Helm, run: Run) -> None:
    given = helm.post_rendered()
    assert given.returncode == 0, given.stderr.decode()
    rendered = helm.template()
    piped = run("transform", "-m", "mixed", "-", stdin=rendered).stdout
    assert objects(given.stdout) == objects(piped) != objects(rendered)


def test_helm_4_sends_hooks_and_helm_3_does_not(helm: Helm, run: Run) -> None:
    (helm.chart / "templates" / "try.yaml").write_text(TEST_HOOK)
    rendered = helm.template()
    plain = objects(rendered)
    piped = objects(run("transform", "-m", "mixed", "-", stdin=rendered).stdout)
    given = objects(helm.post_rendered().stdout)
    hook = ("Pod", "shop-try")
    assert without_hooks(given) == without_hooks(piped)
    assert piped[hook] != plain[hook]
    assert given[hook] == (plain if helm.name == "helm-3" else piped)[hook]


def test_comments_of_templates_are_still_there(helm: Helm) -> None:
    assert b"# comments stay" in helm.post_rendered().stdout


@needs("helm-4")  # which tries an installation without a cluster, as Helm 3 does not
def test_notes_are_still_there(tmp_path: Path) -> None:
    tried = Helm("helm-4", tmp_path)(
        *("install", "shop", "shop", "--dry-run=client"),
        *("--post-renderer", "tke-direct", "--post-renderer-args", "--network-mode=mixed"),
    )
    assert tried.returncode == 0, tried.stderr.decode()
    assert b"tke.cloud.tencent.com/networks" in tried.stdout
    assert b"https://shop.example.com is served by CLB" in tried.stdout


def test_what_must_not_be_transformed_stops_helm(helm: Helm) -> None:
    stopped = helm.post_rendered("--set", "hostNetwork=true")
    assert stopped.returncode != 0
    assert stopped.stdout == b""
    assert b"error host-network: Deployment shop-front: " in stopped.stderr
    assert b"error while running post render" in stopped.stderr


def test_a_missing_network_mode_stops_helm(helm: Helm) -> None:
    stopped = helm.post_rendered(ours=())
    assert stopped.returncode != 0
    assert stopped.stdout == b""
    assert b"error: no network mode: say which one the cluster has" in stopped.stderr


def test_the_configuration_is_the_one_where_helm_runs(helm: Helm) -> None:
    (helm.folder / ".tke-direct.yaml").write_text(
        "apiVersion: tke-direct.dev/v1alpha1\nkind: DirectAccess\nspec: {networkMode: mixed}\n"
    )
    assert helm.post_rendered(ours=()).stdout == helm.post_rendered().stdout != b""


def test_an_error_of_lint_stops_helm_unless_lint_is_off(helm: Helm) -> None:
    many = ("--set-string", "replicas=many")
    stopped = helm.post_rendered(*many)
    assert stopped.returncode != 0
    assert stopped.stdout == b""
    assert b"Deployment shop-front: spec.replicas: " in stopped.stderr
    passed = helm.post_rendered(*many, ours=("--network-mode=mixed", "--lint=off"))
    assert passed.returncode == 0
    assert b"tke.cloud.tencent.com/networks" in passed.stdout


def test_a_comment_in_a_template_silences_a_finding(helm: Helm) -> None:
    front = helm.chart / "templates" / "front.yaml"
    many = "replicas: {{ .Values.replicas }}"
    front.write_text(front.read_text().replace(many, f"{many}   # tke-direct: ignore[wrong-type]"))
    passed = helm.post_rendered("--set-string", "replicas=many")
    assert b"replicas: many" in passed.stdout
    assert passed.returncode == 0, passed.stderr.decode()


def test_the_plugin_has_the_version_of_the_program() -> None:
    plugin = YAML(typ="safe").load(EXAMPLES / "tke-direct" / "plugin.yaml")
    assert plugin["version"] == __version__


@needs("helm-4")
def test_what_helm_4_itself_says_is_whole_in_a_file_too(tmp_path: Path) -> None:
    helm = Helm("helm-4", tmp_path)
    words = ("template", "shop", "shop", "--post-renderer", "tke-direct")
    log = tmp_path / "log"
    with log.open("wb") as file:
        subprocess.run(
            [peer("helm-4"), *words],
            cwd=tmp_path,
            env=helm.environment,
            stderr=file,
            start_new_session=True,  # no terminal to turn to
            check=False,
        )
    said = log.read_text()
    assert said.startswith("Error: error while running post render on files: ")
    assert said.endswith("\nUse --debug flag to render out invalid YAML\n")


# What follows needs no Helm: the command as Helm calls it.

STREAM = b"""\
---
# Source: shop/templates/settings.yaml
apiVersion: v1
kind: ConfigMap
metadata: { name:  settings }   # odd spaces stay
data:
  page: |
    {{ not a template any more }}
---
# Source: shop/templates/off.yaml
# everything in here is switched off

---
---
# Source: shop/templates/service.yaml
apiVersion: v1
kind: Service
metadata:
  name: 'front'
spec:
  type: LoadBalancer
  selector: {app: front}
  ports: [{port: 80}]
"""
WRITTEN = b"""\
  annotations:
    service.cloud.tencent.com/direct-access: "true"
"""


@pytest.mark.parametrize("breaks", [b"\n", b"\r\n"])
def test_what_helm_wrote_stays_byte_for_byte(breaks: bytes, run: Run) -> None:
    given = STREAM.replace(b"\n", breaks)
    made = run("helm-post-render", "-m", "mixed", stdin=given)
    assert made.returncode == 0, made.stderr.decode()
    assert made.stdout.replace(WRITTEN.replace(b"\n", breaks), b"") == given != made.stdout


@pytest.mark.parametrize(
    "given",
    [b"# all of it is switched off\n", STREAM[: STREAM.index(b"# Source: shop/templates/ser")]],
)
def test_a_stream_without_anything_to_do_comes_back_as_it_is(given: bytes, run: Run) -> None:
    made = run("helm-post-render", "-m", "mixed", stdin=given)
    assert (made.returncode, made.stdout, made.stderr) == (0, given, b"")


@pytest.mark.parametrize("nothing", [b"", b"\n \n"])
def test_a_render_of_nothing_is_refused(nothing: bytes, run: Run) -> None:
    made = run("helm-post-render", "-m", "mixed", stdin=nothing)
    assert (made.returncode, made.stdout) == (2, b"")
    assert b"standard input is empty" in made.stderr


def test_what_belongs_to_no_resource_is_placed_in_the_stream(run: Run) -> None:
    broken = run("helm-post-render", "-m", "mixed", stdin=STREAM + b"---\nkind: [Service\n")
    assert (broken.returncode, broken.stdout) == (1, b"")
    end = STREAM.count(b"\n") + 3
    assert broken.stderr.startswith(b"error syntax: <stdin>:%d:1: " % end)


def test_a_warning_is_said_and_stops_helm_only_when_asked_to(run: Run) -> None:
    given = STREAM.replace(
        b"spec:\n",
        b"""\
  annotations: {service.cloud.tencent.com/direct-acess: "true"}
spec:
""",
    )
    said = run("helm-post-render", "-m", "mixed", stdin=given)
    stopped = run("helm-post-render", "-m", "mixed", "--lint", "warning", stdin=given)
    assert (said.returncode, stopped.returncode) == (0, 1)
    assert (said.stdout != b"", stopped.stdout) == (True, b"")
    assert said.stderr.startswith(b"warning ")
    assert said.stderr == stopped.stderr
