"""The laws that join lint and transform, over generated manifests, every fixture and the corpus.

* Closed: after ``transform``, lint finds nothing that ``transform`` could have mended.
* Each on its own: the edits that a finding carries mend just that finding.
* The same edits: ``lint --fix`` with nothing silenced writes what ``transform`` writes.
* Foreseen: whatever ``transform`` refuses, lint reports as an error under the same name.
* Alone: a document by itself (``--per-file``) has no finding that it lacks in its build.
* Once: no two findings stand in the same field of the same resource.
"""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st

from schemas.contract import READINESS_GATE, WORKLOADS, NetworkMode
from tests.manifests import builds
from tests.test_laws import CORPUS, FIRST_ROUND, FIXTURES, LAST_ROUND, SUPPORTED
from transformer import rules
from transformer.lint.check import Scope
from transformer.lint.lint import Linted, lint
from transformer.lint.read import SourceReading, examine
from transformer.lint.report import Reported, Subject
from transformer.model import Settings, by_kind
from transformer.parallel import Workers
from transformer.stream import chunks
from transformer.transform import Outcome, Source, transform

EXAMPLES = 300
EVERYTHING = Scope()
CANNOT_EDIT = {"shared-block", "unusual-layout"}
FILES = sorted(path for path in FIXTURES.rglob("*.[yj]*") if path.stem in ("input", "good", "bad"))
MODES = [NetworkMode.MIXED, NetworkMode.GLOBAL_ROUTER, NetworkMode.VPC_CNI]


def settings_for(mode: NetworkMode) -> Settings:
    return Settings(mode, by_kind(WORKLOADS), gate=READINESS_GATE)


def linted(data: bytes, mode: NetworkMode, scope: Scope = EVERYTHING) -> Linted:
    sources = [Source("x.yaml", data)]
    made = Workers(examine, 1, lambda count: None)(sources, settings_for(mode))
    readings = [SourceReading(*row) for row in made]
    return lint(
        sources, readings, settings_for(mode), scope, inline=False, with_fixes=True, mend=True
    )


def check_laws(data: bytes, mode: NetworkMode) -> tuple[Linted, Outcome]:
    before = linted(data, mode)
    outcome = transform([Source("x.yaml", data)], settings_for(mode))[0]
    assert {row.rule for _, row in before.findings} <= rules.names()
    check_told_once(before)
    edits = before.edits.get(0, [])
    if outcome.failed:
        check_foreseen(before, outcome)
        return before, outcome
    assert tuple(edits) == outcome.edits, "lint --fix must write what transform writes"
    fixable = [row for _, row in before.findings if row.fixable]
    assert bool(fixable) == bool(edits)
    assert all(row.fixes for row in fixable)
    for row in fixable[:3]:
        check_mended_alone(data, row, mode)
    after = linted(outcome.result(), mode, Scope(strict=True))
    assert not [row for _, row in after.findings if row.fixable]
    assert not after.edits.get(0)
    return before, outcome


def check_mended_alone(data: bytes, row: Reported, mode: NetworkMode) -> None:
    outcome = Outcome(Source("x.yaml", data), row.fixes, (), (), True)
    after = linted(outcome.result(), mode)
    place = (row.rule, row.subject, row.field)
    before = [place_of(one) for _, one in linted(data, mode).findings]
    assert [place_of(one) for _, one in after.findings].count(place) < before.count(place)


def place_of(row: Reported) -> tuple[str, Subject | None, str]:
    return row.rule, row.subject, row.field


def check_told_once(found: Linted) -> None:
    rows = {row[:-1]: row for _, row in found.findings}
    assert len(rows) == len(found.findings), "the same finding twice"
    for about in found.by_object.values():
        # That transform cannot edit a place is another matter than what is wrong with it.
        told = {(row.field, row.rule) for row in about if row.rule not in CANNOT_EDIT}
        fields = Counter(field for field, _ in told if field)
        assert max(fields.values(), default=1) == 1, sorted(told)


def check_foreseen(found: Linted, outcome: Outcome) -> None:
    told = {(row.rule, row.severity) for _, row in found.findings}
    for diagnostic in outcome.diagnostics:
        assert (diagnostic.code, "error") in told or diagnostic.code in STRUCTURE, diagnostic


# A missing pod template or container is what the schema asks for, under the schema's names.
STRUCTURE = {"no-pod-template", "no-containers"}


@pytest.mark.parametrize("number", range(FIRST_ROUND, LAST_ROUND))
def test_lint_and_transform_agree_on_generated_manifests(number: int) -> None:
    seen: Counter[str] = Counter()

    @seed(number)
    @settings(
        max_examples=EXAMPLES,
        deadline=None,
        database=None,
        suppress_health_check=list(HealthCheck),
        phases=[Phase.generate],
    )
    @given(builds(), st.sampled_from(SUPPORTED))
    def law(data: bytes, mode: NetworkMode) -> None:
        found, outcome = check_laws(data, mode)
        seen["fixable"] += bool(found.edits)
        seen["refused"] += outcome.failed

    law()
    assert seen["fixable"] > EXAMPLES / 5


@pytest.mark.parametrize("mode", MODES)
def test_lint_and_transform_agree_on_every_fixture(mode: NetworkMode) -> None:
    assert len(FILES) > 350
    refused = sum(check_laws(path.read_bytes(), mode)[1].failed for path in FILES)
    assert refused > 10, "what transform refuses must be among the fixtures"


@pytest.mark.parametrize("mode", MODES)
def test_a_document_alone_has_no_finding_that_it_lacks_in_its_build(mode: NetworkMode) -> None:
    alone = Scope(whole_build=False)
    for path in FILES:
        data = path.read_bytes()
        together = told(linted(data, mode))
        for piece in chunks(data):
            found = told(linted(data[piece.start : piece.end], mode, alone))
            assert found <= together, (path, found - together)


def told(found: Linted) -> set[tuple[str, str]]:
    """The places of findings; in its build the same defect may have a name that says more."""
    return {(row.subject.shown if row.subject else "", row.field) for _, row in found.findings}


@pytest.mark.skipif(not CORPUS.is_dir(), reason=f"no corpus at {CORPUS}; set TKE_DIRECT_CORPUS")
@pytest.mark.parametrize("mode", [NetworkMode.MIXED, NetworkMode.VPC_CNI])
def test_lint_and_transform_agree_on_the_corpus(
    mode: NetworkMode, capsys: pytest.CaptureFixture[str]
) -> None:
    errors: Counter[str] = Counter()
    files = sorted(Path(CORPUS).rglob("*.y*ml"))
    for path in files:
        found, _ = check_laws(path.read_bytes(), mode)
        errors.update(row.rule for _, row in found.findings if row.severity == "error")
    with capsys.disabled():
        print(f"\ncorpus, mode {mode.value}: {len(files)} files, errors {dict(errors)}")
