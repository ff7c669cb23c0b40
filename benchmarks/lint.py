"""``lint`` beside kubeconform, on the same files and the same schemas."""

from __future__ import annotations

import json
import shutil
import sys
import tempfile
from pathlib import Path

from benchmarks.applications import applications
from benchmarks.measure import Cost, median, once
from schemas import kubernetes
from tests.peers import CACHE

SIZE, RUNS = 1_000, 9
_OURS = str(Path(sys.executable).with_name("tke-direct"))
_CONFIG = """\
apiVersion: tke-direct.dev/v1alpha1
kind: DirectAccess
spec:
  networkMode: mixed
  graceful: {enabled: true}
"""


def lint_report() -> list[str]:
    """The lines of RESULTS.md about lint."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / ".tke-direct.yaml").write_text(_CONFIG, encoding="utf-8")
        _schemas(folder / "schemas")
        (folder / "bare.yaml").write_text(applications(SIZE), encoding="utf-8")
        (folder / "done.yaml").write_text(applications(SIZE), encoding="utf-8")
        once([_OURS, "transform", "-q", "-i", "done.yaml"], folder)
        return [*_race(folder), "", *_start(folder)]


def _schemas(folder: Path) -> None:
    """The schemas that lint uses, as files that kubeconform reads."""
    folder.mkdir()
    for version, kind in kubernetes.kinds():
        if kubernetes.name_of(version, kind, kubernetes.NEWEST):
            group, _, number = version.rpartition("/")
            name = "-".join(filter(None, (kind.lower(), group.split(".")[0], number)))
            schema = kubernetes.standalone(version, kind, kubernetes.NEWEST)
            (folder / f"{name}.json").write_text(json.dumps(schema), encoding="utf-8")


def _race(folder: Path) -> list[str]:
    peer = shutil.which("kubeconform", path=str(CACHE))
    out = [
        f"## lint, {SIZE:,} applications of three documents",
        "",
        "All rules and the schemas of Kubernetes; kubeconform checks the same schemas only.",
        "",
        "| input | findings | lint wall s | lint peak MB | kubeconform wall s | ratio |",
        "|---|---|---|---|---|---|",
    ]
    for name, shown in (("done.yaml", "after `transform`"), ("bare.yaml", "before `transform`")):
        ours = [_OURS, "lint", "-q", "--exit-zero", name]
        location = "schemas/{{.ResourceKind}}{{.KindSuffix}}.json"
        theirs = [peer or "true", "-strict", "-schema-location", location, name]
        costs, others = _pairs(ours, theirs, folder)
        once(ours, folder)
        count = len((folder / "out.yaml").read_bytes().splitlines())
        beside = f"{others.wall_s:.3f}" if peer else "not here: `make peers`"
        ratio = f"{costs.wall_s / others.wall_s:.2f}" if peer else ""
        figures = f"{count:,} | {costs.wall_s:.3f} | {costs.peak_mb:.0f}"
        out.append(f"| {shown} | {figures} | {beside} | {ratio} |")
    return out


def _start(folder: Path) -> list[str]:
    """How long one small file takes, beside importing click alone."""
    (folder / "one.yaml").write_text(applications(1), encoding="utf-8")
    command = [_OURS, "lint", "-q", "--exit-zero", "one.yaml"]
    ours, click = _pairs(command, [sys.executable, "-c", "import click"], folder)
    ratio = ours.wall_s / click.wall_s
    return [
        f"`tke-direct lint` of one small file, configuration included, takes {ratio:.2f} times "
        "`python -c 'import click'`."
    ]


def _pairs(ours: list[str], theirs: list[str], folder: Path) -> tuple[Cost, Cost]:
    """Median costs of two commands that take turns; the first turn warms caches."""
    costs = [(once(ours, folder), once(theirs, folder)) for _ in range(RUNS + 1)][1:]
    return median([one for one, _ in costs]), median([other for _, other in costs])
