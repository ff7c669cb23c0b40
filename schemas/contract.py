"""The contract with TKE: every annotation key, allowed value, resource name, mode and gate.

This is the only module of the packages that may spell a ``cloud.tencent.com/`` literal
(``tests/test_imports.py`` enforces it).  Data only: no I/O, no imports beyond the standard library.

Sources are named by row.  "TKE docs" are the product documents of Tencent Kubernetes Engine:
"Service annotations" (457/51258), "Ingress annotations" (457/40675), "CLB-to-Pod direct access"
(457/41897) and the VPC-CNI guides, read 2026-08.
"""

from __future__ import annotations

from enum import Enum
from functools import partial
from typing import NamedTuple

API_GROUP = "tke-direct.dev"
API_VERSION = f"{API_GROUP}/v1alpha1"
CONFIG_KIND = "DirectAccess"

SKIP = f"{API_GROUP}/skip"
IGNORE = f"{API_GROUP}/ignore"

# spec.loadBalancerClass of a Service that our own binder serves.
LOAD_BALANCER_CLASS = f"{API_GROUP}/binder"

SERVICE_DIRECT_ACCESS = "service.cloud.tencent.com/direct-access"
SERVICE_GRACE_SHUTDOWN = "service.cloud.tencent.com/enable-grace-shutdown"
INGRESS_DIRECT_ACCESS = "ingress.cloud.tencent.com/direct-access"
INGRESS_GRACE_SHUTDOWN = "ingress.cloud.tencent.com/enable-grace-shutdown"
INGRESS_CLASS_ANNOTATION = "kubernetes.io/ingress.class"
INGRESS_CLASS = "qcloud"

NETWORKS = "tke.cloud.tencent.com/networks"
ENI_IP = "tke.cloud.tencent.com/eni-ip"
DIRECT_ENI = "tke.cloud.tencent.com/direct-eni"
ENI_RESOURCES = (ENI_IP, DIRECT_ENI)

# One fixed string for all Services of a Pod; TKE's own controller confirms it
# (TKE docs, "Using Services with CLB-to-Pod Direct Access Mode").
READINESS_GATE = "cloud.tencent.com/load-balancer-backendgroup-ready"

# What carries CLB's listener settings, and the ConfigMap of TKE's service controller.
SERVICE_CONFIG_GROUP = "cloud.tencent.com"
SERVICE_CONFIG_KIND = "tkeserviceconfig"  # in lower case: older documents spell TKEServiceConfig
CONTROLLER_CONFIG = "tke-service-controller-config"

# Annotations that rules join by, by what carries them.
SERVICE_CONFIG = {
    "service": "service.cloud.tencent.com/tke-service-config",
    "ingress": "ingress.cloud.tencent.com/tke-service-config",
}
EXISTING_CLB = {
    "service": "service.kubernetes.io/tke-existed-lbid",
    "ingress": "kubernetes.io/ingress.existLbId",
}

# Group of TKE's StatefulSetPlus, as its public clients spell it.
STATEFULSETPLUS_GROUP = "platform.stke"


class NetworkMode(str, Enum):
    """How Pods of the cluster get their addresses; the values users write."""

    VPC_CNI = "vpc-cni"
    MIXED = "mixed"
    VPC_CNI_EXCLUSIVE = "vpc-cni-exclusive"
    GLOBAL_ROUTER = "global-router"
    SERVERLESS = "serverless"
    CILIUM_OVERLAY = "cilium-overlay"


class Mode(NamedTuple):
    """What one network mode asks of a manifest."""

    name: NetworkMode
    summary: str
    recognise: str
    networks: str | None = None  # value of the NETWORKS annotation on the pod template
    resource: str | None = None  # extended resource that one container requests
    gate: bool = True  # inject the readiness gate unless the configuration says otherwise
    forbids_eni: bool = False  # an ENI annotation or request would leave Pods unschedulable
    supported: bool = True


MODES: dict[NetworkMode, Mode] = {
    mode.name: mode
    for mode in (
        Mode(
            NetworkMode.VPC_CNI,
            "VPC-CNI chosen when the cluster was created: every Pod has an ENI address",
            "DaemonSet tke-eni-agent runs, tke-bridge-agent does not",
        ),
        Mode(
            NetworkMode.MIXED,
            "GlobalRouter with VPC-CNI added later: Pods must ask for an ENI address",
            "DaemonSets tke-eni-agent and tke-bridge-agent both run",
            networks="tke-route-eni",
            resource=ENI_IP,
        ),
        Mode(
            NetworkMode.VPC_CNI_EXCLUSIVE,
            "VPC-CNI with an exclusive network interface for each Pod",
            "the cluster's VpcCniType is tke-direct-eni",
            networks="tke-direct-eni",
            resource=DIRECT_ENI,
        ),
        Mode(
            NetworkMode.GLOBAL_ROUTER,
            "GlobalRouter only, with GlobalRouteDirectAccess switched on",
            "DaemonSet tke-bridge-agent runs, tke-eni-agent does not",
            forbids_eni=True,
        ),
        Mode(
            NetworkMode.SERVERLESS,
            "serverless cluster or super nodes: Pods are always bound directly",
            "the nodes are named eklet-…",
            gate=False,
        ),
        Mode(
            NetworkMode.CILIUM_OVERLAY,
            "Cilium-Overlay: Pod addresses cannot be reached from outside the cluster",
            "Pods have addresses outside the VPC",
            supported=False,
        ),
    )
}


