"""The headers an HTTP proxy changes (RFC 9110, section 7.6.1; CLB: real client addresses)."""

from __future__ import annotations

from collections.abc import Mapping

from multidict import CIMultiDict

_ONE_HOP = frozenset(
    {
        *("connection", "keep-alive", "proxy-authenticate", "proxy-authorization"),
        *("proxy-connection", "te", "trailer", "transfer-encoding", "upgrade"),
    }
)


def to_target(headers: Mapping[str, str], client: str) -> CIMultiDict[str]:
    """A request's headers as its target gets them; Host stays, `client` is an IP address."""
    kept = end_to_end(headers)
    kept.popall("Expect", None)  # the proxy has answered it
    came_through = kept.popall("X-Forwarded-For", [])
    kept["X-Forwarded-For"] = ", ".join([*came_through, client])
    kept["X-Real-IP"] = client
    kept["Connection"] = "close"
    return kept


def end_to_end(headers: Mapping[str, str]) -> CIMultiDict[str]:
    """The headers that are not about one connection, in their order."""
    kept = CIMultiDict(headers)
    named = [name.strip().lower() for name in kept.get("Connection", "").split(",")]
    for name in _ONE_HOP.union(named) & {name.lower() for name in kept}:
        kept.popall(name)
    return kept
