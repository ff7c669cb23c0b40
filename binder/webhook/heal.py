"""Keeps the Secret, the configuration and the served certificate as they should be.

Each pass reads both objects from the API server and writes only what differs. Watches say when,
and a timer, so that nothing depends on an event that was missed.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import secrets
import time
from collections.abc import Callable
from datetime import datetime, timezone
from pathlib import Path
from typing import Protocol

from binder.cluster.api import CONFLICT, INVALID, NOT_FOUND, Failed, Refused
from binder.webhook import certificates, configuration, secret
from binder.webhook.brake import Brake
from binder.webhook.certificates import Due, Material, Pair
from binder.webhook.cluster import Json, Resource
from binder.webhook.metrics import Metrics
from binder.webhook.options import Options

MANAGER = "tke-direct-webhook"
LOG = logging.getLogger(__name__)
_SOON = 0.05
_FILES = ("tls.crt", "tls.key")

Serve = Callable[[Pair], None]


class Cluster(Protocol):
    """What is needed of binder.webhook.cluster.Cluster."""

    async def read(self, resource: Resource) -> Json | None: ...
    async def replace(self, resource: Resource, body: Json) -> Json: ...
    async def delete(self, resource: Resource, uid: str) -> None: ...
    async def apply(self, resource: Resource, body: Json, manager: str, force: bool) -> Json: ...
    async def merge(self, resource: Resource, body: Json, manager: str) -> Json: ...


class FilesError(ValueError):
    """The certificates of the folder cannot be used; the text says why."""


def resources(options: Options) -> tuple[Resource, ...]:
    """What is followed: the configuration, and the Secret unless the certificates are files."""
    kind = f"/apis/{configuration.GROUP_VERSION}/mutatingwebhookconfigurations"
    known = Resource(kind, options.name)
    return (known, _secret(options)) if options.owns_bundle else (known,)


def _secret(options: Options) -> Resource:
    return Resource(f"/api/v1/namespaces/{options.namespace}/secrets", options.name)


class Healer:
    """One per process. `clock` is the wall's, for certificates; `monotonic` is for waiting."""

    def __init__(
        self,
        cluster: Cluster,
        options: Options,
        metrics: Metrics,
        serve: Serve,
        clock: Callable[[], datetime] = lambda: datetime.now(timezone.utc),
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._cluster, self._options, self._metrics = cluster, options, metrics
        self._serve, self._clock, self._monotonic = serve, clock, monotonic
        self._configuration, self._secret = resources(options)[0], _secret(options)
        self._good: Material | None = None  # what the Secret was when it was last in order
        self._serving: Pair | None = None
        self._trusted_since: dict[Pair, float] = {}
        self._brake = Brake(options.writes)
        self._woken = asyncio.Event()
        self.tried_at = monotonic()

    def wake(self) -> None:
        """Something has changed; call it in the loop."""
        self._woken.set()

    @property
    def expires_in(self) -> float | None:
        """Seconds that the served certificate has left; None: none is served."""
        if self._serving is None:
            return None
        return (certificates.expires_at(self._serving) - self._clock()).total_seconds()

    @property
    def why_not_ready(self) -> str:
        """In words; "" when API servers can and may call this replica."""
        left = self.expires_in
        if left is None:
            return "no certificate yet"
        if left < self._options.ready_above:
            return f"the certificate has {left:.0f} s left"
        if self._serving not in self._trusted_since:
            return "the configuration does not trust the certificate that is served"
        return ""

    async def run(self) -> None:
        """For ever. What the API server refuses is logged and tried again, ever less often."""
        pause = 1.0
        while True:
            self._woken.clear()
            self.tried_at = self._monotonic()
            try:
                wait = await self.heal()
                pause = 1.0
            except (Failed, ValueError) as error:
                LOG.warning("%s; again in %.0f s", error, pause)
                await asyncio.sleep(pause)
                pause = min(pause * 2, self._options.retry_most)
                continue
            with contextlib.suppress(asyncio.TimeoutError):
                await asyncio.wait_for(self._woken.wait(), wait)

    async def heal(self) -> float:
        """One pass; seconds until the next one is due if nothing happens."""
        owned = self._options.owns_bundle
        try:
            # In this order: a bundle is written after its Secret, so the Secret that is read now
            # is never older than the bundle, and no bundle is turned back.
            live = await self._cluster.read(self._configuration)
            material = await (self._stored() if owned else asyncio.to_thread(self._files))
            live = await self._mended(live, material.bundle if owned else None)
        except Refused as refusal:
            if refusal.status == CONFLICT:  # another replica was faster: look again
                return _SOON
            raise
        except _Held as held:
            return held.seconds
        self._metrics.passes.inc()
        return self._choose(material, configuration.bundle_in(live))

    async def _stored(self) -> Material:
        """What the Secret holds, once it is in order."""
        live = await self._cluster.read(self._secret)
        stored = secret.read(live) if live else None
        due = certificates.due(stored, self._options.names, self._clock())
        if due is Due.NOTHING and live and secret.is_asked_to_rotate(live):
            due = Due.ROTATION
        if stored and due is Due.NOTHING:
            self._good = stored
            return stored
        self._hold_on()
        material = self._renewed(due, stored)
        await self._write(live, material)
        self._good = material
        self._metrics.heals.labels(due.value).inc()
        LOG.warning("Secret %s: %s; written anew", self._secret.name, due.value)
        return material

    def _renewed(self, due: Due, stored: Material | None) -> Material:
        """What we remember if that is still good: API servers trust it already."""
        options, now = self._options, self._clock()
        if due is not Due.ROTATION and (
            certificates.due(self._good, options.names, now) is Due.NOTHING
        ):
            assert self._good
            return self._good
        former = stored if due is Due.ROTATION else self._good
        return certificates.fresh(options.names, now, options.lifetime, former)

    async def _write(self, live: Json | None, material: Material) -> None:
        """Compare and swap; the loser of a race gets CONFLICT and reads again."""
        if live is None:
            body = secret.new(self._options.namespace, self._secret.name, material)
            # Under a name of its own and without force, other values than ours are a conflict.
            # Unlike POST, a role that is limited to this one name allows it.
            manager = f"{MANAGER}-{secrets.token_hex(4)}"
            await self._cluster.apply(self._secret, body, manager, force=False)
            return
        try:
            await self._cluster.replace(self._secret, secret.changed(live, material))
        except Refused as refusal:
            if refusal.status == INVALID:  # made immutable: then only another one helps
                await self._cluster.delete(self._secret, live["metadata"]["uid"])
            elif refusal.status != NOT_FOUND:
                raise
            await self._write(None, material)

    def _files(self) -> Material:
        """What the folder holds; somebody else keeps it and the bundle."""
        folder = Path(self._options.certificates)
        try:
            pair = Pair(*((folder / name).read_text("utf-8") for name in _FILES))
        except (OSError, UnicodeDecodeError) as error:
            raise FilesError(f"--certificates: {error}") from None
        if not certificates.is_sound(pair):
            raise FilesError(f"--certificates: {' and '.join(_FILES)} in {folder} do not fit")
        called = self._options.names[0]
        if not certificates.is_for(pair, [called]):
            raise FilesError(f"--certificates: tls.crt in {folder} is not for {called}")
        return Material((pair,), "")

    async def _mended(self, live: Json | None, bundle: str | None) -> Json | None:
        """The configuration, once it is in order; CONFLICT where it is `live` no more."""
        options = self._options
        damage = configuration.damage(live, options, bundle)
        if not damage.what:
            return live
        self._hold_on()
        newer = live is not None and configuration.is_newer(live)
        patch = configuration.without_foreign(live, options, bundle)
        if patch:
            live = await self._cluster.merge(self._configuration, patch, MANAGER)
        if not newer:
            body = configuration.wanted(options, bundle, live)
            live = await self._cluster.apply(self._configuration, body, MANAGER, force=True)
        self._metrics.heals.labels(damage.what).inc()
        said = ", ".join(damage.fields)
        LOG.warning("%s %s: %s; mended", configuration.KIND, options.name, said)
        return live

    def _choose(self, material: Material, bundle: str) -> float:
        """Serve what API servers trust, a new certificate only some time after its bundle is seen.

        Seconds until this may change by itself.
        """
        now, newest = self._monotonic(), material.pairs[0]
        known = dict.fromkeys([*material.pairs, *([self._serving] if self._serving else [])])
        trusted = [
            pair
            for pair in known
            if certificates.trusts(bundle, pair) and certificates.expires_at(pair) > self._clock()
        ]
        self._trusted_since = {pair: self._trusted_since.get(pair, now) for pair in trusted}
        settled_in = self._trusted_since.get(newest, now) + self._options.settle - now
        if trusted == [newest] or (newest in trusted and settled_in <= 0):
            chosen = newest
        elif self._serving in trusted:
            chosen = self._serving
        else:
            chosen = trusted[-1] if trusted else self._serving or newest
        if chosen != self._serving:
            self._serve(chosen)
            self._serving = chosen
        self._metrics.expiry.set(self.expires_in or 0.0)
        waits = [settled_in] if newest in trusted and chosen != newest else []
        if self._options.owns_bundle:
            waits.append((certificates.rotates_at(newest) - self._clock()).total_seconds())
        return max(_SOON, min([*waits, self._options.resync]))

    def _hold_on(self) -> None:
        seconds = self._brake.wait(self._monotonic())
        if seconds:
            LOG.warning("something else keeps changing what is ours; writing less often")
            raise _Held(seconds)


class _Held(Exception):
    """A write has to wait for so many seconds."""

    def __init__(self, seconds: float) -> None:
        super().__init__(seconds)
        self.seconds = seconds
