"""Cutting streams into documents, and knowing which ones cannot matter."""

from __future__ import annotations

import pytest

from transformer.stream import chunks

ONE, TWO = b"kind: A\n", b"kind: B\n"


def pieces(data: bytes) -> list[bytes]:
    return [data[chunk.start : chunk.end] for chunk in chunks(data)]


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (b"", []),
        (ONE, [ONE]),
        (b"---\n" + ONE, [b"---\n" + ONE]),
        (ONE + b"---\n" + TWO, [ONE, b"---\n" + TWO]),
        (ONE + b"--- # x\r\n" + TWO, [ONE, b"--- # x\r\n" + TWO]),
        (ONE + b"---", [ONE, b"---"]),
        (b"a: |\n  ---\n  b\n", [b"a: |\n  ---\n  b\n"]),
        (b"a: b\n----\n", [b"a: b\n----\n"]),
        (b"\xef\xbb\xbf" + ONE, [ONE]),
    ],
)
def test_documents_start_at_markers(data: bytes, expected: list[bytes]) -> None:
    assert pieces(data) == expected


@pytest.mark.parametrize(
    "data",
    [
        b"%YAML 1.1\n---\nkind: A\n",
        ONE + b"...\n---\n" + TWO,
        b"...\n" + ONE,
        b"a: b\rkind: A\r---\rkind: B\r",
        b"# \xe2\x80\xa8---\n" + ONE,
        b"# \xc2\x85---\n" + ONE,
    ],
    ids=["directive", "end marker", "end marker first", "lone CR", "line separator", "NEL"],
)
def test_an_unusual_stream_is_one_chunk_for_the_full_parser(data: bytes) -> None:
    (chunk,) = chunks(data)
    assert chunk.kind is None


@pytest.mark.parametrize(
    "opening",
    [
        b"kind: Foo\n",
        b"apiVersion: v1\nkind: Foo\n",
        b"---\n# note\n\napiVersion: a.b/v1  # x\r\nkind:   Foo # y\n",
    ],
)
def test_a_plain_opening_tells_the_kind(opening: bytes) -> None:
    assert chunks(opening + b"x: y\n")[0].kind == "Foo"


@pytest.mark.parametrize(
    "opening",
    [
        b"metadata: {}\nkind: Foo\n",
        b'"kind": Foo\n',
        b"kind: 'Foo'\n",
        b"kind: &a Foo\n",
        b"kind: !!str Foo\n",
        b"kind : Foo\n",
        b"? kind\n: Foo\n",
        b"{kind: Foo}\n",
        b"--- {kind: Foo}\n",
        b'a: "\nkind: Foo\n"\n',
        b"  kind: Foo\n",
        b"kind:\n  Foo\n",
    ],
)
def test_anything_else_goes_to_the_full_parser(opening: bytes) -> None:
    assert chunks(opening)[0].kind is None
