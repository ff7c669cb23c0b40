"""The laws of the transformer, over generated manifests, every fixture and the corpus."""

from __future__ import annotations

import os
import time
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st

from schemas.contract import READINESS_GATE, WORKLOADS, NetworkMode
from tests import oracle
from tests.conftest import FIXTURES, ROOT
from tests.manifests import builds
from transformer import transform as engine
from transformer.model import Settings, by_kind
from transformer.stream import Chunk
from transformer.transform import Outcome, Source, transform

# A round is this many generated builds; `make fuzz` runs many rounds, each with its own seed.
EXAMPLES = 2000
FIRST_ROUND, LAST_ROUND = map(int, os.environ.get("TKE_DIRECT_ROUNDS", "0:1").split(":"))
CORPUS = Path(os.environ.get("TKE_DIRECT_CORPUS", ROOT.parent / "shared" / "corpus"))
REFUSALS = {"shared-block", "unusual-layout", "duplicate-key"}
SUPPORTED = [mode for mode in NetworkMode if mode is not NetworkMode.CILIUM_OVERLAY]


def outcome_of(data: bytes, mode: NetworkMode) -> Outcome:
    return transform(
        [Source("x.yaml", data)], Settings(mode, by_kind(WORKLOADS), gate=READINESS_GATE)
    )[0]


def check_laws(data: bytes, mode: NetworkMode) -> Outcome:
    outcome = outcome_of(data, mode)
    result = outcome.result()
    if outcome.failed:
        assert result == data
        return outcome
    check_fidelity(data, outcome)
    again = outcome_of(result, mode)
    assert not again.failed, again.diagnostics
    assert again.result() == result, "transforming twice must equal transforming once"
    assert everything_parsed(data, mode) == result, "a skipped document mattered"
    return outcome


def check_fidelity(data: bytes, outcome: Outcome) -> None:
    """Every byte of the input is still there but nulls, unquoted booleans and blanks in ``{ }``."""
    kept, last = b"", 0
    result = outcome.result()
    cursor = 0
    for edit in outcome.edits:
        assert edit.start >= last
        between = data[last : edit.start]
        assert result[cursor : cursor + len(between)] == between
        cursor += len(between)
        assert result[cursor : cursor + len(edit.text)] == edit.text
        cursor += len(edit.text)
        assert data[edit.start : edit.end].strip() in (b"", b"~", b"null", b"true")
        kept += between
        last = edit.end
    assert result[cursor:] == data[last:]


def everything_parsed(data: bytes, mode: NetworkMode) -> bytes:
    """The result when no document is skipped for its opening."""
    cheap = engine.chunks

    def full(data: bytes) -> list[Chunk]:
        return [chunk._replace(kind=None) for chunk in cheap(data)]

    engine.chunks = full  # type: ignore[attr-defined]
    try:
        return outcome_of(data, mode).result()
    finally:
        engine.chunks = cheap  # type: ignore[attr-defined]


@pytest.mark.parametrize("number", range(FIRST_ROUND, LAST_ROUND))
def test_laws_hold_for_generated_manifests(number: int, capsys: pytest.CaptureFixture[str]) -> None:
    seen: Counter[str] = Counter()

    @seed(number)
    @settings(
        max_examples=EXAMPLES,
        deadline=None,
        database=None,
        suppress_health_check=list(HealthCheck),
        phases=[Phase.generate],  # a failing build is short; shrinking it takes many minutes
    )
    @given(builds(), st.sampled_from(SUPPORTED))
    def law(data: bytes, mode: NetworkMode) -> None:
        outcome = check_laws(data, mode)
        if outcome.failed:
            codes = {found.code for found in outcome.diagnostics}
            assert codes <= REFUSALS, (codes, outcome.diagnostics)
        else:
            wanted = oracle.transformed(oracle.load(data), mode.value)
            assert oracle.load(outcome.result()) == wanted
        count(seen, data, outcome)

    law()
    with capsys.disabled():
        print(f"\nround {number} of generated manifests: {dict(sorted(seen.items()))}")
    for reached, times in seen.items():
        assert times or reached == "refused", f"the generator no longer reaches {reached}"


def count(seen: Counter[str], data: bytes, outcome: Outcome) -> None:
    seen["examples"] += 1
    seen["changed"] += bool(outcome.edits)
    seen["refused"] += outcome.failed
    seen["anchors"] += b" &a" in data
    seen["aliases"] += b" *a" in data
    seen["merge keys"] += b"<<:" in data
    seen["flow mappings"] += b"{" in data
    seen["block scalars"] += b": |" in data or b": >" in data
    seen["no final newline"] += not data.endswith(b"\n")
    seen["CRLF"] += b"\r\n" in data
    seen["non-ASCII"] += not data.isascii()


FIXTURE_FILES = sorted(FIXTURES.rglob("input.*"))


@pytest.mark.parametrize("mode", [NetworkMode.MIXED, NetworkMode.GLOBAL_ROUTER])
def test_laws_hold_for_every_fixture(mode: NetworkMode) -> None:
    for path in FIXTURE_FILES:
        check_laws(path.read_bytes(), mode)


@pytest.mark.skipif(not CORPUS.is_dir(), reason=f"no corpus at {CORPUS}; set TKE_DIRECT_CORPUS")
@pytest.mark.parametrize("mode", [NetworkMode.MIXED, NetworkMode.GLOBAL_ROUTER])
def test_laws_hold_for_the_corpus(mode: NetworkMode, capsys: pytest.CaptureFixture[str]) -> None:
    seen: Counter[str] = Counter()
    slowest = 0.0
    for path in sorted(CORPUS.rglob("*.y*ml")):
        data = path.read_bytes()
        begin = time.perf_counter()
        outcome_of(data, mode)
        slowest = max(slowest, time.perf_counter() - begin)
        outcome = check_laws(data, mode)
        if outcome.failed:
            seen[f"failed: {outcome.diagnostics[0].code}"] += 1
        elif not outcome.is_kubernetes:
            seen["skipped: not Kubernetes"] += 1
        else:
            seen["changed" if outcome.edits else "unchanged"] += 1
    with capsys.disabled():
        print(f"\ncorpus, mode {mode.value}: {dict(sorted(seen.items()))}, slowest {slowest:.2f} s")
    assert seen["changed"] >= 20
