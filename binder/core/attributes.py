"""A row of a TkeServiceConfig to the attributes of a listener or rule.

Names, ranges and defaults are TKE's (TKE docs, "Service CLB configuration" and "Using
TkeServiceConfig to configure CLBs").
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeAlias, TypeGuard

from binder.core.clb import LONGEST_DOMAIN, LONGEST_URL, Attributes, Check, Frontend

Row: TypeAlias = Mapping[str, object]  # a listener of layer 4, or a rule

_KNOWN = {"session", "healthCheck", "scheduler", "protocol", "port", "domain", "url"}
_SCHEDULERS = ("WRR", "LEAST_CONN")
_SCHEDULERS_7 = (*_SCHEDULERS, "IP_HASH")
_METHODS = ("HEAD", "GET")
_TYPES_7 = ("HTTP", "HTTPS", "TCP", "GRPC")
_CHECK_TYPES = {
    "TCP": ("TCP", "HTTP", "HTTPS", "GRPC", "CUSTOM"),
    "UDP": ("PING", "CUSTOM"),
    "HTTP": _TYPES_7,
    "HTTPS": _TYPES_7,
}


def attributes(row: Row, frontend: Frontend) -> tuple[Attributes, list[str]]:
    """What `row` wants of a listener or rule, and what is wrong with it.

    What is out of range is left as it is; times of a check that are not named are CLB's defaults.
    """
    if not row:
        return Attributes(), []
    problems: list[str] = []
    whole = _Section("", row, problems)
    session, check = whole.section("session"), whole.section("healthCheck")
    schedulers = _SCHEDULERS_7 if frontend.layer_7 else _SCHEDULERS
    found = Attributes(
        scheduler=whole.choice("scheduler", schedulers),
        session=_session(session) if session else None,
        check=_check(check) if check else None,
    )
    if check and found.check and found.check.enabled:
        found = found._replace(
            http_path=check.text("httpCheckPath", LONGEST_URL),
            http_domain=check.text("httpCheckDomain", LONGEST_DOMAIN),
            http_method=check.choice("httpCheckMethod", _METHODS),
            http_code=check.integer("httpCode", 1, 31),
            check_type=check.choice("checkType", _CHECK_TYPES[frontend.protocol]),
            check_port=check.integer("checkPort", 1, 65535),
            source_ip=check.integer("sourceIpType", 0, 1),
        )
    problems += [f"{key} is not supported by the binder" for key in sorted(row.keys() - _KNOWN)]
    return found, problems


def _session(said: _Section) -> int | None:
    enabled = said.switch()
    if enabled is None:
        return None
    return (said.integer("sessionExpireTime", 30, 3600) or 30) if enabled else 0


def _check(said: _Section) -> Check | None:
    enabled = said.switch()
    if not enabled:
        return None if enabled is None else Check(enabled=False)
    usual = Check()
    interval = said.integer("intervalTime", 5, 300) or usual.interval
    timeout = said.integer("timeout", 2, 60) or usual.timeout
    if timeout >= interval:
        said.problems.append(f"timeout {timeout} is not less than intervalTime {interval}")
        interval, timeout = usual.interval, usual.timeout
    return Check(
        True,
        interval,
        timeout,
        said.integer("healthNum", 2, 10) or usual.healthy,
        said.integer("unHealthNum", 2, 10) or usual.unhealthy,
    )


class _Section:
    """Reads a part of a row; each value is None when it is not named, or is wrong."""

    def __init__(self, name: str, row: Row, problems: list[str]) -> None:
        self._name, self._row, self.problems = name, row, problems

    def section(self, key: str) -> _Section | None:
        found = self._row.get(key)
        if isinstance(found, Mapping):
            return _Section(f"{key}.", found, self.problems)
        self._wrong(key, "a mapping")
        return None

    def switch(self) -> bool | None:
        """Whether this is to be on; saying nothing of it is on, as the rest would mean nothing."""
        found = self._row.get("enable", True)
        if isinstance(found, bool):
            return found
        self._wrong("enable", "true or false")
        return None

    def integer(self, key: str, least: int, most: int) -> int | None:
        found = self._row.get(key)
        if is_integer(found) and least <= found <= most:
            return found
        self._wrong(key, f"a number from {least} to {most}")
        return None

    def choice(self, key: str, values: tuple[str, ...]) -> str | None:
        found = self._row.get(key)
        if isinstance(found, str) and found in values:
            return found
        self._wrong(key, f"one of {', '.join(values)}")
        return None

    def text(self, key: str, longest: int) -> str | None:
        found = self._row.get(key)
        if isinstance(found, str) and 0 < len(found) <= longest:
            return found
        self._wrong(key, f"text of 1 to {longest} characters")
        return None

    def _wrong(self, key: str, wanted: str) -> None:
        if self._row.get(key) is not None:
            self.problems.append(f"{self._name}{key} must be {wanted}, it stays as it is")


def is_integer(value: object) -> TypeGuard[int]:
    """Whether it is a number as YAML has them; True and False are none."""
    return isinstance(value, int) and not isinstance(value, bool)
