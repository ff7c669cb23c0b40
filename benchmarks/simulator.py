"""How fast the CLB simulator is: ``python -m benchmarks.simulator``.

The simulator runs in a process of its own, held to one core. A raw client signs each call and reads
the reply from a connection that stays open; the real SDK itself costs about a millisecond a call.
"""

from __future__ import annotations

import http.client
import json
import multiprocessing
import os
import resource
import time
from multiprocessing.connection import Connection
from typing import Any

from binder.simulator.clock import RealClock
from binder.simulator.seed import sow
from binder.simulator.signature import Claim, Request, day, sign
from binder.simulator.simulator import KEY, running
from binder.simulator.tasks import Pace

CALLS = 3000
TARGETS = 3000
LEAST_CALLS_PER_S = 500


def main() -> None:
    """Measure and print; exits with 1 where the simulator is too slow."""
    ours, theirs = multiprocessing.Pipe()
    process = multiprocessing.get_context("spawn").Process(target=serve, args=(theirs,))
    process.start()
    port: int = ours.recv()
    client = Client(port)
    rate = calls_per_second(client, "DescribeTargets", {"LoadBalancerId": "lb-small"})
    chunk = [{"ListenerId": "lbl-1", "EniIp": "10.200.0.1", "Port": 80, "Weight": 10}]
    writes = calls_per_second(
        client, "BatchRegisterTargets", {"LoadBalancerId": "lb-small", "Targets": chunk}
    )
    begin = time.perf_counter()
    reply = client.call("DescribeTargetHealth", {"LoadBalancerIds": ["lb-large"]})
    took = time.perf_counter() - begin
    rules = json.loads(reply)["Response"]["LoadBalancers"][0]["Listeners"][0]["Rules"]
    ours.send("stop")
    cpu: float = ours.recv()
    process.join()
    print(f"DescribeTargets         {rate:6.0f} signed calls/s")
    print(f"BatchRegisterTargets    {writes:6.0f} signed calls/s")
    print(f"CPU of the simulator    {cpu / (2 * CALLS) * 1e6:6.0f} us a call, one core")
    shown = f"{len(rules[0]['Targets'])} targets, {len(reply) / 1024:.0f} KiB"
    print(f"DescribeTargetHealth    {took * 1e3:6.1f} ms for {shown}")
    raise SystemExit(rate < LEAST_CALLS_PER_S)


def serve(pipe: Connection) -> None:
    """Run a simulator on one core until told to stop; say how much CPU it took since the start."""
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    pace = Pace(reply_takes_time=False)
    with running(clock=RealClock(), pace=pace) as simulator:
        world = simulator.world
        world.switches.requests_per_second = 0
        world.switches.target_quota = TARGETS
        simulator.do(lambda: sow(world, seed()))
        before = resource.getrusage(resource.RUSAGE_SELF)
        pipe.send(simulator.simulator.api_port)
        pipe.recv()
        after = resource.getrusage(resource.RUSAGE_SELF)
        used = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
        pipe.send(used)


def seed() -> dict[str, Any]:
    """A load balancer with ten targets, and one with as many as a reply should carry."""

    def lb(name: str, listener: str, count: int) -> dict[str, Any]:
        targets = [
            {"ip": f"10.{at // 62500}.{at // 250 % 250}.{at % 250}", "port": 80}
            for at in range(count)
        ]
        row = {"id": listener, "protocol": "TCP", "port": 80, "targets": targets}
        return {"id": name, "listeners": [row]}

    return {"load_balancers": [lb("lb-small", "lbl-1", 10), lb("lb-large", "lbl-2", TARGETS)]}


class Client:
    """One connection, each call signed."""

    def __init__(self, port: int) -> None:
        self._connection = http.client.HTTPConnection("127.0.0.1", port)
        self._host = f"127.0.0.1:{port}"

    def call(self, action: str, params: dict[str, Any]) -> bytes:
        """The body of the reply, which has to be a success."""
        body = json.dumps(params).encode()
        now = int(time.time())
        headers = {
            "host": self._host,
            "content-type": "application/json",
            "x-tc-action": action,
            "x-tc-version": "2018-03-17",
            "x-tc-region": "ap-guangzhou",
            "x-tc-timestamp": str(now),
        }
        claimed = Claim(KEY.secret_id, day(now), "clb", ("content-type", "host"), "")
        signature = sign(Request("POST", "", headers, body), claimed, KEY.secret_key)
        headers["authorization"] = (
            f"TC3-HMAC-SHA256 Credential={KEY.secret_id}/{claimed.date}/clb/tc3_request, "
            f"SignedHeaders=content-type;host, Signature={signature}"
        )
        self._connection.request("POST", "/", body, headers)
        reply = self._connection.getresponse().read()
        if b'"Error"' in reply:
            raise SystemExit(reply.decode())
        return reply


def calls_per_second(client: Client, action: str, params: dict[str, Any]) -> float:
    """How often `action` can be called in a second, one call after the other."""
    begin = time.perf_counter()
    for _ in range(CALLS):
        client.call(action, params)
    return CALLS / (time.perf_counter() - begin)


if __name__ == "__main__":
    main()
