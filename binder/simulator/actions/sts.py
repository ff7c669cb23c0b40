"""STS: temporary keys for the web identity of a Pod. Nobody signs this call."""

from __future__ import annotations

import base64
import json
from datetime import datetime, timezone
from typing import Any

from binder.simulator.call import Call, Reply
from binder.simulator.errors import ApiError
from binder.simulator.parameters import integer, text

ASSUME = {
    "ProviderId": text(required=True),
    "WebIdentityToken": text(required=True),
    "RoleArn": text(required=True),
    "RoleSessionName": text(required=True),
    "DurationSeconds": integer(low=1, high=43200),
    "Policy": text(),
}
DEFAULT_S = 7200


def assume(call: Call) -> Reply:
    """AssumeRoleWithWebIdentity: a key that ends after DurationSeconds."""
    now = call.world.now()
    _check_token(call.params["WebIdentityToken"], now)
    until = now + call.params.get("DurationSeconds", DEFAULT_S)
    key = call.world.accounts.assume(call.params["RoleArn"], until, call.world.random)
    return {
        "Credentials": {
            "Token": key.token,
            "TmpSecretId": key.secret_id,
            "TmpSecretKey": key.secret_key,
        },
        "ExpiredTime": int(until),
        "Expiration": datetime.fromtimestamp(until, timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ"),
    }


def _check_token(token: str, now: float) -> None:
    """A JWT that has not expired. Its signature is not looked at: there is no issuer here."""
    expires = _claims(token).get("exp")
    if expires is not None and expires <= now:
        raise ApiError("InvalidParameter.OverTimeError")


def _claims(token: str) -> dict[str, Any]:
    try:
        _, payload, _ = token.split(".")
        claims = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
    except ValueError:
        raise ApiError("InvalidParameter.WebIdentityTokenError") from None
    if not isinstance(claims, dict):
        raise ApiError("InvalidParameter.WebIdentityTokenError")
    return claims
