"""The function as a function: lists in, lists out, without any program around it."""

from __future__ import annotations

import io
import json
import sys
import textwrap
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from contextlib import redirect_stderr
from pathlib import Path
from typing import Any, NamedTuple
from unittest import mock

import pytest
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st
from ruamel.yaml import YAML

from tests import manifests, oracle
from tests.doors.kustomize import objects
from tests.manifests import Bare, Writer
from transformer import __version__
from transformer.doors import function, krm
from transformer.errors import ConfigError

EXAMPLES = 300
MODES = ["mixed", "global-router", "vpc-cni-exclusive", "serverless"]
REFUSALS = {"host-network", "shared-block", "unusual-layout", "duplicate-key"}


HEAD = "apiVersion: config.kubernetes.io/v1\nkind: ResourceList\n"
SERVICE = """\
- apiVersion: v1
  kind: Service
  metadata:
    name: web
  spec:
    type: LoadBalancer
    selector: {app: web}
    ports: [{port: 80}]
"""
DEPLOYMENT = """\
- apiVersion: apps/v1
  kind: Deployment
  metadata:
    name: web
  spec:
    selector: {matchLabels: {app: web}}
    template:
      metadata:
        labels: {app: web}
      spec:
        containers:
        - name: web
          image: nginx
"""
CONFIG_MAP = """\
- apiVersion: v1
  kind: ConfigMap
  metadata:
    name: web
  data: {a: b}
"""
CONFIG = """\
functionConfig:
  apiVersion: tke-direct.dev/v1alpha1
  kind: DirectAccess
  metadata:
    name: direct
  spec:
    networkMode: mixed
"""
LINT = CONFIG.replace("DirectAccess", "DirectAccessLint")
HOST_NETWORK = DEPLOYMENT.replace(
    "        containers:", "        hostNetwork: true\n        containers:"
)
WEB = f"{HEAD}items:\n{SERVICE}{DEPLOYMENT}{CONFIG}"


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
    """An object with the annotations by which kustomize finds it again; some must be refused."""
    made = draw(manifests.objects())
    if made["kind"] == "Deployment" and draw(st.integers(0, 2)) == 0:
        made["spec"]["template"]["spec"]["hostNetwork"] = Bare("true")
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
    how = draw(st.sampled_from([_like_kustomize, _item_by_item, _in_any_style]))
    made = how(draw, items, rest)
    breaks = "\r\n" if draw(st.integers(0, 5)) == 0 else "\n"
    before = draw(st.sampled_from(["", "", "", "\ufeff", "---\n", "# a list\n"]))
    after = draw(st.sampled_from(["", "", "", "...\n", "# the end\n"]))
    text = f"{before}{made.text}{after}"
    if draw(st.integers(0, 5)) == 0:
        text = text.rstrip("\n")
    return List(text.replace("\n", breaks), [piece.replace("\n", breaks) for piece in made.pieces])


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
        assert times or reached == "refused", f"the generator no longer reaches {reached}"


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


# --- forms of a list


def indented(text: str) -> str:
    return textwrap.indent(text, "  ")


