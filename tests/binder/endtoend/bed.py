"""Everything a rollout needs: a load balancer, a Deployment behind it, binders, and clients.

with Bed(control_plane, kubelet, namespace) as bed:
    bed.start_binder()
    bed.deploy(10)
    with bed.load(200) as clients:
        bed.roll()
    assert clients.result.failures == 0
"""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from itertools import takewhile
from pathlib import Path
from typing import Any

from kubernetes.client import ApiClient, AppsV1Api, CoreV1Api
from kubernetes.client.exceptions import ApiException
from urllib3.exceptions import HTTPError

from binder.settings import Settings
from binder.simulator.plane import Plane
from binder.simulator.simulator import KEY, Running, running
from schemas import contract
from tests.binder.endtoend.recorder import CLUSTER, Recorder
from tests.binder.endtoend.wire import Wire
from tests.binder.load import Load, Result
from tests.controlplane.access import create
from tests.controlplane.kubelet import Kubelet
from tests.controlplane.manifests import PORT, deployment
from tests.controlplane.plane import ControlPlane
from tests.controlplane.watching import condition

FRONT = 9080
# A target is Alive after the third probe: later than CLB's readings may lag, so that its Unknown
# has been read, and it need not be watched for longer.
CHECK = {"interval_s": 2, "timeout_s": 1, "healthy": 3, "unhealthy": 2}
GATE = contract.READINESS_GATE
START_SECONDS = 30.0
VIPS = range(2, 16)  # of the control plane's addresses: between its own and those of Pods


