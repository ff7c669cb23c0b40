"""The MutatingWebhookConfiguration as it should be, and what is wrong with the one there is. Pure.

The API server keeps who set which field (server-side apply), so we name only what is ours:
what others add stays.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping
from typing import NamedTuple, TypeAlias

from binder.webhook.mutate import ALWAYS_EXCLUDED
from binder.webhook.options import Options
from schemas import contract

Json: TypeAlias = Mapping[str, object]
GROUP_VERSION, KIND = "admissionregistration.k8s.io/v1", "MutatingWebhookConfiguration"
WEBHOOK = f"gate.{contract.API_GROUP}"
PATH = "/mutate"

# Raise it with every change of what `wanted` returns: a replica never writes over the
# configuration of a newer one. Text in an annotation, as annotations are.
VERSION = 1
VERSION_ANNOTATION = f"{contract.API_GROUP}/webhook-version"
INJECT = f"{contract.API_GROUP}/inject"
INJECTED = "enabled"
INJECT_CA_FROM = "cert-manager.io/inject-ca-from"  # cert-manager's documentation, "CA Injector"
NAMESPACE_NAME = "kubernetes.io/metadata.name"  # set on every namespace since Kubernetes 1.21

# What others may add that would keep Pods from being asked about, or break `clientConfig`.
FOREIGN = ("matchConditions",)


class Damage(NamedTuple):
    """What differs, in words for a log, and a label for the metric; empty when all is well."""

    fields: tuple[str, ...] = ()
    what: str = ""


def wanted(options: Options, bundle: str | None, live: Json | None = None) -> Json:
    """All that is ours; `bundle` is PEM, None when somebody else puts it in.

    Applied, it is refused when there is another one than `live` by then.
    """
    annotations = {VERSION_ANNOTATION: str(VERSION)}
    if options.inject_ca_from:
        annotations[INJECT_CA_FROM] = options.inject_ca_from
    return {
        "apiVersion": GROUP_VERSION,
        "kind": KIND,
        "metadata": {
            "name": options.name,
            "annotations": annotations,
            "labels": {"app.kubernetes.io/name": "tke-direct-webhook"},
            **({"resourceVersion": _version(live)} if live else {}),
        },
        "webhooks": [_webhook(options, bundle)],
    }


def _webhook(options: Options, bundle: str | None) -> Json:
    client: dict[str, object] = {
        "service": {
            "namespace": options.namespace,
            "name": options.service,
            "port": options.service_port,
            "path": PATH,
        }
    }
    if bundle is not None:
        client["caBundle"] = base64.b64encode(bundle.encode()).decode()
    excluded = list(dict.fromkeys([options.namespace, *ALWAYS_EXCLUDED]))
    return {
        "name": WEBHOOK,
        "clientConfig": client,
        "rules": [
            {
                "apiGroups": [""],
                "apiVersions": ["v1"],
                "operations": ["CREATE"],
                "resources": ["pods"],
                "scope": "Namespaced",
            }
        ],
        "namespaceSelector": {
            "matchLabels": {INJECT: INJECTED},
            # An older API server has no such label, so mutate.py looks at the name too.
            "matchExpressions": [{"key": NAMESPACE_NAME, "operator": "NotIn", "values": excluded}],
        },
        "objectSelector": {
            **({"matchLabels": dict(options.object_selector)} if options.object_selector else {}),
            "matchExpressions": [{"key": contract.SKIP, "operator": "NotIn", "values": ["true"]}],
        },
        "failurePolicy": options.failure_policy,
        "matchPolicy": "Equivalent",
        "reinvocationPolicy": "IfNeeded",
        "sideEffects": "None",
        "timeoutSeconds": 3,
        "admissionReviewVersions": ["v1"],
    }


def damage(live: Json | None, options: Options, bundle: str | None) -> Damage:
    """What of ours differs in `live`; of a newer version's only the bundle."""
    if live is None:
        return Damage(("there was none",), "configuration-missing")
    want = wanted(options, bundle)
    hook, wanted_hook = webhook_in(live), _first(want)
    client, wanted_client = _of(hook, "clientConfig"), _of(wanted_hook, "clientConfig")
    wrong_bundle = "caBundle" in wanted_client and (
        client.get("caBundle") != wanted_client["caBundle"]
    )
    if is_newer(live):
        return Damage(("caBundle",), "bundle") if hook and wrong_bundle else Damage()
    fields = [
        *(each for each in ("annotations", "labels") if _lacks(live, want, each)),
        *(key for key, value in _plain(wanted_hook).items() if hook.get(key) != value),
        *(["clientConfig"] if _without_bundle(client) != _without_bundle(wanted_client) else []),
        *(key for key in FOREIGN if hook.get(key)),
    ]
    if fields:
        return Damage((*fields, *(["caBundle"] if wrong_bundle else [])), "configuration-edited")
    return Damage(("caBundle",), "bundle") if wrong_bundle else Damage()


