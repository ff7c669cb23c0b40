"""What the kubelet and Prometheus ask: /healthz, /readyz and /metrics, over plain HTTP."""

from __future__ import annotations

import time

from aiohttp import web
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

from binder.webhook.heal import Healer
from binder.webhook.metrics import Metrics

# A pass is due every ten seconds and a call ends after five, so after this many nothing heals.
_STUCK_SECONDS = 120.0


class Operations:
    """A handler for aiohttp's plain server; `stopping` makes /readyz say so."""

    def __init__(self, healer: Healer, metrics: Metrics) -> None:
        self._healer, self._metrics = healer, metrics
        self.stopping = False

    async def handle(self, request: web.BaseRequest) -> web.StreamResponse:
        """Answer one request."""
        if request.path == "/metrics":
            left = self._healer.expires_in
            self._metrics.expiry.set(left or 0.0)
            body = generate_latest(self._metrics.registry)
            return web.Response(body=body, headers={"Content-Type": CONTENT_TYPE_LATEST})
        checks = {"/healthz": self._why_not_alive, "/readyz": self._why_not_ready}
        check = checks.get(request.path)
        if check is None:
            return web.Response(status=404, text=f"{', '.join(checks)} and /metrics are here\n")
        why = check()
        return web.Response(status=503 if why else 200, text=f"{why or 'ok'}\n")

    def _why_not_ready(self) -> str:
        return "stopping" if self.stopping else self._healer.why_not_ready

    def _why_not_alive(self) -> str:
        """Not whether the API server answers: to start again would not help against that."""
        silent = time.monotonic() - self._healer.tried_at
        return f"nothing was looked at for {silent:.0f} s" if silent > _STUCK_SECONDS else ""
