"""The webhook as it is shipped, in a test's control plane: its manifests, and replicas of it.

There is no kube-proxy and there are no endpoints on loopback, so the Service has another type:
ExternalName, by which the API server comes to us under the Service's name all the same.
"""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, Any

from kubernetes import client
from ruamel.yaml import YAML

from binder.webhook.configuration import INJECT, INJECTED
from binder.webhook.options import NAME
from tests.conftest import ROOT
from tests.controlplane.access import create, token
from tests.controlplane.plane import ControlPlane
from tests.controlplane.watching import eventually

BASE = ROOT / "kustomize-plugin" / "webhook"
NAMESPACE = "tke-direct"
CLUSTER_WIDE = ("Namespace", "ClusterRole", "ClusterRoleBinding")
Object = dict[str, Any]


def manifests() -> list[Object]:
    """What kustomize makes of the base: its files, each in the namespace that it names."""
    yaml = YAML(typ="safe")
    kustomization = yaml.load(BASE / "kustomization.yaml")
    found: list[Object] = []
    for name in kustomization["resources"]:
        found += [each for each in yaml.load_all(BASE / name) if each]
    for each in found:
        if each["kind"] not in CLUSTER_WIDE:
            each["metadata"]["namespace"] = kustomization["namespace"]
    return found


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])


class Site:
    """The shipped manifests in a control plane, and where the API server finds the webhook."""

    def __init__(self, plane: ControlPlane) -> None:
        self.plane, self.port = plane, free_port()
        self.api = plane.client()
        self.admission = client.AdmissionregistrationV1Api(self.api)
        self.core = client.CoreV1Api(self.api)
        create(self.api, *(each for each in manifests() if each["kind"] != "Service"))
        spec = {"type": "ExternalName", "externalName": "localhost"}
        meta = {"name": NAME, "namespace": NAMESPACE}
        create(self.api, {"apiVersion": "v1", "kind": "Service", "metadata": meta, "spec": spec})
        text = plane.kubeconfig(token(self.api, NAMESPACE, NAME))
        self.folder = tempfile.TemporaryDirectory()
        self.kubeconfig = Path(self.folder.name, "kubeconfig")
        self.kubeconfig.write_text(text, encoding="utf-8")

    def close(self) -> None:
        self.clear()
        self.folder.cleanup()
        self.api.close()

    def clear(self) -> None:
        """As if the webhook had never run."""
        for delete in (self.delete_configuration, self.delete_secret):
            with suppress(client.ApiException):
                delete()

    def delete_configuration(self) -> None:
        self.admission.delete_mutating_webhook_configuration(NAME)

    def delete_secret(self) -> None:
        self.core.delete_namespaced_secret(NAME, NAMESPACE)

    def configuration(self) -> Object | None:
        """As the API has it."""
        return self._read(lambda: self.admission.read_mutating_webhook_configuration(NAME))

    def secret(self) -> Object | None:
        return self._read(lambda: self.core.read_namespaced_secret(NAME, NAMESPACE))

    def patch_configuration(self, body: Any, manager: str = "kubectl-edit") -> None:
        self.admission.patch_mutating_webhook_configuration(NAME, body, field_manager=manager)

    def patch_secret(self, body: Any) -> None:
        self.core.patch_namespaced_secret(NAME, NAMESPACE, body)

    def _read(self, call: Any) -> Object | None:
        try:
            found: Object = self.api.sanitize_for_serialization(call())
        except client.ApiException as error:
            if error.status == 404:
                return None
            raise
        return found

    def opt_in(self, namespace: str) -> None:
        body = {"metadata": {"labels": {INJECT: INJECTED}}}
        self.core.patch_namespace(namespace, body)

    @contextmanager
    def replica(self, *options: str, port: int | None = None) -> Iterator[Replica]:
        """A process of it, with the account and the rights that are shipped."""
        arguments = [
            f"--kubeconfig={self.kubeconfig}",
            f"--namespace={NAMESPACE}",
            f"--service-port={self.port}",
            f"--port={self.port if port is None else port}",
            "--host=127.0.0.1",
            "--metrics-port=0",
            "--drain-seconds=0",
            "--settle-seconds=1",
        ]
        with tempfile.TemporaryFile() as log:
            running = Replica([*arguments, *options], log)
            try:
                yield running
            finally:
                running.stop()

    def gates(self, namespace: str, name: str) -> list[str]:
        pod: Any = self.core.read_namespaced_pod(name, namespace)
        return [gate.condition_type for gate in pod.spec.readiness_gates or ()]


class Replica:
    """A process; its output is in a file."""

    def __init__(self, arguments: Sequence[str], log: IO[bytes]) -> None:
        self._log = log
        self.process = subprocess.Popen(
            [sys.executable, "-m", "binder", "webhook", *arguments],
            cwd=ROOT,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
            stdout=subprocess.PIPE,
            stderr=log,
        )
        assert self.process.stdout
        said = self.process.stdout.readline().decode().split()
        if not said:
            self.stop()
            raise AssertionError(f"it did not start: {self.log()}")
        self.port, self.metrics_port = int(said[1]), int(said[-1])

    def log(self) -> str:
        self._log.seek(0)
        return self._log.read().decode()

    def get(self, path: str) -> tuple[int, str]:
        url = f"http://127.0.0.1:{self.metrics_port}{path}"
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        try:
            with opener.open(url, timeout=5) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as error:
            with error:
                return error.code, error.read().decode()

    def metric(self, name: str) -> float:
        """The value of a line of /metrics that begins with `name`."""
        lines = self.get("/metrics")[1].splitlines()
        return float(next(line for line in lines if line.startswith(f"{name} ")).split()[-1])

    def is_ready(self) -> bool:
        return self.get("/readyz")[0] == 200

    def wait_ready(self, seconds: float = 20.0) -> Replica:
        try:
            eventually("the webhook is ready", self.is_ready, seconds)
        except AssertionError:
            raise AssertionError(f"{self.get('/readyz')}; {self.log()}") from None
        return self

    @property
    def memory(self) -> int:
        """Bytes that it has in memory now."""
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        line = next(each for each in status.splitlines() if each.startswith("VmRSS"))
        return int(line.split()[1]) * 1024

    @property
    def cpu_seconds(self) -> float:
        """What it has used so far."""
        fields = Path(f"/proc/{self.process.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def stop(self) -> None:
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGINT)
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            raise
        finally:
            assert self.process.stdout
            self.process.stdout.close()


def healed_within(check: Any, seconds: float = 20.0) -> float:
    """Seconds until `check` is true."""
    began = time.monotonic()
    eventually("it is healed", check, seconds)
    return time.monotonic() - began
