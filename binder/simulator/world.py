"""The simulated world: accounts, load balancers, tasks, and whoever wants to know of changes.

The data plane and the probes subscribe to ``changed`` (a load balancer's configuration or targets
are not what they were) and report to ``note_health``.
"""

from __future__ import annotations

import asyncio
import ipaddress
import uuid
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field
from random import Random
from typing import Any

from binder.simulator.accounts import Accounts
from binder.simulator.clock import Clock
from binder.simulator.errors import ApiError
from binder.simulator.faults import Faults
from binder.simulator.journal import Journal
from binder.simulator.limits import Windows
from binder.simulator.model import Group, Listener, LoadBalancer, Target
from binder.simulator.snapshots import Snapshots
from binder.simulator.switches import Switches
from binder.simulator.tasks import Pace, Tasks

# Regions of the CLB API documentation; another one is UnsupportedRegion.
REGIONS = frozenset(
    {
        *("ap-bangkok", "ap-beijing", "ap-chengdu", "ap-chongqing", "ap-guangzhou", "ap-hongkong"),
        *("ap-jakarta", "ap-mumbai", "ap-nanjing", "ap-seoul", "ap-shanghai", "ap-shenzhen-fsi"),
        *("ap-shanghai-fsi", "ap-singapore", "ap-taipei", "ap-tokyo", "eu-frankfurt"),
        *("na-ashburn", "na-siliconvalley", "sa-saopaulo"),
    }
)

# Limits as DescribeQuota was seen to give them; that of targets is a switch.
QUOTAS = {
    "TOTAL_OPEN_CLB_QUOTA": 100,
    "TOTAL_INTERNAL_CLB_QUOTA": 200,
    "TOTAL_LISTENER_QUOTA": 50,
    "TOTAL_LISTENER_RULE_QUOTA": 50,
    "TOTAL_SNAT_IP_QUOTA": 10,
    "TOTAL_FULL_PORT_RANGE_LISTENER_QUOTA": 1,
    "TOTAL_ISP_CLB_QUOTA": 15,
}

_LETTERS = "0123456789abcdefghijklmnopqrstuvwxyz"
_VIPS = ipaddress.ip_network("127.64.0.0/16")


@dataclass(eq=False)
class World:
    """Everything there is. Touch it in its event loop only, between two awaits."""

    clock: Clock
    region: str = "ap-guangzhou"
    seed: int = 0
    switches: Switches = field(default_factory=Switches)
    pace: Pace = field(default_factory=Pace)
    journal: Journal = field(default_factory=Journal)
    accounts: Accounts = field(default_factory=Accounts)
    load_balancers: dict[str, LoadBalancer] = field(default_factory=dict)
    tasks: Tasks = field(default_factory=Tasks)
    snapshots: Snapshots = field(default_factory=Snapshots)
    quotas: dict[str, int] = field(default_factory=dict)  # where they differ from QUOTAS
    instances: dict[str, str] = field(default_factory=dict)  # InstanceId: its address
    vpc_networks: list[str] = field(default_factory=lambda: ["10.0.0.0/8", "127.0.0.0/8"])
    client_tokens: dict[str, dict[str, Any]] = field(default_factory=dict)
    deletions: list[float] = field(default_factory=list)  # when load balancers were deleted
    changed: list[Callable[[str], None]] = field(default_factory=list)
    # Shuts the API port for some seconds; whoever has such a port puts it here.
    refuse: Callable[[float], None] = lambda _seconds: None

    def __post_init__(self) -> None:
        # Not for secrets: the same seed gives the same identifiers and the same faults.
        self.random = Random(self.seed)  # noqa: S311
        self.faults = Faults(Random(self.seed + 1))  # noqa: S311
        self.windows = Windows(self.switches)
        self._vips = _VIPS.hosts()
        self._running: set[asyncio.Task[None]] = set()

    def now(self) -> float:
        """Seconds of the clock."""
        return self.clock.now()

    def new_id(self, prefix: str) -> str:
        """An identifier such as lb-1a2b3c4d."""
        return f"{prefix}-{''.join(self.random.choices(_LETTERS, k=8))}"

    def new_request_id(self) -> str:
        """A RequestId, which is a TaskId too."""
        return str(uuid.UUID(int=self.random.getrandbits(128), version=4))

    def new_vip(self) -> str:
        """A loopback address that no load balancer has."""
        taken = {lb.vip for lb in self.load_balancers.values()}
        return next(str(vip) for vip in self._vips if str(vip) not in taken)

    def quota(self, name: str) -> int:
        """The limit that holds."""
        if name == "TOTAL_TARGET_BIND_QUOTA":
            return self.quotas.get(name, self.switches.target_quota)
        return self.quotas.get(name, QUOTAS[name])

    def require_lb(self, name: str, region: str | None = None) -> LoadBalancer:
        """The load balancer `name`, LBIdNotFound where the region has none."""
        lb = self.load_balancers.get(name)
        if lb is None or (region and lb.region != region):
            raise ApiError("InvalidParameter.LBIdNotFound", lb=name)
        return lb

    def touch(self, name: str) -> None:
        """Tell everybody that the load balancer `name` is not what it was."""
        self.snapshots.take(name, self.load_balancers.get(name), self.now())
        for listen in self.changed:
            listen(name)

    def note_health(
        self, lb: LoadBalancer, listener: Listener, group: Group, target: Target
    ) -> None:
        """Write down that probes think otherwise of `target` than before."""
        self.snapshots.take(lb.id, lb, self.now())
        self.journal.add(
            "health",
            self.now(),
            lb=lb.id,
            listener=listener.id,
            location=group.id if listener.is_l7 else "",
            ip=target.endpoint.ip,
            port=target.endpoint.port,
            health=target.health.value,
        )

    def spawn(self, work: Coroutine[Any, Any, None]) -> None:
        """Run `work` beside the rest until it ends or the simulator does."""
        task = asyncio.get_running_loop().create_task(work)
        self._running.add(task)
        task.add_done_callback(self._running.discard)

    def reset(self) -> None:
        """Begin anew: only keys, roles, instances and switches stay."""
        gone = list(self.load_balancers)
        self.load_balancers.clear()
        self.tasks = Tasks()
        self.snapshots = Snapshots()
        self.faults.remove()
        self.journal.clear()
        self.quotas.clear()
        self.client_tokens.clear()
        self.deletions.clear()
        for name in gone:
            self.touch(name)

    async def stop(self) -> None:
        """End whatever ``spawn`` began."""
        running = list(self._running)
        for task in running:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)
