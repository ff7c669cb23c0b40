"""The annotations of TKE's documents: what users may set, what TKE writes, what is gone.

Beside ``schemas/contract.py`` this is the only module that may spell a ``cloud.tencent.com/``
literal (``tests/test_imports.py`` enforces it); data only, as there.  An annotation is one row.

Sources are named by table.  "TKE docs" are "Service annotations" (457/51258), "Ingress
annotations" (457/40675, 457/56112), the VPC-CNI guides and "Super node annotations" (457/44173),
read 2026-08.
"""

from __future__ import annotations

from enum import Enum
from functools import partial
from typing import NamedTuple

from schemas.contract import (
    API_GROUP,
    AUTO_REWRITE,
    BINDER_CERTIFICATE,
    BINDER_GATE,
    CERTIFICATE,
    CROSS_REGION,
    CROSS_VPC,
    ENABLE_GROUP,
    EXISTING_CLB,
    GRACE_DELETION,
    HTTP_RULES,
    HTTPS_RULES,
    IGNORE,
    INGRESS_CLASS_ANNOTATION,
    INGRESS_DIRECT_ACCESS,
    INGRESS_GRACE_SHUTDOWN,
    INGRESS_PARAMETERS,
    LISTEN_PORTS,
    METRICS_PORT,
    MODIFICATION_PROTECTION,
    NETWORKS,
    PASS_TO_TARGET,
    POD_TYPE,
    REWRITE_SUPPORT,
    RULE_MIX,
    RULE_MIX_BOTH,
    SERVICE_CONFIG,
    SERVICE_CONFIG_AUTO,
    SERVICE_DIRECT_ACCESS,
    SERVICE_GRACE_SHUTDOWN,
    SERVICE_WEIGHTS,
    SHARE_EXISTING_CLB,
    SKIP,
    SPECIFY_PROTOCOL,
    SYNC_MODE,
    TARGET_GROUPS,
)


class On(str, Enum):
    """Which object carries an annotation."""

    SERVICE = "Service"
    INGRESS = "Ingress"
    POD = "Pod template"


class Annotation(NamedTuple):
    """One annotation users may set, and which strings it takes.

    ``values`` lists the allowed strings, ``pattern`` a regular expression over the whole string,
    ``json`` the JSON type that the string must parse to; exactly one of the three is given.
    """

    on: On
    key: str
    summary: str
    values: tuple[str, ...] = ()
    pattern: str = ""
    json: str = ""
    direct_only: bool = False
    since: str = ""  # least version of TKE's service or ingress controller

    @property
    def controller(self) -> str:
        """Which of TKE's controllers reads it: "service" or "ingress"."""
        return "ingress" if self.key.startswith((_ING, _INGK8S)) else "service"


_SVC, _ING, _TKE = "service.cloud.tencent.com", "ingress.cloud.tencent.com", "tke.cloud.tencent.com"
_EKS = "eks.tke.cloud.tencent.com"
_K8S, _INGK8S, _OLD = "service.kubernetes.io", "kubernetes.io/ingress", "kubernetes.io/service"

_BOOLEAN = ("true", "false")
_CHARGES = ("BANDWIDTH_POSTPAID_BY_HOUR", "TRAFFIC_POSTPAID_BY_HOUR", "BANDWIDTH_PACKAGE")
_DELETE = ("Never", "Immediate")
_NETWORK = "(tke-route-eni|tke-direct-eni|tke-bridge|flannel)"

_ANY = r"[\s\S]*"
_NAME = r"[a-z0-9]([-a-z0-9.]*[a-z0-9])?"
_WEIGHT = r"(100|[1-9]?[0-9])"
_BANDWIDTH = r"(20[0-3][0-9]|204[0-8]|1[0-9]{3}|[1-9][0-9]{0,2})"
_CLB = r"lb-[0-9a-z]+"
_SUBNET = r"subnet-[0-9a-z]+"
_SUBNETS = r"subnet-[0-9a-z]+(, *subnet-[0-9a-z]+)*"
_GROUPS = r"(sg-[0-9a-z]+(, *sg-[0-9a-z]+){0,4})?"
_POD_GROUPS = r"sg-[0-9a-z]+(, *sg-[0-9a-z]+)*"
_REGION = r"[a-z]+(-[a-z0-9]+)+"
_VPC = r"vpc-[0-9a-z]+"
_EIPS = r"eip-[0-9a-z]+(, *eip-[0-9a-z]+)*"
_DURATION = r"([0-9]+(\.[0-9]+)?(ms|s|m|h|d))+"
_HOURS = r"[0-9]+"
_NETWORKS = rf"{_NETWORK}(, *{_NETWORK})*"

