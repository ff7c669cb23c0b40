"""An admission webhook on loopback: a server that the API server trusts and asks."""

from __future__ import annotations

import base64
import json
import ssl
import tempfile
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from kubernetes import client

from tests.controlplane.access import create
from tests.controlplane.certificates import Authority
from tests.controlplane.manifests import pod
from tests.controlplane.watching import eventually

Review = dict[str, Any]
Judge = Callable[[Review], Review]


class Webhook:
    """Its `url`, the `ca_bundle` for its configuration, and the `requests` it has had."""

    def __init__(self, url: str, authority: Authority) -> None:
        self.url = url
        self.ca_bundle = base64.b64encode(authority.pem.encode()).decode()
        self.requests: list[Review] = []


@contextmanager
def serve(authority: Authority, judge: Judge, address: str = "127.0.0.1") -> Iterator[Webhook]:
    """Answer each request with what `judge` makes of it: {"allowed": …, "patch": […]}."""
    server = ThreadingHTTPServer((address, 0), BaseHTTPRequestHandler)
    webhook = Webhook(f"https://{address}:{server.server_port}/", authority)
    server.RequestHandlerClass = _handler(webhook, judge)
    server.socket = _context(authority, address).wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), name="webhook")
    thread.start()
    try:
        yield webhook
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def configuration(webhook: Webhook, name: str, namespace: str, kind: str = "Mutating") -> Review:
    """A webhook configuration that asks about new Pods of one namespace."""
    return {
        "apiVersion": "admissionregistration.k8s.io/v1",
        "kind": f"{kind}WebhookConfiguration",
        "metadata": {"name": name},
        "webhooks": [
            {
                "name": f"{name}.tke-direct.dev",
                "clientConfig": {"url": webhook.url, "caBundle": webhook.ca_bundle},
                "rules": [
                    {
                        "apiGroups": [""],
                        "apiVersions": ["v1"],
                        "operations": ["CREATE"],
                        "resources": ["pods"],
                    }
                ],
                "namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": namespace}},
                "sideEffects": "None",
                "admissionReviewVersions": ["v1"],
                "timeoutSeconds": 5,
            }
        ],
    }


@contextmanager
def installed(
    api: client.ApiClient, webhook: Webhook, namespace: str, kind: str = "Mutating"
) -> Iterator[None]:
    """From the beginning on, the API server does ask; it takes note of a webhook with delay."""
    admission = client.AdmissionregistrationV1Api(api)
    create(api, configuration(webhook, namespace, namespace, kind))
    try:
        eventually("the webhook is asked", lambda: _is_asked(api, webhook, namespace))
        webhook.requests.clear()
        yield
    finally:
        delete = f"delete_{kind.lower()}_webhook_configuration"
        getattr(admission, delete)(namespace)


def _is_asked(api: client.ApiClient, webhook: Webhook, namespace: str) -> bool:
    attempt: Any = pod(namespace, "any")
    with suppress(client.ApiException):  # if it refuses, it was asked
        client.CoreV1Api(api).create_namespaced_pod(namespace, attempt, dry_run="All")
    return bool(webhook.requests)


def _context(authority: Authority, address: str) -> ssl.SSLContext:
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    certificate, key = authority.issue(address, "localhost")
    with tempfile.TemporaryDirectory() as folder:  # the module ssl reads files only
        path = Path(folder, "webhook.pem")
        path.write_text(certificate + key, encoding="utf-8")
        context.load_cert_chain(path)
    return context


def _handler(webhook: Webhook, judge: Judge) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            length = int(self.headers["Content-Length"])
            review: Review = json.loads(self.rfile.read(length))
            webhook.requests.append(review["request"])
            response = {"uid": review["request"]["uid"], **_encoded(judge(review["request"]))}
            body = json.dumps({**review, "request": None, "response": response}).encode()
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)
            # The API server keeps connections; a thread that waits on one would outlive the test.
            self.close_connection = True

        def log_message(self, *_: object) -> None:
            pass

    return Handler


def _encoded(verdict: Review) -> Review:
    if "patch" not in verdict:
        return verdict
    patch = base64.b64encode(json.dumps(verdict["patch"]).encode()).decode()
    return {**verdict, "patch": patch, "patchType": "JSONPatch"}