class Clients:
    """People who ask, in a thread of their own; `result` is there when they have stopped."""

    def __init__(self, url: str, rate: float, reuse: bool) -> None:
        self.result = Result()
        self._url, self._rate, self._reuse = url, rate, reuse
        self._thread = threading.Thread(target=lambda: asyncio.run(self._main()), name="clients")
        self._started = threading.Event()

    def __enter__(self) -> Clients:
        self._thread.start()
        self._started.wait(START_SECONDS)
        return self

    def __exit__(self, *_: object) -> None:
        self._loop.call_soon_threadsafe(self._load.stop)
        self._thread.join()

    async def _main(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._load = Load(self._url, self._rate, timeout_s=5.0, reuse=self._reuse)
        self._started.set()
        self.result = await self._load.run()


class Binder:
    """A process of the binder."""

    def __init__(self, arguments: list[str], log: Path) -> None:
        self.log = log
        environment = {
            **os.environ,
            "TENCENTCLOUD_SECRET_ID": KEY.secret_id,
            "TENCENTCLOUD_SECRET_KEY": KEY.secret_key,
            "NO_PROXY": "127.0.0.1,localhost",
        }
        program = [sys.executable, "-m", "binder", "run", *arguments]
        with log.open("ab") as out:
            self.process = subprocess.Popen(program, stdout=out, stderr=out, env=environment)

    @property
    def leads(self) -> bool:
        """What it said last of it."""
        text = self.log.read_text(errors="replace")
        return text.rfind(" leading") > text.rfind(" standing by")

    def kill(self) -> None:
        """As the kernel does when memory runs out."""
        self.process.kill()
        self.process.wait()

    def freeze(self) -> None:
        self.process.send_signal(signal.SIGSTOP)

    def thaw(self) -> None:
        self.process.send_signal(signal.SIGCONT)

    def end(self) -> None:
        """As a rollout of the binder does; it gives its lease back."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGCONT)
            self.process.terminate()
            try:
                self.process.wait(15)
            except subprocess.TimeoutExpired:
                self.kill()


class Bed:
    """One load balancer with one listener, one Service, one Deployment."""

    def __init__(
        self,
        control_plane: ControlPlane,
        kubelet: Kubelet,
        namespace: str,
        *,
        kubeconfig: str = "",
        listeners: str = "existing",
        check: Mapping[str, int] | None = None,
        timing: Mapping[str, float] | None = None,
    ) -> None:
        self.control_plane, self.kubelet, self.namespace = control_plane, kubelet, namespace
        self.lb = f"lb-{namespace[-8:]}"
        self.listener = f"lbl-{self.lb[3:]}"
        self._kubeconfig, self._listeners = kubeconfig, listeners
        self._check, self._timing = dict(check or CHECK), dict(timing or {})
        self._binders: list[Binder] = []
        self._vips = iter(VIPS)
        # What the invariants of the journal are checked with, beside what has been watched. That
        # something always serves is not to be asked for where a test takes the listener away.
        self.facts: dict[str, Any] = {"min_available": {self.listener: 1}}

    def __enter__(self) -> Bed:
        with ExitStack() as stack:
            directory = tempfile.mkdtemp(prefix="tke-direct-bed-")
            stack.callback(shutil.rmtree, directory, ignore_errors=True)
            self.directory = Path(directory)
            self.api: ApiClient = stack.enter_context(self.control_plane.client())
            self.core, self.apps = CoreV1Api(self.api), AppsV1Api(self.api)
            self.simulator: Running = stack.enter_context(running(plane=Plane()))
            rows = [] if self._listeners == "owned" else self._seed_listeners()
            self.sow(self.lb, *rows)
            (self.directory / "kubeconfig").write_text(
                self._kubeconfig or self.control_plane.kubeconfig()
            )
            self.recorder = stack.enter_context(Recorder(self.api, namespace=self.namespace))
            stack.callback(self._end_binders)
            self._stack = stack.pop_all()
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        with self._stack:
            if kind is None:
                self.verify()

    def verify(self) -> None:
        """What holds of every run, whatever happened in it; no test can forget to ask."""
        drain = self._timing.get("drain", Settings().drain)
        known = {"grace_s": drain - 0.5, "gone": self.recorder.gone(), **self.facts}
        problems = [*self.recorder.problems, *self.violations(**known)]
        problems += ["a traceback in a log"] * ("Traceback" in self.logs())
        assert not problems, f"{problems}\n{self.logs()[-6000:]}"

    def sow(self, lb: str, *listeners: Mapping[str, Any]) -> None:
        """One more load balancer; no other bed on this machine has its address."""
        vip = str(self.control_plane.block.network[next(self._vips)])
        seed = {"load_balancers": [{"id": lb, "vip": vip, "listeners": listeners}]}
        self.simulator.do(lambda: self.simulator.simulator.sow(seed))

    def _seed_listeners(self) -> list[dict[str, Any]]:
        """Ours, and one for another Service."""
        return [
            {"id": name, "protocol": "TCP", "port": port, "health_check": self._check}
            for name, port in ((self.listener, FRONT), (f"{self.listener}x", FRONT + 1))
        ]

    # --- the binder

    def start_binder(self, *options: str, wire: Wire | None = None) -> Binder:
        """One more; the first to get the lease leads. It reaches the API server by `wire`."""
        kubeconfig = self.directory / "kubeconfig"
        if wire is not None:
            there, here = self.control_plane.url, f"https://localhost:{wire.port}"
            text = kubeconfig.read_text().replace(there, here)
            kubeconfig = self.directory / f"kubeconfig-{wire.port}"
            kubeconfig.write_text(text)
        arguments = [
            *("--kubeconfig", str(kubeconfig)),
            *("--cluster-id", CLUSTER, "--region", "ap-guangzhou"),
            *("--endpoint", f"http://{self.simulator.endpoint}"),
            *("--namespace", self.namespace, "--listeners", self._listeners),
            *("--metrics-port", "0", "--log-format", "text"),
            *(f"--timing={name}={seconds}" for name, seconds in self._timing.items()),
            *options,
        ]
        self._binders.append(Binder(arguments, self.directory / f"binder-{len(self._binders)}.log"))
        return self._binders[-1]

    def logs(self) -> str:
        """What all binders said."""
        return "\n".join(
            f"--- {one.log.name}\n{one.log.read_text(errors='replace')}" for one in self._binders
        )

    def leader(self, other_than: Binder | None = None) -> Binder:
        """Whose log says last that it leads; `other_than` when there is nobody else."""
        for one in reversed(self._binders):
            if one is not other_than and one.process.poll() is None and one.leads:
                return one
        if other_than is not None:
            return other_than
        raise LookupError(f"nobody leads\n{self.logs()[-6000:]}")

    def _end_binders(self) -> None:
        for one in self._binders:
            one.end()

    # --- the cluster

    def service(
        self,
        name: str = "web",
        lb: str | None = None,
        port: int = FRONT,
        target: int | str = "http",
        more: Mapping[str, str] | None = None,
    ) -> None:
        """A Service that the binder serves; it selects the Pods of the Deployment of its name."""
        named = self.lb if lb is None else lb
        annotations = {contract.EXISTING_CLB["service"]: named} if named else {}
        create(
            self.api,
            {
                "apiVersion": "v1",
                "kind": "Service",
                "metadata": {
                    "name": name,
                    "namespace": self.namespace,
                    "annotations": {**annotations, **(more or {})},
                },
                "spec": {
                    "type": "LoadBalancer",
                    "loadBalancerClass": contract.LOAD_BALANCER_CLASS,
                    "allocateLoadBalancerNodePorts": False,
                    "selector": {"app": name},
                    "ports": [{"port": port, "targetPort": target}],
                },
            },
        )

    def ingress(self, name: str = "web") -> None:
        """An Ingress that leads everything to a Deployment, by a listener that the binder makes."""
        meta = {"name": name, "namespace": self.namespace}
        ports = [{"name": "http", "port": 80, "targetPort": "http"}]
        backend = {"service": {"name": name, "port": {"name": "http"}}}
        path = {"path": "/", "pathType": "Prefix", "backend": backend}
        annotations = {
            contract.EXISTING_CLB["ingress"]: self.lb,
            contract.LISTEN_PORTS: json.dumps([{"HTTP": FRONT}]),
        }
        create(
            self.api,
            {
                "apiVersion": "v1",
                "kind": "Service",
                "metadata": meta,
                "spec": {"selector": {"app": name}, "ports": ports},
            },
            {
                "apiVersion": "networking.k8s.io/v1",
                "kind": "Ingress",
                "metadata": {**meta, "annotations": annotations},
                "spec": {
                    "ingressClassName": contract.BINDER_INGRESS_CLASS,
                    "rules": [{"http": {"paths": [path]}}],
                },
            },
        )

    def deploy(
        self,
        replicas: int,
        *,
        gate: str = GATE,
        pre_stop: int = 6,
        surge: str = "25%",
        name: str = "web",
        **spec: Any,
    ) -> None:
        """A Deployment of Pods that wait `pre_stop` seconds before they end; gate "": none."""
        spec |= {
            "lifecycle": {"preStop": {"sleep": {"seconds": pre_stop}}},
            "terminationGracePeriodSeconds": pre_stop + 10,
        }
        if gate:
            spec["readinessGates"] = [{"conditionType": gate}]
        strategy = {"maxSurge": surge, "maxUnavailable": 0}
        create(self.api, deployment(self.namespace, name, replicas, strategy, **spec))

    def roll(self, name: str = "web", seconds: float = 240.0) -> float:
        """Replace all Pods; how long it took until the old ones were gone."""
        began = time.monotonic()
        self.begin_roll(name)
        self.end_roll(name, seconds)
        return time.monotonic() - began

    def begin_roll(self, name: str = "web") -> None:
        change = {"spec": {"template": {"metadata": {"annotations": {"at": str(time.time())}}}}}
        self.apps.patch_namespaced_deployment(name, self.namespace, change)

    def end_roll(self, name: str = "web", seconds: float = 240.0) -> None:
        self.wait("the rollout", lambda: self._rolled(name), seconds)

    def scale(self, replicas: int, name: str = "web") -> None:
        change = {"spec": {"replicas": replicas}}
        self.apps.patch_namespaced_deployment(name, self.namespace, change)

    def ready(self, replicas: int, name: str = "web", seconds: float = 90.0) -> None:
        """Wait for exactly so many Pods, all Ready."""

        def check() -> bool:
            pods = self.pods(name)
            return len(pods) == replicas and all(
                condition(each, "Ready") == "True" for each in pods
            )

        self.wait(f"{replicas} Pods", check, seconds)

    def pods(self, name: str = "web") -> list[Any]:
        listed = self.core.list_namespaced_pod(self.namespace, label_selector=f"app={name}")
        return list(listed.items)

    def gate_of(self, pod: Any) -> Any:
        """The condition of our gate, None when there is none."""
        kinds = {each.type: each for each in pod.status.conditions or ()}
        return kinds.get(GATE)

    def events(self) -> list[tuple[str, str]]:
        """Reason and message of each."""
        listed = self.core.list_namespaced_event(self.namespace)
        return [(each.reason, each.message) for each in listed.items]

    def _rolled(self, name: str) -> bool:
        one = self.apps.read_namespaced_deployment(name, self.namespace)
        status, wanted = one.status, one.spec.replicas
        assert status
        return (
            status.observed_generation == one.metadata.generation
            and status.updated_replicas == status.ready_replicas == status.replicas == wanted
            and len(self.pods(name)) == wanted
        )

    def node_ready(self, name: str) -> str:
        """The status of its condition Ready."""
        return condition(self.core.read_node(name), "Ready")

    # --- the load balancer

    def alive(self, lb: str = "", seconds: float = 60.0) -> None:
        """Wait until CLB serves every target of a load balancer, and that it has some."""

        def check() -> bool:
            found = self.targets(lb=lb).values()
            return bool(found) and all(health == "Alive" for _, health in found)

        self.wait("that all are Alive", check, seconds)

    def bound(self) -> set[tuple[str, int]]:
        """Addresses and ports of all targets, wherever they are bound."""
        lbs = self.simulator.do(lambda: list(self.simulator.world.load_balancers))
        return {key for lb in lbs for key in self.targets(lb=lb)}

    def targets(self, listener: str = "", lb: str = "") -> dict[tuple[str, int], tuple[int, str]]:
        """Address and port of each, of one listener or all: weight and health."""

        def read() -> dict[tuple[str, int], tuple[int, str]]:
            found = self.simulator.world.load_balancers.get(lb or self.lb)
            return {
                (target.endpoint.ip, target.endpoint.port): (
                    target.weight,
                    target.health.value,
                )
                for row in (found.listeners.values() if found else ())
                if listener in ("", row.id)
                for group in row.groups.values()
                for target in group.targets.values()
            }

        return self.simulator.do(read)

    def url(self, lb: str = "") -> str:
        vip = self.simulator.do(lambda: self.simulator.world.load_balancers[lb or self.lb].vip)
        return f"http://{vip}:{FRONT}/"

    def fault(self, effect: str, **row: Any) -> None:
        """Inject a fault, see the simulator's help."""
        self._post("faults", {"effect": effect, **row})

    def journal(self) -> list[dict[str, Any]]:
        with urllib.request.urlopen(f"{self.simulator.admin}/journal", timeout=10) as answer:
            return [json.loads(line) for line in answer.read().splitlines()]

    def violations(self, **wanted: Any) -> Any:
        """What the simulator's invariant checker found in its journal."""
        return self._post("invariants", wanted)

    def no_faults(self) -> None:
        self.simulator.do(self.simulator.world.faults.remove)

    def switch(self, **values: Any) -> None:
        """Set switches of the simulator."""
        self._post("switches", values)

    def _post(self, path: str, body: Any) -> Any:
        request = urllib.request.Request(
            f"{self.simulator.admin}/{path}",
            json.dumps(body).encode(),
            {"Content-Type": "application/json"},
        )
        with urllib.request.urlopen(request, timeout=10) as answer:
            return json.loads(answer.read() or b"null")

    def mark(self) -> int:
        """Where the journal ends."""
        return self.simulator.do(lambda: max((row["seq"] for row in self._rows()), default=0))

    def happened(self, since: int, **wanted: Any) -> bool:
        """Whether the journal has an entry after number `since` with these values."""

        def look() -> bool:
            news = takewhile(lambda row: row["seq"] > since, self._rows())
            return any(wanted.items() <= row.items() for row in news)

        return self.simulator.do(look)

    def read_since(self, since: int) -> bool:
        """Whether the binder has asked for our load balancer since entry `since`."""

        def look() -> bool:
            news = takewhile(lambda row: row["seq"] > since, self._rows())
            calls = [row for row in news if row["kind"] == "call" and self.lb in row["lbs"]]
            return any(row["action"].startswith("Describe") for row in calls)

        return self.simulator.do(look)

    def _rows(self) -> Iterator[dict[str, Any]]:
        return reversed(self.simulator.world.journal._ring)  # the newest first

    def bound_to(self, pods: int, name: str = "web", seconds: float = 120.0) -> None:
        """Wait until the targets are exactly the Pods of a Deployment, with weight."""

        def check() -> bool:
            there = {(pod.status.pod_ip, PORT) for pod in self.pods(name)}
            one = "" if self._listeners == "owned" else self.listener
            found = {key: weight for key, (weight, _) in self.targets(one).items()}
            return len(there) == pods and found == dict.fromkeys(there, 10)

        self.wait("that exactly the Pods are bound", check, seconds)

    # --- people

    @contextmanager
    def load(self, rate: float, *, reuse: bool = False, lb: str = "") -> Iterator[Clients]:
        """Clients who ask `rate` times per second while the block lasts."""
        clients = Clients(self.url(lb), rate, reuse)
        with clients:
            yield clients

    def wait(
        self, what: str, check: Callable[[], bool], seconds: float = 60.0, pause: float = 0.2
    ) -> None:
        """Look until `check` says yes; TimeoutError tells what the binders said."""
        end = time.monotonic() + seconds
        while not _answered(check):
            if any(one.process.poll() not in (None, 0, -signal.SIGKILL) for one in self._binders):
                raise RuntimeError(f"a binder ended\n{self.logs()[-6000:]}")
            if time.monotonic() > end:
                gates = [
                    (each.metadata.name, getattr(self.gate_of(each), "message", None))
                    for each in self.pods()
                ]
                raise TimeoutError(f"{what}\n{gates}\n{self.targets()}\n{self.logs()[-6000:]}")
            time.sleep(pause)


def _answered(check: Callable[[], bool]) -> bool:
    """What `check` says; False while the API server is away."""
    try:
        return check()
    except ApiException as error:
        if error.status is not None and error.status < 500 and error.status != 429:
            raise
    except (HTTPError, OSError):
        pass
    return False


__all__ = ["CHECK", "FRONT", "GATE", "PORT", "Bed", "Binder", "Clients"]
