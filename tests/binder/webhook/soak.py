"""The figures of the webhook against a real API server: ``python -m tests.binder.webhook.soak``.

Arguments choose among `heal`, `start`, `rotation`, `rate`, `abuse`; without any, all of them run.
"""

from __future__ import annotations

import asyncio
import json
import os
import re
import ssl
import statistics
import sys
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack, suppress
from typing import Any

import aiohttp

from binder.webhook import secret
from schemas.contract import READINESS_GATE
from tests.binder.webhook import tls
from tests.binder.webhook.damage import DAMAGE, is_in_order
from tests.binder.webhook.relay import relay
from tests.binder.webhook.site import Replica, Site, free_port
from tests.binder.webhook.test_mutate import review
from tests.controlplane.access import create
from tests.controlplane.manifests import pod
from tests.controlplane.plane import ControlPlane
from tests.controlplane.programs import HOW, find
from tests.controlplane.watching import eventually

SPACE = "soak"
REPEATS = 50
TLS_ERROR = re.compile(r"x509|tls:|failed calling webhook|certificate", re.IGNORECASE)


def main(chosen: Sequence[str]) -> None:
    programs = find()
    if not programs:
        sys.exit(HOW)
    with ControlPlane(programs) as plane:
        site = Site(plane)
        create(site.api, {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": SPACE}})
        eventually("an account", lambda: bool(_accounts(site)))
        site.opt_in(SPACE)
        try:
            for name in chosen or RUNS:
                load = os.getloadavg()[0]
                print(f"== {name} (load {load:.1f} on {os.cpu_count()} cores)", flush=True)
                RUNS[name](site)
                site.clear()
        finally:
            site.close()


def _accounts(site: Site) -> list[Any]:
    return list(site.core.list_namespaced_service_account(SPACE).items)


def heal(site: Site) -> None:
    """Every kind of damage while it runs; Pods are created all the time."""
    with Stream(site, rate=20) as stream:
        for damage in DAMAGE:
            with site.replica() as replica:  # a new one, whose brake is off
                replica.wait_ready()
                times = [_healed(site, damage) for _ in range(REPEATS)]
                print(f"{damage.__name__:36}{figures(times)}", flush=True)
        stream.stop()
        print(stream.result())


def _healed(site: Site, damage: Callable[[Site], None]) -> float:
    """Seconds from the damage until all is in order, as somebody sees who keeps looking."""
    eventually("it is in order", lambda: is_in_order(site))
    time.sleep(0.05)  # not within a pass that is under way anyhow
    damage(site)
    began = time.monotonic()
    eventually("it is in order", lambda: is_in_order(site))
    return time.monotonic() - began


def start(site: Site) -> None:
    """Every kind of damage while nothing runs; the time is from the start of the process."""
    times = []
    for turn in range(REPEATS):
        damage = DAMAGE[turn % len(DAMAGE)]
        with site.replica() as replica:
            replica.wait_ready()
        damage(site)
        began = time.monotonic()
        with site.replica() as replica:
            eventually("it is in order", lambda: is_in_order(site))
            times.append(time.monotonic() - began)
            replica.wait_ready()
    print(f"{'all kinds, with the start of Python':36}{figures(times)}")


def rotation(site: Site) -> None:
    """Two replicas behind a relay, 50 Pods a second, through two rotations by the clock."""
    ports = [free_port(), free_port()]
    options = ("--lifetime-hours=0.0125", "--settle-seconds=3")  # 45 s: a rotation every 30 s
    with ExitStack() as stack:
        replicas = [stack.enter_context(site.replica(*options, port=port)) for port in ports]
        stack.enter_context(relay(site.port, ports))
        for replica in replicas:
            replica.wait_ready()
        eventually("Pods have the gate", lambda: _has_gate(site))
        log = site.plane.directory / "kube-apiserver.log"
        before = log.stat().st_size
        with Stream(site, rate=50) as stream:
            eventually("two rotations", lambda: _rotations(replicas) >= 2, seconds=150)
            time.sleep(10)  # and both have changed over
            stream.stop()
        found = log.read_bytes()[before:].decode("utf-8", "replace").splitlines()
        errors = [line for line in found if TLS_ERROR.search(line)]
        rotated = [each.metric('heals_total{what="rotation"}') for each in replicas]
        live = site.configuration()
        print(stream.result())
        print(f"rotations by replica {rotated}; TLS errors in the API server's log {len(errors)}")
        print(f"generation of the configuration {live and live['metadata']['generation']}")
        print("\n".join(errors[:3]))


def _rotations(replicas: Sequence[Replica]) -> float:
    return sum(each.metric('heals_total{what="rotation"}') for each in replicas)


def rate(site: Site) -> None:
    """200 Pods a second for 30 s: the answer as the webhook and as the API server measures it."""
    with site.replica() as replica:
        replica.wait_ready()
        eventually("Pods have the gate", lambda: _has_gate(site))
        before = replica.cpu_seconds
        with Stream(site, rate=200) as stream:
            time.sleep(30)
            stream.stop()
        used = (replica.cpu_seconds - before) / len(stream.times)
        print(stream.result())
        print(f"CPU of the webhook {used * 1000:.2f} ms for each")
        text = replica.get("/metrics")[1]
        print(f"in the webhook: {_quantiles(text, 'webhook_seconds_bucket')}")
        raw = site.api.call_api("GET", f"{site.plane.url}/metrics", _bearer(site)).read()
        name = "apiserver_admission_webhook_admission_duration_seconds_bucket"
        print(f"in the API server: {_quantiles(raw.decode(), name)}")
        print(f"memory {replica.memory >> 20} MiB")
        trusted = secret.read(site.secret() or {})
        times = asyncio.run(_directly(replica.port, trusted))
        print(f"200 a second without the API server: {figures(times)}")


async def _directly(port: int, trusted: Any) -> list[float]:
    """How long each of 200 requests a second takes, over 20 connections, for 20 s."""
    times: list[float] = []
    began = time.monotonic()

    async def one(turn: int) -> None:
        streams = await _connected(port, trusted)
        for number in range(200):
            at = began + 1 + number / 10 + turn / 200
            await asyncio.sleep(max(0.0, at - time.monotonic()))
            sent = time.monotonic()
            assert (await tls.ask(streams, GOOD)).status == 200
            times.append(time.monotonic() - sent)
        streams[1].transport.abort()

    await asyncio.gather(*[one(turn) for turn in range(20)])
    return times


def _bearer(site: Site) -> dict[str, str]:
    return {"Authorization": f"Bearer {site.plane.admin_token}", "Accept": "text/plain"}


def _quantiles(text: str, name: str) -> str:
    """Upper bounds, from the buckets of a histogram."""
    buckets: dict[float, float] = {}
    for line in text.splitlines():
        if line.startswith(name) and ("tke-direct" in line or name.startswith("webhook")):
            edge = re.search(r'le="([^"]+)"', line)
            assert edge
            bound = float(edge[1].replace("+Inf", "inf"))
            buckets[bound] = buckets.get(bound, 0.0) + float(line.split()[-1])
    total = max(buckets.values(), default=0.0)
    said = [
        f"p{int(share * 1000) / 10:g} <= "
        f"{min(b for b, n in buckets.items() if n >= total * share) * 1000:g} ms"
        for share in (0.5, 0.99, 0.999)
        if total
    ]
    return f"{total:.0f} requests, {', '.join(said)}"


def abuse(site: Site) -> None:
    """Malformed reviews, bodies of 10 MB, slow clients and 1,000 connections; ordinary Pods too."""
    with site.replica() as replica, Stream(site, rate=10) as stream:
        replica.wait_ready()
        trusted = secret.read(site.secret() or {})
        before = replica.memory
        with Peak(replica) as peak:
            for name, attack in ATTACKS.items():
                began = time.monotonic()
                said = asyncio.run(attack(replica.port, trusted))
                took = time.monotonic() - began
                print(f"{name:28}{said}, {took:.1f} s, memory {replica.memory >> 20} MiB")
        stream.stop()
        print(stream.result())
        print(f"memory before {before >> 20} MiB, at most {peak.most >> 20} MiB")
        print(f"alive {replica.process.poll() is None}, readyz {replica.get('/readyz')[0]}")


NAME = "tke-direct-webhook.tke-direct.svc"
GOOD = json.dumps(review()).encode()


async def _malformed(port: int, trusted: Any) -> str:
    bodies = [GOOD[:size] for size in range(0, len(GOOD), 3)]
    bodies += [GOOD.replace(b"{", b"[", 1), b"\0" * 1000, b"[" * 1_000_000, b"9" * 1_000_000]
    return _statuses([await _asked(port, trusted, body) for body in bodies])


async def _large(port: int, trusted: Any) -> str:
    body = b" " * (10 << 20)
    return _statuses(await asyncio.gather(*[_asked(port, trusted, body) for _ in range(50)]))


async def _expanding(port: int, trusted: Any) -> str:
    """As large as is allowed, and as costly as JSON of that size can be."""
    body = b"[" + b"{}," * ((4 << 20) // 3 - 2) + b"{}]"
    return _statuses(await asyncio.gather(*[_asked(port, trusted, body) for _ in range(30)]))


async def _slow(port: int, trusted: Any) -> str:
    async def one(turn: int) -> str:
        streams = await tls.connect(port, trusted, NAME)
        try:
            streams[1].write(tls.head(1000) if turn % 2 else b"POST /mutate HTTP/1.1\r\nX: ")
            for _ in range(100):
                streams[1].write(b"a")
                await asyncio.sleep(0.1)
                if streams[0].at_eof() or streams[1].is_closing():
                    break
            return str((await tls.reply_on(streams)).status)
        except (OSError, asyncio.IncompleteReadError):
            return "closed"
        finally:
            streams[1].transport.abort()

    return _statuses(await asyncio.gather(*[one(turn) for turn in range(200)]))


async def _many(port: int, trusted: Any) -> str:
    return _statuses(await asyncio.gather(*[_asked(port, trusted, GOOD) for _ in range(1000)]))


async def _silent(port: int, trusted: Any) -> str:
    """More than there are places, each with a handshake and no word after it."""

    async def one() -> str:
        reader, writer = await _connected(port, trusted)
        try:
            return "answer" if await reader.read(1) else "closed"
        except OSError:
            return "closed"
        finally:
            writer.transport.abort()

    return _statuses(await asyncio.gather(*[one() for _ in range(1000)]))


async def _crowd(port: int, trusted: Any) -> str:
    """More than the limit of all bodies together."""
    body = GOOD.ljust(1 << 20)
    return _statuses(await asyncio.gather(*[_asked(port, trusted, body) for _ in range(200)]))


async def _plain(port: int, trusted: Any) -> str:
    async def one() -> str:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        try:
            return "answer" if await reader.read(1) else "closed"
        except OSError:
            return "closed"
        finally:
            writer.transport.abort()

    return _statuses(await asyncio.gather(*[one() for _ in range(1000)]))


async def _connected(port: int, trusted: Any) -> tls.Streams:
    """A handshake has three seconds, which a machine that does a thousand may need."""
    while True:
        with suppress(OSError, asyncio.TimeoutError):
            return await tls.connect(port, trusted, NAME)


async def _asked(port: int, trusted: Any, body: bytes) -> str:
    streams = await _connected(port, trusted)
    try:
        return await _reply(streams, body)
    finally:
        streams[1].transport.abort()


async def _reply(streams: tls.Streams, body: bytes = GOOD) -> str:
    try:
        return str((await tls.ask(streams, body)).status)
    except (OSError, asyncio.IncompleteReadError):
        return "closed"


def _statuses(found: Sequence[str]) -> str:
    return ", ".join(f"{found.count(each)} x {each}" for each in sorted(set(found)))


ATTACKS = {
    "malformed": _malformed,
    "50 bodies of 10 MiB": _large,
    "30 costly bodies of 4 MiB": _expanding,
    "200 slow clients": _slow,
    "1,000 that ask at once": _many,
    "1,000 that say nothing": _silent,
    "200 bodies of 1 MiB": _crowd,
    "1,000 without TLS": _plain,
}


class Peak:
    """The most memory of a replica while this is open."""

    def __init__(self, replica: Replica) -> None:
        self.most, self._replica, self._over = 0, replica, threading.Event()
        self._thread = threading.Thread(target=self._look)

    def __enter__(self) -> Peak:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()

    def _look(self) -> None:
        while not self._over.wait(0.05):
            self.most = max(self.most, self._replica.memory)


class Stream:
    """Creates Pods at a rate, deletes them, and keeps how long each took and what it had."""

    def __init__(self, site: Site, rate: float) -> None:
        self._site, self._rate = site, rate
        self.times: list[float] = []
        self.failures: list[str] = []
        self.without = 0
        self._over = threading.Event()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._run()))

    def __enter__(self) -> Stream:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def stop(self) -> None:
        self._over.set()
        self._thread.join()

    def result(self) -> str:
        return (
            f"{len(self.times)} Pods, {len(self.failures)} failed, {self.without} without the "
            f"gate; created in {figures(self.times)} {self.failures[:1]}"
        )

    async def _run(self) -> None:
        plane = self._site.plane
        # Stored or not makes no difference to the webhook, and keeps etcd small.
        url = f"{plane.url}/api/v1/namespaces/{SPACE}/pods?dryRun=All"
        headers = {
            "Authorization": f"Bearer {plane.admin_token}",
            "Content-Type": "application/json",
        }
        context = ssl.create_default_context(cadata=plane.authority.pem)
        connector = aiohttp.TCPConnector(ssl=context, limit=0)
        tasks: set[asyncio.Task[None]] = set()
        async with aiohttp.ClientSession(connector=connector, headers=headers) as session:
            began, number = time.monotonic(), 0
            while not self._over.is_set():
                task = asyncio.create_task(self._create(session, url))
                tasks.add(task)
                task.add_done_callback(tasks.discard)
                number += 1
                await asyncio.sleep(max(0.0, began + number / self._rate - time.monotonic()))
            await asyncio.gather(*tasks)

    async def _create(self, session: aiohttp.ClientSession, url: str) -> None:
        began = time.monotonic()
        try:
            async with session.post(url, data=POD) as reply:
                body = await reply.read()
        except (aiohttp.ClientError, asyncio.TimeoutError, OSError) as error:
            self.failures.append(repr(error))
            return
        if reply.status != 201:
            self.failures.append(body.decode()[:300])
            return
        self.times.append(time.monotonic() - began)
        self.without += body.count(f'"conditionType":"{READINESS_GATE}"'.encode()) != 1


POD = json.dumps(pod(SPACE, "soak")).encode()


def _has_gate(site: Site) -> bool:
    body: Any = pod(SPACE, "any")
    made: Any = site.core.create_namespaced_pod(SPACE, body, dry_run="All")
    return bool(made.spec.readiness_gates)


def figures(times: Sequence[float]) -> str:
    """Median and 99th percentile."""
    if len(times) < 2:
        return "no figures"
    cuts = statistics.quantiles(times, n=100, method="inclusive")
    ms = [f"{each * 1000:.3g} ms" for each in (cuts[49], cuts[98], max(times))]
    return f"p50 {ms[0]}, p99 {ms[1]}, most {ms[2]} ({len(times)})"


RUNS: dict[str, Callable[[Site], None]] = {
    "heal": heal,
    "start": start,
    "rotation": rotation,
    "rate": rate,
    "abuse": abuse,
}

if __name__ == "__main__":
    main(sys.argv[1:])
