"""Where the time of a run goes, measured on one processor in this process."""

from __future__ import annotations

import gc
import time
from collections.abc import Callable

from benchmarks.applications import applications
from schemas.contract import READINESS_GATE, WORKLOADS, NetworkMode
from transformer import prove
from transformer.model import Settings, by_kind
from transformer.stream import chunks
from transformer.transform import Source, transform
from transformer.tree import check_syntax, events, parse

SIZE = 1_000


def stages() -> list[tuple[str, float]]:
    """Milliseconds by stage for 1,000 applications, best of five."""
    data = applications(SIZE).encode()
    pieces = [(data[chunk.start : chunk.end], chunk.kind) for chunk in chunks(data)]
    texts = [piece.decode() for piece, kind in pieces if kind != "ConfigMap"]
    trees = [parse(text) for text in texts]
    settings = Settings(NetworkMode.MIXED, by_kind(WORKLOADS), gate=READINESS_GATE)
    gc.disable()
    return [
        ("libyaml alone, all documents (C)", _best(lambda: [check_syntax(p) for p, _ in pieces])),
        (
            "libyaml's events as Python objects, changed documents, once",
            _best(lambda: [list(iter(events(text), None)) for text in texts]),
        ),
        ("the same made into trees", _best(lambda: [parse(text) for text in texts])),
        (
            "the same compared with their trees (proof of no edit)",
            _best(lambda: [prove.prove(t, text, {}) for t, text in zip(trees, texts, strict=True)]),
        ),
        ("everything", _best(lambda: transform([Source("", data)], settings))),
    ]


def _best(work: Callable[[], object]) -> float:
    times = []
    for _ in range(5):
        begin = time.perf_counter()
        work()
        times.append(time.perf_counter() - begin)
    return min(times) * 1000