# What a pattern asks for, in words.
FORMS = {
    _ANY: "any text",
    _NAME: "the name of an object of this namespace",
    _WEIGHT: "a whole number from 0 to 100",
    _BANDWIDTH: "a whole number of Mbps from 1 to 2048",
    _CLB: "the id of one CLB, lb-…",
    _SUBNET: "the id of one subnet, subnet-…",
    _SUBNETS: "ids of subnets, subnet-…, separated by commas",
    _GROUPS: "at most five ids of security groups, sg-…, separated by commas",
    _POD_GROUPS: "ids of security groups, sg-…, separated by commas",
    _REGION: "the id of one region, like ap-guangzhou",
    _VPC: "the id of one VPC, vpc-…",
    _EIPS: "ids of EIPs, eip-…, separated by commas",
    _DURATION: "a duration like 30m or 1h",
    _HOURS: "a whole number of hours",
    _NETWORKS: "a comma list of tke-route-eni, tke-direct-eni, tke-bridge and flannel",
}

_service = partial(Annotation, On.SERVICE)
_ingress = partial(Annotation, On.INGRESS)
_pod = partial(Annotation, On.POD)
_service_switch = partial(_service, values=_BOOLEAN)
_ingress_switch = partial(_ingress, values=_BOOLEAN)

# Source: TKE docs, "Service annotations" and the pages that it refers to.
_SERVICE: tuple[Annotation, ...] = (
    _service_switch(SERVICE_DIRECT_ACCESS, "CLB binds Pod address and target port"),
    _service_switch(SERVICE_GRACE_SHUTDOWN, "weight 0 when a Pod terminates", direct_only=True),
    _service_switch(
        f"{_SVC}/enable-grace-shutdown-tkex",
        "weight 0 when an endpoint is not ready",
        direct_only=True,
    ),
    _service_switch(
        GRACE_DELETION["service"],
        "weight 0 before the kubelet removes the Pod",
        direct_only=True,
        since="2.5.0",
    ),
    _service(EXISTING_CLB["service"], "use an existing CLB", pattern=_CLB),
    _service_switch(SHARE_EXISTING_CLB, "share an existing CLB (serverless)"),
    _service(
        f"{_K8S}/qcloud-loadbalancer-internal-subnetid",
        "private CLB in this subnet",
        pattern=_SUBNET,
    ),
    _service(
        f"{_K8S}/qcloud-clusterip-loadbalancer-subnetid",
        "subnet of the CLB behind a cluster address (serverless)",
        pattern=_SUBNET,
    ),
    _service(
        f"{_K8S}/qcloud-loadbalancer-internet-charge-type",
        "how a public CLB is billed",
        values=_CHARGES,
    ),
    _service(
        f"{_K8S}/qcloud-loadbalancer-internet-max-bandwidth-out",
        "bandwidth of a public CLB in Mbps",
        pattern=_BANDWIDTH,
    ),
    _service(
        f"{_K8S}/service.extensiveParameters", "parameters for creating the CLB", json="object"
    ),
    _service(SERVICE_CONFIG["service"], "TkeServiceConfig of the same namespace", pattern=_NAME),
    _service_switch(SERVICE_CONFIG_AUTO["service"], "let TKE make a TkeServiceConfig"),
    _service(SPECIFY_PROTOCOL, "listener protocol by port", json="object"),
    _service(SERVICE_WEIGHTS, "weights by StatefulSet", json="object", direct_only=True),
    _service(
        TARGET_GROUPS,
        "bind target groups",
        json="array",
        direct_only=True,
        since="2.8.0",
    ),
    _service_switch(PASS_TO_TARGET["service"], "only the CLB's security groups check"),
    _service(f"{_SVC}/security-groups", "at most five security groups", pattern=_GROUPS),
    _service_switch(MODIFICATION_PROTECTION, "protect the CLB from edits"),
    _service(SYNC_MODE["service"], "leave the Service alone", values=("skip",), since="2.10.0"),
    _service(CROSS_REGION, "region of the CLB", pattern=_REGION),
    _service(CROSS_VPC, "VPC of the CLB", pattern=_VPC),
    _service_switch(
        f"{_K8S}/local-svc-only-bind-node-with-pod", "bind only nodes that have a Pod (NodePort)"
    ),
    _service_switch(f"{_SVC}/local-svc-weighted-balance", "weight by Pods of the node (NodePort)"),
    _service(
        f"{_K8S}/qcloud-loadbalancer-backends-label",
        "label selector of the nodes to bind (NodePort)",
        pattern=_ANY,
    ),
    _service_switch(f"{_SVC}/prevent-loopback", "node-level guard against loops"),
    _service_switch(
        f"{_SVC}/discard-loadbalancer-ip", "do not shortcut the CLB's address (serverless)"
    ),
)

