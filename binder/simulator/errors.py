"""The errors of the API: a code, and a message in the language that the caller asked for.

Codes are those of the SDK's errorcodes module, and of the gateway before it.
"""

from __future__ import annotations

from typing import Any

from binder.simulator.messages import MESSAGES


class ApiError(Exception):
    """An error that the caller is told; `details` fill the placeholders of its message."""

    def __init__(self, code: str, message: str | None = None, **details: Any) -> None:
        super().__init__(code, message)
        self.code = code
        self._message = message
        self._details = details

    def message(self, language: str) -> str:
        """The text for X-TC-Language `language`; zh-CN is what the API takes without one."""
        if self._message is not None:
            return self._message
        row = MESSAGES.get(self.code) or MESSAGES[self.code.split(".")[0]]
        text = row.en if language.lower().startswith("en") else row.zh
        return text.format_map(_Blank(self._details))


class _Blank(dict[str, Any]):
    """A code that is injected has no details, and its message is wanted all the same."""

    def __missing__(self, key: str) -> str:
        return key


# What the gateway in front of every product says; it may come from any action.
GATEWAY = frozenset(
    {
        *("ActionOffline", "InvalidAction", "InvalidRequest", "MissingParameter", "NoSuchVersion"),
        *("RequestLimitExceeded", "RequestSizeLimitExceeded", "ServiceUnavailable"),
        *("UnauthorizedOperation", "UnknownParameter", "UnsupportedProtocol", "UnsupportedRegion"),
    }
)


def within(code: str, documented: frozenset[str]) -> str:
    """`code`, or what is left of it where an action does not document it: `X` for `X.Y`."""
    prefix = code.split(".")[0]
    known = code in documented or prefix in GATEWAY or prefix == "AuthFailure"
    return code if known or prefix not in documented else prefix
