"""The supervisor, seen from the test run."""

from __future__ import annotations

import json
import select
import subprocess
import sys
from pathlib import Path
from typing import Any

SUPERVISOR = Path(__file__).with_name("supervisor.py")
LOG_END = 2000


class Processes:
    """Programs that run in `directory`, which goes with them."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        # A session of its own: Ctrl-C is for the test run, which then stops us in order.
        self._supervisor = subprocess.Popen(
            [sys.executable, "-IS", str(SUPERVISOR), str(directory)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            start_new_session=True,
        )
        self._killed: set[str] = set()

    def start(self, name: str, command: list[str]) -> None:
        self._killed.discard(name)
        self._tell({"start": name, "command": command})

    def kill(self, name: str) -> None:
        """End it at once, and wait until it has ended."""
        self._killed.add(name)
        self._tell({"kill": name})
        while self._event()["ended"] != name:
            pass

    def check(self, within: float = 0.0) -> None:
        """An error if a program has ended by itself, or does so within some seconds."""
        assert self._supervisor.stdout
        if select.select([self._supervisor.stdout], [], [], within)[0]:
            event = self._event()
            name = event["ended"]
            if name not in self._killed:
                raise RuntimeError(f"{name} ended ({event['status']}): {self.log(name)}")

    def log(self, name: str) -> str:
        """The end of a program's output."""
        path = self.directory / f"{name}.log"
        return path.read_text("utf-8", "replace")[-LOG_END:] if path.exists() else "no output"

    def stop(self, keep_logs: Path | None = None) -> None:
        supervisor = self._supervisor
        if keep_logs:
            self._tell({"keep": str(keep_logs)})
        assert supervisor.stdin and supervisor.stdout
        supervisor.stdin.close()
        supervisor.wait()
        supervisor.stdout.close()

    def _tell(self, order: dict[str, Any]) -> None:
        assert self._supervisor.stdin
        self._supervisor.stdin.write(json.dumps(order).encode() + b"\n")
        self._supervisor.stdin.flush()

    def _event(self) -> dict[str, Any]:
        assert self._supervisor.stdout
        event: dict[str, Any] = json.loads(self._supervisor.stdout.readline())
        return event
