"""One call against a sound and a spoilt wire."""

from __future__ import annotations

import logging
import socket
import threading
from collections.abc import Callable
from typing import Any

import pytest

from binder.cloud.codes import CloudError, Kind
from binder.simulator.simulator import KEY
from tests.binder.cloud.bed import Cloud
from tests.binder.simulator.bed import LB, TCP, Bed

IP = "10.0.0.1"
TARGETS = [{"ListenerId": TCP, "EniIp": IP, "Port": 80, "Weight": 10}]

# Effect, its parameters, our code, and whether CLB did it all the same.
SPOILT: list[tuple[str, dict[str, Any], str, bool]] = [
    ("http", {}, "ServerNetworkError", False),
    ("http", {"status": 429}, "ServerNetworkError", False),
    ("http", {"status": 504}, "ServerNetworkError", False),
    ("drop-before", {}, "ClientNetworkError", False),
    ("drop-after", {}, "ClientNetworkError", True),
    ("hang-before", {}, "CallTimeout", False),
    ("hang-after", {}, "CallTimeout", True),
    ("stall", {}, "CallTimeout", True),
    ("drip", {"pieces": 20, "seconds": 0.05}, "CallTimeout", True),
    ("truncate", {}, "ChunkedEncodingError", True),
    ("not-json", {}, "MalformedResponse", True),
    ("no-response", {}, "MalformedResponse", True),
    ("no-request-id", {}, "MalformedResponse", True),
]


@pytest.mark.parametrize(
    ("effect", "parameters", "code", "done"), SPOILT, ids=[f"{row[0]}-{row[2]}" for row in SPOILT]
)
def test_after_a_spoilt_reply_nobody_knows_and_nothing_is_sent_again(
    new_cloud: Callable[..., Cloud],
    effect: str,
    parameters: dict[str, Any],
    code: str,
    done: bool,
) -> None:
    impatient = effect in ("hang-before", "hang-after", "stall", "drip")
    cloud = new_cloud(timeout=0.25 if impatient else 2.0)
    cloud.bed.fault(effect, action="BatchRegisterTargets", parameters=parameters)
    error = cloud.failure("BatchRegisterTargets", LoadBalancerId=LB, Targets=TARGETS)
    # Where headers do not come, the SDK's own time-out and ours are a race that either may win.
    assert error.code in {code, "ClientNetworkError" if impatient else code, "ConnectionError"}
    assert error.kind is Kind.AMBIGUOUS
    assert isinstance(error.message, str)
    assert len(cloud.calls("BatchRegisterTargets")) == 1
    assert cloud.bed.bound() == ({IP: 10} if done else {})


def test_a_reply_that_drips_in_is_not_waited_for(new_cloud: Callable[..., Cloud]) -> None:
    cloud = new_cloud(timeout=0.25)
    parameters = {"pieces": 20, "seconds": 0.05}  # each is in time, all of them are not
    cloud.bed.fault("drip", action="DescribeQuota", parameters=parameters, budget=1)
    error = cloud.failure("DescribeQuota")
    assert (error.code, error.kind) == ("CallTimeout", Kind.AMBIGUOUS)
    assert cloud.clb.quota().value


def test_what_was_given_up_is_not_sent_when_the_name_server_answers_at_last(
    new_cloud: Callable[..., Cloud], monkeypatch: pytest.MonkeyPatch
) -> None:
    answers, resolve = threading.Event(), socket.getaddrinfo

    def slow(*given: Any, **options: Any) -> Any:
        assert answers.wait(30)
        return resolve(*given, **options)

    cloud = new_cloud(timeout=0.05)
    monkeypatch.setattr("socket.getaddrinfo", slow)
    error = cloud.failure("BatchRegisterTargets", LoadBalancerId=LB, Targets=TARGETS)
    assert error.code == "CallTimeout"
    (thread,) = [one for one in threading.enumerate() if one.name == "clb-call"]
    answers.set()
    thread.join(30)
    assert not thread.is_alive()
    assert not cloud.calls("BatchRegisterTargets")
    assert cloud.bed.bound() == {}


def test_refused_connections_are_errors_until_they_are_not(cloud: Cloud) -> None:
    cloud.bed.admin("faults", effect="refuse", parameters={"seconds": 5})
    assert cloud.failure("DescribeQuota").kind is Kind.AMBIGUOUS
    cloud.bed.simulator.advance(6)
    assert cloud.clb.quota().value


@pytest.mark.parametrize("value", ["application/json; charset=utf-8", "text/html"])
def test_an_error_is_found_whatever_the_content_type(cloud: Cloud, value: str) -> None:
    cloud.bed.fault("content-type", parameters={"value": value})
    error = cloud.failure("DescribeTargets", LoadBalancerId="lb-unknown")
    assert (error.code, error.kind) == ("InvalidParameter.LBIdNotFound", Kind.CHANGED)
    assert error.request_id
    assert cloud.clb.targets(LB).value == {}


