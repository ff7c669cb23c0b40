"""Every kind of damage, done through the API as people do it, and how to tell that it is mended."""

from __future__ import annotations

import base64
from collections.abc import Callable
from datetime import datetime, timezone
from typing import Any

from binder.webhook import certificates, configuration, secret
from binder.webhook.certificates import Due, Material, fresh, trusts
from binder.webhook.configuration import WEBHOOK
from binder.webhook.options import Options
from tests.binder.webhook.site import NAMESPACE, Site

OPTIONS = Options(NAMESPACE)


def is_in_order(site: Site) -> bool:
    """The Secret is, and the configuration, which trusts what the Secret holds."""
    live, stored = site.configuration(), site.secret()
    if live is None or stored is None:
        return False
    material = secret.read(stored)
    options = OPTIONS._replace(service_port=site.port)
    return (
        certificates.due(material, options.names, datetime.now(timezone.utc)) is Due.NOTHING
        and not configuration.damage(live, options, material.bundle).what
        and trusts(configuration.bundle_in(live), material.pairs[0])
    )


def delete_the_configuration(site: Site) -> None:
    site.delete_configuration()


def edit_the_configuration(site: Site) -> None:
    site.patch_configuration({"webhooks": [{"name": WEBHOOK, "timeoutSeconds": 30}]})


def select_nothing(site: Site) -> None:
    selector = {"matchLabels": {"no": "such"}}
    site.patch_configuration({"webhooks": [{"name": WEBHOOK, "objectSelector": selector}]})


def turn_it_elsewhere(site: Site) -> None:
    client = {"url": "https://localhost:1/", "service": None}
    site.patch_configuration({"webhooks": [{"name": WEBHOOK, "clientConfig": client}]})


def add_a_condition(site: Site) -> None:
    condition = {"name": "never", "expression": "false"}
    site.patch_configuration({"webhooks": [{"name": WEBHOOK, "matchConditions": [condition]}]})


def delete_the_webhook(site: Site) -> None:
    site.patch_configuration([{"op": "replace", "path": "/webhooks", "value": []}])


def empty_the_bundle(site: Site) -> None:
    client = {"caBundle": None}
    site.patch_configuration({"webhooks": [{"name": WEBHOOK, "clientConfig": client}]})


def trust_somebody_else(site: Site) -> None:
    other = base64.b64encode(_made(OPTIONS.names).bundle.encode()).decode()
    client = {"caBundle": other}
    site.patch_configuration({"webhooks": [{"name": WEBHOOK, "clientConfig": client}]})


def delete_the_secret(site: Site) -> None:
    site.delete_secret()


def corrupt_the_secret(site: Site) -> None:
    site.patch_secret({"data": {"tls.key": base64.b64encode(b"no key").decode()}})


def empty_the_secret(site: Site) -> None:
    site.patch_secret({"data": dict.fromkeys(("ca.crt", "tls.crt", "tls.key"))})


def make_it_immutable(site: Site) -> None:
    site.patch_secret({"immutable": True, "data": {"tls.crt": None}})


def store_another_name(site: Site) -> None:
    site.patch_secret({"data": secret.write(_made(("other.svc",)))})


def store_what_has_expired(site: Site) -> None:
    site.patch_secret({"data": secret.write(_made(OPTIONS.names, -60.0))})


def _made(names: Any, lifetime: float = 3600.0) -> Material:
    return fresh(names, datetime.now(timezone.utc), lifetime)


DAMAGE: tuple[Callable[[Site], None], ...] = (
    delete_the_configuration,
    edit_the_configuration,
    select_nothing,
    turn_it_elsewhere,
    add_a_condition,
    delete_the_webhook,
    empty_the_bundle,
    trust_somebody_else,
    delete_the_secret,
    corrupt_the_secret,
    empty_the_secret,
    make_it_immutable,
    store_another_name,
    store_what_has_expired,
)
