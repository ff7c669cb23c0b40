"""A program that takes too long, and a way to know that nothing of it is left."""

from __future__ import annotations

import os
import select
from pathlib import Path

_LONGEST_WAIT_S = 20

SCRIPT = """\
#!/bin/sh
exec 3>{pipe}
echo running >&3
sleep 1000
"""


class Slow:
    """A script at `path` that starts another program, and never ends by itself.

    Both hold a pipe open, so that its end tells that both are gone.
    """

    def __init__(self, path: Path) -> None:
        pipe = path.with_name(f"{path.name}.pipe")
        os.mkfifo(pipe)
        path.write_text(SCRIPT.format(pipe=pipe))
        path.chmod(0o755)
        # Without blocking: nobody may open the other end, when something is wrong.
        self.reader = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)

    def wait_until_it_runs(self) -> None:
        assert next_bytes(self.reader) == b"running\n"

    def wait_until_all_is_gone(self) -> None:
        assert next_bytes(self.reader) == b""
        os.close(self.reader)


def next_bytes(reader: int) -> bytes:
    """What the pipe has next, b"" at its end; waits for either, but not for ever."""
    ready, _, _ = select.select([reader], [], [], _LONGEST_WAIT_S)
    assert ready, "whoever holds the other end is still there"
    return os.read(reader, 100)
