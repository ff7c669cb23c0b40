"""Who gets in: every way of signing, and every way of getting it wrong, by the real SDK."""

from __future__ import annotations

import hashlib
import json
import urllib.request
from typing import Any

import pytest
from tencentcloud.clb.v20180317 import models

from binder.simulator.accounts import Grant, Key
from binder.simulator.clock import VirtualClock
from binder.simulator.signature import Claim, Request, day, sign
from binder.simulator.simulator import KEY
from tests.binder.simulator.bed import LB, TCP, Bed

TEMPORARY = Key("AKIDtmp", "tmp-key", token="tok", expires_at=VirtualClock().now() + 60)


def test_post_is_let_in(bed: Bed) -> None:
    assert bed.call("DescribeLoadBalancers").TotalCount == 1


def test_text_beyond_ascii_is_let_in(bed: Bed) -> None:
    bed.done("ModifyLoadBalancerAttributes", LoadBalancerId=LB, LoadBalancerName="店铺")
    assert bed.call("DescribeLoadBalancers").LoadBalancerSet[0].LoadBalancerName == "店铺"


def test_get_is_let_in_and_its_lists_are_put_together(bed: Bed) -> None:
    reply = bed.call(
        "DescribeLoadBalancers",
        bed.new_client(method="GET"),
        LoadBalancerIds=[LB, "lb-other"],
        Limit=20,
        Filters=[{"Name": "tag:team", "Values": ["web", "db"]}],
    )
    assert [lb.LoadBalancerId for lb in reply.LoadBalancerSet] == [LB]


def test_a_payload_may_be_unsigned(bed: Bed) -> None:
    client = bed.new_client()
    client.profile.unsignedPayload = True
    assert bed.call("DescribeQuota", client).QuotaSet


def test_a_temporary_key_is_let_in_with_its_token(bed: Bed) -> None:
    bed.simulator.do(lambda: bed.world.accounts.add(TEMPORARY))
    assert bed.call("DescribeQuota", bed.new_client("AKIDtmp", "tmp-key", "tok")).QuotaSet


@pytest.mark.parametrize(
    ("client", "code"),
    [
        ({"secret_key": "wrong"}, "AuthFailure.SignatureFailure"),
        ({"secret_id": "AKIDnobody"}, "AuthFailure.SecretIdNotFound"),
        ({"secret_id": "AKIDtmp", "secret_key": "tmp-key"}, "AuthFailure.TokenFailure"),
        (
            {"secret_id": "AKIDtmp", "secret_key": "tmp-key", "token": "old"},
            "AuthFailure.TokenFailure",
        ),
        ({"token": "a token where none belongs"}, "AuthFailure.TokenFailure"),
        ({"region": "mars-north"}, "UnsupportedRegion"),
        ({"region": ""}, "MissingParameter"),
    ],
)
def test_a_stranger_is_told_why(bed: Bed, client: dict[str, Any], code: str) -> None:
    bed.simulator.do(lambda: bed.world.accounts.add(TEMPORARY))
    error = bed.error("DescribeQuota", bed.new_client(**client))
    assert (error.code, bool(error.requestId)) == (code, True)


def test_a_temporary_key_ends(bed: Bed) -> None:
    bed.simulator.do(lambda: bed.world.accounts.add(TEMPORARY))
    bed.simulator.advance(61)
    error = bed.error("DescribeQuota", bed.new_client("AKIDtmp", "tmp-key", "tok"))
    assert error.code == "AuthFailure.TokenFailure"


@pytest.mark.parametrize(
    ("off", "code"),
    [
        (-301, "AuthFailure.SignatureExpire"),
        (301, "AuthFailure.SignatureExpire"),
        (-300, None),
        (300, None),
    ],
)
def test_clocks_may_differ_by_300_seconds(
    bed: Bed, monkeypatch: pytest.MonkeyPatch, off: int, code: str | None
) -> None:
    class Time:
        @staticmethod
        def time() -> float:
            return bed.world.now() + off

    monkeypatch.setattr("tencentcloud.common.abstract_client.time", Time)
    if code is None:
        assert bed.call("DescribeQuota").QuotaSet
    else:
        assert bed.error("DescribeQuota").code == code


def test_a_version_that_is_not(bed: Bed) -> None:
    bed.client._apiVersion = "2017-03-12"
    assert bed.error("DescribeQuota").code == "NoSuchVersion"


def test_an_action_that_is_not(bed: Bed) -> None:
    assert bed.raw("DescribeTheMoon", {}).code == "InvalidAction"


def test_an_action_of_another_service(bed: Bed) -> None:
    assert bed.raw("AssumeRoleWithWebIdentity", {}).code == "InvalidAction"


def test_cam_refuses_what_is_not_granted(bed: Bed) -> None:
    reader = Key("AKIDreader", "key", "reader", grants=(Grant("Describe*"), Grant("*", "lb-9*")))
    bed.simulator.do(lambda: bed.world.accounts.add(reader))
    client = bed.new_client("AKIDreader", "key")
    assert bed.call("DescribeListeners", client, LoadBalancerId=LB).TotalCount == 2
    error = bed.error("DeleteListener", client, LoadBalancerId=LB, ListenerId=TCP)
    assert error.code == "UnauthorizedOperation"
    assert "(clb:DeleteListener)" in error.message
    assert "clb/lb-1" in error.message