class Workload(NamedTuple):
    """A kind whose objects make Pods, and where its pod template sits."""

    group: str
    kind: str
    template: tuple[str, ...]


_TEMPLATE = ("spec", "template")

WORKLOADS: tuple[Workload, ...] = (
    Workload("", "Pod", ()),
    Workload("", "ReplicationController", _TEMPLATE),
    Workload("apps", "Deployment", _TEMPLATE),
    Workload("apps", "StatefulSet", _TEMPLATE),
    Workload("apps", "DaemonSet", _TEMPLATE),
    Workload("apps", "ReplicaSet", _TEMPLATE),
    Workload("extensions", "Deployment", _TEMPLATE),
    Workload("extensions", "DaemonSet", _TEMPLATE),
    Workload("extensions", "ReplicaSet", _TEMPLATE),
    Workload("batch", "Job", _TEMPLATE),
    Workload("batch", "CronJob", ("spec", "jobTemplate", "spec", "template")),
    Workload("argoproj.io", "Rollout", _TEMPLATE),
    Workload("apps.kruise.io", "CloneSet", _TEMPLATE),
    Workload("apps.kruise.io", "StatefulSet", _TEMPLATE),
    Workload("apps.kruise.io", "DaemonSet", _TEMPLATE),
    Workload(STATEFULSETPLUS_GROUP, "StatefulSetPlus", _TEMPLATE),
)

INGRESS_GROUPS = ("networking.k8s.io", "extensions")


class On(str, Enum):
    """Which object carries an annotation."""

    SERVICE = "Service"
    INGRESS = "Ingress"
    POD = "Pod template"


class Annotation(NamedTuple):
    """One annotation users may set, and which strings it takes.

    ``values`` lists the allowed strings, ``pattern`` a regular expression over the whole string,
    ``json`` the JSON type that the string must parse to; at most one of the three is given.
    """

    on: On
    key: str
    summary: str
    values: tuple[str, ...] = ()
    pattern: str = ""
    json: str = ""
    direct_only: bool = False
    since: str = ""  # least version of TKE's service or ingress controller


_BOOLEAN = ("true", "false")
_NAME = r"[a-z0-9]([-a-z0-9.]*[a-z0-9])?"
_WEIGHT = r"(100|[1-9]?[0-9])"
_BANDWIDTH = r"(20[0-3][0-9]|204[0-8]|1[0-9]{3}|[1-9][0-9]{0,2})"
_CHARGES = ("BANDWIDTH_POSTPAID_BY_HOUR", "TRAFFIC_POSTPAID_BY_HOUR", "BANDWIDTH_PACKAGE")
_GROUPS = r"(sg-[0-9a-z]+(,sg-[0-9a-z]+){0,4})?"
_SVC, _ING, _TKE = "service.cloud.tencent.com", "ingress.cloud.tencent.com", "tke.cloud.tencent.com"
_K8S, _INGK8S = "service.kubernetes.io", "kubernetes.io"


_service = partial(Annotation, On.SERVICE)
_ingress = partial(Annotation, On.INGRESS)
_pod = partial(Annotation, On.POD)

