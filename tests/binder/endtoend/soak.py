"""The whole promise, for an hour: python -m tests.binder.endtoend.soak --help.

Prints a table of figures on standard output, and what happens on standard error. Its exit status
is 0 when every scenario keeps its promise.
"""

from __future__ import annotations

import argparse
import secrets
import sys
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager

from kubernetes.client import CoreV1Api

from tests.binder.endtoend.bed import Bed
from tests.binder.endtoend.gates import released
from tests.binder.endtoend.scenarios import SCENARIOS, Row, Scenario, Shape, play
from tests.binder.load import Result
from tests.controlplane.access import create
from tests.controlplane.kubelet import Kubelet
from tests.controlplane.plane import ControlPlane
from tests.controlplane.programs import HOW, find
from tests.controlplane.watching import wait_for

RELEASE_HEAD = ("listeners", "the Pod's case", "seconds until the gate opened", "reason")
HEAD = ("scenario", "failed", "requests", "seconds", "gate p50", "p99", "promise")


def rollouts(number: int) -> Scenario:
    """So many, one after another."""
    return Scenario(
        f"{number} rolling updates",
        lambda bed: [bed.roll() for _ in range(number)].clear(),
        Shape(pre_stop=6),
    )


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", nargs="*", metavar="WORD", help="in a scenario's name, or: gates")
    parser.add_argument("--rollouts", type=int, default=20, metavar="N")
    options = parser.parse_args()
    programs = find()
    if not programs:
        parser.error(HOW)
    words = options.only or [""]
    scenarios = rollouts(options.rollouts), *SCENARIOS
    wanted = [one for one in scenarios if any(word in one.name for word in words)]
    modes = ("existing", "owned") if not options.only or "gates" in words else ()
    rows: list[Row] = []
    opened: list[tuple[str, ...]] = []
    broken: list[str] = []
    with ControlPlane(programs) as plane, Kubelet(plane) as kubelet:
        for one in wanted:
            with still_telling(broken, one.name), namespace(plane) as name:
                rows.append(play(plane, kubelet, name, one))
                say(line(rows[-1]))
        for mode in modes:
            with still_telling(broken, f"gates, {mode}"), namespace(plane) as name:
                opened += releases(plane, kubelet, name, mode)
        if rows:
            print(table(HEAD, map(cells, rows)))
        if opened:
            print(f"\n{table(RELEASE_HEAD, opened)}")
        print(f"\nbroken: {', '.join(broken) or 'none'}", flush=True)
    return 0 if not broken and all(row.fine for row in rows) else 1


@contextmanager
def still_telling(broken: list[str], name: str) -> Iterator[None]:
    """What goes wrong in one scenario leaves the figures of the others."""
    try:
        yield
    except Exception as error:
        broken.append(name)
        say(f"BROKEN {name}: {type(error).__name__}: {error}")


@contextmanager
def namespace(plane: ControlPlane) -> Iterator[str]:
    """An empty one."""
    name = f"soak-{secrets.token_hex(4)}"
    with plane.client() as api:
        core = CoreV1Api(api)
        create(api, {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}})
        wait_for("the default service account", core.list_namespaced_service_account, bool, name)
        try:
            yield name
        finally:
            core.delete_namespace(name)


def cells(row: Row) -> tuple[str, ...]:
    gates = Result(latencies=list(row.gates))
    promise = row.scenario.impossible or ("fails" if row.scenario.fails else "0")
    return (
        row.scenario.name,
        f"{row.result.failures}{'' if row.fine else ' !'}",
        str(row.result.sent),
        f"{row.seconds:.0f}",
        f"{gates.percentile(50):.1f}",
        f"{gates.percentile(99):.1f}",
        promise,
    )


def line(row: Row) -> str:
    return f"{' '.join(cells(row))} {dict(row.result.errors)} {dict(row.result.statuses)}"


def releases(plane: ControlPlane, kubelet: Kubelet, name: str, mode: str) -> list[tuple[str, ...]]:
    """How soon gates open that have nothing to wait for, with the binder's own times."""
    with Bed(plane, kubelet, name, listeners=mode) as bed:
        found = [
            (mode, one.case.name, f"{one.seconds:.1f}", one.reason)
            for one in released(bed, mode, {})
        ]
    say("; ".join(" ".join(row[1:3]) for row in found))
    return found


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Markdown."""
    lines = [head, ["---" for _ in head], *rows]
    return "\n".join(f"| {' | '.join(each)} |" for each in lines)


def say(text: str) -> None:
    print(f"{time.strftime('%H:%M:%S')} {text}", file=sys.stderr, flush=True)


if __name__ == "__main__":
    raise SystemExit(main())
