"""What is written down, and the admin port that shows it."""

from __future__ import annotations

import hashlib
import io
import json
import urllib.error
import urllib.request
from typing import Any

import pytest

from binder.simulator.journal import Journal
from tests.binder.simulator.bed import LB, TCP, Bed

IP = "10.0.0.1"


def entries(bed: Bed, kind: str) -> list[dict[str, Any]]:
    url = f"{bed.simulator.admin}/journal?kind={kind}"
    with urllib.request.urlopen(url) as reply:
        return [json.loads(line) for line in reply]


def test_a_call_is_written_down_with_its_outcome(bed: Bed) -> None:
    bed.bind(IP)
    bed.error("DescribeTargets", LoadBalancerId="lb-2")
    good, bad = entries(bed, "call")
    assert (good["action"], good["outcome"], good["lbs"]) == ("BatchRegisterTargets", "OK", [LB])
    assert (good["account"], good["writes"], good["region"]) == ("sub-1", True, "ap-guangzhou")
    assert bad["outcome"] == "InvalidParameter.LBIdNotFound"
    body = json.dumps({"LoadBalancerId": "lb-2"}).encode()
    assert bad["body"] == hashlib.sha256(body).hexdigest()


def test_who_did_not_get_in_is_written_down_too(bed: Bed) -> None:
    bed.error("DescribeQuota", bed.new_client(secret_key="wrong"))
    (row,) = entries(bed, "call")
    assert (row["account"], row["outcome"]) == ("", "AuthFailure.SignatureFailure")


def test_changes_say_who_made_them_and_with_which_call(bed: Bed) -> None:
    reply = bed.bind(IP, Tag="pod-1")
    bed.fault("weight", parameters={"ip": IP, "weight": 1})
    bound, weighed = entries(bed, "change")[-2:]
    assert (bound["what"], bound["by"], bound["request_id"]) == ("bound", "sub-1", reply.RequestId)
    assert (bound["ip"], bound["port"], bound["tag"], bound["weight"]) == (IP, 80, "pod-1", 10)
    assert (weighed["what"], weighed["by"]) == ("weight", "somebody-else")
    assert (weighed["before"], weighed["weight"]) == (10, 1)


def test_tasks_and_health_are_written_down(bed: Bed) -> None:
    bed.bind(IP)
    bed.done("ModifyListener", LoadBalancerId=LB, ListenerId=TCP, ListenerName="n")
    bed.fault("set-health", parameters={"health": "Dead"})
    task = entries(bed, "task")[-1]
    assert (task["action"], task["status"], task["lbs"]) == ("ModifyListener", 0, [LB])
    assert task["t"] - task["started"] == pytest.approx(0.22)
    assert entries(bed, "health")[-1]["health"] == "Dead"


def test_faults_are_written_down(bed: Bed) -> None:
    bed.fault("delay", action="DescribeQuota", parameters={"seconds": 0})
    bed.call("DescribeQuota")
    (row,) = entries(bed, "fault")
    assert row["effect"] == "delay"


def test_the_ring_forgets_and_the_file_does_not() -> None:
    file = io.StringIO()
    journal = Journal(most=2, file=file)
    for at in range(3):
        journal.add("call", at, action=f"店-{at}")
    assert [row["seq"] for row in journal] == [2, 3]
    assert [row["seq"] for row in journal.since(2)] == [3]
    lines = file.getvalue().splitlines()
    assert [json.loads(line)["action"] for line in lines] == ["店-0", "店-1", "店-2"]


def test_the_state_shows_everything(bed: Bed) -> None:
    bed.bind(IP)
    with urllib.request.urlopen(f"{bed.simulator.admin}/state") as reply:
        state = json.load(reply)
    (lb,) = state["load_balancers"]
    target = lb["listeners"][0]["groups"][0]["targets"][0]
    assert (lb["id"], target["ip"], target["health"]) == (LB, IP, "Unknown")


def test_reset_begins_anew(bed: Bed) -> None:
    bed.bind(IP)
    bed.fault("error", parameters={"code": "InternalError"})
    bed.admin("reset")
    assert entries(bed, "change") == []
    assert bed.call("DescribeLoadBalancers").TotalCount == 0


def test_the_clock_moves(bed: Bed) -> None:
    before = bed.world.now()
    assert bed.admin("clock", advance=15) == {"now": before + 15}


@pytest.mark.parametrize(
    ("path", "given", "said"),
    [
        ("clock", {"skew": 1}, "VirtualClock cannot"),
        ("clock", {}, "cannot do"),
        ("faults", {"effect": "magic"}, "no such effect"),
        ("faults", {"colour": 1}, "colour"),
        ("switches", {"colour": 1}, "no such switch"),
        ("switches", {"target_quota": "many"}, "takes int"),
        ("switches", {"outside_vpc": "maybe"}, "one of ok, error"),
        ("seed", {"colour": 1}, "colour"),
        ("seed", {"load_balancers": [{"id": LB}]}, "there already"),
        ("seed", {"load_balancers": [{"colour": 1}]}, "colour"),
        ("invariants", {"colour": 1}, "no such fact"),
    ],
)
def test_what_is_wrong_is_said(bed: Bed, path: str, given: dict[str, Any], said: str) -> None:
    with pytest.raises(urllib.error.HTTPError) as caught:
        bed.admin(path, **given)
    with caught.value as reply:
        assert reply.code == 400
        assert said in json.load(reply)["error"]


def test_switches_come_with_their_questions(bed: Bed) -> None:
    with urllib.request.urlopen(f"{bed.simulator.admin}/switches") as reply:
        rows = json.load(reply)
    assert rows["target_quota"]["value"] == rows["target_quota"]["default"] == 200
    assert all(row["question"].endswith((".", "?", "all.")) for row in rows.values())
    assert rows["deregister_missing"]["choices"] == ["fail-listener", "ok", "error"]


def test_a_seed_may_bring_keys_and_targets(bed: Bed) -> None:
    key = {"secret_id": "AKID2", "secret_key": "k", "account": "sub-2", "grants": [["*", LB]]}
    row = {
        "id": "lb-2",
        "listeners": [
            {"protocol": "UDP", "port": 53, "targets": [{"ip": IP, "port": 53, "weight": 5}]}
        ],
    }
    bed.admin("seed", keys=[key], load_balancers=[row])
    (listener,) = bed.call("DescribeTargets", LoadBalancerId="lb-2").Listeners
    assert listener.Targets[0].Weight == 5
    error = bed.error("DescribeTargets", bed.new_client("AKID2", "k"), LoadBalancerId="lb-2")
    assert error.code == "UnauthorizedOperation"


def test_faults_are_listed_and_taken_back(bed: Bed) -> None:
    number = bed.fault("delay", parameters={"seconds": 0})["id"]
    with urllib.request.urlopen(f"{bed.simulator.admin}/faults") as reply:
        assert [row["effect"] for row in json.load(reply)] == ["delay"]
    request = urllib.request.Request(f"{bed.simulator.admin}/faults/{number}", method="DELETE")
    with urllib.request.urlopen(request) as reply:
        assert json.load(reply) == []
