"""Temporary keys for a Pod, by the SDK's own credential class."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any

import pytest
from tencentcloud.common import credential
from tencentcloud.common.exception.tencent_cloud_sdk_exception import TencentCloudSDKException
from tencentcloud.common.profile.http_profile import HttpProfile

from binder.simulator.accounts import Grant
from tests.binder.simulator.bed import LB, TCP, Bed, time_of

ROLE = "qcs::cam::uin/100000000001:roleName/binder"


def token(**claims: Any) -> str:
    payload = base64.urlsafe_b64encode(json.dumps(claims).encode()).decode().rstrip("=")
    return f"e30.{payload}.c2ln"


def pod_environment(patch: pytest.MonkeyPatch, folder: Path, expires: float) -> Path:
    """What TKE gives a Pod with a role; gives the file with its token."""
    file = folder / "token"
    file.write_text(token(exp=expires))
    patch.setenv("TKE_REGION", "ap-guangzhou")
    patch.setenv("TKE_PROVIDER_ID", "cls-1")
    patch.setenv("TKE_WEB_IDENTITY_TOKEN_FILE", str(file))
    patch.setenv("TKE_ROLE_ARN", ROLE)
    return file


@pytest.fixture
def pod(bed: Bed, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """The environment that TKE gives a Pod; gives the file with its token."""
    file = pod_environment(monkeypatch, tmp_path, bed.world.now() + 60)
    # The SDK speaks to STS over https only, and to its own host.
    monkeypatch.setattr(credential, "HttpProfile", lambda: HttpProfile(protocol="http"))
    monkeypatch.setattr(credential.OIDCRoleArnCredential, "_endpoint", bed.simulator.endpoint)
    monkeypatch.setattr(credential, "time", time_of(bed.world))
    return file


def test_a_pod_gets_a_key_that_is_let_in(bed: Bed, pod: Path) -> None:
    key = credential.DefaultTkeOIDCRoleArnProvider().get_credential()
    client = bed.new_client()
    client.credential = key
    assert bed.call("DescribeTargets", client, LoadBalancerId=LB).Listeners
    (call,) = [row for row in bed.world.journal.since(kind="call") if row["account"]]
    assert call["account"] == "role/binder"


def test_a_role_may_do_what_it_is_granted(bed: Bed, pod: Path) -> None:
    bed.simulator.do(lambda: bed.world.accounts.roles.update({ROLE: (Grant("Describe*"),)}))
    client = bed.new_client()
    client.credential = credential.DefaultTkeOIDCRoleArnProvider().get_credential()
    assert bed.call("DescribeQuota", client).QuotaSet
    error = bed.error("DeleteListener", client, LoadBalancerId=LB, ListenerId=TCP)
    assert error.code == "UnauthorizedOperation"


def test_the_key_ends_and_the_sdk_gets_another(bed: Bed, pod: Path) -> None:
    client = bed.new_client()
    client.credential = credential.DefaultTkeOIDCRoleArnProvider().get_credential()
    first = client.credential.secretId
    pod.write_text(token(exp=bed.world.now() + 100_000))
    bed.simulator.advance(7201)
    old = bed.new_client(first, client.credential._tmp_secret_key, client.credential._token)
    assert bed.error("DescribeQuota", old).code == "AuthFailure.TokenFailure"
    assert bed.call("DescribeQuota", client).QuotaSet
    assert client.credential.secretId != first


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("nonsense", "InvalidParameter.WebIdentityTokenError"),
        ("a.!.b", "InvalidParameter.WebIdentityTokenError"),
        (token(exp=1), "InvalidParameter.OverTimeError"),
    ],
)
def test_a_bad_token_is_refused(bed: Bed, pod: Path, text: str, code: str) -> None:
    pod.write_text(text)
    assert refused() == code


def test_an_unknown_role_is_refused(bed: Bed, pod: Path) -> None:
    bed.simulator.do(lambda: bed.world.accounts.roles.update({"other": ()}))
    assert refused() == "ResourceNotFound"


def test_sts_may_fail(bed: Bed, pod: Path) -> None:
    parameters = {"code": "InternalError"}
    bed.fault("error", action="AssumeRoleWithWebIdentity", parameters=parameters)
    assert refused() == "InternalError"


def refused() -> str:
    with pytest.raises(TencentCloudSDKException) as caught:
        credential.DefaultTkeOIDCRoleArnProvider().get_credential().secretId  # noqa: B018
    return str(caught.value.code)
