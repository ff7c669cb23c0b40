"""The plugin that we ship under Argo CD's real plugin server, and what installs it."""

from __future__ import annotations

import json
import re
import shlex
import shutil
import subprocess
import tempfile
import threading
from collections import deque
from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast

import pytest
from ruamel.yaml import YAML

from schemas.contract import MODES
from tests import oracle
from tests.conftest import COMMAND, ROOT, tke_direct
from tests.doors.slow import Slow
from tests.peers import needs, peer
from transformer import __version__
from transformer.doors.parameters import PARAMETERS

SERVER, CLIENT, KUSTOMIZE = "argocd-cmp-server", "argocd-cmp-client", "kustomize-5.8"
EXAMPLE = ROOT / "kustomize-plugin" / "argocd"
PLUGIN = EXAMPLE / "sidecar" / "plugin.yaml"
SHOP = "shop/overlays/production"
MIXED = {"name": "network-mode", "string": "mixed"}
PAGE = (ROOT / "docs" / "argocd.md").read_text(encoding="utf-8")

# How Argo CD introduces what a plugin says when it fails.
FAILED = "error generating manifests: `tke-direct cmp generate` failed exit status "

Answer = dict[str, Any]


class Server:
    """argocd-cmp-server with a plugin.yaml, and the programs that the plugin finds."""

    def __init__(self, plugin: str) -> None:
        # Not pytest's folder: the path of a socket takes 107 bytes at most.
        self.folder = Path(tempfile.mkdtemp(prefix="tke-direct-cmp-"))
        self.programs, self.sockets = self.folder / "bin", self.folder / "sockets"
        for one in (self.programs, self.sockets, self.folder / "work", self.folder / "home"):
            one.mkdir()
        (self.folder / "plugin.yaml").write_text(plugin, encoding="utf-8")
        shim = self.programs / "tke-direct"
        shim.write_text(
            f'#!/bin/sh\nPYTHONPATH={shlex.quote(str(ROOT))} exec {shlex.join(COMMAND)} "$@"\n'
        )
        shim.chmod(0o755)
        self.kustomize(peer(KUSTOMIZE))
        self.process = self._started()

    def kustomize(self, program: Path) -> None:
        """Let kustomize be `program`."""
        link = self.programs / "kustomize"
        link.unlink(missing_ok=True)
        link.symlink_to(program)

    def _started(self) -> subprocess.Popen[str]:
        process = subprocess.Popen(
            [peer(SERVER), "--config-dir-path", self.folder, "--logformat", "text"],
            env={
                "PATH": f"{self.programs}:/usr/bin:/bin",
                "HOME": str(self.folder / "home"),
                "ARGOCD_PLUGINSOCKFILEPATH": str(self.sockets),
                "ARGOCD_CMP_WORKDIR": str(self.folder / "work"),
            },
            stderr=subprocess.PIPE,
            text=True,
        )
        assert process.stderr
        said = next((line for line in process.stderr if " serving on " in line), "")
        assert said, "the server did not start"
        self._log = threading.Thread(target=deque, args=(process.stderr, 0))
        self._log.start()  # its pipe must not fill up
        return process

    def asking(self, verb: str, root: Path, app: str, *wanted: Answer) -> list[str | Path]:
        """The command line that asks the server about an application with these parameters."""
        (socket,) = self.sockets.iterdir()
        said = {
            "ARGOCD_APP_NAMESPACE": "shop",
            "ARGOCD_APP_SOURCE_PATH": app,
            "ARGOCD_APP_PARAMETERS": json.dumps(wanted),
            "KUBE_VERSION": "1.31",
        }
        return [peer(CLIENT), verb, socket, root, app, *(f"{k}={v}" for k, v in said.items())]

    def ask(self, verb: str, root: Path, app: str, *wanted: Answer) -> Answer:
        result = subprocess.run(
            self.asking(verb, root, app, *wanted), stdout=subprocess.PIPE, check=False
        )
        return cast("Answer", json.loads(result.stdout))

    def manifests(self, root: Path, app: str, *wanted: Answer) -> list[Any]:
        answer = self.ask("generate", root, app, *wanted)
        return [json.loads(one) for one in answer["manifests"]]

    def said(self, root: Path, app: str, *wanted: Answer) -> str:
        """The plugin's own words, when it has to fail."""
        error: str = self.ask("generate", root, app, *wanted)["error"]
        assert error.startswith(FAILED)
        return error.removeprefix(FAILED).partition(": ")[2]

    def error(self, root: Path, app: str, *wanted: Answer) -> str:
        """The first line of that."""
        return self.said(root, app, *wanted).splitlines()[0]

    def stop(self) -> None:
        self.process.kill()
        self.process.wait()
        self._log.join()
        assert self.process.stderr
        self.process.stderr.close()
        shutil.rmtree(self.folder)


