"""Each documented error of each action: provoked where a caller can, injected where not."""

from __future__ import annotations

from typing import Any

import pytest

from binder.simulator.actions import ACTIONS
from binder.simulator.errors import ApiError, within
from tests.binder.simulator.bed import HTTP, LB, TCP, Bed
from tests.binder.simulator.provoked import GOOD, INJECTED, PROVOKED, UNPROVOKED, addresses
from tests.binder.simulator.test_replies import CALLS

DOCUMENTED = [
    (action, code)
    for action, row in ACTIONS.items()
    if row.service == "clb"
    for code in sorted(row.errors)
]


@pytest.mark.parametrize(("action", "code"), DOCUMENTED)
def test_each_documented_error_is_reachable(bed: Bed, action: str, code: str) -> None:
    provoke = PROVOKED.get((action, code))
    if provoke is None:
        bed.fault("error", action=action, parameters={"code": code})
    params = provoke(bed) if provoke else CALLS[action]
    error = bed.raw(action, params)
    assert (error.code, bool(error.message), bool(error.requestId)) == (code, True, True)


def test_nothing_is_injected_that_could_be_provoked() -> None:
    for action, code in DOCUMENTED:
        if (action, code) in PROVOKED or code in INJECTED:
            continue
        no_format = code.endswith("FormatError") and not addresses(action)
        assert no_format or action in UNPROVOKED.get(code, ()), (action, code)


def test_no_error_leaves_the_set_of_its_action() -> None:
    documented = ACTIONS["RegisterTargets"].errors
    assert within("InvalidParameter.LBIdNotFound", documented) == "InvalidParameter"
    assert within("InvalidParameterValue.Range", documented) == "InvalidParameterValue"
    assert within("RequestLimitExceeded.UinLimitExceeded", documented).endswith("UinLimitExceeded")
    assert within("AuthFailure.TokenFailure", documented) == "AuthFailure.TokenFailure"


@pytest.mark.parametrize("language", ["en-US", "zh-CN"])
def test_every_documented_code_has_words(language: str) -> None:
    for action in ACTIONS.values():
        for code in action.errors:
            assert ApiError(code).message(language)


@pytest.mark.parametrize(
    ("action", "body", "code"),
    [
        ("DescribeTargets", {}, "MissingParameter"),
        ("DescribeTargets", {"LoadBalancerId": LB, "Colour": 1}, "UnknownParameter"),
        ("DescribeTargets", {"LoadBalancerId": ""}, "MissingParameter"),
        ("DescribeTargets", {"LoadBalancerId": LB, "Port": "80"}, "InvalidParameter"),
        ("DescribeTargets", {"LoadBalancerId": LB, "Port": True}, "InvalidParameter"),
        (
            "BatchRegisterTargets",
            {"LoadBalancerId": LB, "Targets": [{"ListenerId": TCP, "Ip": "x"}]},
            "UnknownParameter",
        ),
        ("BatchRegisterTargets", {"LoadBalancerId": LB, "Targets": []}, "MissingParameter"),
        (
            "RegisterTargets",
            {"LoadBalancerId": LB, "ListenerId": HTTP, "Targets": [GOOD]},
            "MissingParameter",
        ),
        (
            "CreateRule",
            {"LoadBalancerId": LB, "ListenerId": TCP, "Rules": [{"Url": "/"}]},
            "InvalidParameter",
        ),
        (
            "DeleteLoadBalancerListeners",
            {"LoadBalancerId": LB, "ListenerIds": [TCP, "lbl-unknown"]},
            "InvalidParameter",
        ),
    ],
)
def test_parameters_are_checked_before_anything_is_done(
    bed: Bed, action: str, body: dict[str, Any], code: str
) -> None:
    assert bed.raw(action, body).code == code
    assert bed.call("DescribeListeners", LoadBalancerId=LB).TotalCount == 2
