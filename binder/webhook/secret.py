"""Certificates as a Secret keeps them. Pure."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping
from typing import TypeAlias

from binder.webhook import certificates
from binder.webhook.certificates import Material, Pair
from schemas import contract

Json: TypeAlias = Mapping[str, object]

# The names of cert-manager's Secrets and of the type kubernetes.io/tls; ours come after.
BUNDLE = "ca.crt"
PAIRS = (("tls.crt", "tls.key"), ("previous.crt", "previous.key"))

# Set by people, to rotate now: deleting the Secret does not, since replicas put it back.
ROTATE = f"{contract.API_GROUP}/rotate"


def read(secret: Json) -> Material:
    """What stands in it; what cannot be read is left out, so that it is found to be corrupt."""
    data = secret.get("data")
    texts = {key: _text(value) for key, value in data.items()} if isinstance(data, dict) else {}
    first, second = (Pair(texts.get(crt, ""), texts.get(key, "")) for crt, key in PAIRS)
    older = (second,) if certificates.is_sound(second) else ()
    return Material((first, *older), texts.get(BUNDLE, ""))


def write(material: Material) -> Mapping[str, str]:
    """The field ``data``."""
    texts = {BUNDLE: material.bundle}
    for (crt, key), pair in zip(PAIRS, material.pairs, strict=False):
        texts |= {crt: pair.certificate, key: pair.key}
    return {key: base64.b64encode(text.encode()).decode() for key, text in texts.items()}


def new(namespace: str, name: str, material: Material) -> Json:
    """The whole object."""
    return {
        "apiVersion": "v1",
        "kind": "Secret",
        "type": "Opaque",
        "metadata": {"name": name, "namespace": namespace},
        "data": write(material),
    }


def changed(live: Json, material: Material) -> Json:
    """`live` with other certificates, and without the wish to rotate.

    It keeps its resourceVersion, so the API server refuses it when somebody was faster.
    """
    metadata = live.get("metadata")
    kept = dict(metadata) if isinstance(metadata, dict) else {}
    annotations = kept.get("annotations")
    if isinstance(annotations, dict):
        kept["annotations"] = {key: text for key, text in annotations.items() if key != ROTATE}
    return {**live, "metadata": kept, "data": write(material)}


def is_asked_to_rotate(live: Json) -> bool:
    """Whether somebody has set the annotation."""
    metadata = live.get("metadata")
    annotations = metadata.get("annotations") if isinstance(metadata, dict) else None
    return isinstance(annotations, dict) and annotations.get(ROTATE) == "now"


def _text(value: object) -> str:
    try:
        return base64.b64decode(str(value)).decode()
    except (binascii.Error, UnicodeDecodeError):
        return ""
