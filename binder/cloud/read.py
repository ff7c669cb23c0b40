"""What CLB says there is: its replies as the values of core.clb.

Limits of lists are those of the CLB API pages. A load balancer that CLB does not know fails a call
for several as a whole; then the call is halved until only that one fails.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import islice
from typing import NamedTuple, TypeVar

from binder.cloud import codes
from binder.cloud.client import Client
from binder.cloud.codes import CloudError, Kind
from binder.cloud.reply import Fields
from binder.core.clb import (
    ALIVE,
    CLOSE,
    DEAD,
    LAYER_7,
    UNKNOWN,
    Attributes,
    Check,
    Frontend,
    Group,
    Health,
    Key,
    Listener,
    Target,
)

MOST_DESCRIBED, MOST_HEALTH = 20, 30  # load balancers in one call
PAGE = 100

T = TypeVar("T")
Addresses = tuple[str, ...]
RUNNING, SUCCEEDED, FAILED = 2, 0, 1


class Quota(NamedTuple):
    """A quota of the region; raises for a single load balancer do not show here."""

    limit: int
    used: int | None


def load_balancers(client: Client, ids: Sequence[str]) -> dict[str, Addresses]:
    """The addresses of each; one that is not among the keys is not there, CLB says so."""
    found: dict[str, Addresses] = {}
    for some in batches(ids, MOST_DESCRIBED):
        found.update(_known(some, lambda these: _describe(client, these)))
    return found


def _describe(client: Client, ids: Sequence[str]) -> dict[str, Addresses]:
    action = "DescribeLoadBalancers"
    found: dict[str, Addresses] = {}
    seen = 0
    while True:
        parameters = {"LoadBalancerIds": list(ids), "Offset": seen, "Limit": PAGE}
        reply = Fields(client.call(action, parameters), action)
        rows = list(reply.rows("LoadBalancerSet", required=True))
        found.update({row.text("LoadBalancerId"): _addresses(row) for row in rows})
        seen += len(rows)
        if seen >= reply.number("TotalCount"):
            return {lb: found[lb] for lb in ids if lb in found}
        if not rows:
            message = f"TotalCount is above {seen}, but there are no more rows"
            raise codes.error(codes.MALFORMED, message, action)


def _addresses(row: Fields) -> Addresses:
    """VIPs, else the domain name."""
    vips = row.texts("LoadBalancerVips") or [row.maybe_text("AddressIPv6") or ""]
    domain = row.maybe_text("LoadBalancerDomain") or row.maybe_text("Domain")
    return tuple(address for address in vips if address) or ((domain,) if domain else ())


def listeners(client: Client, lb: str, addresses: Addresses) -> tuple[Listener, ...]:
    """All listeners of `lb`; the domain of a rule for one of its `addresses` is ""."""
    action = "DescribeListeners"
    reply = Fields(client.call(action, {"LoadBalancerId": lb}), action)
    return tuple(_listener(row, addresses) for row in reply.rows("Listeners", required=True))


def _listener(row: Fields, addresses: Addresses) -> Listener:
    id_, protocol, port = row.text("ListenerId"), row.text("Protocol"), row.number("Port")
    if protocol in LAYER_7:
        groups = tuple(_rule(id_, protocol, port, rule, addresses) for rule in row.rows("Rules"))
    else:
        groups = (_group(id_, "", Frontend(protocol, port), row),)
    return Listener(id_, row.maybe_text("ListenerName") or "", protocol, port, groups)


def _rule(listener: str, protocol: str, port: int, row: Fields, addresses: Addresses) -> Group:
    domain = row.maybe_text("Domain") or ""
    frontend = Frontend(protocol, port, "" if domain in addresses else domain, row.text("Url"))
    return _group(listener, row.text("LocationId"), frontend, row)


def _group(listener: str, location: str, frontend: Frontend, row: Fields) -> Group:
    health = row.maybe("HealthCheck")
    check = _check(health) if health else Check(enabled=False)
    return Group(listener, location, frontend, check, _attributes(row, check, health))


def _check(row: Fields) -> Check:
    usual = Check()

    def value(name: str, default: int) -> int:
        found = row.maybe_number(name)
        return default if found is None else found

    return Check(
        bool(value("HealthSwitch", int(usual.enabled))),
        value("IntervalTime", usual.interval),
        value("TimeOut", usual.timeout),
        value("HealthNum", usual.healthy),
        value("UnHealthNum", usual.unhealthy),
    )


def _attributes(row: Fields, check: Check, health: Fields | None) -> Attributes:
    told = Attributes(
        check=check,
        scheduler=row.maybe_text("Scheduler"),
        session=row.maybe_number("SessionExpireTime"),
    )
    if health is None:
        return told
    return told._replace(
        http_path=health.maybe_text("HttpCheckPath"),
        http_domain=health.maybe_text("HttpCheckDomain"),
        http_method=health.maybe_text("HttpCheckMethod"),
        http_code=health.maybe_number("HttpCode"),
        check_type=health.maybe_text("CheckType"),
        check_port=health.maybe_number("CheckPort"),
        source_ip=health.maybe_number("SourceIpType"),
    )


def targets(client: Client, lb: str) -> dict[Key, Target]:
    """All targets of `lb`, ours and others."""
    action = "DescribeTargets"
    reply = Fields(client.call(action, {"LoadBalancerId": lb}), action)
    found: dict[Key, Target] = {}
    for listener in reply.rows("Listeners", required=True):
        id_ = listener.text("ListenerId")
        layer_7 = listener.text("Protocol") in LAYER_7
        for group in listener.rows("Rules") if layer_7 else [listener]:
            location = group.text("LocationId") if layer_7 else ""
            for row in group.rows("Targets"):
                key = Key(id_, location, _address_of(row), row.number("Port"))
                found[key] = Target(row.number("Weight"), row.maybe_text("Tag") or "")
    return found


def _address_of(row: Fields) -> str:
    """Where a target is; those that others bind may have no address but the id of a machine."""
    addresses = row.texts("PrivateIpAddresses") or row.texts("PublicIpAddresses")
    return _canonical(addresses[0]) if addresses else row.maybe_text("InstanceId") or ""


def _canonical(address: str) -> str:
    """An address of IPv6 as Kubernetes writes it."""
    return ipaddress.ip_address(address).compressed if ":" in address else address


def health(client: Client, lbs: Sequence[str]) -> dict[str, dict[Key, Health]]:
    """How the targets are.

    Of a load balancer that is not among the keys nothing was said: it may be gone, but that its
    targets are unbound must not be concluded.
    """
    found: dict[str, dict[Key, Health]] = {}
    for some in batches(lbs, MOST_HEALTH):
        found.update(_known(some, lambda these: _health(client, these)))
    return found


def _health(client: Client, lbs: Sequence[str]) -> dict[str, dict[Key, Health]]:
    action = "DescribeTargetHealth"
    reply = Fields(client.call(action, {"LoadBalancerIds": list(lbs)}), action)
    return {
        lb.text("LoadBalancerId"): dict(_health_of(lb))
        for lb in reply.rows("LoadBalancers", required=True)
    }


def _health_of(lb: Fields) -> Iterator[tuple[Key, Health]]:
    """A listener of layer 4 has one rule here, whose LocationId is nowhere else."""
    for listener in lb.rows("Listeners"):
        id_ = listener.text("ListenerId")
        layer_7 = listener.text("Protocol") in LAYER_7
        for rule in listener.rows("Rules"):
            location = rule.text("LocationId") if layer_7 else ""
            for row in rule.rows("Targets"):
                key = Key(id_, location, _canonical(row.text("IP")), row.number("Port"))
                detail = row.text("HealthStatusDetail")
                known = detail in (ALIVE, DEAD, UNKNOWN, CLOSE)
                yield key, Health(detail if known else UNKNOWN, row.number("Weight"))


def task(client: Client, request_id: str, lane: float) -> tuple[int, str]:
    """RUNNING, SUCCEEDED or FAILED, and a message, of what a write began."""
    action = "DescribeTaskStatus"
    reply = Fields(client.call(action, {"TaskId": request_id}, lane), action)
    return reply.number("Status"), reply.maybe_text("Message") or ""


def quota(client: Client) -> dict[str, Quota]:
    """The quotas of the region by their ids."""
    action = "DescribeQuota"
    reply = Fields(client.call(action, {}), action)
    return {
        row.text("QuotaId"): Quota(row.number("QuotaLimit"), row.maybe_number("QuotaCurrent"))
        for row in reply.rows("QuotaSet", required=True)
    }


def batches(ids: Iterable[str], most: int) -> Iterator[tuple[str, ...]]:
    """`ids`, each once, in lots of at most `most`."""
    rest = iter(dict.fromkeys(ids))
    while some := tuple(islice(rest, most)):
        yield some


def _known(ids: Sequence[str], read: Callable[[Sequence[str]], Mapping[str, T]]) -> Mapping[str, T]:
    """What `read` gives of `ids`, without those that CLB does not know."""
    try:
        return read(ids)
    except CloudError as error:
        if error.kind is not Kind.CHANGED:
            raise
        if len(ids) == 1:
            return {}
    middle = len(ids) // 2
    return {**_known(ids[:middle], read), **_known(ids[middle:], read)}
