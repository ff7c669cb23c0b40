"""The model as the API shows it. Fields and nulls as in the SDK's models and the sample replies."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from typing import Any

from binder.simulator.model import Group, Health, HealthCheck, Listener, LoadBalancer, Target
from binder.simulator.switches import Switches

_CHINA = timezone(timedelta(hours=8))
Shape = dict[str, Any]


def moment(seconds: float) -> str:
    """YYYY-MM-DD HH:mm:ss, in the time of China."""
    return datetime.fromtimestamp(seconds, _CHINA).strftime("%Y-%m-%d %H:%M:%S")


def load_balancer(lb: LoadBalancer) -> Shape:
    """One row of DescribeLoadBalancers."""
    created = moment(lb.created_at)
    return {
        "LoadBalancerId": lb.id,
        "LoadBalancerName": lb.name,
        "LoadBalancerType": lb.kind,
        "Forward": 1,
        "Domain": "",
        "LoadBalancerDomain": "",
        "LoadBalancerVips": [lb.vip],
        "Status": int(lb.running),
        "CreateTime": created,
        "StatusTime": created,
        "ProjectId": 0,
        "VpcId": lb.vpc_id,
        "NumericalVpcId": 1,
        "SubnetId": lb.subnet_id,
        "OpenBgp": 0,
        "Snat": False,
        "Isolation": 0,
        "Log": None,
        "Tags": [{"TagKey": key, "TagValue": value} for key, value in lb.tags.items()],
        "SecureGroups": list(lb.security_groups),
        "TargetRegionInfo": {"Region": lb.region, "VpcId": lb.vpc_id, "NumericalVpcId": 1},
        "AnycastZone": "",
        "AddressIPVersion": "ipv4",
        "AddressIPv6": None,
        "IPv6Mode": None,
        "VipIsp": "BGP" if lb.kind == "OPEN" else None,
        "ChargeType": "POSTPAID_BY_HOUR",
        "LogSetId": "",
        "LogTopicId": "",
        "HealthLogSetId": "",
        "HealthLogTopicId": "",
        "ConfigId": "",
        "IsDDos": False,
        "IsBlock": False,
        "IsBlockTime": "",
        "LocalBgp": False,
        "MixIpTarget": False,
        "LoadBalancerPassToTarget": lb.pass_to_target,
        "SnatPro": False,
        "SnatIps": [],
        "SlaType": "",
        "AttributeFlags": ["DeleteProtect"] if lb.delete_protected else [],
        "Egress": "",
        "Exclusive": 0,
        "TargetCount": target_count(lb),
        "AssociateEndpoint": "",
        "ExclusiveCluster": {"L4Clusters": [], "L7Clusters": [], "ClassicalCluster": None},
        "AvailableZoneAffinityInfo": {"Enable": False},
    }


def target_count(lb: LoadBalancer) -> int:
    """How many bindings there are."""
    return sum(len(group.targets) for _, group in lb.groups())


def listener(row: Listener) -> Shape:
    """One row of DescribeListeners: health check and scheduler are the rules' on L7."""
    group = None if row.is_l7 else next(iter(row.groups.values()))
    return {
        "ListenerId": row.id,
        "ListenerName": row.name,
        "Protocol": row.protocol,
        "Port": row.port,
        "EndPort": row.end_port,
        "HealthCheck": health_check(group.health_check) if group else None,
        "Scheduler": group.scheduler if group else None,
        "SessionExpireTime": group.session_s if group else None,
        "Rules": [rule(row, inner) for inner in row.groups.values()] if row.is_l7 else None,
        "Certificate": row.echoed.get("Certificate"),
        "SniSwitch": row.echoed.get("SniSwitch", 0),
        "CreateTime": moment(row.created_at),
        "TargetType": "NODE",
        "TargetGroup": None,
        "TargetGroupList": None,
        "SessionType": row.echoed.get("SessionType", "NORMAL"),
        "KeepaliveEnable": row.echoed.get("KeepaliveEnable", 0),
        "Toa": False,
        "DeregisterTargetRst": row.reset_on_deregister,
        "AttrFlags": [],
        "MaxConn": row.echoed.get("MaxConn", -1),
        "MaxCps": row.echoed.get("MaxCps", -1),
        "IdleConnectTimeout": None if row.is_l7 else row.idle_s,
        "RescheduleInterval": row.echoed.get("RescheduleInterval", 0),
        "RescheduleStartTime": row.echoed.get("RescheduleStartTime", 0),
        "DataCompressMode": row.echoed.get("DataCompressMode", "transparent"),
    }