AS_JSON = json.dumps(objects(WEB.encode())[0])
FORMS = {
    "as kustomize writes it": WEB,
    "JSON": AS_JSON,
    "JSON on many lines": json.dumps(objects(WEB.encode())[0], indent=4),
    "flow": AS_JSON.replace('"', ""),
    "indented dashes": f"{HEAD}items:\n{indented(SERVICE + DEPLOYMENT)}{CONFIG}",
    "the configuration first": f"{CONFIG}{HEAD}items:\n{SERVICE}{DEPLOYMENT}",
    "comments between items": f"{HEAD}items:\n{SERVICE}# - one\n\n  # two\n{DEPLOYMENT}#\n{CONFIG}",
    "a comment before the items": f"{HEAD}items: # all\n# - of them\n{SERVICE}{DEPLOYMENT}{CONFIG}",
    "a dash on a line of its own": WEB.replace("- apiVersion", "-\n  apiVersion"),
    "a far dash": f"{HEAD}items:\n-   {{apiVersion: v1, kind: Pod}}\n{SERVICE}{DEPLOYMENT}{CONFIG}",
    "a byte order mark": f"\ufeff{WEB}",
    "line breaks of Windows": WEB.replace("\n", "\r\n"),
    "odd line breaks in comments": WEB.replace(DEPLOYMENT, f"# a\r# b\n# a\u2028# b\n{DEPLOYMENT}"),
    "a line break that only YAML knows": WEB.replace(
        "\n- apiVersion: apps", "\r- apiVersion: apps"
    ),
    "a document marker": f"---\n{WEB}",
    "a directive": f"%YAML 1.1\n---\n{WEB}",
    "the end of a document": f"{WEB}...\n",
    "no last line break": WEB.rstrip("\n"),
    "results of a function before": f"{WEB}results:\n- message: before\n",
    "results before the items": WEB.replace("items:", "results: []\nitems:", 1),
    "keys in quotes": WEB.replace("items:", '"items":', 1).replace("kind: R", "'kind': R"),
    "an older version": WEB.replace("config.kubernetes.io/v1", "config.kubernetes.io/v1beta1"),
    "an item that is nothing": f"{HEAD}items:\n{SERVICE}-\n{DEPLOYMENT}{CONFIG}",
    "an item that is no object": f"{HEAD}items:\n- text\n{SERVICE}- [a]\n- 7\n{DEPLOYMENT}{CONFIG}",
    "an anchor over items": WEB.replace("name: web", "name: &web web", 1).replace(
        "labels: {app: web}", "labels: {app: *web}"
    ),
    "a merge key": WEB.replace("  kind: Service\n", "  <<: {kind: Service}\n"),
    "a text that looks like items": f"{HEAD}items:\n{SERVICE}"
    + CONFIG_MAP.replace("b}", 'b, c: "x\n- apiVersion: v1\n  kind: Service\nfunctionConfig: x\n"}')
    + f"{DEPLOYMENT}{CONFIG}",
    "a key that looks like the items'": WEB.replace(
        "metadata:\n    name: web", "metadata:\n    name: web\n    finalizers: [items]", 1
    ),
}


@pytest.mark.parametrize("form", FORMS)
def test_a_list_may_have_this_form(form: str) -> None:
    text = FORMS[form]
    given = answer(text)
    assert given.code == 0, given.err
    (before,) = objects(text.encode())
    assert len(given.items) == len(before["items"])
    (service,) = (one for one in given.items if kind_of(one) == "Service")
    (deployment,) = (one for one in given.items if kind_of(one) == "Deployment")
    assert service["metadata"]["annotations"] == {"service.cloud.tencent.com/direct-access": "true"}
    assert "tke.cloud.tencent.com/eni-ip" in str(deployment)
    assert answer(given.out).out == given.out
    assert answer_as_a_whole(text).list == given.list


def kind_of(item: Any) -> str:
    return item.get("kind", "") if isinstance(item, dict) else ""


@pytest.mark.parametrize("items", ["items: []", "items:", "items: null", "", "items:\n-a: b"])
def test_of_no_items_come_no_items(items: str) -> None:
    text = f"{HEAD}{items}\n{CONFIG}"
    assert answer(text) == (0, text.encode(), "")


def test_an_item_that_is_a_list_is_looked_into() -> None:
    inner = textwrap.indent(SERVICE + DEPLOYMENT, "  ")
    given = answer(f"{HEAD}items:\n- apiVersion: v1\n  kind: List\n  items:\n{inner}{CONFIG}")
    assert given.out.count(b"eni-ip") == 2


def test_an_item_without_a_name_is_completed_like_others() -> None:
    unnamed = DEPLOYMENT.replace("name: web\n", "generateName: web-\n", 1)
    given = answer(f"{HEAD}items:\n{SERVICE}{unnamed}{CONFIG}")
    assert given.items[1]["metadata"] == {"generateName": "web-"}
    assert given.out.count(b"eni-ip") == 2


