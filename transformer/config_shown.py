"""The effective configuration, written out again: what ``config show`` prints."""

from __future__ import annotations

from typing import Any

from schemas.contract import API_VERSION, CONFIG_KIND, MODES, WORKLOADS
from transformer.model import LabelSelector, LintSettings, Settings


def shown(made: Settings) -> dict[str, Any]:
    """The effective configuration as a DirectAccess object, every default spelled out."""
    return {
        "apiVersion": API_VERSION,
        "kind": CONFIG_KIND,
        "spec": {
            "networkMode": made.mode.value,
            "overrides": [
                {
                    "networkMode": row.mode.value,
                    "namespaces": list(row.namespaces),
                    "labelSelector": _shown_selector(row.selector),
                }
                for row in made.overrides
            ],
            "targets": {
                "services": {
                    "select": made.services_select,
                    "labelSelector": _shown_selector(made.services_selector),
                },
                "ingresses": {
                    "select": made.ingresses_select,
                    "labelSelector": _shown_selector(made.ingresses_selector),
                    "defaultClass": made.ingress_default_class,
                },
            },
            "readinessGate": {
                "inject": MODES[made.mode].gate if made.inject is None else made.inject,
                "conditionType": made.gate,
            },
            **({"container": made.container} if made.container else {}),
            "graceful": {
                "enabled": made.graceful,
                "preStopSeconds": made.pre_stop_s,
                "terminationGracePeriodSeconds": made.grace_period_s,
            },
            "workloads": [
                {"group": row.group, "kind": row.kind, "podTemplate": ".".join(row.template)}
                for groups in made.workloads.values()
                for row in groups.values()
                if row not in WORKLOADS
            ],
            "exclude": list(made.exclude),
            **({"kubernetesVersion": made.kubernetes} if made.kubernetes else {}),
            "lint": _shown_lint(made.lint),
        },
    }


def _shown_lint(made: LintSettings) -> dict[str, Any]:
    controllers = {"service": made.service_controller, "ingress": made.ingress_controller}
    return {
        "targetQuota": made.target_quota,
        "drainSeconds": made.drain_s,
        "controllers": {name: version for name, version in controllers.items() if version},
        "ignore": [
            {"rules": list(row.rules), "resources": list(row.resources)} for row in made.ignored
        ],
    }


def _shown_selector(selector: LabelSelector) -> dict[str, Any]:
    rows = [
        {"key": r.key, "operator": r.operator, **({"values": list(r.values)} if r.values else {})}
        for r in selector.expressions
    ]
    return {"matchLabels": dict(selector.labels), "matchExpressions": rows}
