"""Parameters that several actions share, with the limits of the CLB API pages."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from binder.simulator.errors import ApiError
from binder.simulator.model import HealthCheck
from binder.simulator.parameters import Field, anything, boolean, integer, many, record, text

LB: Mapping[str, Field] = {"LoadBalancerId": text(required=True)}
LISTENER = {**LB, "ListenerId": text(required=True)}
RULE = {"LocationId": text(), "Domain": text(longest=80), "Url": text(longest=200)}
NAME = text(longest=80)
PORT = integer(low=1, high=65535)
WEIGHT = integer(low=0, high=100)
FILTERS = many(
    record({"Name": text(required=True), "Values": many(text(), required=True, most=100)}),
    most=10,
)
TAGS = many(record({"TagKey": text(required=True), "TagValue": text()}), most=20)

HEALTH_CHECK = record(
    {
        "HealthSwitch": integer(low=0, high=1),
        "TimeOut": integer(low=2, high=60),
        "IntervalTime": integer(low=2, high=300),
        "HealthNum": integer(low=2, high=10),
        "UnHealthNum": integer(low=2, high=10),
        "HttpCode": integer(low=1, high=31),
        "HttpCheckPath": text(longest=200),
        "HttpCheckDomain": text(longest=80),
        "HttpCheckMethod": text(choices=("HEAD", "GET")),
        "CheckPort": integer(low=-1, high=65535),
        "ContextType": text(),
        "SendContext": text(longest=500),
        "RecvContext": text(longest=500),
        "CheckType": text(choices=("TCP", "HTTP", "HTTPS", "GRPC", "PING", "CUSTOM")),
        "HttpVersion": text(choices=("HTTP/1.0", "HTTP/1.1")),
        "SourceIpType": integer(low=0, high=1),
        "ExtendedCode": text(),
    }
)

CERTIFICATE = record(
    {
        "SSLMode": text(),
        "SSLVerifyClient": text(),
        "CertId": text(),
        "CertCaId": text(),
        "CertName": text(),
        "CertKey": text(),
        "CertContent": text(),
        "CertCaName": text(),
        "CertCaContent": text(),
    }
)

_HEALTH_FIELDS = {
    "TimeOut": "timeout_s",
    "IntervalTime": "interval_s",
    "HealthNum": "healthy",
    "UnHealthNum": "unhealthy",
    "HttpCode": "http_codes",
    "HttpCheckPath": "path",
    "HttpCheckDomain": "domain",
    "HttpCheckMethod": "method",
    "CheckType": "kind",
    "HttpVersion": "version",
    "SourceIpType": "source_ip_type",
    "ExtendedCode": "extended_code",
}


def health_check(given: Mapping[str, Any] | None, before: HealthCheck) -> HealthCheck:
    """`before` with what `given` says; the time-out has to be below the interval."""
    values = dict(vars(before))
    for name, value in (given or {}).items():
        if name in _HEALTH_FIELDS:
            values[_HEALTH_FIELDS[name]] = value
    if given and "HealthSwitch" in given:
        values["enabled"] = bool(given["HealthSwitch"])
    if given and "CheckPort" in given:
        values["port"] = None if given["CheckPort"] == -1 else given["CheckPort"]
    if values["timeout_s"] >= values["interval_s"]:
        raise ApiError("InvalidParameterValue", name="HealthCheck.TimeOut")
    return HealthCheck(**values)


def session(value: int, low: int, high: int) -> int:
    """A session's time: 0 for none, or from `low` to `high` seconds."""
    if value and not low <= value <= high:
        raise ApiError("InvalidParameterValue.Range", name="SessionExpireTime", low=low, high=high)
    return value


IGNORED = anything()
FLAG = integer(low=0, high=1)
SWITCH = boolean()
