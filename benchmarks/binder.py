"""What the binder costs: ``python -m benchmarks.binder`` prints, and writes BINDER.md beside this.

The controller and its CLB adapter are real, and so is the HTTP between them and the simulator;
Kubernetes is a model of a Deployment that rolls, so that 200 Pods cost only what the binder makes
of them. Probes succeed at once: until CLB calls a target Alive, the health check takes its time.
"""

from __future__ import annotations

import itertools
import os
import platform
import resource
import statistics
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import date
from pathlib import Path

from binder.cloud.budget import Budget
from binder.cloud.clb import Clb
from binder.cloud.client import Client
from binder.cloud.credentials import Credentials, Environment
from binder.cloud.write import Writer
from binder.controller.balancers import Clocks
from binder.controller.run import Controller
from binder.controller.state import State
from binder.core.actions import SetAddresses, SetGate, Tell
from binder.core.objects import (
    Changes,
    Condition,
    ContainerPort,
    Ingress,
    Pod,
    Service,
    ServicePort,
)
from binder.settings import Settings
from binder.simulator.plane import Plane
from binder.simulator.simulator import KEY, Running, running
from schemas import contract

RESULTS = Path(__file__).with_name("BINDER.md")
CHECK = {"interval_s": 5, "timeout_s": 2, "healthy": 3, "unhealthy": 3}  # the defaults of CLB
PORTS = 3
PRE_STOP = 20.0


class Watch:
    """Keeps what the loops tell."""

    def __init__(self) -> None:
        self.drains: list[float] = []
        self.latencies: list[float] = []

    def beat(self, loop: str) -> None: ...
    def reconciled(self, lb: str, seconds: float, result: str) -> None: ...
    def planned(self, state: State) -> None: ...
    def drained(self, seconds: float) -> None:
        self.drains.append(seconds)

    def opened(self, seconds: float, reason: str) -> None:
        self.latencies.append(seconds)


class Model:
    """Kubernetes, as far as the binder sees it: writes come back as changes at once."""

    since: float | None = 0.0

    def __init__(self) -> None:
        self.state: State | None = None
        self.opened: dict[str, float] = {}  # address: when, on the wall clock
        self.all_open = threading.Event()

    def held(self) -> bool:
        return True

    def enter(self) -> bool:
        return True

    def retire(self) -> None: ...

    def inherited(self) -> Sequence[str]:
        return ()

    def leave_behind(self, _lbs: Iterable[str]) -> None: ...

    def changes(self) -> Changes:
        return Changes(True, time.monotonic())

    def set_gate(self, write: SetGate, before: Condition | None) -> bool:
        assert self.state is not None
        with self.state.lock:
            pod = self.state.view.pods.get(write.uid)
        if pod is not None:
            is_open = write.status == "True"
            if is_open:
                self.opened[pod.ip] = time.time()
            condition = Condition(write.status, write.reason, write.message)
            self.state.put(pod._replace(condition=condition, ready=is_open))
        return True

    def set_addresses(self, write: SetAddresses) -> bool:
        return True

    def tell(self, tell: Tell) -> None: ...

    def live(self, namespace: str) -> tuple[Sequence[Pod], Sequence[Service], Sequence[Ingress]]:
        assert self.state is not None
        with self.state.lock:
            view = self.state.view
            pods = [pod for pod in view.pods.values() if pod.namespace == namespace]
            services = [one for one in view.of(Service) if isinstance(one, Service)]
        return pods, [one for one in services if one.namespace == namespace], []


class Deployment:
    """Pods that are replaced in waves, as a Deployment with maxUnavailable 0 does it."""

    serial = itertools.count(1)

    def __init__(self, state: State, model: Model, name: str, replicas: int) -> None:
        self._state, self._model, self._name = state, model, name
        self.pods: list[Pod] = []
        self._replicas = replicas

    def grow(self, number: int) -> list[Pod]:
        new = []
        for _ in range(number):
            at = next(self.serial)
            pod = Pod(
                f"{at:036d}",
                "shop",
                f"{self._name}-{at}",
                labels={"app": self._name},
                ip=f"10.{at >> 16}.{at >> 8 & 255}.{at & 255}",
                phase="Running",
                ports=tuple(ContainerPort(f"p{n}", 8000 + n) for n in range(PORTS)),
                containers_ready=True,
                gated=True,
                pre_stop=PRE_STOP,
            )
            self._state.put(pod)
            new.append(pod)
        self.pods += new
        return new

    def wait_open(self, pods: list[Pod]) -> None:
        while not all(pod.ip in self._model.opened for pod in pods):
            time.sleep(0.05)

    def roll(self, surge: float) -> None:
        """Replace all; old Pods end PRE_STOP seconds after they were deleted."""
        old, wave = list(self.pods), max(1, int(self._replicas * surge))
        self.pods = []
        while old:
            going, old = old[:wave], old[wave:]
            self.wait_open(self.grow(len(going)))
            for pod in going:
                with self._state.lock:
                    now = self._state.view.pods[pod.uid]
                deleted = time.time()
                self._state.put(now._replace(deleted_at=deleted, dies_at=deleted + 30, ready=False))
                threading.Timer(PRE_STOP, self._state.drop, (now,)).start()