def rule(row: Listener, group: Group) -> Shape:
    """One rule inside of DescribeListeners."""
    return {
        "LocationId": group.id,
        "ListenerId": row.id,
        "Domain": group.domain,
        "Domains": [group.domain],
        "Url": group.url,
        "SessionExpireTime": group.session_s,
        "HealthCheck": health_check(group.health_check),
        "Certificate": None,
        "Scheduler": group.scheduler,
        "RewriteTarget": {"TargetListenerId": None, "TargetLocationId": None},
        "HttpGzip": True,
        "BeAutoCreated": False,
        "DefaultServer": group.default_server,
        "Http2": group.http2,
        "ForwardType": group.forward_type,
        "CreateTime": moment(group.created_at),
        "TargetType": "NODE",
        "TargetGroup": None,
        "TargetGroupList": None,
        "WafDomainId": "",
        "TrpcCallee": "",
        "TrpcFunc": "",
        "QuicStatus": "QUIC_INACTIVE",
        "OAuth": {"OAuthEnable": False, "OAuthFailureStatus": "BYPASS"},
        "CookieName": "",
    }


def health_check(check: HealthCheck) -> Shape:
    """A health check; what only HTTP has is null elsewhere."""
    http = check.kind in ("HTTP", "HTTPS", "GRPC")
    return {
        "HealthSwitch": int(check.enabled),
        "TimeOut": check.timeout_s,
        "IntervalTime": check.interval_s,
        "HealthNum": check.healthy,
        "UnHealthNum": check.unhealthy,
        "HttpCode": check.http_codes if http else None,
        "HttpCheckPath": check.path if http else None,
        "HttpCheckDomain": check.domain if http else None,
        "HttpCheckMethod": check.method if http else None,
        "HttpVersion": check.version if http else None,
        "CheckPort": check.port,
        "ContextType": None,
        "SendContext": None,
        "RecvContext": None,
        "CheckType": check.kind,
        "SourceIpType": check.source_ip_type,
        "ExtendedCode": check.extended_code if check.kind == "GRPC" else None,
    }


def backend(target: Target, switches: Switches) -> Shape:
    """One target of DescribeTargets."""
    return {
        "Type": "CVM" if target.instance else "ENI",
        "InstanceId": target.instance,
        "Port": target.endpoint.port,
        "Weight": target.weight,
        "PublicIpAddresses": None,
        "PrivateIpAddresses": [target.endpoint.ip],
        "InstanceName": "",
        "RegisteredTime": moment(target.registered_at),
        "EniId": "" if target.instance else f"eni-{target.endpoint.ip.replace('.', '-')}",
        "Tag": target.tag if switches.tags_kept else "",
        "Zone": "",
    }


def target_health(target: Target, health: Health, switches: Switches) -> Shape:
    """One target of DescribeTargetHealth, with the misspelt field that is about to go."""
    closed = health is Health.CLOSE
    serves = switches.health_of_unchecked if closed else health is Health.ALIVE
    return {
        "IP": target.endpoint.ip,
        "Port": target.endpoint.port,
        "HealthStatus": serves,
        "TargetId": target.instance or target.endpoint.ip,
        "HealthStatusDetail": health.value,
        "HealthStatusDetial": "Unknown" if closed else health.value,
        "TargetGroupId": None,
        "Weight": target.weight,
    }