# Source: TKE docs, "Ingress annotations", with the versions that page names.
_INGRESS: tuple[Annotation, ...] = (
    _ingress(INGRESS_CLASS_ANNOTATION, "controller that serves the Ingress", pattern=_ANY),
    _ingress_switch(INGRESS_DIRECT_ACCESS, "CLB binds Pod address and target port", since="1.3.0"),
    _ingress_switch(
        INGRESS_GRACE_SHUTDOWN, "weight 0 when a Pod terminates", direct_only=True, since="1.5.0"
    ),
    _ingress_switch(
        f"{_ING}/enable-grace-shutdown-tkex",
        "weight 0 when an endpoint is not ready",
        direct_only=True,
        since="1.5.0",
    ),
    _ingress_switch(
        GRACE_DELETION["ingress"],
        "weight 0 before the kubelet removes the Pod",
        direct_only=True,
        since="2.4.0",
    ),
    _ingress(EXISTING_CLB["ingress"], "use an existing CLB", pattern=_CLB),
    _ingress(f"{_INGK8S}.subnetId", "private CLB in this subnet", pattern=_SUBNET),
    _ingress(f"{_INGK8S}.internetChargeType", "how a public CLB is billed", values=_CHARGES),
    _ingress(
        f"{_INGK8S}.internetMaxBandwidthOut",
        "bandwidth of a public CLB in Mbps",
        pattern=_BANDWIDTH,
    ),
    _ingress(INGRESS_PARAMETERS, "parameters for creating the CLB", json="object"),
    _ingress_switch(RULE_MIX, "mix HTTP and HTTPS rules", since="1.3.0"),
    _ingress_switch(RULE_MIX_BOTH, "every rule in HTTP and HTTPS", since="2.8.0"),
    _ingress(HTTP_RULES, "rules of the HTTP listener", json="array", since="1.3.0"),
    _ingress(HTTPS_RULES, "rules of the HTTPS listener", json="array", since="1.3.0"),
    _ingress(
        SERVICE_CONFIG["ingress"],
        "TkeServiceConfig of the same namespace",
        pattern=_NAME,
        since="1.3.0",
    ),
    _ingress_switch(
        SERVICE_CONFIG_AUTO["ingress"], "let TKE make a TkeServiceConfig", since="1.3.0"
    ),
    _ingress_switch(REWRITE_SUPPORT, "redirects are managed here", since="1.3.0"),
    _ingress_switch(AUTO_REWRITE, "redirect HTTP to HTTPS", since="1.3.0"),
    _ingress(f"{_ING}/auto-rewrite-code", "status of redirects", pattern=_ANY, since="2.11.0"),
    _ingress(
        f"{_ING}/lb-rs-weight",
        "weights by StatefulSet",
        json="object",
        direct_only=True,
        since="1.6.0",
    ),
    _ingress(LISTEN_PORTS, "ports to listen on", json="array", since="2.4.1"),
    _ingress_switch(ENABLE_GROUP, "share one CLB", since="2.10.0"),
    _ingress_switch(
        PASS_TO_TARGET["ingress"], "only the CLB's security groups check", since="1.8.3"
    ),
    _ingress(
        f"{_ING}/security-groups", "at most five security groups", pattern=_GROUPS, since="1.8.3"
    ),
    _ingress_switch(f"{_ING}/modification-protection", "protect the CLB from edits", since="1.7.3"),
    _ingress_switch(f"{_ING}/deletion-protection", "protect from deletion", since="2.5.3"),
    _ingress_switch(f"{_ING}/loadbalance-retain", "keep the CLB on deletion", since="2.9.0"),
    _ingress(SYNC_MODE["ingress"], "leave the Ingress alone", values=("skip",), since="2.10.0"),
    _ingress(
        f"{_ING}/mix-target-prefer",
        "addresses that are bound first",
        values=("ipv4", "ipv6"),
        since="2.10.0",
    ),
    _ingress(CERTIFICATE, "certificates by host", json="array", since="2.8.0"),
    _ingress(f"{_ING}/cross-region-id", "region of the CLB", pattern=_REGION),
    _ingress(f"{_ING}/cross-vpc-id", "VPC of the CLB", pattern=_VPC),
)

