"""``tke-direct-binder webhook``: serve and heal until SIGINT or SIGTERM."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import signal
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from aiohttp import web

from binder.cluster.access import NoAccess, connect
from binder.cluster.api import NOT_FOUND, Api, Failed, Refused
from binder.webhook.cluster import Cluster
from binder.webhook.heal import Healer, resources
from binder.webhook.metrics import Metrics
from binder.webhook.operations import Operations
from binder.webhook.options import NAME, Options
from binder.webhook.server import Server

LOG = logging.getLogger(__name__)
OWN_NAMESPACE = Path("/var/run/secrets/kubernetes.io/serviceaccount/namespace")
HOUR = 3600.0
FEWEST_REPLICAS = 2

Announce = Callable[[int, int], None]


class CannotStartError(ValueError):
    """An option is wrong, or does not fit the cluster; the text says which and what to do."""


class Places(NamedTuple):
    """Where it is to listen, and how long it goes on after SIGTERM, in seconds."""

    host: str
    port: int
    metrics_port: int
    drain: float


def serve(
    announce: Announce,
    *,
    kubeconfig: str | None,
    namespace: str | None,
    name: str,
    service: str,
    service_port: int,
    host: str,
    port: int,
    metrics_port: int,
    readiness_gate: str,
    failure_policy: str,
    object_selector: Sequence[str],
    certificates: str | None,
    inject_ca_from: str | None,
    lifetime_hours: float,
    settle_seconds: float,
    drain_seconds: float,
) -> None:
    """Serve until a signal. CannotStartError for options, OSError for a port."""
    _log()
    lifetime = lifetime_hours * HOUR
    defaults = Options("")
    options = Options(
        namespace=namespace or _own_namespace(),
        name=name or NAME,
        service=service,
        service_port=service_port,
        readiness_gate=readiness_gate,
        failure_policy=failure_policy,
        object_selector=tuple(_label(text) for text in object_selector),
        certificates=certificates or "",
        inject_ca_from=inject_ca_from or "",
        lifetime=lifetime,
        # It is rotated with a third of its life left.
        ready_above=min(defaults.ready_above, lifetime / 6),
        settle=settle_seconds,
    )
    _check(options)
    try:
        with connect(kubeconfig) as client:
            api = Api(client, options.call_timeout)
            check_replicas(options, api)
            places = Places(host, port, metrics_port, drain_seconds)
            asyncio.run(_serve(options, api, places, announce))
    except NoAccess as error:
        raise CannotStartError(str(error)) from None


def _check(options: Options) -> None:
    """What can be known without the cluster."""
    if options.inject_ca_from and not options.certificates:
        raise CannotStartError("--inject-ca-from is for --certificates: else the CA is our own")
    if options.inject_ca_from and options.inject_ca_from.count("/") != 1:
        raise CannotStartError("--inject-ca-from: NAMESPACE/NAME of a Certificate is expected")
    if options.failure_policy == "Fail" and not options.object_selector:
        raise CannotStartError(
            "--failure-policy=Fail needs an --object-selector: without one, no Pod of a namespace "
            "that opts in could be created while the webhook is away"
        )


def check_replicas(options: Options, api: Api) -> None:
    """With Fail, a webhook of one replica would stop the cluster whenever it restarts."""
    if options.failure_policy != "Fail":
        return
    path = f"/apis/apps/v1/namespaces/{options.namespace}/deployments/{options.name}"
    try:
        replicas = _replicas(api.call("GET", path))
    except Refused as refusal:
        if refusal.status != NOT_FOUND:
            raise CannotStartError(f"--failure-policy=Fail: {refusal}") from None
        replicas = 0
    except Failed as error:
        raise CannotStartError(f"--failure-policy=Fail: {error}") from None
    if replicas < FEWEST_REPLICAS:
        raise CannotStartError(
            f"--failure-policy=Fail needs {FEWEST_REPLICAS} replicas or more, and the Deployment "
            f"{options.namespace}/{options.name} has {replicas}"
        )


def _replicas(deployment: Mapping[str, object]) -> int:
    spec = deployment.get("spec")
    found = spec.get("replicas") if isinstance(spec, dict) else None
    return found if isinstance(found, int) else 0


async def _serve(options: Options, api: Api, places: Places, announce: Announce) -> None:
    metrics = Metrics()
    server = Server(options.namespace, options.readiness_gate, metrics)
    cluster = Cluster(api)
    healer = Healer(cluster, options, metrics, server.use)
    operations = Operations(healer, metrics)
    server.start(places.host, places.port)
    async with _listening(operations, places) as metrics_port:
        for resource in resources(options):
            cluster.follow(resource, healer.wake)
        healing = asyncio.create_task(healer.run())
        announce(server.port, metrics_port)
        at_once = await _over(healing)
        operations.stopping = True
        if not at_once:  # API servers still call us until they have heard of it
            await asyncio.sleep(places.drain)
        healing.cancel()
        await asyncio.gather(healing, return_exceptions=True)
        await server.stop()


async def _over(healing: asyncio.Task[None]) -> bool:
    """Wait for a signal; True when it is SIGINT. An error of ours ends the process too."""
    loop, signals = asyncio.get_running_loop(), asyncio.Queue[int]()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, signals.put_nowait, int(number))
    heard = asyncio.create_task(signals.get())
    await asyncio.wait({healing, heard}, return_when=asyncio.FIRST_COMPLETED)
    if not heard.done():
        heard.cancel()
        healing.result()
    return heard.result() == signal.SIGINT


@contextlib.asynccontextmanager
async def _listening(operations: Operations, places: Places) -> AsyncIterator[int]:
    """The port of the operations."""
    runner = web.ServerRunner(web.Server(operations.handle, access_log=None))
    await runner.setup()
    try:
        site = web.TCPSite(runner, places.host, places.metrics_port)
        await site.start()
        yield int(runner.addresses[0][1])
    finally:
        await runner.cleanup()


def _label(text: str) -> tuple[str, str]:
    key, found, value = text.partition("=")
    if not (key and found):
        raise CannotStartError(f"--object-selector: KEY=VALUE is expected, not {text!r}")
    return key, value


def _own_namespace() -> str:
    try:
        return OWN_NAMESPACE.read_text("utf-8").strip()
    except OSError:
        raise CannotStartError("not in a Pod: say with --namespace where the Secret is") from None


def _log() -> None:
    logging.basicConfig(
        level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s", force=False
    )
    logging.getLogger("urllib3.connectionpool").setLevel(logging.ERROR)
