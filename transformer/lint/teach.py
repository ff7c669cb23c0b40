"""The rules for people: the list, one rule's explanation, and the page docs/rules.md."""

from __future__ import annotations

import json

from transformer import rules
from transformer.config import meant
from transformer.errors import ConfigError
from transformer.lint.rule import GRADES
from transformer.rules import Known


def listing(form: str) -> str:
    """Every rule: text columns with its severity and summary, JSON, or a page of Markdown."""
    known = sorted(rules.everything())
    if form == "markdown":
        return _page(known)
    if form == "json":
        rows = [{**_row(one), "summary": one.summary} for one in known]
        return json.dumps(rows, indent=2, ensure_ascii=False) + "\n"
    width = max(len(one.name) for one in known)
    return "".join(
        f"{one.name:<{width}}  {one.row.severity:<7}  {'fixable' if one.row.fixable else '':<7}  "
        f"{one.summary}\n"
        for one in known
    )


def _row(one: Known) -> dict[str, str | bool]:
    return {
        "name": one.name,
        "about": one.subject,
        "severity": one.row.severity,
        "grade": one.row.grade,
        "source": one.row.source,
        "wholeBuild": one.row.whole_build,
        "fixable": one.row.fixable,
    }


def explanation(name: str) -> str:
    """What the rule `name` is about; raises ConfigError when there is none."""
    one = rules.named(name)
    if one is None:
        raise ConfigError(f"there is no rule {name!r}{meant(name, sorted(rules.names()))}")
    return f"# {one.name}\n\n{one.text}\n\n{_facts(one)}"


def _facts(one: Known) -> str:
    rows = [f"Severity: {one.row.severity} at most; a finding says its own."]
    if one.row.fixable:
        rows.append("`tke-direct lint --fix` mends it.")
    if one.row.whole_build:
        rows.append("Judges by what is missing: silent with `--per-file`.")
    rows.append(f"Source: {one.row.source} ({GRADES[one.row.grade]}).")
    return "\n".join(rows) + "\n"


def _page(known: list[Known]) -> str:
    """The text of docs/rules.md."""
    out = [
        "# Rules",
        "",
        "Generated from `transformer/rules` by `tke-direct rules --format markdown`.",
        f"There are {len(known)} rules.",
        "Only what is documented by TKE, CLB or Kubernetes, or published by engineers of Tencent "
        "Cloud, may be an error.",
        "",
        "| rule | severity | mended by `--fix` | what it finds |",
        "|---|---|---|---|",
    ]
    for one in known:
        fixable = "yes" if one.row.fixable else ""
        out.append(
            f"| [{one.name}](#{one.name}) | {one.row.severity} | {fixable} | {one.summary} |"
        )
    for one in known:
        body = one.text.replace("\n## ", "\n### ")
        out += ["", f"## {one.name}", "", body, "", _facts(one).rstrip().replace("\n", "\n\n")]
    return "\n".join(out) + "\n"