pytestmark = [needs(SERVER), needs(KUSTOMIZE)]


@pytest.fixture(scope="module")
def shared() -> Iterator[Server]:
    server = Server(PLUGIN.read_text(encoding="utf-8"))
    yield server
    server.stop()


@pytest.fixture
def server(shared: Server) -> Iterator[Server]:
    yield shared
    shared.kustomize(peer(KUSTOMIZE))


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """The example shop, beside the folder of plain manifests of the demo."""
    shutil.copytree(ROOT / "kustomize-plugin" / "shop", tmp_path / "shop")
    shutil.copytree(ROOT / "tests" / "demo" / "shop", tmp_path / "plain")
    shutil.copytree(ROOT / "tests" / "demo" / "pitfalls", tmp_path / "pitfalls")
    return tmp_path


def piped(folder: Path) -> list[Any]:
    """What the pipe that we recommend makes of a kustomization."""
    build = subprocess.run([peer(KUSTOMIZE), "build", folder], stdout=subprocess.PIPE, check=True)
    return transformed(build.stdout, folder)


def transformed(stream: bytes, folder: Path) -> list[Any]:
    made = tke_direct("transform", "-m", "mixed", "-", cwd=folder, stdin=stream)
    assert made.returncode == 0
    return [one for one in oracle.load(made.stdout) if one]


def test_a_kustomization_gives_what_the_pipe_gives(server: Server, repository: Path) -> None:
    found = server.manifests(repository, SHOP, MIXED)
    assert found == piped(repository / SHOP)
    assert '"tke.cloud.tencent.com/eni-ip": "1"' in json.dumps(found)


def test_plain_manifests_give_what_the_pipe_gives(server: Server, repository: Path) -> None:
    files = sorted((repository / "plain").glob("*.yaml"))
    stream = b"\n---\n".join(path.read_bytes() for path in files)
    found = server.manifests(repository, "plain", MIXED)
    assert found == transformed(stream, repository)
    assert "direct-access" in json.dumps(found)


def test_the_namespace_of_the_application_is_that_of_objects_without_one(
    server: Server, repository: Path
) -> None:
    api = repository / "plain" / "api.yaml"
    service, workload = api.read_text().split("---\n")
    assert "namespace: shop\n" in service
    api.write_text(f"{service}---\n{workload.replace('    namespace: shop', '', 1)}")
    found = server.manifests(repository, "plain", MIXED)
    (placed,) = [one for one in found if one["kind"] == "StatefulSet"]
    assert "namespace" not in placed["metadata"]
    assert "load-balancer-backendgroup-ready" in json.dumps(placed)


def test_the_configuration_above_the_application_counts(server: Server, repository: Path) -> None:
    (repository / ".tke-direct.yaml").write_text(
        "apiVersion: tke-direct.dev/v1alpha1\nkind: DirectAccess\nspec: {networkMode: mixed}\n"
    )
    assert server.manifests(repository, SHOP) == piped(repository / SHOP)


def test_every_reader_of_argo_cd_finds_all_of_json_and_yaml(
    server: Server, repository: Path
) -> None:
    app = repository / "mixed"
    app.mkdir()
    tabs = '{\n\t"apiVersion": "v1",\n\t"kind": "ConfigMap",\n\t"metadata": {"name": "a"}\n}'
    (app / "a.json").write_bytes(b"\xef\xbb\xbf" + tabs.encode())
    (app / "b.yaml").write_text("apiVersion: v1\nkind: ConfigMap\nmetadata: {name: '100% 😀'}\n")
    names = [one["metadata"]["name"] for one in server.manifests(repository, "mixed", MIXED)]
    assert names == ["a", "100% 😀"]


def test_a_failed_build_is_an_error_that_starts_with_why(server: Server, repository: Path) -> None:
    (repository / "shop" / "base" / "live.yaml").unlink()
    why = server.error(repository, SHOP, MIXED)
    assert why.startswith("error: kustomize build failed (exit status 1): Error: ")
    assert "live.yaml" in why


def test_an_application_without_resources_is_an_error(server: Server, repository: Path) -> None:
    (repository / "empty").mkdir()
    (repository / "empty" / "kustomization.yaml").write_text("resources: []\n")
    assert "Kubernetes object" in server.error(repository, "empty", MIXED)


def test_an_error_of_lint_stops_the_build_unless_lint_is_off(
    server: Server, repository: Path
) -> None:
    api = repository / "plain" / "api.yaml"
    api.write_text(re.sub(r"port: \d+", "port: many", api.read_text(), count=1))
    assert server.error(repository, "plain", MIXED).startswith("error wrong-type: api.yaml: ")
    assert server.manifests(repository, "plain", MIXED, {"name": "lint", "string": "off"})


