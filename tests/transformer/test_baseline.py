"""The baseline knows old findings again, wherever their lines went, and lets new ones through."""

from __future__ import annotations

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from transformer.errors import ConfigError
from transformer.formats.common import slashes
from transformer.lint import baseline as module
from transformer.lint.baseline import Baseline, Known, parse
from transformer.lint.report import Reported, Subject

OLD = Reported(
    "host-network", "error", "web.yaml", 3, 5, 9, 20, 4, "m", fingerprint="1" * 32, field="spec"
)._replace(subject=Subject("apps/v1", "Deployment", "", "web"))
NEW = OLD._replace(rule="eni-request-missing", fingerprint="2" * 32)


def dump(findings: list[Reported] | tuple[Reported, ...]) -> str:
    return module.dump(findings, slashes)


def baseline(*findings: Reported) -> Baseline:
    return parse(dump(findings).encode())


def apply(findings: list[Reported], old: Baseline) -> tuple[tuple[Reported, ...], int, int]:
    """The new findings, how many were known, how many of those files' old ones did not come up."""
    known = Known(old, slashes)
    new = tuple(found for found in findings if not known(found))
    return new, len(findings) - len(new), known.gone(found.file for found in findings)


def test_what_a_baseline_knows_is_silent_and_the_rest_is_not() -> None:
    assert apply([OLD, NEW], baseline(OLD)) == ((NEW,), 1, 0)


def test_lines_may_move() -> None:
    moved = OLD._replace(line=90, offset=4000, message="in other words", severity="warning")
    assert apply([moved], baseline(OLD)) == ((), 1, 0)


def test_another_file_is_another_finding() -> None:
    other = OLD._replace(file="other.yaml")
    assert apply([other], baseline(OLD))[0] == (other,)


def test_equal_findings_are_counted() -> None:
    first, second = OLD, OLD._replace(line=9)
    assert apply([first, second], baseline(OLD)) == ((second,), 1, 0)
    assert apply([first, second], baseline(first, second)) == ((), 2, 0)


def test_what_no_longer_occurs_is_counted_for_the_files_that_were_looked_at() -> None:
    elsewhere = OLD._replace(file="other.yaml")
    assert apply([OLD], baseline(OLD, OLD, OLD, elsewhere)) == ((), 1, 2)


def test_rows_of_one_key_add_up() -> None:
    doubled = Baseline(baseline(OLD).rows * 2)
    assert apply([OLD, OLD], doubled) == ((), 2, 0)
    assert apply([OLD], doubled) == ((), 1, 1)


def test_a_finding_without_fingerprint_is_never_in_a_baseline() -> None:
    broken = OLD._replace(rule="syntax", fingerprint="")
    assert baseline(broken).rows == ()
    assert apply([broken], baseline(OLD))[0] == (broken,)


def test_a_file_has_one_name_however_it_is_written() -> None:
    assert apply([OLD._replace(file="./web.yaml")], baseline(OLD))[0] == ()


def test_the_text_is_pretty_and_in_a_stable_order() -> None:
    assert dump([NEW, OLD, OLD]) == dump([OLD, NEW, OLD])
    assert dump([OLD, OLD]) == (
        '{\n  "tool": "tke-direct",\n  "version": 1,\n  "findings": [\n    {\n'
        '      "rule": "host-network",\n      "file": "web.yaml",\n'
        '      "resource": "Deployment web",\n      "field": "spec",\n'
        f'      "fingerprint": "{"1" * 32}",\n      "count": 2\n    }}\n  ]\n}}\n'
    )


def test_names_stay_readable() -> None:
    assert '"file": "订单.yaml"' in dump([OLD._replace(file="订单.yaml")])


@given(
    st.lists(
        st.builds(
            OLD._replace,
            file=st.text(st.characters(exclude_categories=()), min_size=1),
            field=st.text(st.characters(exclude_categories=())),
            fingerprint=st.sampled_from(["1" * 32, "2" * 32]),
        ),
        max_size=5,
    )
)
@settings(max_examples=100)
def test_a_baseline_silences_all_that_it_was_written_for(findings: list[Reported]) -> None:
    assert apply(findings, baseline(*findings)) == ((), len(findings), 0)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_an_editor_may_change_the_encoding(encoding: str) -> None:
    assert parse(dump([OLD]).encode(encoding)) == baseline(OLD)


ROW = json.loads(dump([OLD]))["findings"][0]


def file_with(**changes: object) -> str:
    return json.dumps({"tool": "tke-direct", "version": 1, "findings": [ROW], **changes})


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "not JSON"),
        ("<<<<<<< HEAD\n{}", "not JSON"),
        ("[" * 100_000, "not JSON"),
        ("[]", "not a baseline of tke-direct"),
        ('{"version": 1}', "not a baseline of tke-direct"),
        (file_with(version=2), "version 2, this tke-direct knows up to 1: use a newer"),
        (file_with(version=True), "unknown version True"),
        (file_with(version=None), "unknown version None"),
        (file_with(findings={}), r"findings: expected a list"),
        (file_with(findings=[1]), r"findings\[0\]: expected an object"),
        (file_with(findings=[ROW, {**ROW, "file": 1}]), r"findings\[1\]\.file: expected a string"),
        (file_with(findings=[{**ROW, "count": 0}]), r"findings\[0\]\.count: expected a whole"),
        (file_with(findings=[{**ROW, "count": True}]), r"findings\[0\]\.count: expected a whole"),
    ],
)
def test_what_is_no_baseline_is_refused(text: str, message: str) -> None:
    with pytest.raises(ConfigError, match=f"^base.json: .*{message}"):
        parse(text.encode(), "base.json")


def test_bytes_that_are_no_text_are_refused() -> None:
    with pytest.raises(ConfigError, match="not JSON"):
        parse(b"\xff\xff\xff")
