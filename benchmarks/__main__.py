"""Race the peers in turn on the same input, print and write ``benchmarks/RESULTS.md``."""

from __future__ import annotations

import difflib
import os
import platform
import sys
import tempfile
from datetime import date
from pathlib import Path

from benchmarks.applications import applications
from benchmarks.doors import doors_report
from benchmarks.lint import lint_report
from benchmarks.measure import Cost, median, once
from benchmarks.peers import Peer, peers, prepare
from benchmarks.stages import SIZE, stages

RESULTS = Path(__file__).with_name("RESULTS.md")
RUNS = {100: 7, 1_000: 7, 10_000: 3}
SLOW = ("kustomize", "ruamel round-trip")  # one run is enough to see the order of magnitude


def race(size: int, racers: list[Peer]) -> tuple[dict[str, Cost], dict[str, int]]:
    """Median cost of each racer, and the lines it changed that nobody asked for."""
    text = applications(size)
    costs: dict[str, list[Cost]] = {racer.name: [] for racer in racers}
    outputs: dict[str, str] = {}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        prepare(folder, text)
        for turn in range(RUNS[size] + 1):  # the first turn warms caches and is not counted
            for racer in racers:
                if racer.name in SLOW and turn > 1:
                    continue
                stdin = folder / "input.yaml" if racer.piped else None
                cost = once(racer.command, folder, stdin)
                if turn or (racer.name == "kustomize" and size > 100):
                    costs[racer.name].append(cost)
                outputs[racer.name] = (folder / "out.yaml").read_text(encoding="utf-8")
    collateral = (
        {racer.name: unasked(text, outputs[racer.name]) for racer in racers} if size == 100 else {}
    )
    return {name: median(found) for name, found in costs.items() if found}, collateral


def unasked(before: str, after: str) -> int:
    """Lines removed, and lines added that carry none of the wanted settings.

    Compared application by application where the order is kept, so that no line is matched with
    that of a neighbour.
    """
    wanted = ("cloud.tencent.com/", "annotations:", "readinessGates:")
    pairs = zip(before.split("\n---\n"), after.split("\n---\n"), strict=False)
    count = 0
    for old, new in pairs:
        lines = difflib.ndiff(old.splitlines(), new.splitlines())
        changed = [line for line in lines if line[:2] in ("+ ", "- ")]
        count += sum(line[0] == "-" or not any(w in line for w in wanted) for line in changed)
    return count


def report(racers: list[Peer], missing: list[str]) -> str:
    """Run everything; the text of RESULTS.md."""
    out = [
        "# Benchmarks",
        "",
        f"Written by `make bench` on {date.today().isoformat()}. Figures of one run on one shared "
        "machine: trust the ratios, not the seconds.",
        "",
        f"- machine: {_processor()}, {len(os.sched_getaffinity(0))} processors, "
        f"{platform.system()} {platform.machine()}, Python {platform.python_version()}",
        *(f"- {racer.name}: {racer.version}" for racer in racers),
        *(f"- {line}" for line in missing),
        "- input: applications of three documents (Deployment, LoadBalancer Service, ConfigMap)",
        "- unasked-for lines: lines that changed though nobody asked for it (100 applications)",
        "- the edits: those of mode `mixed`; peak memory is that of the largest process",
        "",
    ]
    baseline: dict[int, Cost] = {}
    for size in RUNS:
        entered = [racer for racer in racers if size in racer.sizes]
        costs, collateral = race(size, entered)
        ours = baseline[size] = costs["tke-direct"]
        out += [
            f"## {size:,} applications, {len(applications(size)) / 1e6:.2f} MB",
            "",
            "| tool | wall s | CPU s | peak MB | wall, tke-direct = 1 | unasked-for lines |",
            "|---|---|---|---|---|---|",
        ]
        for racer in entered:
            cost = costs[racer.name]
            lines = str(collateral[racer.name]) if collateral else ""
            out.append(
                f"| {racer.name} | {cost.wall_s:.3f} | {cost.cpu_s:.3f} | {cost.peak_mb:.0f} "
                f"| {cost.wall_s / ours.wall_s:.2f} | {lines} |"
            )
        out.append("")
    growth = baseline[10_000].wall_s / baseline[1_000].wall_s
    out += [
        f"10,000 applications take {growth:.1f} times as long as 1,000.",
        "",
        *_start(),
        "",
        *doors_report(),
        "",
        *lint_report(),
        "",
        *_stages(),
    ]
    return "\n".join(out) + "\n"


def _start() -> list[str]:
    """How long a start takes, beside importing click alone."""
    program = str(Path(sys.executable).with_name("tke-direct"))
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        ours, click = [], []
        for _ in range(15):
            ours.append(once([program, "--help"], folder))
            click.append(once([sys.executable, "-c", "import click"], folder))
    one, other = median(ours).wall_s, median(click).wall_s
    return [f"`tke-direct --help` takes {one / other:.2f} times `python -c 'import click'`."]


def _stages() -> list[str]:
    out = [
        f"## Where the time goes, {SIZE:,} applications on one processor, without the start",
        "",
        "Every changed document is parsed twice: to plan, and to prove.",
        "",
        "| stage | ms |",
        "|---|---|",
    ]
    return [*out, *(f"| {name} | {cost:.0f} |" for name, cost in stages())]


def _processor() -> str:
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.processor() or "unknown processor"


if __name__ == "__main__":
    text = report(*peers())
    RESULTS.write_text(text, encoding="utf-8")
    print(text)
