"""One container: its program, its readiness, and what its status says."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import datetime, timezone
from typing import Any

from tests.controlplane.app import App, Behaviour, Identity
from tests.controlplane.probes import watch_readiness

KILLED = 137  # 128 + SIGKILL


def now() -> str:
    return datetime.now(timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")


class Container:
    """Not started, running, or ended; `changed` is called when its status is another."""

    def __init__(
        self,
        spec: dict[str, Any],
        identity: Identity,
        behaviour: Behaviour,
        changed: Callable[[], None],
    ) -> None:
        self.spec = spec
        self.name: str = spec["name"]
        self.ready = False
        self.restarts = -1
        self.state: dict[str, Any] = {"waiting": {"reason": "ContainerCreating"}}
        self.last_state: dict[str, Any] = {}
        self.requests_before = 0
        self._identity = identity
        self._behaviour = behaviour
        self._changed = changed
        self._app: App | None = None
        self._prober: asyncio.Task[None] | None = None

    @property
    def running(self) -> bool:
        return "running" in self.state

    @property
    def exit_code(self) -> int | None:
        code: int | None = self.state.get("terminated", {}).get("exitCode")
        return code

    @property
    def requests(self) -> int:
        return self.requests_before + (self._app.requests if self._app else 0)

    async def start(self) -> None:
        ports = {port.get("name", ""): port["containerPort"] for port in self.spec.get("ports", ())}
        numbers = [port["containerPort"] for port in self.spec.get("ports", ())]
        self.requests_before = self.requests
        self._app = App(self._identity, self._behaviour, numbers)
        self.restarts += 1
        try:
            await self._app.start()
        except OSError as error:
            self.ended(128, f"cannot listen: {error}")
            return
        self.state = {"running": {"startedAt": now()}}
        probe = self.spec.get("readinessProbe")
        self.ready = not probe
        if probe:
            watch = watch_readiness(probe, self._identity.ip, ports, self._probed)
            self._prober = asyncio.ensure_future(watch)
        self._changed()

    async def terminate(self) -> None:
        """SIGTERM, and wait until the program has ended."""
        if self._app and self.running:
            await self._app.terminate()
            self.ended(0, "Completed")

    def kill(self, exit_code: int = KILLED) -> None:
        """The end at once: SIGKILL, or a crash of the program."""
        if self._app and self.running:
            self._app.kill()
            self.ended(exit_code, "Error")

    def ended(self, exit_code: int, reason: str) -> None:
        if self._prober:
            self._prober.cancel()
        began = self.state.get("running", {}).get("startedAt")
        self.ready = False
        self.state = {
            "terminated": {
                "exitCode": exit_code,
                "reason": reason,
                "startedAt": began,
                "finishedAt": now(),
            }
        }
        self._changed()

    def wait_for_restart(self) -> None:
        self.last_state = self.state
        self.state = {"waiting": {"reason": "CrashLoopBackOff"}}

    def status(self) -> dict[str, Any]:
        identity = f"{self._identity.uid}/{self.name}/{max(self.restarts, 0)}"
        return {
            "name": self.name,
            "image": self.spec.get("image", ""),
            "imageID": "",
            "containerID": f"loopback://{identity}" if self.restarts >= 0 else "",
            "ready": self.ready,
            "started": self.running,
            "restartCount": max(self.restarts, 0),
            "state": self.state,
            "lastState": self.last_state,
        }

    def _probed(self, ready: bool) -> None:
        self.ready = ready
        self._changed()
