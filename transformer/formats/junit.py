"""JUnit XML, which every CI server shows as tests.

Source: the format has no standard; this keeps to what Jenkins, GitLab and Azure read alike
(testsuites, testsuite, testcase with classname, failure with message and type, system-out).
"""

from __future__ import annotations

import re
from collections import Counter
from itertools import groupby
from xml.etree import ElementTree as xml  # only writes: nothing untrusted is parsed

from transformer.formats.common import numbered, resource, slashes
from transformer.formats.text import summary
from transformer.lint.report import Report, Reported

# XML 1.0 has no way to write these (its production "Char").
_FORBIDDEN = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def render(report: Report) -> str:
    """One suite for the run and one for each file with findings.

    Errors and warnings are failures.  An info is a test that passed and says something: JUnit
    has only red and green, and an info must not turn a pipeline red.
    """
    root = xml.Element("testsuites", name="tke-direct lint")
    run = _suite(root, "tke-direct lint", 1, 0)
    case = xml.SubElement(run, "testcase", name="run", classname="tke-direct lint")
    xml.SubElement(case, "system-out").text = _safe(summary(report))
    for file, rows in groupby(report.findings, key=lambda found: found.file):
        _file(root, slashes(file), list(rows))
    for name in ("tests", "failures"):
        root.set(name, str(sum(int(suite.get(name, "0")) for suite in root)))
    xml.indent(root)
    # ASCII with character references: right whatever encoding the output gets.
    written: bytes = xml.tostring(root, encoding="us-ascii", xml_declaration=True)
    return written.decode("ascii") + "\n"


def _suite(root: xml.Element, name: str, tests: int, failures: int) -> xml.Element:
    counts = {"tests": str(tests), "failures": str(failures), "errors": "0", "skipped": "0"}
    return xml.SubElement(root, "testsuite", {"name": _safe(name), **counts})


def _file(root: xml.Element, file: str, rows: list[Reported]) -> None:
    suite = _suite(root, file, len(rows), sum(found.severity != "info" for found in rows))
    seen: Counter[str] = Counter()  # of several tests with one name servers show one
    for found in rows:
        attributes = {"classname": file, "file": file, "line": str(found.line)}
        case = xml.SubElement(suite, "testcase", name=numbered(_name(found), seen, "{} ({})"))
        case.attrib.update((key, _safe(value)) for key, value in attributes.items())
        text = _safe(f"{file}:{found.line}:{found.column}: {found.message}")
        if found.severity == "info":
            xml.SubElement(case, "system-out").text = text
            continue
        kind = _safe(f"{found.severity} {found.rule}")
        xml.SubElement(case, "failure", type=kind, message=_safe(found.message)).text = text


def _name(found: Reported) -> str:
    return _safe(" ".join(part for part in (found.rule, resource(found), found.field) if part))


def _safe(text: str) -> str:
    return _FORBIDDEN.sub("", text)
