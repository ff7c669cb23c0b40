"""A small valid manifest of every kind that ``schemas.kubernetes`` knows, as plain data."""

from __future__ import annotations

from typing import Any

Manifest = dict[str, Any]

META: Manifest = {"name": "web", "namespace": "shop", "labels": {"app": "web"}}
SELECTOR: Manifest = {"matchLabels": {"app": "web"}}

POD_SPEC: Manifest = {
    "terminationGracePeriodSeconds": 60,
    "hostNetwork": False,
    "readinessGates": [{"conditionType": "example.com/ready"}],
    "affinity": {
        "podAntiAffinity": {
            "preferredDuringSchedulingIgnoredDuringExecution": [
                {
                    "weight": 1,
                    "podAffinityTerm": {
                        "labelSelector": SELECTOR,
                        "topologyKey": "kubernetes.io/hostname",
                    },
                }
            ]
        }
    },
    "tolerations": [{"key": "spot", "operator": "Exists"}],
    "initContainers": [{"name": "setup", "image": "busybox", "command": ["true"]}],
    "containers": [
        {
            "name": "web",
            "image": "nginx",
            "args": ["-g", "daemon off;"],
            "ports": [{"name": "http", "containerPort": 8080, "protocol": "TCP"}],
            "env": [
                {"name": "MODE", "value": "on"},
                {"name": "IP", "valueFrom": {"fieldRef": {"fieldPath": "status.podIP"}}},
            ],
            "resources": {"requests": {"cpu": 0.5, "memory": "128Mi"}, "limits": {"cpu": "1"}},
            "readinessProbe": {"httpGet": {"path": "/", "port": "http"}, "periodSeconds": 5},
            "livenessProbe": {"tcpSocket": {"port": 8080}},
            "lifecycle": {"preStop": {"exec": {"command": ["sleep", "15"]}}},
            "volumeMounts": [{"name": "data", "mountPath": "/data", "readOnly": True}],
        }
    ],
    "volumes": [
        {"name": "data", "emptyDir": {"sizeLimit": "1Gi"}},
        {"name": "settings", "configMap": {"name": "web", "items": [{"key": "a", "path": "a"}]}},
    ],
}
TEMPLATE: Manifest = {"metadata": {"labels": {"app": "web"}}, "spec": POD_SPEC}
JOB: Manifest = {"backoffLimit": 3, "completions": 1, "template": TEMPLATE}
CRON: Manifest = {
    "schedule": "0 0 * * *",
    "suspend": False,
    "concurrencyPolicy": "Forbid",
    "jobTemplate": {"metadata": {"labels": {"app": "web"}}, "spec": JOB},
}
CLAIM: Manifest = {
    "metadata": {"name": "data"},
    "spec": {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}},
}
SERVICE: Manifest = {
    "type": "LoadBalancer",
    "externalTrafficPolicy": "Local",
    "selector": {"app": "web"},
    "ports": [{"name": "http", "port": 80, "targetPort": "http", "protocol": "TCP"}],
    "sessionAffinityConfig": {"clientIP": {"timeoutSeconds": 60}},
    "loadBalancerSourceRanges": ["10.0.0.0/8"],
}
BUDGET: Manifest = {"minAvailable": "50%", "selector": SELECTOR}
TARGET: Manifest = {"apiVersion": "apps/v1", "kind": "Deployment", "name": "web"}


def _ingress(backend: Manifest) -> Manifest:
    path = {"path": "/", "pathType": "Prefix", "backend": backend}
    return {
        "ingressClassName": "qcloud",
        "tls": [{"hosts": ["example.com"], "secretName": "web"}],
        "rules": [{"host": "example.com", "http": {"paths": [path]}}],
    }


def _autoscaler(metric: Manifest) -> Manifest:
    return {"scaleTargetRef": TARGET, "minReplicas": 2, "maxReplicas": 5, "metrics": [metric]}


INGRESS = _ingress({"service": {"name": "web", "port": {"number": 80}}})
OLD_INGRESS = _ingress({"serviceName": "web", "servicePort": 80})
CPU: Manifest = {
    "type": "Resource",
    "resource": {"name": "cpu", "target": {"type": "Utilization", "averageUtilization": 60}},
}
OLD_CPU: Manifest = {"type": "Resource", "resource": {"name": "cpu", "targetAverageValue": "1"}}
PARAMETERS: Manifest = {"apiGroup": "example.com", "kind": "Settings", "name": "x"}
SET: Manifest = {"replicas": 2, "selector": SELECTOR, "template": TEMPLATE}

SPECS: dict[tuple[str, str], Manifest] = {
    ("v1", "Service"): {"spec": SERVICE},
    ("v1", "Pod"): {"spec": POD_SPEC},
    ("v1", "ReplicationController"): {"spec": {**SET, "selector": {"app": "web"}}},
    ("v1", "ConfigMap"): {"data": {"a": "1"}, "binaryData": {"b": "AA=="}, "immutable": True},
    ("apps/v1", "Deployment"): {
        "spec": {**SET, "strategy": {"rollingUpdate": {"maxSurge": 1, "maxUnavailable": "25%"}}},
        "status": {"readyReplicas": 1},
    },
    ("apps/v1", "StatefulSet"): {
        "spec": {**SET, "serviceName": "web", "volumeClaimTemplates": [CLAIM]}
    },
    ("apps/v1", "DaemonSet"): {
        "spec": {"selector": SELECTOR, "template": TEMPLATE, "minReadySeconds": 5}
    },
    ("apps/v1", "ReplicaSet"): {"spec": SET},
    ("batch/v1", "Job"): {"spec": JOB},
    ("batch/v1", "CronJob"): {"spec": CRON},
    ("batch/v1beta1", "CronJob"): {"spec": CRON},
    ("networking.k8s.io/v1", "Ingress"): {"spec": INGRESS},
    ("networking.k8s.io/v1", "IngressClass"): {
        "spec": {"controller": "example.com/x", "parameters": PARAMETERS}
    },
    ("networking.k8s.io/v1beta1", "Ingress"): {"spec": OLD_INGRESS},
    ("extensions/v1beta1", "Ingress"): {"spec": OLD_INGRESS},
    ("autoscaling/v1", "HorizontalPodAutoscaler"): {
        "spec": {"scaleTargetRef": TARGET, "maxReplicas": 5, "targetCPUUtilizationPercentage": 60}
    },
    ("autoscaling/v2", "HorizontalPodAutoscaler"): {
        "spec": {
            **_autoscaler(CPU),
            "behavior": {"scaleDown": {"stabilizationWindowSeconds": 60}},
        }
    },
    ("autoscaling/v2beta2", "HorizontalPodAutoscaler"): {"spec": _autoscaler(CPU)},
    ("autoscaling/v2beta1", "HorizontalPodAutoscaler"): {"spec": _autoscaler(OLD_CPU)},
    ("policy/v1", "PodDisruptionBudget"): {"spec": BUDGET},
    ("policy/v1beta1", "PodDisruptionBudget"): {"spec": BUDGET},
}

SEEDS: dict[tuple[str, str], Manifest] = {
    (api_version, kind): {"apiVersion": api_version, "kind": kind, "metadata": META, **spec}
    for (api_version, kind), spec in SPECS.items()
}
