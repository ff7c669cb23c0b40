"""The function as a function: lists in, lists out, without any program around it."""

from __future__ import annotations

import io
import sys
import textwrap
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import redirect_stderr
from typing import Any, NamedTuple
from unittest import mock

import pytest
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st
from ruamel.yaml import YAML

from tests import manifests, oracle
from tests.conftest import FIXTURES
from tests.doors.kustomize import objects
from tests.manifests import Bare, Writer
from transformer import __version__
from transformer.doors import function, krm
from transformer.errors import ConfigError

EXAMPLES = 400
MODES = ["mixed", "global-router", "vpc-cni-exclusive", "serverless"]
REFUSALS = {"shared-block", "unusual-layout", "duplicate-key"}


class Answer(NamedTuple):
    """What the function did: exit code, standard output, standard error."""

    code: int
    out: bytes
    err: str

    @property
    def list(self) -> Any:
        """The only document on standard output."""
        (found,) = objects(self.out)
        return found

    @property
    def items(self) -> list[Any]:
        return self.list["items"] or []

    @property
    def results(self) -> list[Any]:
        return self.list.get("results") or []


def answer(
    data: bytes | str, arguments: Sequence[str] = (), environment: Mapping[str, str] | None = None
) -> Answer:
    """What the function answers to `data` on standard input."""
    given = data.encode() if isinstance(data, str) else data
    stdin, stdout = io.TextIOWrapper(io.BytesIO(given)), io.TextIOWrapper(io.BytesIO())
    with (
        mock.patch.object(sys, "stdin", stdin),
        mock.patch.object(sys, "stdout", stdout),
        redirect_stderr(io.StringIO()) as stderr,
    ):
        try:
            code = function.run(list(arguments), environment or {})
        except ConfigError as error:  # the boundary makes this exit code and message of it
            code = 2
            print(f"error: {error}", file=sys.stderr)
        stdout.flush()
        return Answer(code, stdout.buffer.getvalue(), stderr.getvalue())


def answer_as_a_whole(data: bytes | str) -> Answer:
    """The same when the list is not cut at its items."""
    with mock.patch.object(krm, "_cut", lambda _: None):
        return answer(data)


# --- laws, over lists in every style


class List(NamedTuple):
    """A ResourceList as text, and the text of each item where items are written one by one."""

    text: str
    pieces: list[str]

    @property
    def data(self) -> bytes:
        return self.text.encode()


TRACKING = {
    "config.kubernetes.io/index": "0",
    "internal.config.kubernetes.io/annotations-migration-resource-id": "3",
    "kustomize.config.k8s.io/id": "group: apps\nkind: Deployment\nname: web\n",
}


@st.composite
def tracked(draw: st.DrawFn) -> dict[str, Any]:
    """An object with the annotations by which kustomize finds it again."""
    made = draw(manifests.objects())
    notes = made["metadata"].get("annotations")
    own = notes if isinstance(notes, dict) else {}
    made["metadata"]["annotations"] = {**own, **TRACKING}
    return made


@st.composite
def lists(draw: st.DrawFn) -> List:
    """A ResourceList: as kustomize writes it, with items in any style, or in any style itself."""
    items = draw(st.lists(tracked(), min_size=1, max_size=5))
    config = {
        "apiVersion": "tke-direct.dev/v1alpha1",
        "kind": "DirectAccess",
        "metadata": {"name": "direct"},
        "spec": {"networkMode": draw(st.sampled_from(MODES))},
    }
    rest: dict[str, Any] = {"functionConfig": config}
    if draw(st.integers(0, 9)) == 0:
        rest["results"] = [{"message": "of a function before", "severity": "info"}]
    how = draw(st.sampled_from([_like_kustomize, _item_by_item, _item_by_item, _in_any_style]))
    made = how(draw, items, rest)
    breaks = "\r\n" if draw(st.integers(0, 5)) == 0 else "\n"
    before = draw(st.sampled_from(["", "", "", "\ufeff", "---\n", "# a list\n"]))
    after = draw(st.sampled_from(["", "", "", "...\n", "# the end\n"]))
    text = f"{before}{made.text}{after}"
    if draw(st.integers(0, 5)) == 0:
        text = text.rstrip("\n")
    return List(text.replace("\n", breaks), [piece.replace("\n", breaks) for piece in made.pieces])


HEAD = "apiVersion: config.kubernetes.io/v1\nkind: ResourceList\n"