class Bench:
    """Load balancers, a controller, and Deployments."""

    def __init__(self, simulator: Running, lbs: int, ports: int) -> None:
        self.simulator, self.watch, self.model = simulator, Watch(), Model()
        rows = [
            {
                "id": f"lb-{n}",
                "listeners": [
                    {
                        "id": f"lbl-{n}-{port}",
                        "protocol": "TCP",
                        "port": 80 + port,
                        "health_check": CHECK,
                    }
                    for port in range(ports)
                ],
            }
            for n in range(lbs)
        ]
        simulator.world.switches.target_quota = 1000
        simulator.do(lambda: simulator.simulator.sow({"load_balancers": rows}))
        settings = Settings(manage_listeners=False)
        clocks = Clocks(time.monotonic, time.time)
        self.state = self.model.state = State(settings, time.monotonic)
        environment = {
            "TENCENTCLOUD_SECRET_ID": KEY.secret_id,
            "TENCENTCLOUD_SECRET_KEY": KEY.secret_key,
        }
        self.client = Client(
            Credentials(Environment(environment), time.monotonic),
            "ap-guangzhou",
            simulator.endpoint,
            Budget(settings.rate, time.monotonic, time.sleep),
            settings.call_timeout,
            lambda: True,
            protocol="http",
        )
        cloud = Clb(self.client, Writer(self.client))
        self.controller = Controller(self.state, cloud, self.model, self.model, clocks, self.watch)
        for n in range(lbs):
            self.state.put(
                Service(
                    f"service-{n}",
                    "shop",
                    f"web-{n}",
                    "LoadBalancer",
                    contract.LOAD_BALANCER_CLASS,
                    {contract.EXISTING_CLB["service"]: f"lb-{n}"},
                    (("app", f"web-{n}"),),
                    tuple(
                        ServicePort(f"p{port}", 80 + port, "TCP", f"p{port}")
                        for port in range(ports)
                    ),
                )
            )

    def calls(self, since: int) -> Counter[str]:
        entries = self.simulator.do(lambda: self.simulator.world.journal.since(since, "call"))
        return Counter(str(entry["action"]) for entry in entries)

    def last(self) -> int:
        entries = self.simulator.do(lambda: list(self.simulator.world.journal))
        return int(entries[-1]["seq"]) if entries else 0

    def alive_to_open(self) -> list[float]:
        """Seconds from the last Alive of a Pod's targets to its open gate, polls included."""
        entries = self.simulator.do(lambda: self.simulator.world.journal.since(0, "health"))
        alive: dict[str, float] = {}
        for entry in entries:
            if entry["health"] == "Alive":
                alive[entry["ip"]] = max(alive.get(entry["ip"], 0.0), entry["t"])
        return [
            self.model.opened[ip] - at
            for ip, at in alive.items()
            if ip in self.model.opened and self.model.opened[ip] >= at
        ]


async def probe(_check: object, _endpoint: object) -> bool:
    """A Pod that serves."""
    return True


@contextmanager
def bench(lbs: int, ports: int) -> Iterator[Bench]:
    """A bench whose controller runs."""
    with running(plane=Plane(), probe=probe) as simulator:
        made = Bench(simulator, lbs, ports)
        made.controller.start()
        try:
            yield made
        finally:
            made.controller.stop()
            made.client.close()


def main() -> None:
    """Measure, print and write."""
    lines = [
        "# What the binder costs",
        "",
        f"Written by `python -m benchmarks.binder` on {date.today().isoformat()}, on one shared "
        f"machine with {len(os.sched_getaffinity(0))} processors, Python "
        f"{platform.python_version()}. Health checks are those that CLB has by default: "
        "every 5 s, three successes.",
        "",
    ]
    for section in (rollout, many, memory):
        lines += [*section(), ""]
        print("\n".join(lines[-20:]), file=sys.stderr)
    RESULTS.write_text("\n".join(lines), encoding="utf-8")


