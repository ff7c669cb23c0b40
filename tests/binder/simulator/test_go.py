"""A second client, with which nobody here had to do: Tencent Cloud's SDK for Go."""

from __future__ import annotations

import json
import subprocess
from typing import Any

import pytest

from binder.simulator.clock import RealClock
from binder.simulator.simulator import KEY, running
from binder.simulator.tasks import Pace
from tests.binder.simulator.bed import LB, SEED
from tests.peers import needs, peer


@needs("clb-go")
@pytest.mark.parametrize("method", ["POST", "GET"])
def test_the_sdk_for_go_takes_a_target_through_its_life(method: str) -> None:
    steps = life(method)
    assert steps["create"]["value"] == 0  # the status of its task
    assert steps["register"]["value"] == []
    (lb,) = steps["health"]["value"]
    (target,) = next(row for row in lb["Listeners"] if row["Port"] == 9000)["Rules"][0]["Targets"]
    assert (target["IP"], target["HealthStatus"]) == ("10.0.0.1", False)
    # This version knows the misspelt field only, which is why it has to be there.
    assert target["HealthStatusDetial"] == "Unknown"
    assert steps["weight"]["value"] == 0
    before, after = steps["targets"]["value"], steps["targets again"]["value"]
    assert [(row["PrivateIpAddresses"], row["Weight"]) for row in before] == [(["10.0.0.1"], 0)]
    assert steps["deregister"]["value"] == []
    assert after == []
    assert steps["unknown"]["code"] == "InvalidParameter.LBIdNotFound"
    assert steps["unknown"]["message"] == "LB not exist: lb-unknown"


def life(method: str) -> dict[str, Any]:
    """What the client printed, by step."""
    with running(clock=RealClock(), pace=Pace(base_s=0.01, per_step_s=0)) as simulator:
        simulator.do(lambda: simulator.simulator.sow(SEED))
        command = [str(peer("clb-go")), simulator.endpoint, KEY.secret_id, KEY.secret_key, LB]
        done = subprocess.run([*command, method], capture_output=True, text=True, timeout=30)
        calls = simulator.world.journal.since(kind="call")
    assert (done.returncode, done.stderr) == (0, ""), done.stdout
    assert {row["outcome"] for row in calls[:-1]} == {"OK"}
    steps: dict[str, Any] = {}
    for line in done.stdout.splitlines():
        row = json.loads(line)
        again = row["step"] in steps
        steps[f"{row['step']} again" if again else row["step"]] = row
    return steps