def test_what_cannot_be_direct_is_an_error(server: Server, repository: Path) -> None:
    why = server.error(repository, "pitfalls", MIXED)
    assert why.startswith("error host-network: 2-host-network.yaml: Deployment edge: ")


@pytest.mark.parametrize(
    ("wanted", "why"),
    [
        ([], "error: no network mode: set "),
        ([{"name": "mode", "string": "x"}], "error: unknown parameter 'mode'; did you mean 'netw"),
        ([MIXED | {"string": "mxed"}], "error: parameter network-mode: unknown value 'mxed'"),
        (
            [MIXED, {"name": "kustomize-build-options", "array": ["--enable-exec"]}],
            "error: unknown parameter 'kustomize-build-options'; known: ",
        ),
    ],
)
def test_a_wrong_parameter_is_an_error(
    wanted: list[Answer], why: str, server: Server, repository: Path
) -> None:
    assert server.error(repository, SHOP, *wanted).startswith(why)


def test_options_of_the_administrator_reach_kustomize(server: Server, repository: Path) -> None:
    (repository / SHOP / "kustomization.yaml").write_text("helmCharts: [{name: web}]\n")
    assert "must specify --enable-helm" in server.said(repository, SHOP, MIXED)
    before, after = PLUGIN.read_text(encoding="utf-8").split("  parameters:\n")
    args = "    args: [--kustomize-option=--enable-helm]\n  parameters:\n"
    other = Server(before + args + after)
    try:
        error = other.ask("generate", repository, SHOP, MIXED)["error"]
        assert "must specify --enable-helm" not in error
        assert "(is 'helm' installed?)" in error
    finally:
        other.stop()


def test_the_parameters_are_announced(server: Server, repository: Path) -> None:
    found = server.ask("parameters", repository, SHOP)["parameterAnnouncements"]
    assert [row["name"] for row in found] == [row.name for row in PARAMETERS]
    assert next(row["string"] for row in found if row["name"] == "lint") == "error"


def test_without_discover_an_application_has_to_name_the_plugin(
    server: Server, repository: Path
) -> None:
    found = server.ask("match", repository, SHOP)
    assert found == {"isSupported": False, "isDiscoveryEnabled": False}


def test_discover_takes_what_is_configured_and_nothing_else(repository: Path) -> None:
    lines = PLUGIN.read_text(encoding="utf-8").partition("  # discover:\n")
    shown = re.sub(r"^(  )# ", r"\1", "".join(lines[1:]), flags=re.MULTILINE)
    server = Server(lines[0] + shown)
    try:
        assert not server.ask("match", repository, SHOP)["isSupported"]
        (repository / "shop" / ".tke-direct.yaml").touch()
        assert server.ask("match", repository, SHOP)["isSupported"]
        assert not server.ask("match", repository, "plain")["isSupported"]
    finally:
        server.stop()


def test_a_request_that_is_over_leaves_no_process(
    server: Server, repository: Path, tmp_path: Path
) -> None:
    slow = Slow(tmp_path / "slow")
    server.kustomize(tmp_path / "slow")
    client = subprocess.Popen(server.asking("generate", repository, SHOP, MIXED))
    slow.wait_until_it_runs()
    client.kill()
    client.wait()
    slow.wait_until_all_is_gone()


# What installs it.


@pytest.mark.skipif(not shutil.which("kubectl"), reason="kubectl is missing: install it")
def test_kubectl_and_kustomize_build_the_example_alike() -> None:
    built = [
        subprocess.run([*tool, EXAMPLE], stdout=subprocess.PIPE, check=True).stdout
        for tool in (["kubectl", "kustomize"], [peer(KUSTOMIZE), "build"])
    ]
    assert oracle.load(built[0]) == oracle.load(built[1])


@pytest.fixture(scope="module")
def installed() -> dict[str, Any]:
    """The objects of the example by kind."""
    built = subprocess.run([peer(KUSTOMIZE), "build", EXAMPLE], stdout=subprocess.PIPE, check=True)
    return {one["kind"]: one for one in oracle.load(built.stdout)}


