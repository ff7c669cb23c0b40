"""Rate limits: per action, region and sub-account, in the second of arrival."""

from __future__ import annotations

import pytest

from binder.simulator.accounts import Key
from tests.binder.simulator.bed import LB, Bed


def test_the_21st_call_of_a_second_is_refused_in_the_real_words(bed: Bed) -> None:
    bed.switch(requests_per_second=20)
    for _ in range(20):
        bed.call("DescribeQuota")
    error = bed.error("DescribeQuota")
    assert error.code == "RequestLimitExceeded"
    assert error.message == (
        "Your current request times equals to `21` in a second, which exceeds the frequency limit "
        "`20` for a second. Please reduce the frequency of calls."
    )
    chinese = bed.error("DescribeQuota", bed.new_client(language="zh-CN"))
    assert chinese.message == "您当前每秒请求 `22` 次，超过了每秒频率上限 `20`，请稍后重试。"  # noqa: RUF001
    bed.simulator.advance(1)
    assert bed.call("DescribeQuota").QuotaSet


def test_others_have_windows_of_their_own(bed: Bed) -> None:
    other = Key("AKIDother", "key", account="sub-2")
    bed.simulator.do(lambda: bed.world.accounts.add(other))
    bed.switch(requests_per_second=1)
    bed.call("DescribeQuota")
    assert bed.error("DescribeQuota").code == "RequestLimitExceeded"
    assert bed.call("DescribeLoadBalancers").TotalCount == 1
    assert bed.call("DescribeQuota", bed.new_client(region="ap-shanghai")).QuotaSet
    assert bed.call("DescribeQuota", bed.new_client("AKIDother", "key")).QuotaSet


@pytest.mark.parametrize(
    ("switch", "code"),
    [
        ("requests_per_second_and_account", "RequestLimitExceeded.UinLimitExceeded"),
        ("requests_per_second_and_ip", "RequestLimitExceeded.IPLimitExceeded"),
    ],
)
def test_accounts_and_addresses_have_limits_over_all_actions(
    bed: Bed, switch: str, code: str
) -> None:
    bed.switch(**{switch: 2})
    bed.call("DescribeQuota")
    bed.call("DescribeLoadBalancers")
    assert bed.error("DescribeTargets", LoadBalancerId=LB).code == code


def test_a_limit_may_be_lowered_for_a_while(bed: Bed) -> None:
    bed.switch(requests_per_second=20)
    bed.fault("limit", action="DescribeQuota", duration=10, parameters={"limit": 1})
    bed.call("DescribeQuota")
    assert bed.error("DescribeQuota").code == "RequestLimitExceeded"
    bed.simulator.advance(10)
    bed.call("DescribeQuota")
    bed.call("DescribeQuota")