def test_messages_are_english(cloud: Cloud) -> None:
    assert cloud.failure("DescribeTargets", LoadBalancerId="lb-x").message.isascii()


def test_a_throttled_call_is_sent_again_later_and_slower(cloud: Cloud) -> None:
    parameters = {"code": "RequestLimitExceeded"}
    cloud.bed.fault("error", action="BatchRegisterTargets", parameters=parameters, budget=2)
    cloud.client.call("BatchRegisterTargets", {"LoadBalancerId": LB, "Targets": TARGETS})
    assert cloud.bed.bound() == {IP: 10}
    assert cloud.seen.rates == pytest.approx([500, 250], abs=0.1)
    assert sum(cloud.waits) >= 2
    assert cloud.budget.rate("DescribeQuota") == 1000


def test_what_stays_throttled_is_an_error(cloud: Cloud) -> None:
    parameters = {"code": "RequestLimitExceeded.UinLimitExceeded"}
    cloud.bed.fault("error", action="DescribeQuota", parameters=parameters)
    assert cloud.failure("DescribeQuota").kind is Kind.THROTTLED
    assert cloud.seen.count("DescribeQuota") == 4


def test_a_lower_limit_is_found_and_kept_to(cloud: Cloud) -> None:
    """Nobody tells the limit, and the bucket starts far too fast; yet every call is done."""
    cloud.bed.switch(requests_per_second=20)
    for _ in range(100):
        cloud.clb.quota()
    assert cloud.seen.rates == sorted(cloud.seen.rates, reverse=True)
    assert 10 <= cloud.budget.rate("DescribeQuota") < 200
    assert len(cloud.seen.rates) < 10


def test_a_write_is_not_sent_without_the_lease_and_a_read_is(cloud: Cloud) -> None:
    cloud.lead = False
    error = cloud.failure("BatchRegisterTargets", LoadBalancerId=LB, Targets=TARGETS)
    assert error.kind is Kind.FENCED
    assert not cloud.calls("BatchRegisterTargets")
    assert cloud.clb.quota().value


def test_the_lease_is_looked_at_after_the_wait_for_the_budget(cloud: Cloud) -> None:
    parameters = {"code": "RequestLimitExceeded"}
    cloud.bed.fault("error", action="BatchRegisterTargets", parameters=parameters)
    wait = cloud.wait

    def lose(seconds: float) -> None:
        wait(seconds)
        cloud.lead = False

    cloud.budget._wait = lose
    error = cloud.failure("BatchRegisterTargets", LoadBalancerId=LB, Targets=TARGETS)
    assert error.kind is Kind.FENCED
    assert len(cloud.calls("BatchRegisterTargets")) == 1


def test_threads_share_the_client(cloud: Cloud) -> None:
    def run() -> None:
        for _ in range(10):
            done.append(cloud.clb.targets(LB))

    done: list[Any] = []
    threads = [threading.Thread(target=run) for _ in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert len(done) == 160


def test_who_calls_is_told_in_the_request(cloud: Cloud) -> None:
    headers: list[dict[str, str]] = []
    send = cloud.client._sdk._session.send

    def spy(request: Any, **options: Any) -> Any:
        headers.append(dict(request.headers))
        return send(request, **options)

    cloud.client._sdk._session.send = spy
    cloud.clb.quota()
    (sent,) = headers
    assert sent["X-TC-RequestClient"].endswith("; tke-direct-binder")
    assert sent["X-TC-Language"] == "en-US"


IDENTITY = [
    "AuthFailure.SecretIdNotFound",
    "AuthFailure.SignatureFailure",
    "AuthFailure.TokenFailure",
    "UnauthorizedOperation",
    "InternalError",
]


@pytest.mark.parametrize("code", IDENTITY)
def test_no_secret_is_in_an_error_or_a_log(
    cloud: Cloud, code: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    secret = f"{KEY.secret_id} {KEY.secret_key}"
    parameters = {"code": code, "message": f"your key is {secret}"}
    cloud.bed.fault("error", action="DescribeQuota", parameters=parameters)
    try:
        cloud.client.call("DescribeQuota", {})
    except CloudError as error:
        assert error.__cause__ is None
        assert error.__suppress_context__
        said = f"{error} {error!r} {error.message}"
    cloud.bed.fault("drop-before", action="DescribeListeners")
    said += str(cloud.failure("DescribeListeners", LoadBalancerId=LB))
    for part in (KEY.secret_id, KEY.secret_key, "TC3-HMAC"):
        assert part not in said
        assert part not in caplog.text


def test_a_key_for_one_load_balancer_may_not_read_another(bed: Bed, cloud: Cloud) -> None:
    parameters = {"code": "UnauthorizedOperation"}
    bed.fault("error", lb=LB, action="DescribeTargets", parameters=parameters)
    with pytest.raises(CloudError) as caught:
        cloud.clb.targets(LB)
    assert caught.value.kind is Kind.IDENTITY  # and not: there are no targets