WRONG = {
    "nothing": ("", "standard input is empty"),
    "blanks": (" \n\n", "standard input is empty"),
    "a stream of manifests": (
        "apiVersion: v1\nkind: Service\n---\napiVersion: v1\nkind: Pod\n",
        "found something else: kustomize sends one; for plain manifests there is `tke-direct",
    ),
    "a manifest": ("apiVersion: v1\nkind: Service\n", "found kind Service of v1"),
    "a list of manifests": (WEB.replace("ResourceList", "List"), "found kind List of config"),
    "a list of another group": (
        WEB.replace("config.kubernetes.io/v1", "v1"),
        "found kind ResourceList of v1",
    ),
    "a list of no group": (WEB.partition("\n")[2], "found kind ResourceList of no apiVersion"),
    "such a list in JSON": (
        json.dumps({"kind": "ResourceList", "items": []}),
        "found kind ResourceList of no apiVersion",
    ),
    "a sequence": (SERVICE, "found something else"),
    "a text": ("hello", "found something else"),
    "two lists": (f"{WEB}---\n{WEB}", "found something else"),
    "items twice": (f"{WEB}items:\n{SERVICE}", "key 'items' stands twice"),
    "another kind below": (f"{WEB}kind: List\n", "key 'kind' stands twice"),
    "two configurations": (f"{CONFIG}{WEB}", "key 'functionConfig' stands twice"),
    "a broken item": (WEB.replace("{app: web}", "{app: web", 1), "<stdin>:11:10: "),
    "a tab": (WEB.replace("    name: web", "\tname: web", 1), "a tab indents this line"),
    "an item that is cut off": (WEB[: WEB.index("port: 80") + 4], "<stdin>:"),
    "UTF-16": (WEB.encode("utf-16"), "byte 0xff is not UTF-8"),
    "not UTF-8": (WEB.encode().replace(b"nginx", b"n\xffginx"), "byte 0xff is not UTF-8"),
    "a control character": (WEB.replace("nginx", "n\x07ginx"), "is not allowed in YAML"),
    "results that are no list": (f"{WEB}results: {{}}\n", "results: expected a list"),
    "no configuration": (f"{HEAD}items:\n{SERVICE}", "functionConfig: is missing"),
    "an empty configuration": (
        f"{HEAD}items:\n{SERVICE}functionConfig:\n",
        "functionConfig: is missing",
    ),
    "a configuration of another kind": (
        WEB.replace("kind: DirectAccess", "kind: ConfigMap"),
        "functionConfig ConfigMap direct: kind: unknown value 'ConfigMap'; known: ",
    ),
    "a configuration of another version": (
        WEB.replace("v1alpha1", "v1"),
        "functionConfig DirectAccess direct: apiVersion: ",
    ),
    "a configuration without a mode": (
        WEB.replace("spec:\n    networkMode: mixed", "spec: {}"),
        "no network mode",
    ),
    "a mode that does not exist": (WEB.replace("mixed", "mixd"), "did you mean 'mixed'?"),
    "a mode without direct access": (
        WEB.replace("mixed", "cilium-overlay"),
        "does not support direct access",
    ),
    "a key that lint knows": (f"{WEB}    failOn: info\n", "spec: unknown key 'failOn'"),
    "a mode that does not exist beside an item that two readers read differently": (
        WEB.replace("mixed", "mixd").replace("items:\n", "items:\n- # c\r- a: b\n", 1),
        "did you mean 'mixed'?",
    ),
    "a mode that does not exist in a list that has an anchor": (
        "&list\n" + WEB.replace("mixed", "mixd"),
        "did you mean 'mixed'?",
    ),
    "a mode that does not exist and results with an anchor": (
        WEB.replace("mixed", "mixd") + "results: &a []\n",
        "did you mean 'mixed'?",
    ),
    "a configuration without end": (
        WEB.replace("metadata:\n    name: direct", f"metadata: {{a: {'[' * 2000}}}"),
        "",
    ),
}


@pytest.mark.parametrize("what", WRONG)
def test_what_is_wrong_is_said_and_loses_nothing(what: str) -> None:
    data, says = WRONG[what]
    given = answer(data)
    assert given.code == 2
    assert says in given.err
    assert given.err.startswith("error: ")
    if given.out:  # who reads it in spite of the exit code finds all items, and why
        (before,) = objects(data if isinstance(data, bytes) else data.encode())
        assert given.items == before["items"]
        assert [one["tags"] for one in given.results] == [{"rule": "configuration"}]


