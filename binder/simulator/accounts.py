"""Who may call: keys, temporary keys with their tokens, and what each may do."""

from __future__ import annotations

from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from random import Random
from typing import NamedTuple

from binder.simulator import signature
from binder.simulator.errors import ApiError


class Grant(NamedTuple):
    """Actions that are allowed on load balancers, both as patterns with `*`."""

    action: str = "*"
    lb: str = "*"


@dataclass(frozen=True)
class Key:
    """A key of a sub-account; a temporary one has a token and an end (seconds of the clock)."""

    secret_id: str
    secret_key: str
    account: str = "sub-1"
    uin: str = "100000000001"
    token: str | None = None
    expires_at: float | None = None
    grants: tuple[Grant, ...] = (Grant(),)

    def may(self, action: str, lb: str) -> bool:
        """Whether CAM would allow `action` on the load balancer `lb`."""
        return any(
            fnmatchcase(action, grant.action) and fnmatchcase(lb, grant.lb) for grant in self.grants
        )


@dataclass
class Accounts:
    """All keys by their ids, and the roles that a web identity may assume."""

    keys: dict[str, Key] = field(default_factory=dict)
    # Role ARNs with what they grant. Empty: every role may do everything.
    roles: dict[str, tuple[Grant, ...]] = field(default_factory=dict)

    def add(self, key: Key) -> None:
        """Make `key` known."""
        self.keys[key.secret_id] = key

    def authenticate(self, request: signature.Request, now: float) -> tuple[Key, signature.Claim]:
        """Whose key signed `request`, and for what; an AuthFailure where nobody's did."""
        claimed = signature.claim(request)
        key = self.keys.get(claimed.secret_id)
        if key is None:
            raise ApiError("AuthFailure.SecretIdNotFound")
        signature.check_moment(request, claimed, now)
        self._check_token(key, request.headers.get("x-tc-token"), now)
        signature.check_signature(request, claimed, key.secret_key)
        return key, claimed

    def _check_token(self, key: Key, token: str | None, now: float) -> None:
        expired = key.expires_at is not None and key.expires_at <= now
        if key.token != token or expired:
            raise ApiError("AuthFailure.TokenFailure")

    def assume(self, role: str, until: float, random: Random) -> Key:
        """A temporary key of `role`; what it grants is the role's."""
        if self.roles and role not in self.roles:
            raise ApiError("ResourceNotFound", f"role not exist: {role}")
        secret_id = f"AKID{_text(random, 32)}"
        key = Key(
            *(secret_id, _text(random, 32)),
            account=f"role/{role.rpartition('/')[2]}",
            token=_text(random, 64),
            expires_at=until,
            grants=self.roles.get(role, (Grant(),)),
        )
        self.add(key)
        return key


def _text(random: Random, length: int) -> str:
    return f"{random.getrandbits(length * 4):0{length}x}"
