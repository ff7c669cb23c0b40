"""Secrets taken out of text, whatever way they came into it.

Values that are known to be secret are taken out wherever they stand; what only looks like one is
recognised by its name, or by its form.
"""

from __future__ import annotations

import re
import threading
from collections import deque

GONE = "***"
_SHORTEST = 8  # of a known value: a shorter one would take pieces out of words
_KNOWN = 32  # values that are remembered: keys are renewed every hour
_QUOTE = r"""\\*["']?"""

# How names of what is secret end, in the SDK, the API of Tencent Cloud, Kubernetes and HTTP.
_NAMES = (
    *("secret[_-]?key", "client[_-]?secret", "private[_-]?key", "client-key-data"),
    *("password", "passwd", "token", "authorization", "signature"),
)
_NAME = "|".join(_NAMES)

_SCHEME = r"""(?:TC3-HMAC-SHA256\b[^\n"']*|(?:bearer|basic)\s+[^\s"',;]+)"""
_VALUE = r"""(?:\\*"[^"\n]*"|'[^'\n]*'|[^\s"',;&)}\]]+)"""

_PATTERNS = (
    # A key in PEM, to its end, or to that of the text.
    (re.compile(r"-----BEGIN [A-Z ]*PRIVATE KEY-----.*?(?:-----END [A-Z ]*-----|\Z)", re.S), GONE),
    (re.compile(rf"(?i)(authorization{_QUOTE}\s*[:=]\s*{_QUOTE}){_SCHEME}"), rf"\1{GONE}"),
    (re.compile(rf"(?i)((?:{_NAME}){_QUOTE}\s*[:=]\s*){_VALUE}"), rf"\1{GONE}"),
    (re.compile(r"(?i)\b(bearer\s+)[a-z0-9._~+/=-]{6,}"), rf"\1{GONE}"),
    (re.compile(r"TC3-HMAC-SHA256\s+Credential=[^\n\"']*"), GONE),
    (re.compile(r"\beyJ[\w-]{8,}\.[\w-]+(?:\.[\w-]*)?"), GONE),  # a JSON web token
)
_IS_NAME = re.compile(rf"(?i)(?:{_NAME})\Z")


def is_secret(name: str) -> bool:
    """Whether a field of that name holds a secret."""
    return bool(_IS_NAME.search(name))


class Redactor:
    """Takes secrets out. Safe for threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._known: deque[str] = deque(maxlen=_KNOWN)

    def hide(self, *values: str | None) -> None:
        """From now on `values` appear nowhere."""
        with self._lock:
            for value in values:
                if value and len(value) >= _SHORTEST and value not in self._known:
                    self._known.append(value)

    def __call__(self, text: str) -> str:
        """`text` without secrets."""
        with self._lock:
            known = tuple(self._known)
        for value in known:
            text = text.replace(value, GONE)
        for pattern, instead in _PATTERNS:
            text = pattern.sub(instead, text)
        return text
