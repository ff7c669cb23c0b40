"""Taking a reply apart: what must be there is, and is of its type, or the reply is malformed.

A reply that is understood by half is worse than none: what it does not show looks unbound.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, TypeVar

from binder.cloud import codes

T = TypeVar("T")


class Fields:
    """An object of a reply to `action`; `path` is where it is, for messages."""

    def __init__(self, values: Mapping[str, Any], action: str, path: str = "Response") -> None:
        self._values, self._action, self._path = values, action, path

    def text(self, name: str) -> str:
        """A text that must be there."""
        return self._required(name, str)

    def number(self, name: str) -> int:
        """An integer that must be there."""
        return self._required(name, int)

    def maybe_text(self, name: str) -> str | None:
        """A text, or None."""
        return self._optional(name, str)

    def maybe_number(self, name: str) -> int | None:
        """An integer, or None."""
        return self._optional(name, int)

    def maybe(self, name: str) -> Fields | None:
        """An object, or None."""
        found = self._optional(name, dict)
        return None if found is None else Fields(found, self._action, f"{self._path}.{name}")

    def texts(self, name: str) -> list[str]:
        """A list of texts, empty where it is null."""
        found = self._optional(name, list) or []
        if not all(isinstance(one, str) for one in found):
            raise self._wrong(name, "a list of texts")
        return found

    def rows(self, name: str, *, required: bool = False) -> Iterator[Fields]:
        """The objects of a list, which may be null unless it is required."""
        found = self._required(name, list) if required else self._optional(name, list) or []
        for at, row in enumerate(found):
            if not isinstance(row, dict):
                raise self._wrong(f"{name}[{at}]", "an object")
            yield Fields(row, self._action, f"{self._path}.{name}[{at}]")

    def _required(self, name: str, kind: type[T]) -> T:
        found = self._optional(name, kind)
        if found is None:
            raise self._wrong(name, f"a {kind.__name__}")
        return found

    def _optional(self, name: str, kind: type[T]) -> T | None:
        found = self._values.get(name)
        if found is None:
            return None
        if not isinstance(found, kind) or isinstance(found, bool):
            raise self._wrong(name, f"a {kind.__name__}")
        return found

    def _wrong(self, name: str, wanted: str) -> codes.CloudError:
        message = f"{self._path}.{name} is not {wanted}"
        return codes.error(codes.MALFORMED, message, self._action)
