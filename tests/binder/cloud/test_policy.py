"""The CAM policy that is shipped: what the code calls, and nothing else."""

from __future__ import annotations

import json
import re
from pathlib import Path

from binder.cloud import read
from binder.cloud.steps import STEPS

POLICY = Path(__file__).parents[3] / "kustomize-plugin" / "binder" / "cam-policy.json"
STATEMENTS = json.loads(POLICY.read_text())["statement"]


def test_it_allows_every_action_of_the_code_and_no_other() -> None:
    reads = re.findall(r'"(Describe\w+)"', Path(read.__file__).read_text())
    wanted = {f"clb:{name}" for name in (*reads, *(step.api for step in STEPS))}
    given = [action for row in STATEMENTS for action in row["action"]]
    assert sorted(given) == sorted(wanted)


def test_it_deletes_no_load_balancer_and_no_whole_set_of_listeners() -> None:
    assert "LoadBalancer" not in re.sub("DescribeLoadBalancers", "", POLICY.read_text())


def test_writes_are_for_named_resources_only() -> None:
    for row in STATEMENTS:
        reads_only = all(action.startswith("clb:Describe") for action in row["action"])
        assert reads_only or "*" not in row["resource"]
