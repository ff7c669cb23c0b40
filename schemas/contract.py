"""The contract with TKE: annotation keys, resource names, network modes, workloads and the gate.

This module and its table of annotations, ``schemas/annotations.py``, are the only ones of the
packages that may spell a ``cloud.tencent.com/`` literal (``tests/test_imports.py`` enforces it).
Data only: no I/O, no imports beyond the standard library.

Sources are named by row.  "TKE docs" are the product documents of Tencent Kubernetes Engine:
"Service annotations" (457/51258), "Ingress annotations" (457/40675), "CLB-to-Pod direct access"
(457/41897) and the VPC-CNI guides, read 2026-08.
"""

from __future__ import annotations

from enum import Enum
from typing import NamedTuple

API_GROUP = "tke-direct.dev"
API_VERSION = f"{API_GROUP}/v1alpha1"
CONFIG_KIND = "DirectAccess"
LINT_KIND = "DirectAccessLint"

SKIP = f"{API_GROUP}/skip"
IGNORE = f"{API_GROUP}/ignore"

# spec.loadBalancerClass of a Service that our own binder serves.
LOAD_BALANCER_CLASS = f"{API_GROUP}/binder"
BINDER_INGRESS_CLASS = "tke-direct"  # spec.ingressClassName of such an Ingress

# What the binder reads of Services and Ingresses, besides annotations of TKE: "false" keeps the
# readiness gates of Pods from waiting for them; the id of a certificate in CLB, for HTTPS.
BINDER_GATE = f"{API_GROUP}/gate"
BINDER_CERTIFICATE = f"{API_GROUP}/certificate"
LEASE_NOTE = f"{API_GROUP}/load-balancers"  # on the binder's lease

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
BRIDGE_NETWORK = "tke-bridge"  # GlobalRouter's, whose addresses only its own nodes know

# Annotations that keep the address of a Pod, each with the value that does
# (TKE docs, "Static IP address mode"; the second one is the older spelling).
STATIC_IP = {
    "tke.cloud.tencent.com/vpc-ip-claim-delete-policy": "Never",
    "tke.cloud.tencent.com/enable-static-ip": "true",
}

# What sends a Pod to a super node: a node label, a taint, and an annotation with that value.
NODE_TYPE_LABEL = "node.kubernetes.io/instance-type"
SUPER_NODE = "eklet"
SUPER_NODE_TAINT = "eks.tke.cloud.tencent.com/eklet"
POD_TYPE = "tke.cloud.tencent.com/pod-type"

# The port inside every Pod of a super node that serves its metrics, and what moves it away
# (TKE docs, "Annotations of super nodes").
SUPER_NODE_METRICS_PORT = 9100
METRICS_PORT = "eks.tke.cloud.tencent.com/metrics-port"

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
GRACE_SHUTDOWN = {"service": SERVICE_GRACE_SHUTDOWN, "ingress": INGRESS_GRACE_SHUTDOWN}
GRACE_DELETION = {
    "service": "service.cloud.tencent.com/enable-grace-deletion",
    "ingress": "ingress.cloud.tencent.com/enable-grace-deletion",
}
EXISTING_CLB = {
    "service": "service.kubernetes.io/tke-existed-lbid",
    "ingress": "kubernetes.io/ingress.existLbId",
}
PASS_TO_TARGET = {
    "service": "service.cloud.tencent.com/pass-to-target",
    "ingress": "ingress.cloud.tencent.com/pass-to-target",
}

# How TKE's controller syncs an object; "skip" leaves it and its CLB alone
# (TKE docs, "Service annotations", controller 2.10.0).
SYNC_MODE = {
    "service": "service.cloud.tencent.com/mode",
    "ingress": "ingress.cloud.tencent.com/mode",
}
SYNC_SKIP = "skip"

# Annotations of Services that single rules are about.
SPECIFY_PROTOCOL = "service.cloud.tencent.com/specify-protocol"
SERVICE_WEIGHTS = "service.cloud.tencent.com/lb-rs-weight"
TARGET_GROUPS = "service.cloud.tencent.com/target-groups"
MODIFICATION_PROTECTION = "service.cloud.tencent.com/modification-protection"
SHARE_EXISTING_CLB = "service.kubernetes.io/qcloud-share-existed-lb"
CROSS_VPC = "service.cloud.tencent.com/cross-vpc-id"
CROSS_REGION = "service.cloud.tencent.com/cross-region-id"

