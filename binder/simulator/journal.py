"""What happened, in order: the last entries in memory, all of them in a file if asked for.

An entry is a flat object, one JSON line each:

- ``call``: a request was answered. ``outcome`` is OK or the code of the error.
- ``change``: something was bound, unbound, re-weighted, created or deleted; ``by`` is who did it.
- ``task``: an asynchronous task ended; ``started`` is when it took the load balancer.
- ``health``: a probe changed its mind about a target.
- ``fault``: an injected fault took effect.

Times are seconds of the simulator's clock, durations are seconds.
"""

from __future__ import annotations

import json
from collections import deque
from collections.abc import Iterator
from typing import IO, Any

Entry = dict[str, Any]


class Journal:
    """A ring of the last `most` entries; all go to `file` too, if there is one."""

    def __init__(self, most: int = 200_000, file: IO[str] | None = None) -> None:
        self._ring: deque[Entry] = deque(maxlen=most)
        self._file = file
        self._next = 1

    def __iter__(self) -> Iterator[Entry]:
        return iter(self._ring)

    def __len__(self) -> int:
        return len(self._ring)

    def add(self, kind: str, moment: float, **values: Any) -> None:
        """Write an entry down; `seq` numbers them from 1."""
        entry = {"seq": self._next, "t": round(moment, 6), "kind": kind, **values}
        self._next += 1
        self._ring.append(entry)
        if self._file:
            self._file.write(json.dumps(entry, ensure_ascii=False) + "\n")
            self._file.flush()

    def since(self, seq: int = 0, kind: str | None = None) -> list[Entry]:
        """Entries after number `seq`, of one kind or of all."""
        return [
            entry
            for entry in self._ring
            if entry["seq"] > seq and (kind is None or entry["kind"] == kind)
        ]

    def clear(self) -> None:
        """Forget; numbers go on."""
        self._ring.clear()
