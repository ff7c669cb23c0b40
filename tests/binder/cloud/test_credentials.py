"""Where keys come from, and what is said when there is none."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tencentcloud.common import credential
from tencentcloud.common.profile.http_profile import HttpProfile

from binder.cloud.codes import CloudError, Kind
from binder.cloud.credentials import (
    Credentials,
    Environment,
    Key,
    Mounted,
    Role,
    choose,
    sts_of,
)
from tests.binder.cloud.bed import Cloud, Fixed
from tests.binder.simulator.bed import Bed, time_of
from tests.binder.simulator.test_sts import pod_environment, token

Make = Callable[..., Cloud]


@pytest.fixture
def pod(bed: Bed, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """The environment that TKE gives a Pod; gives the file with its token."""
    file = pod_environment(monkeypatch, tmp_path, bed.world.now() + 100_000)
    # The SDK speaks to STS over https only.
    monkeypatch.setattr(credential, "HttpProfile", lambda: HttpProfile(protocol="http"))
    monkeypatch.setattr(credential, "time", time_of(bed.world))
    return file


def role_of(bed: Bed) -> Role:
    return Role(sts=bed.simulator.endpoint)


def sts_calls(bed: Bed) -> int:
    rows = bed.world.journal.since(kind="call")
    return sum(row["action"] == "AssumeRoleWithWebIdentity" for row in rows)


def test_the_role_of_a_pod_is_let_in(bed: Bed, pod: Path, new_cloud: Make) -> None:
    cloud = new_cloud(source=role_of(bed))
    assert cloud.clb.quota().value
    assert cloud.calls("DescribeQuota")[0]["account"] == "role/binder"
    assert sts_calls(bed) == 1


def test_a_key_is_renewed_in_advance_and_no_call_waits(
    bed: Bed, pod: Path, new_cloud: Make
) -> None:
    cloud = new_cloud(source=role_of(bed))
    told: list[str] = []
    cloud.credentials.told = lambda *parts: told.extend(parts)
    first = cloud.credentials.key()
    assert told == list(first)
    for _ in range(3):
        cloud.credentials.tend()
    assert sts_calls(bed) == 1
    bed.simulator.advance(3601)
    assert cloud.credentials.key() == first  # good for another hour
    cloud.credentials.tend()
    assert cloud.credentials.key() != first
    assert told[-3:] == list(cloud.credentials.key()), "so that it is kept out of logs"
    bed.simulator.advance(3601)
    assert cloud.clb.quota().value  # the first one would have ended


def test_a_renewal_that_fails_leaves_the_key_and_is_tried_again(
    bed: Bed, pod: Path, new_cloud: Make, caplog: pytest.LogCaptureFixture
) -> None:
    cloud = new_cloud(source=role_of(bed))
    first = cloud.credentials.key()
    parameters = {"code": "InternalError"}
    bed.fault("error", action="AssumeRole*", parameters=parameters, budget=1)
    bed.simulator.advance(3601)
    cloud.credentials.tend()
    cloud.credentials.tend()  # not at once
    assert sts_calls(bed) == 2
    assert cloud.credentials.key() == first
    assert "could not be renewed" in caplog.text
    bed.simulator.advance(31)
    cloud.credentials.tend()
    assert cloud.credentials.key() != first


def test_a_token_that_has_expired_costs_one_renewal_and_one_more_try(
    bed: Bed, pod: Path, new_cloud: Make
) -> None:
    cloud = new_cloud(source=role_of(bed))
    assert cloud.clb.quota().value
    bed.simulator.advance(7201)
    assert cloud.clb.quota().value
    assert sts_calls(bed) == 2
    assert [code for _, code in cloud.seen.calls] == ["OK", "AuthFailure.TokenFailure", "OK"]


@pytest.mark.parametrize("code", ["AuthFailure.SignatureExpire", "AuthFailure.TokenFailure"])
def test_an_identity_that_stays_refused_is_an_error_after_two_calls(
    new_cloud: Make, code: str
) -> None:
    cloud = new_cloud(source=Fixed())
    cloud.credentials.key()
    cloud.bed.simulator.advance(31)
    cloud.bed.fault("error", action="DescribeQuota", parameters={"code": code})
    error = cloud.failure("DescribeQuota")
    assert (error.code, error.kind) == (code, Kind.IDENTITY)
    assert cloud.seen.count("DescribeQuota") == 2
    assert cloud.failure("DescribeQuota").code == code  # the key is young: not fetched again
    assert cloud.seen.count("DescribeQuota") == 3


def test_a_key_that_may_not_do_something_is_not_fetched_again(new_cloud: Make) -> None:
    cloud = new_cloud(source=Fixed())
    cloud.credentials.key()
    cloud.bed.simulator.advance(31)
    parameters = {"code": "UnauthorizedOperation"}
    cloud.bed.fault("error", action="DescribeQuota", parameters=parameters)
    assert cloud.failure("DescribeQuota").kind is Kind.IDENTITY
    assert cloud.seen.count("DescribeQuota") == 1


@pytest.mark.parametrize("text", ["nonsense", token(exp=1)])
def test_a_role_that_is_refused_says_so_without_the_pods_token(
    bed: Bed, pod: Path, text: str
) -> None:
    pod.write_text(text)
    with pytest.raises(CloudError, match=r"STS refused.*TKE_ROLE_ARN") as caught:
        role_of(bed).get()
    assert caught.value.kind is Kind.IDENTITY
    assert text not in str(caught.value)


def test_a_role_without_its_region_says_what_to_set(
    bed: Bed, pod: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("TKE_REGION")
    with pytest.raises(CloudError, match=r"TKE_REGION not exist; see the variables"):
        role_of(bed).get()
    monkeypatch.setenv("TKE_REGION", "ap-guangzhou")
    pod.unlink()
    with pytest.raises(CloudError, match=r"No such file.*token; see the variables"):
        role_of(bed).get()


def write(directory: Path, **files: str) -> None:
    for name, text in files.items():
        (directory / name).write_text(text)


def test_a_mounted_secret_is_read_again_when_it_changes(tmp_path: Path) -> None:
    write(tmp_path, SecretId="id-1\n", SecretKey="key-1\n")
    credentials = Credentials(Mounted(tmp_path), lambda: 0.0)
    assert credentials.get_credential_info() == ("id-1", "key-1", None)
    write(tmp_path, SecretId="id-22", SecretKey="key-22", Token="t")
    assert credentials.get_credential_info() == ("id-22", "key-22", "t")


def test_both_files_are_of_one_generation(tmp_path: Path) -> None:
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        write(tmp_path / name, SecretId=f"id-{name}", SecretKey=f"key-{name}")
    (tmp_path / "..data").symlink_to("one")
    for file in ("SecretId", "SecretKey"):
        (tmp_path / file).symlink_to(f"..data/{file}")
    mounted = Mounted(tmp_path)
    assert mounted.get() == Key("id-one", "key-one")
    (tmp_path / "next").symlink_to("two")
    os.replace(tmp_path / "next", tmp_path / "..data")
    os.utime(tmp_path / "two" / "SecretKey", (1, 1))
    assert mounted.get() == Key("id-two", "key-two")


def test_a_secret_that_goes_leaves_the_key_that_there_was(tmp_path: Path) -> None:
    write(tmp_path, SecretId="id-1", SecretKey="key-1")
    credentials = Credentials(Mounted(tmp_path), lambda: 0.0)
    assert credentials.key() == Key("id-1", "key-1")
    (tmp_path / "SecretKey").unlink()
    assert credentials.key() == Key("id-1", "key-1")


@pytest.mark.parametrize("files", [{}, {"SecretId": "id"}, {"SecretId": "", "SecretKey": "k"}])
def test_a_secret_without_a_key_says_what_to_put_there(
    tmp_path: Path, files: dict[str, str]
) -> None:
    write(tmp_path, **files)
    with pytest.raises(CloudError, match="mount a Secret there with SecretId and SecretKey"):
        Mounted(tmp_path).get()


def test_the_environment_gives_a_key_or_says_what_to_set() -> None:
    given = {"TENCENTCLOUD_SECRET_ID": "id", "TENCENTCLOUD_SECRET_KEY": "k"}
    assert Environment(given).get() == Key("id", "k")
    assert Environment({**given, "TENCENTCLOUD_TOKEN": "t"}).get() == Key("id", "k", "t")
    with pytest.raises(CloudError, match=r"TENCENTCLOUD_SECRET_ID and TENCENTCLOUD_SECRET_KEY"):
        Environment({}).get()


CHOICES: list[tuple[dict[str, str], bool, type]] = [
    ({"TKE_ROLE_ARN": "r", "TENCENTCLOUD_SECRET_ID": "i"}, True, Role),
    ({"TKE_REGION": "ap-guangzhou"}, True, Mounted),
    ({"TENCENTCLOUD_SECRET_ID": "i"}, True, Mounted),
    ({"TENCENTCLOUD_SECRET_ID": "i"}, False, Environment),
    ({}, False, Environment),
]


@pytest.mark.parametrize(("environ", "mounted", "kind"), CHOICES)
def test_the_first_source_that_is_provided_is_taken(
    tmp_path: Path, environ: dict[str, str], mounted: bool, kind: type
) -> None:
    directory = tmp_path if mounted else tmp_path / "none"
    assert type(choose(environ, directory)) is kind


@pytest.mark.parametrize(
    ("clb", "sts"),
    [
        ("clb.internal.tencentcloudapi.com", "sts.internal.tencentcloudapi.com"),
        ("clb.tencentcloudapi.com", "sts.tencentcloudapi.com"),
        ("127.0.0.1:80", ""),
        ("clb.example", ""),
    ],
)
def test_sts_is_reached_where_clb_is(clb: str, sts: str) -> None:
    assert sts_of(clb) == sts


def test_tending_ends_when_it_is_told_to() -> None:
    stop = threading.Event()
    stop.set()
    Credentials(Fixed(), lambda: 0.0).keep(stop)


def test_a_key_does_not_print_itself() -> None:
    key: Any = Key("id-x", "key-x", "token-x")
    assert "x" not in f"{key!r} {key} {[key]}".replace("Key", "")