def test_the_sidecar_may_do_very_little(installed: dict[str, Any]) -> None:
    pod = installed["Deployment"]["spec"]["template"]["spec"]
    (sidecar,) = [one for one in pod["containers"] if one["name"] == "tke-direct"]
    assert sidecar["command"] == ["/var/run/argocd/argocd-cmp-server"]
    may = sidecar["securityContext"]
    assert (may["runAsNonRoot"], may["runAsUser"]) == (True, 999)
    assert (may["readOnlyRootFilesystem"], may["allowPrivilegeEscalation"]) == (True, False)
    assert may["capabilities"] == {"drop": ["ALL"]}
    assert may["seccompProfile"] == {"type": "RuntimeDefault"}
    assert sidecar["resources"].keys() == {"requests", "limits"}
    assert pod["automountServiceAccountToken"] is False
    (programs,) = [one for one in sidecar["volumeMounts"] if one["name"] == "var-files"]
    assert programs["readOnly"] is True
    (tmp,) = [one for one in pod["volumes"] if one["name"] == "tke-direct-tmp"]
    assert tmp["emptyDir"] == {"sizeLimit": "1Gi"}


def test_the_sidecar_mounts_what_the_server_needs(installed: dict[str, Any]) -> None:
    pod = installed["Deployment"]["spec"]["template"]["spec"]
    volumes = {one["name"]: one for one in pod["volumes"]}
    mounts = {
        one["mountPath"]: volumes[one["name"]]
        for container in pod["containers"]
        if container["name"] == "tke-direct"
        for one in container["volumeMounts"]
    }
    assert mounts["/var/run/argocd"]["name"] == "var-files"
    assert mounts["/home/argocd/cmp-server/plugins"]["name"] == "plugins"
    assert mounts["/tmp"]["name"] == "tke-direct-tmp"
    plugin = mounts["/home/argocd/cmp-server/config/plugin.yaml"]
    assert plugin["configMap"]["name"] == installed["ConfigMap"]["metadata"]["name"]
    assert installed["ConfigMap"]["data"]["plugin.yaml"] == PLUGIN.read_text(encoding="utf-8")


def test_the_application_names_the_plugin_and_a_folder_that_is_there(
    installed: dict[str, Any], server: Server
) -> None:
    source = installed["Application"]["spec"]["source"]
    assert source["plugin"]["name"] == YAML(typ="safe").load(PLUGIN)["metadata"]["name"]
    wanted = source["plugin"]["parameters"]
    root = ROOT / "kustomize-plugin"
    app = str(Path(source["path"]).relative_to(root.name))
    assert server.manifests(root, app, *wanted) == piped(root / app)


def test_the_image_of_the_sidecar_has_our_version(installed: dict[str, Any]) -> None:
    containers = installed["Deployment"]["spec"]["template"]["spec"]["containers"]
    images = [one["image"] for one in containers if one["name"] == "tke-direct"]
    assert images == [f"tke-direct/argocd:{__version__}"]


def test_the_doctor_has_nothing_to_say_against_it() -> None:
    found = tke_direct("doctor", EXAMPLE, cwd=ROOT)
    assert found.stderr == b"0 problems, 0 warnings\n"
    assert b"plugin.yaml:8:15: runs tke-direct cmp" in found.stdout


def test_the_page_has_a_row_for_every_parameter() -> None:
    for row in PARAMETERS:
        (line,) = re.findall(rf"^\| `{row.name}` \|.*$", PAGE, re.MULTILINE)
        assert row.default in line
    assert all(f"`{mode.value}`" in PAGE for mode in MODES if MODES[mode].supported)


def test_the_values_for_the_chart_say_what_the_sidecar_says(installed: dict[str, Any]) -> None:
    (text,) = re.findall(r"```yaml\n(configs:.*?)```", PAGE, re.DOTALL)
    values = YAML(typ="safe").load(text)
    spec = YAML(typ="safe").load(PLUGIN)["spec"]
    assert values["configs"]["cmp"] == {"create": True, "plugins": {"tke-direct": spec}}
    pod = installed["Deployment"]["spec"]["template"]["spec"]
    (sidecar,) = [one for one in pod["containers"] if one["name"] == "tke-direct"]
    (shown,) = values["repoServer"]["extraContainers"]
    assert shown.keys() <= sidecar.keys()
    ours = {one["mountPath"]: one for one in sidecar["volumeMounts"]}
    plugin = ours["/home/argocd/cmp-server/config/plugin.yaml"]
    plugin |= {"name": "argocd-cmp-cm", "subPath": "tke-direct.yaml"}
    assert {one["mountPath"]: one for one in shown["volumeMounts"]} == ours
    differs = ("image", "volumeMounts", "resources")
    assert all(shown[name] == sidecar[name] for name in shown if name not in differs)
    assert shown["securityContext"] == sidecar["securityContext"]
    volumes = {one["name"]: one for one in values["repoServer"]["volumes"]}
    assert volumes["argocd-cmp-cm"]["configMap"]["name"] == "argocd-cmp-cm"
    assert volumes["tke-direct-tmp"] in pod["volumes"]
