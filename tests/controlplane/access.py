"""Who may come in and how: client configurations, and service accounts with their rights."""

from __future__ import annotations

import base64
import json
import ssl
import urllib.request
from collections.abc import Mapping, Sequence
from typing import Any, TypeVar

from kubernetes import client, utils

Rules = Sequence[Mapping[str, Sequence[str]]]
Configuration = TypeVar("Configuration")
RBAC = "rbac.authorization.k8s.io"


def kubeconfig(url: str, authority: str, token: str) -> str:
    """JSON, which is YAML too."""
    data = base64.b64encode(authority.encode()).decode()
    cluster = {"server": url, "certificate-authority-data": data}
    context = {"cluster": "test", "user": "test"}
    return json.dumps(
        {
            "apiVersion": "v1",
            "kind": "Config",
            "clusters": [{"name": "test", "cluster": cluster}],
            "users": [{"name": "test", "user": {"token": token}}],
            "contexts": [{"name": "test", "context": context}],
            "current-context": "test",
        },
        indent=2,
    )


def configuration(empty: Configuration, url: str, authority: str, token: str) -> Configuration:
    """Not by the kubeconfig: the client would leave the authority's certificate in /tmp."""
    settings: Any = empty
    settings.host = url
    settings.ssl_ca_cert = authority
    settings.api_key = {"authorization": f"Bearer {token}"}
    settings.retries = False
    return empty


def is_ready(url: str, authority: str) -> bool:
    """Whether the API server says so, which it tells everybody."""
    context = ssl.create_default_context(cafile=authority)
    try:
        with urllib.request.urlopen(f"{url}/readyz", timeout=5, context=context):
            return True
    except OSError:
        return False


def account(
    api: client.ApiClient, namespace: str, name: str, rules: Rules, *, everywhere: bool = False
) -> str:
    """A ServiceAccount with these rights, in its namespace or everywhere; its token."""
    # Cluster roles have no namespace, and accounts of two tests may have one name.
    role, prefix = (f"{namespace}-{name}", "Cluster") if everywhere else (name, "")
    meta = {"name": role, "namespace": namespace}
    subject = {"kind": "ServiceAccount", "name": name, "namespace": namespace}
    grant = {"apiGroup": RBAC, "kind": f"{prefix}Role", "name": role}
    create(
        api,
        _object("v1", "ServiceAccount", metadata={"name": name, "namespace": namespace}),
        _object(f"{RBAC}/v1", f"{prefix}Role", metadata=meta, rules=rules),
        _object(
            f"{RBAC}/v1", f"{prefix}RoleBinding", metadata=meta, subjects=[subject], roleRef=grant
        ),
    )
    return token(api, namespace, name)


def token(api: client.ApiClient, namespace: str, account: str) -> str:
    request = client.AuthenticationV1TokenRequest(
        spec=client.V1TokenRequestSpec(audiences=[], expiration_seconds=3600)
    )
    answer = client.CoreV1Api(api).create_namespaced_service_account_token(
        account, namespace, request
    )
    assert answer.status
    return str(answer.status.token)


def create(api: client.ApiClient, *objects: dict[str, Any]) -> None:
    """Create what stands in manifests."""
    for each in objects:
        utils.create_from_dict(api, each)


def _object(api_version: str, kind: str, **fields: Any) -> dict[str, Any]:
    return {"apiVersion": api_version, "kind": kind, **fields}
