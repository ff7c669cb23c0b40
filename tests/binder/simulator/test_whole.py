"""The API, the probes and the data plane together."""

from __future__ import annotations

import asyncio
import threading

import pytest

from binder.simulator.clock import RealClock, VirtualClock
from binder.simulator.model import Endpoint, HealthCheck
from binder.simulator.plane import Plane
from binder.simulator.simulator import running
from binder.simulator.tasks import Pace
from tests.binder.simulator.bed import LB, SEED, TCP, Bed, time_of


async def always(_check: HealthCheck, _endpoint: Endpoint) -> bool:
    return True


def test_a_target_becomes_alive_when_probes_say_so(monkeypatch: pytest.MonkeyPatch) -> None:
    plane = Plane(place=lambda lb, _listener: (lb.vip, 0))
    with running(clock=VirtualClock(), plane=plane, probe=always) as simulator:
        monkeypatch.setattr("tencentcloud.common.abstract_client.time", time_of(simulator.world))
        simulator.do(lambda: simulator.simulator.sow(SEED))
        bed = Bed(simulator)
        bed.bind("127.0.0.1")
        assert health(bed) == "Unknown"
        simulator.advance(15)  # three successes, five seconds apart
        assert health(bed) == "Alive"
        assert [row["health"] for row in simulator.world.journal.since(kind="health")] == ["Alive"]
        bed.call("BatchDeregisterTargets", LoadBalancerId=LB, Targets=[place()])
        bed.done("DeleteLoadBalancer", LoadBalancerIds=[LB])
        bed.close()


def place() -> dict[str, object]:
    return {"ListenerId": TCP, "EniIp": "127.0.0.1", "Port": 80}


def health(bed: Bed) -> str:
    (lb,) = bed.call("DescribeTargetHealth", LoadBalancerIds=[LB]).LoadBalancers
    return str(lb.Listeners[0].Rules[0].Targets[0].HealthStatusDetail)


def test_with_a_real_clock_a_batch_takes_its_time() -> None:
    """And holds the load balancer, so that one of two at once is refused."""
    pace = Pace(base_s=0.2, per_step_s=0)
    outcomes = []
    with running(clock=RealClock(), pace=pace) as simulator:
        simulator.do(lambda: simulator.simulator.sow(SEED))
        bed = Bed(simulator)

        def bind() -> None:
            body = {"LoadBalancerId": LB, "Targets": [place()]}
            outcomes.append(getattr(bed.raw("BatchRegisterTargets", body), "code", "OK"))

        threads = [threading.Thread(target=bind) for _ in range(2)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert simulator.world.journal.since(kind="task")[0]["t"] >= 0.2
        bed.close()
    assert sorted(outcomes) == ["FailedOperation.ResourceInOperating", "OK"]


def test_a_real_clock_may_be_wrong() -> None:
    with running(clock=RealClock()) as simulator:
        bed = Bed(simulator)
        assert bed.call("DescribeQuota").QuotaSet
        bed.admin("clock", skew=302)
        assert bed.error("DescribeQuota").code == "AuthFailure.SignatureExpire"
        with pytest.raises(TypeError, match="virtual"):
            simulator.advance(1)
        bed.close()


def test_what_fails_to_start_is_told() -> None:
    with running(clock=RealClock()) as simulator:
        again = running(clock=RealClock(), port=simulator.simulator.api_port)
        with pytest.raises(OSError, match="in use"), again:
            pass


def test_the_same_calls_give_the_same_journal(monkeypatch: pytest.MonkeyPatch) -> None:
    def played() -> list[dict[str, object]]:
        with running(clock=VirtualClock()) as simulator:
            monkeypatch.setattr(
                "tencentcloud.common.abstract_client.time", time_of(simulator.world)
            )
            simulator.do(lambda: simulator.simulator.sow(SEED))
            bed = Bed(simulator)
            error = {"code": "InternalError"}
            bed.fault("error", action="DescribeQuota", probability=0.5, parameters=error)
            for _ in range(10):
                bed.raw("DescribeQuota", {})
            bed.done("CreateListener", LoadBalancerId=LB, Ports=[90], Protocol="TCP")
            bed.bind("127.0.0.1")
            bed.close()
            return list(simulator.world.journal)

    assert played() == played()


def test_it_leaves_nothing_behind() -> None:
    with running(clock=RealClock()) as simulator:
        simulator.do(lambda: simulator.simulator.sow(SEED))
        simulator.do(lambda: simulator.world.spawn(asyncio.sleep(3600)))
    assert "simulator" not in {thread.name for thread in threading.enumerate()}