@pytest.mark.parametrize("item", [SERVICE, DEPLOYMENT, CONFIG_MAP])
def test_a_key_that_stands_twice_in_an_item_never_loses_one(item: str) -> None:
    text = f"{HEAD}items:\n{item}  kind: Service\n{SERVICE}{CONFIG}"
    given = answer(text)
    assert given.code == 1
    assert given.out == text.encode()
    assert "error duplicate-key: " in given.err
    assert 'key "kind" stands twice' in given.err


# --- results


def test_an_edit_that_is_refused_returns_all_items_as_they_came() -> None:
    text = f"{HEAD}items:\n{SERVICE}{HOST_NETWORK}{CONFIG}"
    given = answer(text)
    assert given.code == 1
    assert given.out.startswith(text.encode())
    assert given.results == [
        {
            "message": "is true: a Pod on the host's network has no address of its own for CLB to "
            'bind; remove it, or take the workload out with tke-direct.dev/skip: "true"',
            "severity": "error",
            "resourceRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": "web"},
            "field": {"path": "spec.template.spec.hostNetwork"},
            "tags": {"rule": "host-network"},
        }
    ]


def test_a_result_says_namespace_and_file_when_the_item_does() -> None:
    placed = HOST_NETWORK.replace(
        "name: web",
        "name: web\n    namespace: shop\n    annotations:\n"
        "      internal.config.kubernetes.io/path: 'a/web.yaml'\n"
        "      internal.config.kubernetes.io/index: '3'",
        1,
    )
    service = SERVICE.replace("name: web", "name: web\n    namespace: shop")
    (one,) = answer(f"{HEAD}items:\n{service}{placed}{CONFIG}").results
    assert one["resourceRef"]["namespace"] == "shop"
    assert one["file"] == {"path": "a/web.yaml", "index": 3}


@pytest.mark.parametrize("place", ["cut", "whole"])
def test_the_field_of_a_result_is_a_place_in_its_resource(place: str) -> None:
    shared = DEPLOYMENT.replace("      metadata:\n", "      metadata: &shared\n")
    shared += "    metadata: *shared\n"
    text = f"{HEAD}items:\n{SERVICE}{shared}{CONFIG}"
    (one,) = (answer if place == "cut" else answer_as_a_whole)(text).results
    assert one["tags"] == {"rule": "shared-block"}
    assert one["field"] == {"path": "spec.template.metadata"}


def test_new_results_stand_behind_those_of_functions_before() -> None:
    before = "results:\n- message: before\n"
    for text in (
        f"{HEAD}items:\n{SERVICE}{HOST_NETWORK}{CONFIG}{before}",
        f"{HEAD}{before}items:\n{SERVICE}{HOST_NETWORK}{CONFIG}",
    ):
        first, second = answer(text).results
        assert first == {"message": "before"}
        assert second["tags"] == {"rule": "host-network"}


@pytest.mark.parametrize("end", ["", "...\n", "# the end\n"])
@pytest.mark.parametrize("results", ["", "results:\n", "results: []\n", "results: null\n"])
def test_results_are_a_part_of_the_list_whatever_its_end(end: str, results: str) -> None:
    for break_ in ("\n", "\r\n"):
        text = f"{HEAD}items:\n{SERVICE}{LINT}{results}{end}".replace("\n", break_)
        for data in (text, text.rstrip()):
            given = answer(data)
            assert given.code == 0
            assert [one["severity"] for one in given.results] == ["warning"]
            assert len(given.items) == 1


def test_results_stand_behind_a_text_that_ends_without_a_line_break() -> None:
    last = "data:\n    text: |\n      last"
    given = answer(f"{HEAD}{LINT}items:\n{SERVICE}" + CONFIG_MAP.replace("data: {a: b}\n", last))
    assert given.code == 0
    assert given.items[1]["data"] == {"text": "last"}
    assert [one["severity"] for one in given.results] == ["warning"]


# Written as YAML between double quotes.
AWKWARD = r'"a\"b\\c%s \a\0\e[31m\x85\u2028\ufffe\ufeff\n🛒: #\t"'