# The weight of one Pod, an annotation of it (TKE docs, 457/128647).
POD_WEIGHT = "service.cloud.tencent.com/custom-weight"

# What TKE reads only when it creates the CLB of a Service: the key, and what it decides
# (TKE docs, "Service annotations" and "Using existing CLBs").
CLB_CREATION = {
    "service.kubernetes.io/qcloud-loadbalancer-internal-subnetid": "whether it is private",
    "service.kubernetes.io/qcloud-loadbalancer-internet-charge-type": "how it is billed",
    "service.kubernetes.io/qcloud-loadbalancer-internet-max-bandwidth-out": "its bandwidth",
    "service.kubernetes.io/service.extensiveParameters": "how it is created",
}

# What chooses or weighs nodes behind CLB, so that it is for NodePorts only
# (TKE docs, "Service backend selection").
NODE_PORT_ONLY = (
    "service.kubernetes.io/local-svc-only-bind-node-with-pod",
    "service.cloud.tencent.com/local-svc-weighted-balance",
    "service.kubernetes.io/qcloud-loadbalancer-backends-label",
)


class ListenerProtocol(NamedTuple):
    """A protocol of a CLB listener: what carries it, and whether it needs a certificate."""

    transport: str
    certificate: bool = False


# The values of SPECIFY_PROTOCOL (TKE docs, "Service extension protocol", read 2026-08).
LISTENER_PROTOCOLS = {
    "TCP": ListenerProtocol("TCP"),
    "UDP": ListenerProtocol("UDP"),
    "TCP_SSL": ListenerProtocol("TCP", certificate=True),
    "HTTP": ListenerProtocol("TCP"),
    "HTTPS": ListenerProtocol("TCP", certificate=True),
    "QUIC": ListenerProtocol("UDP", certificate=True),
}

# Listeners of one CLB, unless a ticket raised the quota (CLB docs, "Use limits").
LISTENER_QUOTA = 50

# Lets TKE make the TkeServiceConfig itself, and how the names end that it gives to those: no
# other may be called so (TKE docs, "Service CLB configuration", event code E4051).
SERVICE_CONFIG_AUTO = {
    "service": "service.cloud.tencent.com/tke-service-config-auto",
    "ingress": "ingress.cloud.tencent.com/tke-service-config-auto",
}
RESERVED_CONFIG_ENDINGS = ("-auto-service-config", "-auto-ingress-config")

# What tells the listeners of an Ingress (TKE docs, "Ingress annotations").
LISTEN_PORTS = "ingress.cloud.tencent.com/listen-ports"
CERTIFICATE = "ingress.cloud.tencent.com/certificate"
HTTP_RULES = "kubernetes.io/ingress.http-rules"
HTTPS_RULES = "kubernetes.io/ingress.https-rules"
RULE_MIX = "kubernetes.io/ingress.rule-mix"
RULE_MIX_BOTH = "kubernetes.io/ingress.rule-mix-both"
AUTO_REWRITE = "ingress.cloud.tencent.com/auto-rewrite"
REWRITE_SUPPORT = "ingress.cloud.tencent.com/rewrite-support"

# How an Ingress comes by its CLB (same source).
ENABLE_GROUP = "ingress.cloud.tencent.com/enable-group"
INGRESS_PARAMETERS = "kubernetes.io/ingress.extensiveParameters"

# The key of CONTROLLER_CONFIG that lets TKE bind Pods of a GlobalRouter cluster
# (TKE docs, "CLB-to-Pod direct access": since 1.6.0 of the service controller).
GLOBAL_ROUTE_SWITCH = "GlobalRouteDirectAccess"

# Group of TKE's StatefulSetPlus, as its public clients spell it.
STATEFULSETPLUS_GROUP = "platform.stke"


# What kustomize looks for in a folder (kustomize documentation, "The Kustomization File").
KUSTOMIZATIONS = ("kustomization.yaml", "kustomization.yml", "Kustomization")


# What kustomize notes on an object while plugins run (its api/internal/utils/annotations.go).
PREVIOUS_NAMES = "internal.config.kubernetes.io/previousNames"
PREFIXES = "internal.config.kubernetes.io/prefixes"
SUFFIXES = "internal.config.kubernetes.io/suffixes"


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