def rollout() -> list[str]:
    """200 Pods with three ports on one load balancer, a quarter at a time."""
    with bench(1, PORTS) as made:
        web = Deployment(made.state, made.model, "web-0", 200)
        web.wait_open(web.grow(200))
        start, began = made.last(), time.monotonic()
        web.roll(0.25)
        took = time.monotonic() - began
        time.sleep(PRE_STOP + 15)
        return [
            "## A rollout of 200 Pods with 3 ports, 25 % at a time, one load balancer",
            "",
            *_calls(made.calls(start)),
            f"- seconds until the last gate was open: {took:.0f}",
            f"- from CLB's Alive to the open gate: {_shares(made.alive_to_open())}",
            f"- from a deletion to weight 0 acknowledged: {_shares(made.watch.drains)}",
        ]


def many() -> list[str]:
    """Thirty load balancers whose Deployments roll at the same time."""
    with bench(30, 1) as made:
        webs = [Deployment(made.state, made.model, f"web-{n}", 12) for n in range(30)]
        for web in webs:
            web.grow(12)
        for web in webs:
            web.wait_open(web.pods)
        start, began = made.last(), time.monotonic()
        rolls: list[Callable[[], None]] = [lambda web=web: web.roll(0.25) for web in webs]
        threads = [threading.Thread(target=roll) for roll in rolls]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        took = time.monotonic() - began
        time.sleep(PRE_STOP + 15)
        return [
            "## Rollouts of 12 Pods on each of 30 load balancers at once, 25 % at a time",
            "",
            *_calls(made.calls(start)),
            f"- seconds until the last gate was open: {took:.0f}",
            f"- from CLB's Alive to the open gate: {_shares(made.alive_to_open())}",
            f"- from a deletion to weight 0 acknowledged: {_shares(made.watch.drains)}",
        ]


def memory() -> list[str]:
    """20,000 Pods and 1,000 Services in the view, and what a change costs then."""
    before = _resident()
    state = State(Settings(manage_listeners=False), time.monotonic)
    began, cpu = time.monotonic(), time.process_time()
    services = [
        Service(
            f"s{n}",
            f"ns-{n % 50}",
            f"web-{n}",
            "LoadBalancer",
            contract.LOAD_BALANCER_CLASS,
            {contract.EXISTING_CLB["service"]: f"lb-{n % 300}"},
            (("app", f"web-{n}"),),
            (ServicePort("http", 1000 + n, "TCP", "http"),),
        )
        for n in range(1000)
    ]
    labels = [{"app": f"web-{n}", "pod-template-hash": "abcdef"} for n in range(1000)]
    port = (ContainerPort("http", 8080),)
    pods = [
        Pod(
            f"{n:036d}",
            f"ns-{n % 1000 % 50}",
            f"web-{n % 1000}-{n}",
            labels=labels[n % 1000],
            ip=f"10.{n >> 16}.{n >> 8 & 255}.{n & 255}",
            phase="Running",
            ports=port,
            containers_ready=True,
            ready=True,
            gated=True,
            condition=Condition("True"),
        )
        for n in range(20_000)
    ]
    state.replace(Service, services)
    state.replace(Pod, pods)
    took, used = time.monotonic() - began, time.process_time() - cpu
    grown = _resident() - before
    change = time.process_time()
    for pod in pods[:1000]:
        state.put(pod._replace(ready=False))
    each = (time.process_time() - change) / 1000
    return [
        "## 20,000 Pods and 1,000 Services",
        "",
        f"- memory of the view: {grown:.0f} MB",
        f"- time to fill it: {took:.1f} s, {used:.1f} s of CPU (the listing itself not counted)",
        f"- a change of one Pod: {each * 1e6:.0f} us of CPU",
    ]


def _calls(calls: Counter[str]) -> list[str]:
    reads = sum(count for action, count in calls.items() if action.startswith("Describe"))
    total = sum(calls.values())
    shown = ", ".join(f"{action} {count}" for action, count in sorted(calls.items()))
    return [f"- calls: {total}, of which {total - reads} write ({shown})"]


def _shares(seconds: list[float]) -> str:
    ordered = sorted(seconds) or [0.0]
    last = ordered[min(len(ordered) - 1, int(len(ordered) * 0.99))]
    return f"p50 {statistics.median(ordered):.2f} s, p99 {last:.2f} s ({len(seconds)})"


def _resident() -> float:
    """Megabytes of this process now."""
    pages = Path("/proc/self/statm")
    if pages.exists():
        return int(pages.read_text().split()[1]) * resource.getpagesize() / 1e6
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


if __name__ == "__main__":
    main()