def test_results_can_be_read_whatever_a_message_quotes() -> None:
    annotation = f"service.cloud.tencent.com/direct-access: {AWKWARD}"
    service = SERVICE.replace("name: web", f"name: web\n    annotations: {{{annotation}}}")
    given = answer(f"{HEAD}items:\n{service}{LINT}")
    (one,) = (row for row in given.results if row["tags"]["rule"] == "direct-access-value")
    escapes = (r"\x00", r"\x07", r"\x1b", r"\x85", r"\u2028", r"\ufffe", r"\ufeff", r"\n", "🛒")
    for shown in escapes:
        assert shown in one["message"]
    assert not any(ord(character) < 32 for character in one["message"])
    told, total = given.err.splitlines()
    assert told.startswith("error direct-access-value: Service web: ")
    assert total == "tke-direct: 1 error"


@given(st.text(st.characters(exclude_categories=["Cs"])))
@settings(max_examples=200, deadline=None, database=None)
def test_any_message_and_name_survive_in_results(text: str) -> None:
    item = krm.Item("v1", text or "x", text, text, text, 0)
    given = krm.nothing([krm.result("error", "rule", text, item, text)])
    ((found,),) = (one["results"] for one in objects(given))
    assert found["severity"] == "error"
    assert YAML(typ="safe", pure=True).load(given)["results"] == [found]


def test_many_findings_are_cut_short_for_people_and_not_for_programs() -> None:
    many = "".join(SERVICE.replace("name: web", f"name: web-{number}") for number in range(60))
    given = answer(f"{HEAD}items:\n{many}{LINT}")
    assert len(given.results) == 60
    lines = given.err.splitlines()
    assert lines[-2:] == ["… and 10 more", "tke-direct: 60 warnings"]
    assert len(lines) == 52


@pytest.mark.parametrize(
    ("severity", "code"), [("error", 0), ("warning", 1), ("info", 1), (None, 0)]
)
def test_fail_on_says_what_stops_a_build(severity: str | None, code: int) -> None:
    asked = f"    failOn: {severity}\n" if severity else ""
    assert answer(f"{HEAD}items:\n{SERVICE}{LINT}{asked}").code == code


def test_require_transformed_makes_errors_of_what_is_missing() -> None:
    text = f"{HEAD}items:\n{SERVICE}{LINT}    requireTransformed: true\n"
    given = answer(text)
    assert given.code == 1
    assert [one["severity"] for one in given.results] == ["error"]


def test_emit_none_returns_findings_and_no_items() -> None:
    given = answer(f"{HEAD}items:\n{SERVICE}{LINT}    emit: none\n")
    assert (given.code, given.items) == (0, [])
    assert [one["tags"]["rule"] for one in given.results] == ["direct-access-missing"]


def test_emit_none_that_fails_returns_everything() -> None:
    """Should somebody ignore the exit code, nothing is lost."""
    given = answer(f"{HEAD}items:\n{SERVICE}{HOST_NETWORK}{LINT}    emit: none\n")
    assert (given.code, len(given.items)) == (1, 2)


# --- how it is called

ENVIRONMENTS: list[dict[str, str]] = [
    {"KUSTOMIZE_PLUGIN_CONFIG_STRING": "x", "KUSTOMIZE_PLUGIN_CONFIG_ROOT": "/"},
    {"KUSTOMIZE_PLUGIN_CONFIG_ROOT": "/"},  # the other one was too long
]
STREAM = textwrap.dedent(SERVICE.replace("- ", "  ", 1)) + "---\n"
STREAM += textwrap.dedent(DEPLOYMENT.replace("- ", "  ", 1))


@pytest.mark.parametrize("asked", ["--help", "-h"])
def test_help_says_what_to_write_where(asked: str) -> None:
    given = answer("", [asked])
    assert given.code == 0
    assert b"networkMode: mixed" in given.out
    assert b"--enable-alpha-plugins --enable-exec" in given.out


def test_what_help_shows_is_a_kustomization_that_works() -> None:
    text = answer("", ["--help"]).out.decode()
    shown = textwrap.dedent(text[text.index("  transformers:") :].partition("\n\n")[0])
    ((config,),) = (one["transformers"] for one in objects(shown.encode()))
    (found,) = objects(config.encode())
    assert found["metadata"]["annotations"] == {
        "config.kubernetes.io/function": "exec: {path: tke-direct-fn}"
    }
    assert answer(f"{HEAD}items:\n{SERVICE}functionConfig:\n{indented(config)}").code == 0


