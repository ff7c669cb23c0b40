"""``tke-direct-binder simulate``: a simulator for people, until it is interrupted."""

from __future__ import annotations

import asyncio
import contextlib
import signal
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import IO, Any

from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from binder.simulator.accounts import Key
from binder.simulator.clock import Clock, RealClock, VirtualClock
from binder.simulator.journal import Journal
from binder.simulator.plane import Plane
from binder.simulator.simulator import Simulator

Announce = Callable[[Simulator], None]


def serve(
    announce: Announce,
    *,
    host: str,
    port: int,
    admin_port: int | None,
    region: str,
    secret_id: str,
    secret_key: str,
    clock: str,
    journal: str | None,
    seed: IO[str] | None,
) -> None:
    """Serve until SIGINT or SIGTERM. ValueError where the seed is wrong, OSError for a port."""
    rows = read_seed(seed)
    with _journal(journal) as written:
        simulator = Simulator(
            clock=_clock(clock),
            region=region,
            key=Key(secret_id, secret_key),
            plane=Plane(),
            journal=written,
            host=host,
            port=port,
            admin_port=admin_port if admin_port is not None else port and port + 1,
        )
        asyncio.run(_serve(simulator, rows, announce))


def read_seed(file: IO[str] | None) -> Mapping[str, Any]:
    """What is there at the start, from YAML, of which JSON is a part."""
    if file is None:
        return {}
    try:
        rows = YAML(typ="safe", pure=True).load(file)
    except YAMLError as error:
        raise ValueError(str(error)) from None
    if not isinstance(rows, dict):
        raise ValueError("an object is expected, with load_balancers in it")  # noqa: TRY004
    return rows


async def _serve(simulator: Simulator, rows: Mapping[str, Any], announce: Announce) -> None:
    over = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, over.set)
    async with simulator:
        simulator.sow(rows)
        announce(simulator)
        await over.wait()


def _clock(name: str) -> Clock:
    """A virtual clock begins now: clients sign with the time that they know."""
    real = RealClock()
    return real if name == "real" else VirtualClock(real.now())


@contextlib.contextmanager
def _journal(name: str | None) -> Iterator[Journal]:
    if name is None:
        yield Journal()
        return
    with Path(name).open("a", encoding="utf-8") as file:
        yield Journal(file=file)
