"""The table of error codes."""

from __future__ import annotations

import pytest
from tencentcloud.clb.v20180317 import errorcodes

from binder.cloud import codes
from binder.cloud.codes import CloudError, Kind, classify

SAYS = [
    ("FailedOperation.ResourceInOperating", "", Kind.BUSY),
    ("FailedOperation", "Loadbalancer(lb-1) is not in normal desState, maybe ...", Kind.BUSY),
    ("InternalError", "desState is abnormal", Kind.BUSY),
    ("InvalidParameter", "des status abnormal", Kind.BUSY),
    ("FailedOperation", "Your task is working (DeregisterTargets)", Kind.BUSY),
    ("ResourceUnavailable.Anything", "", Kind.BUSY),
    ("RequestLimitExceeded", "", Kind.THROTTLED),
    ("RequestLimitExceeded.UinLimitExceeded", "", Kind.THROTTLED),
    ("RequestLimitExceeded.GlobalRegionUinLimitExceeded", "", Kind.THROTTLED),
    ("ClientNetworkError", "desState", Kind.AMBIGUOUS),
    ("InternalError", "", Kind.AMBIGUOUS),
    ("InternalError.Unheard.Of", "", Kind.AMBIGUOUS),
    ("FailedOperation", "", Kind.AMBIGUOUS),
    ("NobodyKnows", "", Kind.AMBIGUOUS),
    ("", "", Kind.AMBIGUOUS),
    ("InvalidParameter.LBIdNotFound", "", Kind.CHANGED),
    ("InvalidParameter", "LoadBalancer not exist", Kind.CHANGED),
    ("InvalidParameter", "some ListenerId lbl-1 not found", Kind.CHANGED),
    ("InvalidParameterValue.Duplicate", "", Kind.CHANGED),
    ("InvalidParameter", "", Kind.WRONG),
    ("InvalidParameter.Unheard", "", Kind.WRONG),
    ("InvalidParameterValue.Length", "", Kind.WRONG),
    ("FailedOperation.TargetNumCheckRisk", "", Kind.WRONG),
    ("LimitExceeded", "", Kind.FULL),
    ("FailedOperation.InsufficientBalance", "", Kind.FULL),
    ("AuthFailure.TokenFailure", "", Kind.IDENTITY),
    ("UnauthorizedOperation", "", Kind.IDENTITY),
    ("InvalidAction", "", Kind.BROKEN),
    ("Fenced", "", Kind.FENCED),
]


@pytest.mark.parametrize(("code", "message", "kind"), SAYS)
def test_what_a_code_means(code: str, message: str, kind: Kind) -> None:
    assert classify(code, message) is kind


@pytest.mark.parametrize("action", ["BatchDeregisterTargets", "BatchModifyTargetWeight"])
def test_a_bare_code_about_things_that_are_there_says_that_they_have_gone(action: str) -> None:
    assert classify("InvalidParameter", "", action) is Kind.CHANGED
    assert classify("InvalidParameter.FormatError", "", action) is Kind.WRONG


def test_every_code_of_the_sdk_has_a_kind() -> None:
    names = [value for name, value in vars(errorcodes).items() if name.isupper()]
    assert len(names) > 50
    assert {classify(name) for name in names} >= set(Kind) - {Kind.FENCED, Kind.BROKEN}


def test_an_error_says_what_failed_and_how_to_ask_about_it() -> None:
    error = CloudError("LimitExceeded", "x" * 9000, Kind.FULL, "CreateRule", "id-1")
    assert str(error).startswith("CreateRule: LimitExceeded: xxx")
    assert str(error).endswith("(request id-1)")
    assert len(str(error)) < 600


def test_which_errors_mean_that_there_is_no_load_balancer() -> None:
    assert codes.is_no_load_balancer(codes.error("InvalidParameter.LBIdNotFound", "", "A"))
    assert codes.is_no_load_balancer(codes.error("InvalidParameter", "LB not exist", "A"))
    assert not codes.is_no_load_balancer(codes.error("InvalidParameter.LocationNotFound", "", "A"))
