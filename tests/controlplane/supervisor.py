"""Parent of a control plane's processes; it outlives a test run that crashes, and cleans up.

It starts what it is told on standard input, a JSON object a line, says on standard output what
has ended, and at the end of its input kills everything and removes the directory.  The end comes
when a test run is over and when it is dead, so there is one way to stop, not two.

Only the standard library: this is started as a file, and should be there at once.
"""

from __future__ import annotations

import contextlib
import ctypes
import json
import os
import selectors
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

PR_SET_PDEATHSIG = 1


def die_with_parent() -> None:
    """In a child, before its program: what happens to us happens to it."""
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


class Supervisor:
    """The processes, their logs, and the directory in which all of it is."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.processes: dict[str, subprocess.Popen[bytes]] = {}
        self.selector = selectors.DefaultSelector()
        self.keep: Path | None = None
        self.over = False

    def run(self) -> None:
        lines = b""

        def read() -> None:
            nonlocal lines
            received = os.read(0, 65536)
            self.over = not received
            *complete, lines = (lines + received).split(b"\n")
            for line in complete:
                self.obey(json.loads(line))

        self.selector.register(0, selectors.EVENT_READ, read)
        while not self.over:
            for key, _ in self.selector.select():
                key.data()

    def obey(self, order: dict[str, Any]) -> None:
        """{"start": name, "command": [...]}, {"kill": name} or {"keep": directory for logs}."""
        if "start" in order:
            self.start(order["start"], order["command"])
        elif "kill" in order:
            self.processes[order["kill"]].kill()
        elif "keep" in order:
            self.keep = Path(order["keep"])

    def start(self, name: str, command: list[str]) -> None:
        with (self.directory / f"{name}.log").open("ab") as log:
            process = subprocess.Popen(
                command,
                cwd=self.directory,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                preexec_fn=die_with_parent,
            )
        self.processes[name] = process
        pidfd = os.pidfd_open(process.pid)
        self.selector.register(pidfd, selectors.EVENT_READ, self.reaper(name, pidfd))

    def reaper(self, name: str, pidfd: int) -> Callable[[], None]:
        def reap() -> None:
            self.selector.unregister(pidfd)
            os.close(pidfd)
            say({"ended": name, "status": self.processes[name].wait()})

        return reap

    def clean(self) -> None:
        """Kill, because nobody wants the data; nothing is left to flush."""
        for process in self.processes.values():
            process.kill()
        for process in self.processes.values():
            process.wait()
        if self.keep:
            self.keep.mkdir(parents=True, exist_ok=True)
            for log in self.directory.glob("*.log"):
                shutil.copy(log, self.keep)
        shutil.rmtree(self.directory, ignore_errors=True)


def say(event: dict[str, Any]) -> None:
    # Nobody listens any more when the test run has crashed.
    with contextlib.suppress(BrokenPipeError):
        os.write(1, json.dumps(event).encode() + b"\n")


def main() -> None:
    # Ours is the last word, so only the end of the input and SIGKILL stop us.
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    supervisor = Supervisor(Path(sys.argv[1]))
    try:
        supervisor.run()
    finally:
        supervisor.clean()


if __name__ == "__main__":
    main()
