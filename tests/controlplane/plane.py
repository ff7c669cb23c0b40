"""One control plane: etcd, kube-apiserver with RBAC, kube-controller-manager."""

from __future__ import annotations

import secrets
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

from kubernetes import aio, client

from tests.controlplane import access, flags
from tests.controlplane.addresses import Block
from tests.controlplane.certificates import Authority, signing_keys
from tests.controlplane.processes import Processes
from tests.controlplane.programs import Programs

# All planes may have the same, since each has an address of its own.
PORT = 6443
START_SECONDS = 90.0
MASTERS = "system:masters"
CONTROLLERS = "system:kube-controller-manager"


class ControlPlane:
    """Running from the moment that this returns; a context manager that stops it.

    `extra` are further flags by the program's name, for instance an audit log:
    `{"kube-apiserver": ["--audit-log-path=…"]}`.
    """

    def __init__(self, programs: Programs, extra: Mapping[str, Sequence[str]] | None = None):
        began = time.monotonic()
        self._programs = programs
        self._extra = extra or {}
        self.block = Block.reserve()
        # One pool, however many kubelets there are.
        self.pod_addresses = self.block.for_pods()
        self.directory = Path(tempfile.mkdtemp(prefix="tke-direct-plane-"))
        self.processes = Processes(self.directory)
        self.authority = Authority()
        self.admin_token = secrets.token_hex(16)
        try:
            self._write_files()
            self._start()
        except BaseException:
            self.stop()
            raise
        self.start_seconds = time.monotonic() - began

    def __enter__(self) -> ControlPlane:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    @property
    def address(self) -> str:
        return self.block.control_plane

    @property
    def url(self) -> str:
        return f"https://{self.address}:{PORT}"

    def kubeconfig(self, token: str | None = None) -> str:
        """For kubectl and the binder; the administrator's unless it is for another token."""
        return access.kubeconfig(self.url, self.authority.pem, token or self.admin_token)

    def client(self, token: str | None = None) -> client.ApiClient:
        """The official client; the caller closes it."""
        return client.ApiClient(
            access.configuration(
                client.Configuration(), self.url, self._ca, token or self.admin_token
            )
        )

    def aio_client(self) -> aio.client.ApiClient:
        """The official client for asyncio, the administrator's."""
        return aio.client.ApiClient(
            access.configuration(aio.client.Configuration(), self.url, self._ca, self.admin_token)
        )

    def kill(self, name: str) -> None:
        """Crash a program of the control plane."""
        self.processes.kill(name)

    def start(self, name: str) -> None:
        """Start a program again that was killed."""
        self.processes.start(name, [str(self._programs[name]), *self._flags(name)])

    def stop(self, keep_logs: Path | None = None) -> None:
        """Leave no process, no port and no file, but the logs if they are wanted."""
        self.processes.stop(keep_logs)
        self.block.release()

    @property
    def _ca(self) -> str:
        return f"{self.directory}/ca.crt"

    def _write_files(self) -> None:
        certificate, key = self.authority.issue(
            self.address, "localhost", "kubernetes.default.svc", "10.96.0.1"
        )
        private, public = signing_keys()
        controllers = secrets.token_hex(16)
        files = {
            "ca.crt": self.authority.pem,
            "apiserver.crt": certificate,
            "apiserver.key": key,
            "accounts.key": private,
            "accounts.pub": public,
            "tokens.csv": f"{self.admin_token},admin,admin,{MASTERS}\n"
            f"{controllers},{CONTROLLERS},{CONTROLLERS}\n",
            "controllers.kubeconfig": self.kubeconfig(controllers),
        }
        for name, text in files.items():
            (self.directory / name).write_text(text, encoding="utf-8")

    def _flags(self, name: str) -> list[str]:
        told = {
            "etcd": lambda: flags.etcd(self.directory),
            "kube-apiserver": lambda: flags.kube_apiserver(self.directory, self.address, PORT),
            "kube-controller-manager": lambda: flags.kube_controller_manager(self.directory),
        }
        return [*told[name](), *self._extra.get(name, ())]

    def _start(self) -> None:
        self.start("etcd")
        self.start("kube-apiserver")
        self.wait_ready()
        # Not before: it gives up when there is no API server within ten seconds.
        self.start("kube-controller-manager")

    def wait_ready(self) -> None:
        """Until /readyz says so; an error with the log's end where a program has ended."""
        deadline = time.monotonic() + START_SECONDS
        while not access.is_ready(self.url, self._ca):
            if time.monotonic() > deadline:
                raise TimeoutError(f"not ready: {self.processes.log('kube-apiserver')}")
            # As long as nothing ends, this is the pause between two looks.
            self.processes.check(within=0.05)