# Source: TKE docs, VPC-CNI guides, "Super node annotations", and 457/128647 for weights.
_POD: tuple[Annotation, ...] = (
    _pod(NETWORKS, "networks of the Pod, a comma list", pattern=_NETWORKS),
    _pod(
        f"{_SVC}/custom-weight",
        "weight of this Pod",
        pattern=_WEIGHT,
        direct_only=True,
        since="2.4.0",
    ),
    _pod(
        f"{_ING}/custom-weight",
        "weight of this Pod",
        pattern=_WEIGHT,
        direct_only=True,
        since="2.6.0",
    ),
    _pod(f"{_TKE}/vpc-ip-claim-delete-policy", "static address of a Pod", values=_DELETE),
    _pod(f"{_TKE}/claim-expired-duration", "how long a static address stays", pattern=_DURATION),
    _pod(f"{_TKE}/nominated-vpc-ip", "address of a bare Pod", pattern=_ANY),
    _pod(f"{_TKE}/nominated-eni-subnets", "subnets of static addresses", pattern=_SUBNETS),
    _pod(f"{_TKE}/pod-security-groups", "groups of an exclusive ENI", pattern=_POD_GROUPS),
    _pod(f"{_TKE}/eip-attributes", "make an EIP for the Pod", json="object"),
    _pod(f"{_TKE}/eip-claim-delete-policy", "static EIP of a Pod", values=_DELETE),
    _pod(f"{_TKE}/eip-id-list", "EIPs by ordinal of the Pod", pattern=_EIPS),
    _pod(POD_TYPE, "kind of node that runs the Pod", pattern=_ANY),
    _pod(f"{_TKE}/need-ipv6-addr", "IPv6 on super nodes", values=_BOOLEAN),
    _pod(f"{_EKS}/cpu", "cores on super nodes", pattern=_ANY),
    _pod(f"{_EKS}/mem", "memory on super nodes", pattern=_ANY),
    _pod(f"{_EKS}/cpu-type", "processors on super nodes", pattern=_ANY),
    _pod(f"{_EKS}/gpu-type", "GPUs on super nodes", pattern=_ANY),
    _pod(f"{_EKS}/gpu-count", "how many GPUs on super nodes", pattern=_ANY),
    _pod(f"{_EKS}/root-cbs-size", "system disk on super nodes", pattern=_ANY),
    _pod(f"{_EKS}/security-group-id", "groups on super nodes", pattern=_POD_GROUPS),
    _pod(f"{_EKS}/retain-ip", "static address on super nodes", values=_BOOLEAN),
    _pod(f"{_EKS}/retain-ip-hours", "how long that address stays", pattern=_HOURS),
    _pod(f"{_EKS}/eip-attributes", "EIP on super nodes", pattern=_ANY),
    _pod(f"{_EKS}/eip-claim-delete-policy", "static EIP on super nodes", pattern=_ANY),
    _pod(f"{_EKS}/eip-id-list", "EIPs on super nodes", pattern=_EIPS),
    _pod(f"{_EKS}/spot-pod", "may be taken back on super nodes", values=_BOOLEAN),
    _pod(f"{_EKS}/resolv-conf", "name servers on super nodes", pattern=_ANY),
    _pod(METRICS_PORT, "where metrics are served on super nodes", pattern=_ANY),
    _pod(f"{_EKS}/host-sysctls", "kernel settings on super nodes", json="array"),
)

