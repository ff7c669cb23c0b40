"""TC3-HMAC-SHA256, verified over the bytes that were received.

Signature method v3 of the Tencent Cloud API documentation. Clients differ in what they sign: the
Python SDK signs content-type and host, others add x-tc-action, so SignedHeaders decides.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Mapping
from datetime import datetime, timezone
from typing import NamedTuple

from binder.simulator.errors import ApiError

ALGORITHM = "TC3-HMAC-SHA256"
WINDOW_S = 300
UNSIGNED = "UNSIGNED-PAYLOAD"
_AUTHORIZATION = re.compile(
    rf"{ALGORITHM} Credential=([^/]+)/(\d{{4}}-\d\d-\d\d)/(\w+)/tc3_request, ?"
    r"SignedHeaders=([\w;-]+), ?Signature=([0-9a-f]{64})"
)


class Request(NamedTuple):
    """What came over the wire; header names are in lower case."""

    method: str
    query: str  # raw
    headers: Mapping[str, str]
    body: bytes
    peer: str = ""  # the source address


class Claim(NamedTuple):
    """Who signed, what, and for when."""

    secret_id: str
    date: str
    service: str
    signed_headers: tuple[str, ...]
    signature: str


def claim(request: Request) -> Claim:
    """Who says to have sent it; AuthFailure.InvalidAuthorization where that cannot be read."""
    found = _AUTHORIZATION.fullmatch(request.headers.get("authorization", ""))
    if not found or not request.headers.get("x-tc-timestamp", "").isdecimal():
        raise ApiError("AuthFailure.InvalidAuthorization")
    secret_id, date, service, signed, signature = found.groups()
    names = tuple(signed.split(";"))
    if not {"content-type", "host"} <= set(names):
        raise ApiError("AuthFailure.InvalidAuthorization")
    return Claim(secret_id, date, service, names, signature)


def check_moment(request: Request, claimed: Claim, now: float) -> None:
    """Refuse what was signed too long ago, or too far ahead, or for another day."""
    moment = int(request.headers["x-tc-timestamp"])
    if abs(now - moment) > WINDOW_S:
        raise ApiError("AuthFailure.SignatureExpire", server=int(now), yours=moment)
    if day(moment) != claimed.date:
        raise ApiError("AuthFailure.SignatureFailure")


def check_signature(request: Request, claimed: Claim, secret_key: str) -> None:
    """Refuse what another key signed, or what was changed on its way."""
    right = sign(request, claimed, secret_key)
    if not hmac.compare_digest(right, claimed.signature):
        raise ApiError("AuthFailure.SignatureFailure")


def sign(request: Request, claimed: Claim, secret_key: str) -> str:
    """The signature that `request` should have: 64 hexadecimal digits."""
    scope = f"{claimed.date}/{claimed.service}/tc3_request"
    canonical = _hash(_canonical(request, claimed.signed_headers).encode())
    text = f"{ALGORITHM}\n{request.headers['x-tc-timestamp']}\n{scope}\n{canonical}"
    key = _mac(f"TC3{secret_key}".encode(), claimed.date)
    key = _mac(_mac(key, claimed.service), "tc3_request")
    return _mac(key, text).hex()


def day(moment: float) -> str:
    """The date of `moment` in UTC, as credentials carry it."""
    return datetime.fromtimestamp(moment, timezone.utc).strftime("%Y-%m-%d")


def _canonical(request: Request, names: tuple[str, ...]) -> str:
    headers = "".join(f"{name}:{_value(request.headers, name)}\n" for name in names)
    query = request.query if request.method == "GET" else ""
    return "\n".join(
        (request.method, "/", query, headers, ";".join(names), _hash(_payload(request)))
    )


def _value(headers: Mapping[str, str], name: str) -> str:
    """A header as it is signed; that of a header which was not sent matches nothing."""
    return headers.get(name, "").strip().lower()


def _payload(request: Request) -> bytes:
    if request.headers.get("x-tc-content-sha256") == UNSIGNED:
        return UNSIGNED.encode()
    return b"" if request.method == "GET" else request.body


def _hash(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def _mac(key: bytes, text: str) -> bytes:
    return hmac.digest(key, text.encode(), "sha256")