def _like_kustomize(draw: st.DrawFn, items: list[Any], rest: dict[str, Any]) -> List:
    """Block style, keys sorted, lists at the column of their key: what kyaml writes."""
    written = _item_by_item(draw, items, {})
    pieces = [f"{_dumped([one])}" for one in objects(written.text.encode())[0]["items"]]
    return List(f"{HEAD}items:\n{''.join(pieces)}{_dumped(rest)}", pieces)


def _dumped(data: Any) -> str:
    stream = io.StringIO()
    emitter = YAML()
    emitter.width = 10_000
    emitter.dump(data, stream)
    return stream.getvalue()


def _item_by_item(draw: st.DrawFn, items: list[Any], rest: dict[str, Any]) -> List:
    """Each item in a style of its own, behind a dash at the start of a line."""
    writer = Writer(draw)
    pieces = []
    for item in items:
        text = textwrap.indent(writer.document(item), "  ", lambda line: True)
        pieces.append(f"-{text[1:]}")
    if draw(st.booleans()):
        return List(f"{HEAD}{_dumped(rest) if rest else ''}items:\n{''.join(pieces)}", pieces)
    return List(f"{HEAD}items:\n{''.join(pieces)}{_dumped(rest) if rest else ''}", pieces)


def _in_any_style(draw: st.DrawFn, items: list[Any], rest: dict[str, Any]) -> List:
    """All of it as nobody would write it; anchors may be used by items after theirs."""
    head = {"apiVersion": "config.kubernetes.io/v1", "kind": "ResourceList"}
    body = dict(draw(st.permutations([("items", items), *rest.items()])))
    return List(Writer(draw).document({**head, **body}), [])


def test_laws_hold_for_generated_lists(capsys: pytest.CaptureFixture[str]) -> None:
    seen: Counter[str] = Counter()

    @seed(0)
    @settings(
        max_examples=EXAMPLES,
        deadline=None,
        database=None,
        suppress_health_check=list(HealthCheck),
        phases=[Phase.generate],
    )
    @given(lists())
    def law(made: List) -> None:
        seen["lists"] += 1
        check_laws(made, seen)

    law()
    with capsys.disabled():
        print(f"\ngenerated lists: {dict(sorted(seen.items()))}")
    for reached, times in seen.items():
        assert times, f"the generator no longer reaches {reached}"


def check_laws(made: List, seen: Counter[str]) -> None:
    (before,) = objects(made.data)
    mode = before["functionConfig"]["spec"]["networkMode"]
    given = answer(made.data)
    seen["cut"] += krm._cut(made.data.removeprefix(krm.BOM)) is not None
    seen["refused"] += given.code == function.FAILED
    assert {**given.list, "items": 0, "results": 0} == {**before, "items": 0, "results": 0}
    if given.code == function.FAILED:
        found = given.results[len(before.get("results") or []) :]
        assert {one["tags"]["rule"] for one in found} <= REFUSALS
        assert found
        wanted = before["items"]
    else:
        assert given.code == function.OK, given.err
        assert given.results == (before.get("results") or [])
        wanted = oracle.transformed(before["items"], mode)
        assert answer(given.out).out == given.out, "twice is once"
    assert given.items == wanted
    seen["changed"] += wanted != before["items"]
    check_untouched(made, before["items"], wanted, given.out.decode(), seen)
    whole = answer_as_a_whole(made.data)
    assert (whole.code, whole.list, whole.err) == (given.code, given.list, given.err)
    seen["same bytes when read as a whole"] += whole.out == given.out


def check_untouched(
    made: List, before: list[Any], after: list[Any], out: str, seen: Counter[str]
) -> None:
    """Items that nothing was to be done to are there as they were written, in order."""
    place = 0
    for piece, was, now in zip(made.pieces, before, after):
        if was == now:
            found = out.find(piece.rstrip(), place)
            assert found >= 0, piece
            place = found + len(piece.rstrip())
            seen["untouched items"] += 1


def test_lists_as_kustomize_writes_them_are_the_same_bytes_cut_or_whole() -> None:
    @seed(1)
    @settings(max_examples=100, deadline=None, database=None, phases=[Phase.generate])
    @given(st.data())
    def law(data: st.DataObject) -> None:
        items = data.draw(st.lists(tracked(), min_size=1, max_size=5))
        config = objects(CONFIG.encode())[0]
        made = data.draw(st.composite(lambda draw: _like_kustomize(draw, items, config))())
        assert answer(made.data) == answer_as_a_whole(made.data)

    law()


CONFIG = """\
functionConfig:
  apiVersion: tke-direct.dev/v1alpha1
  kind: DirectAccess
  metadata:
    name: direct
  spec:
    networkMode: mixed
"""