ANNOTATIONS = (*_SERVICE, *_INGRESS, *_POD)


class Written(NamedTuple):
    """Something that TKE writes into objects and that has no place in Git.

    ``documented`` says that TKE's documents call it read-only; the others were seen on objects
    of clusters, as several users published them.
    """

    key: str
    summary: str
    documented: bool = False


# Source: TKE docs, "Service annotations" and "Ingress annotations".
WRITTEN_ANNOTATIONS: tuple[Written, ...] = (
    Written(f"{_K8S}/loadbalance-id", "the id of the CLB", documented=True),
    Written(f"{_K8S}/loadbalance-nat-ipv6", "the CLB's IPv6 address", documented=True),
    Written(f"{_INGK8S}.qcloud-loadbalance-id", "the id of the CLB", documented=True),
    Written(f"{_ING}/loadbalance-nat-ipv6", "the CLB's IPv6 address", documented=True),
    Written(f"{_ING}/loadbalance-ipv6", "the CLB's IPv6 address", documented=True),
    Written(f"{_SVC}/client-token", "the request that made the CLB"),
    Written(f"{_SVC}/sync-begin-time", "when the last sync began"),
    Written(f"{_SVC}/sync-end-time", "when the last sync ended"),
    Written(f"{_SVC}/loadbalancer-source-endpoints", "where the backends come from"),
    Written(f"{_ING}/status.conditions", "the result of the last sync"),
    Written(f"{_TKE}/networks-status", "the Pod's networks"),
)
WRITTEN_LABELS: tuple[Written, ...] = (
    Written(f"{_SVC}/loadbalance-type", "public or private CLB"),
)
WRITTEN_FINALIZERS: tuple[Written, ...] = (
    Written("service.k8s.tencent/resources", "so that it can release the CLB first"),
)


class Deprecated(NamedTuple):
    """An annotation that was documented once; ``instead`` says what to do now."""

    key: str
    instead: str


# Source: TKE docs, "Service annotations" ("will be disused soon"), and their older editions.
DEPRECATED: tuple[Deprecated, ...] = (
    Deprecated(
        f"{_OLD}.internetChargeType", f"use {_K8S}/qcloud-loadbalancer-internet-charge-type"
    ),
    Deprecated(
        f"{_OLD}.internetMaxBandwidthOut",
        f"use {_K8S}/qcloud-loadbalancer-internet-max-bandwidth-out",
    ),
    Deprecated(f"{_K8S}/loadbalance-type", "remove it: classic CLBs are not made any more"),
    Deprecated(
        f"{_TKE}/enable-static-ip",
        f'use {_TKE}/vpc-ip-claim-delete-policy: "Never" on the pod template',
    ),
)

# Keys that articles name and that TKE does not have; one ends with * for all that start so.
INVENTED: tuple[Deprecated, ...] = (
    Deprecated(f"{_SVC}/loadbalance-id", f"to use an existing CLB write {EXISTING_CLB['service']}"),
    Deprecated(
        f"{_K8S}/qcloud-loadbalancer-health-check-*",
        f"health checks are set in a TkeServiceConfig, named by {SERVICE_CONFIG['service']}",
    ),
    Deprecated(
        f"{_SVC}/qcloud-loadbalancer-health-check-*",
        f"health checks are set in a TkeServiceConfig, named by {SERVICE_CONFIG['service']}",
    ),
)


class Family(NamedTuple):
    """Domains whose keys may be mistaken for each other.

    ``alike`` is how alike, from 0 to 1, an unknown key must be to a known one to be a misspelling
    of it: the more keys there are that no document shows, the closer.
    """

    domains: tuple[str, ...]
    alike: float = 0.84


FAMILIES: tuple[Family, ...] = (
    Family((f"{_SVC}/", f"{_K8S}/", f"{_OLD}.")),
    Family((f"{_ING}/", f"{_INGK8S}.")),
    Family((f"{_TKE}/",)),
    Family((f"{_EKS}/",), 0.9),
    Family((f"{API_GROUP}/",), 0.7),
)

# Our own annotations: the first stands on any object, the second on pod templates as well, and
# the binder reads the others of Services and Ingresses.
OWN = (SKIP, IGNORE, BINDER_GATE, BINDER_CERTIFICATE)