# Source: TKE docs "Service annotations", "Ingress annotations", "VPC-CNI", read 2026-08.
ANNOTATIONS: tuple[Annotation, ...] = (
    _service(SERVICE_DIRECT_ACCESS, "CLB binds Pod address and target port", values=_BOOLEAN),
    _service(
        SERVICE_GRACE_SHUTDOWN,
        "weight 0 when a Pod terminates",
        values=_BOOLEAN,
        direct_only=True,
    ),
    _service(
        f"{_SVC}/enable-grace-shutdown-tkex",
        "weight 0 when an endpoint is not ready",
        values=_BOOLEAN,
        direct_only=True,
    ),
    _service(
        f"{_SVC}/enable-grace-deletion",
        "weight 0 before the kubelet removes the Pod",
        values=_BOOLEAN,
        direct_only=True,
        since="2.5.0",
    ),
    _service(f"{_K8S}/tke-existed-lbid", "use an existing CLB", pattern=r"lb-[0-9a-z]+"),
    _service(
        f"{_K8S}/qcloud-share-existed-lb", "share an existing CLB (serverless)", values=_BOOLEAN
    ),
    _service(
        f"{_K8S}/qcloud-loadbalancer-internal-subnetid",
        "private CLB in this subnet",
        pattern=r"subnet-[0-9a-z]+",
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
    _service(f"{_SVC}/tke-service-config", "TkeServiceConfig of the same namespace", pattern=_NAME),
    _service(f"{_SVC}/tke-service-config-auto", "let TKE make a TkeServiceConfig", values=_BOOLEAN),
    _service(f"{_SVC}/specify-protocol", "listener protocol by port", json="object"),
    _service(f"{_SVC}/lb-rs-weight", "weights by StatefulSet", json="object", direct_only=True),
    _service(
        f"{_SVC}/target-groups",
        "bind target groups",
        json="array",
        direct_only=True,
        since="2.8.0",
    ),
    _service(f"{_SVC}/pass-to-target", "only the CLB's security groups check", values=_BOOLEAN),
    _service(f"{_SVC}/security-groups", "at most five security groups", pattern=_GROUPS),
    _service(f"{_SVC}/modification-protection", "protect the CLB from edits", values=_BOOLEAN),
    _service(f"{_SVC}/mode", "leave the Service alone", values=("skip",), since="2.10.0"),
    _service(f"{_SVC}/prevent-loopback", "node-level guard against loops", values=_BOOLEAN),
    _ingress(INGRESS_CLASS_ANNOTATION, "controller that serves the Ingress", pattern=_NAME),
    _ingress(INGRESS_DIRECT_ACCESS, "CLB binds Pod address and target port", values=_BOOLEAN),
    _ingress(
        INGRESS_GRACE_SHUTDOWN,
        "weight 0 when a Pod terminates",
        values=_BOOLEAN,
        direct_only=True,
    ),
    _ingress(
        f"{_ING}/enable-grace-shutdown-tkex",
        "weight 0 when an endpoint is not ready",
        values=_BOOLEAN,
        direct_only=True,
    ),
    _ingress(
        f"{_ING}/enable-grace-deletion",
        "weight 0 before the kubelet removes the Pod",
        values=_BOOLEAN,
        direct_only=True,
        since="2.4.0",
    ),
    _ingress(f"{_INGK8S}/ingress.existLbId", "use an existing CLB", pattern=r"lb-[0-9a-z]+"),
    _ingress(
        f"{_INGK8S}/ingress.subnetId", "private CLB in this subnet", pattern=r"subnet-[0-9a-z]+"
    ),
    _ingress(
        f"{_INGK8S}/ingress.internetChargeType", "how a public CLB is billed", values=_CHARGES
    ),
    _ingress(
        f"{_INGK8S}/ingress.internetMaxBandwidthOut",
        "bandwidth of a public CLB in Mbps",
        pattern=_BANDWIDTH,
    ),
    _ingress(
        f"{_INGK8S}/ingress.extensiveParameters", "parameters for creating the CLB", json="object"
    ),
    _ingress(f"{_INGK8S}/ingress.rule-mix", "mix HTTP and HTTPS rules", values=_BOOLEAN),
    _ingress(f"{_ING}/tke-service-config", "TkeServiceConfig of the same namespace", pattern=_NAME),
    _ingress(f"{_ING}/tke-service-config-auto", "let TKE make a TkeServiceConfig", values=_BOOLEAN),
    _ingress(f"{_ING}/lb-rs-weight", "weights by StatefulSet", json="object", direct_only=True),
    _ingress(f"{_ING}/listen-ports", "ports to listen on", json="array", since="2.4.1"),
    _ingress(f"{_ING}/enable-group", "share one CLB", values=_BOOLEAN, since="2.10.0"),
    _ingress(f"{_ING}/pass-to-target", "only the CLB's security groups check", values=_BOOLEAN),
    _ingress(f"{_ING}/security-groups", "at most five security groups", pattern=_GROUPS),
    _ingress(f"{_ING}/mode", "leave the Ingress alone", values=("skip",), since="2.10.0"),
    _pod(
        NETWORKS,
        "networks of the Pod, a comma list",
        pattern=r"(tke-route-eni|tke-direct-eni|tke-bridge|flannel)"
        r"(,(tke-route-eni|tke-direct-eni|tke-bridge|flannel))*",
    ),
    _pod(f"{_SVC}/custom-weight", "weight of this Pod", pattern=_WEIGHT, direct_only=True),
    _pod(f"{_ING}/custom-weight", "weight of this Pod", pattern=_WEIGHT, direct_only=True),
    _pod(
        f"{_TKE}/vpc-ip-claim-delete-policy",
        "static address of a StatefulSet Pod",
        values=("Never", "Immediate"),
    ),
)