def test_messages_are_chinese_unless_asked_for_in_english(bed: Bed) -> None:
    def said(language: str) -> Any:
        client = bed.new_client(language=language)
        return bed.error("DeleteListener", client, LoadBalancerId=LB).message

    assert said("en-US") == "The request is missing a required parameter `ListenerId`."
    assert said("zh-CN") == "缺少参数 `ListenerId`。"


def test_a_body_changed_on_its_way_is_refused(bed: Bed) -> None:
    assert _sent(bed, b"{}", b'{"LoadBalancerId": "lb-2"}') == "AuthFailure.SignatureFailure"


def test_other_clients_sign_other_headers(bed: Bed) -> None:
    """Some SDKs sign x-tc-action too."""
    assert _sent(bed, b"{}", b"{}", ("content-type", "host", "x-tc-action")) is None


@pytest.mark.parametrize(
    "authorization",
    ["", "TC3-HMAC-SHA256 nonsense", "SKIP", "TC3-HMAC-SHA256 Credential=a/2026/clb/tc3_request"],
)
def test_an_authorization_that_cannot_be_read(bed: Bed, authorization: str) -> None:
    code = _sent(bed, b"{}", b"{}", authorization=authorization)
    assert code == "AuthFailure.InvalidAuthorization"


def test_the_date_is_that_of_the_timestamp(bed: Bed) -> None:
    code = _sent(bed, b"{}", b"{}", date=day(bed.world.now() - 86400))
    assert code == "AuthFailure.SignatureFailure"


def test_host_has_to_be_signed(bed: Bed) -> None:
    code = _sent(bed, b"{}", b"{}", ("content-type", "x-tc-action"))
    assert code == "AuthFailure.InvalidAuthorization"


def test_a_body_may_have_10_megabytes(bed: Bed) -> None:
    limit = 10 * 1024 * 1024
    assert _sent(bed, b" " * (limit - 2) + b"{}") is None
    assert _sent(bed, b" " * (limit - 1) + b"{}") == "RequestSizeLimitExceeded"


def test_what_is_no_object_is_refused(bed: Bed) -> None:
    assert _sent(bed, b"[]") == "InvalidRequest"
    assert _sent(bed, b"{") == "InvalidRequest"


def test_the_sdk_is_the_judge_of_our_signature() -> None:
    """The known answer is the SDK's own, for a body of its own making."""
    from tencentcloud.common.sign import Sign

    body = json.dumps({"LoadBalancerId": "lb-1"}).encode()
    headers = {"host": "h:1", "content-type": "application/json", "x-tc-timestamp": "1551113065"}
    claimed = Claim("id", "2019-02-25", "clb", ("content-type", "host"), "")
    digest = hashlib.sha256(body).hexdigest()
    canonical = f"POST\n/\n\ncontent-type:application/json\nhost:h:1\n\ncontent-type;host\n{digest}"
    text = (
        "TC3-HMAC-SHA256\n1551113065\n2019-02-25/clb/tc3_request\n"
        + hashlib.sha256(canonical.encode()).hexdigest()
    )
    expected = Sign.sign_tc3("key", "2019-02-25", "clb", text)
    assert sign(Request("POST", "", headers, body), claimed, "key") == expected


def test_models_of_the_sdk_know_every_action() -> None:
    from binder.simulator.actions import ACTIONS

    for name, action in ACTIONS.items():
        if action.service == "clb":
            fields = {key.lstrip("_") for key in vars(getattr(models, f"{name}Request")())}
            assert set(action.schema) <= fields, name
            assert fields <= set(action.schema), f"{name} lacks {fields - set(action.schema)}"


def _sent(
    bed: Bed,
    signed: bytes,
    body: bytes | None = None,
    names: tuple[str, ...] = ("content-type", "host"),
    authorization: str | None = None,
    date: str | None = None,
) -> str | None:
    """The error code of a DescribeQuota signed by hand, None if it is let in."""
    now = bed.world.now()
    headers = {
        "host": bed.simulator.endpoint,
        "content-type": "application/json",
        "x-tc-action": "DescribeQuota",
        "x-tc-version": "2018-03-17",
        "x-tc-region": "ap-guangzhou",
        "x-tc-timestamp": str(int(now)),
    }
    claimed = Claim(KEY.secret_id, date or day(now), "clb", names, "")
    lowered = {name: value.lower() for name, value in headers.items()}
    signature = sign(Request("POST", "", lowered, signed), claimed, KEY.secret_key)
    scope = f"{KEY.secret_id}/{claimed.date}/clb/tc3_request"
    headers["authorization"] = (
        f"TC3-HMAC-SHA256 Credential={scope}, SignedHeaders={';'.join(names)}, "
        f"Signature={signature}"
    )
    if authorization is not None:
        headers["authorization"] = authorization
    url = f"http://{bed.simulator.endpoint}/"
    request = urllib.request.Request(url, signed if body is None else body, headers)
    with urllib.request.urlopen(request) as reply:
        error: dict[str, str] = json.load(reply)["Response"].get("Error", {})
    return error.get("Code")