def without_foreign(live: Json | None, options: Options, bundle: str | None) -> Json | None:
    """A merge patch for what applying cannot mend; None: there is nothing of the kind.

    Applying cannot remove what somebody else has set, and of a newer version only the bundle is
    ours to mend. The patch is refused when the object is not the one that was looked at.
    """
    hook = webhook_in(live)
    if live is None or not hook:
        return None
    client, mended = _of(hook, "clientConfig"), _of(_first(wanted(options, bundle)), "clientConfig")
    if is_newer(live):
        changed = {**hook, "clientConfig": {**client, **_bundle_of(mended)}}
    elif client.keys() - {"service", "caBundle"} or any(hook.get(key) for key in FOREIGN):
        left = {key: value for key, value in hook.items() if key not in FOREIGN}
        changed = {**left, "clientConfig": {**_bundle_of(client), **mended}}
    else:
        return None
    hooks = [changed if each is hook else each for each in _webhooks(live)]
    return {"metadata": {"resourceVersion": _version(live)}, "webhooks": hooks}


def bundle_in(live: Json | None) -> str:
    """The authorities that API servers trust for our webhook, as PEM; "" where there are none."""
    text = _of(webhook_in(live), "clientConfig").get("caBundle") if live else None
    try:
        return base64.b64decode(str(text or "")).decode()
    except (binascii.Error, UnicodeDecodeError):
        return ""


def is_newer(live: Json) -> bool:
    """Whether a version wrote it that knows more than this one."""
    text = str(_of(_of(live, "metadata"), "annotations").get(VERSION_ANNOTATION, ""))
    return text.isascii() and text.isdigit() and int(text[:9]) > VERSION


def webhook_in(live: Json | None) -> Json:
    """Our webhook among those of the configuration, {} where it is not."""
    hooks = _webhooks(live or {})
    return next((each for each in hooks if each.get("name") == WEBHOOK), {})


def _plain(hook: Json) -> Json:
    return {key: value for key, value in hook.items() if key != "clientConfig"}


def _bundle_of(client: Json) -> Json:
    return {key: value for key, value in client.items() if key == "caBundle"}


def _version(live: Json) -> object:
    return _of(live, "metadata").get("resourceVersion")


def _lacks(live: Json, want: Json, field: str) -> bool:
    there = _of(_of(live, "metadata"), field)
    return any(there.get(key) != value for key, value in _of(_of(want, "metadata"), field).items())


def _without_bundle(client: Json) -> Json:
    return {key: value for key, value in client.items() if key != "caBundle"}


def _first(configuration: Json) -> Json:
    return _webhooks(configuration)[0]


def _webhooks(configuration: Json) -> list[Json]:
    hooks = configuration.get("webhooks")
    return hooks if isinstance(hooks, list) else []


def _of(value: Json, field: str) -> Json:
    found = value.get(field)
    return found if isinstance(found, dict) else {}