def test_version_is_said() -> None:
    assert answer("", ["--version"]).out.decode() == f"tke-direct-fn, version {__version__}\n"


@pytest.mark.parametrize("arguments", [["lint"], ["--mode", "mixed"], ["config.yaml"], [""]])
def test_arguments_are_refused(arguments: list[str]) -> None:
    given = answer(WEB, arguments)
    assert (given.code, given.out) == (2, b"")
    assert "takes no arguments; see --help" in given.err


def test_what_kustomize_sets_for_legacy_plugins_means_nothing_without_an_argument() -> None:
    """A function may be called by a plugin that calls kustomize."""
    assert answer(WEB, [], ENVIRONMENTS[0]) == answer(WEB)


@pytest.mark.parametrize("stdin", [None, mock.Mock(isatty=lambda: True)])
def test_without_anything_on_standard_input_it_says_what_it_wants(stdin: Any) -> None:
    with (
        mock.patch.object(sys, "stdin", stdin),
        pytest.raises(ConfigError, match="a ResourceList is expected on standard input"),
    ):
        function.run([], {})


# --- as a legacy plugin


@pytest.fixture(params=ENVIRONMENTS, ids=["all variables", "one variable"])
def legacy(request: pytest.FixtureRequest, tmp_path: Path) -> Callable[..., Answer]:
    """The function as a legacy plugin with the configuration `config`."""

    def call(config: str, stream: str = STREAM) -> Answer:
        path = tmp_path / "kust-plugin-config-123"
        path.write_text(textwrap.dedent(config.partition("\n")[2]))
        return answer(stream, [str(path)], request.param)

    return call


Legacy = Callable[..., Answer]


def test_a_legacy_plugin_gets_and_gives_a_stream(legacy: Legacy) -> None:
    given = legacy(CONFIG)
    assert (given.code, given.err) == (0, "")
    assert [one["kind"] for one in objects(given.out)] == ["Service", "Deployment"]
    assert given.out.count(b"eni-ip") == 2
    assert legacy(CONFIG, given.out.decode()).out == given.out


def test_a_legacy_plugin_that_fails_gives_nothing(legacy: Legacy) -> None:
    for config in (CONFIG, LINT):
        given = legacy(config, STREAM.replace("    spec:", "    spec:\n      hostNetwork: true"))
        assert (given.code, given.out) == (1, b"")
        assert "error host-network: Deployment web: " in given.err


def test_of_an_empty_stream_a_legacy_plugin_makes_an_empty_stream(legacy: Legacy) -> None:
    assert legacy(CONFIG, "") == (0, b"", "")


def test_a_legacy_validator_gives_nothing_and_may_succeed(legacy: Legacy) -> None:
    given = legacy(f"{LINT}    emit: none\n")
    assert (given.code, given.out) == (0, b"")
    assert "warning direct-access-missing: Service web" in given.err


def test_a_legacy_plugin_says_no_percent_sign(legacy: Legacy) -> None:
    value = 'annotations: {service.cloud.tencent.com/direct-access: "100%!s(MISSING)"}'
    stream = STREAM.replace("name: web", f"name: web\n  {value}", 1)
    given = legacy(LINT, stream)
    assert given.code == 1
    assert "%" not in given.err
    assert "100\N{FULLWIDTH PERCENT SIGN}!s(MISSING)" in given.err


@pytest.mark.parametrize("config", ["kind: x\n", "", "a: [\n", CONFIG.replace("mixed", "mixd")])
def test_a_legacy_plugin_names_the_configuration_that_is_wrong(
    config: str, legacy: Legacy, tmp_path: Path
) -> None:
    given = legacy(config)
    assert (given.code, given.out) == (2, b"")
    assert f"error: {tmp_path / 'kust-plugin-config-123'}" in given.err


def test_a_configuration_that_is_not_there_is_said(tmp_path: Path) -> None:
    given = answer(STREAM, [str(tmp_path / "gone")], ENVIRONMENTS[0])
    assert (given.code, given.out) == (2, b"")
    assert "cannot be read: No such file or directory" in given.err
