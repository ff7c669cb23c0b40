"""The proof accepts the planned edit and rejects everything else, whatever the splice did."""

from __future__ import annotations

import pytest

from transformer.errors import Unproven
from transformer.model import Append, Items, Patch
from transformer.prove import prove
from transformer.tree import parse

BEFORE = """\
metadata:
  name: web  # comment
  labels: {app: 'web', tier: "front"}
spec:
  gates: &g
  - type: a
  note: |
    text
  again: *g
"""
ANNOTATE: Patch = {"metadata": {"annotations": {"key": "true"}}}
GOOD = BEFORE.replace("spec:", '  annotations:\n    key: "true"\nspec:')


def check(after: str, patch: Patch | None, before: str = BEFORE) -> None:
    prove(parse(before), after, {} if patch is None else {0: patch})


ACCEPTED = {
    "nothing planned, nothing changed": (BEFORE, None),
    "comments and blank lines are not nodes": (BEFORE.replace("  # comment", "\n\n"), None),
    "a new mapping at the end": (GOOD, ANNOTATE),
    "a new mapping before another entry": (
        BEFORE.replace("  name", '  annotations: {key: "true"}\n  name'),
        ANNOTATE,
    ),
    "a scalar rewritten": (
        BEFORE.replace("name: web", 'name: "api"'),
        {"metadata": {"name": "api"}},
    ),
    "a number": (BEFORE.replace("spec:", "spec:\n  seconds: 60"), {"spec": {"seconds": 60}}),
}


@pytest.mark.parametrize("name", ACCEPTED)
def test_accepted(name: str) -> None:
    check(*ACCEPTED[name])


REJECTED = {
    "the edit is missing": (BEFORE, ANNOTATE),
    "the edit is in the wrong mapping": (
        BEFORE.replace("  note:", '  annotations:\n    key: "true"\n  note:'),
        ANNOTATE,
    ),
    "another value": (GOOD.replace('"true"', '"yes"'), ANNOTATE),
    "another style": (GOOD.replace('"true"', "'true'"), ANNOTATE),
    "an unquoted value": (GOOD.replace('"true"', "true"), ANNOTATE),
    "a tag on what was written": (GOOD.replace('"true"', '!!str "true"'), ANNOTATE),
    "an anchor on what was written": (GOOD.replace('"true"', '&x "true"'), ANNOTATE),
    "one entry too many": (GOOD.replace('"true"', '"true"\n    more: x'), ANNOTATE),
    "the edit twice": (GOOD.replace("spec:", '  annotations: {key: "true"}\nspec:'), ANNOTATE),
    "a style changed elsewhere": (GOOD.replace("'web'", "web"), ANNOTATE),
    "a flow mapping became block": (
        BEFORE.replace("{app: 'web', tier: \"front\"}", "\n    app: 'web'\n    tier: \"front\""),
        None,
    ),
    "a value changed elsewhere": (GOOD.replace("front", "back"), ANNOTATE),
    "a key changed elsewhere": (GOOD.replace("note:", "notes:"), ANNOTATE),
    "keys changed places": (
        BEFORE.replace("app: 'web', tier: \"front\"", "tier: \"front\", app: 'web'"),
        None,
    ),
    "a block scalar gained a line": (GOOD.replace("    text\n", "    text\n    more\n"), ANNOTATE),
    "a block scalar lost its newline": (GOOD.replace("|", "|-"), ANNOTATE),
    "an entry got lost": (GOOD.replace("  again: *g\n", ""), ANNOTATE),
    "an item got lost": (GOOD.replace("\n  - type: a", ""), ANNOTATE),
    "an anchor got lost": (BEFORE.replace("&g", "").replace("*g", "x"), None),
    "an alias became its value": (BEFORE.replace("*g", "[{type: a}]"), None),
    "a document more": (GOOD + "---\na: b\n", ANNOTATE),
    "a document less": ("", None),
    "not readable": (GOOD + "  x: [\n", ANNOTATE),
}


@pytest.mark.parametrize("name", REJECTED)
def test_rejected(name: str) -> None:
    with pytest.raises(Unproven):
        check(*REJECTED[name])


LIST = "gates:\n- type: a\n- type: b\n"
APPEND: Patch = {"gates": Append({"type": "new"})}


def test_an_item_goes_to_the_end() -> None:
    check(LIST + '- type: "new"\n', APPEND, LIST)


@pytest.mark.parametrize(
    "after",
    [
        LIST,
        'gates:\n- type: "new"\n- type: a\n- type: b\n',
        LIST + '- type: "new"\n- type: "new"\n',
        'gates:\n- type: a\n- type: "new"\n',
    ],
    ids=["missing", "first", "twice", "instead of the last"],
)
def test_an_item_anywhere_else_is_rejected(after: str) -> None:
    with pytest.raises(Unproven):
        check(after, APPEND, LIST)


def test_items_are_entered_by_index() -> None:
    patch: Patch = {"gates": Items({1: {"more": "x"}})}
    check(LIST + '  more: "x"\n', patch, LIST)
    with pytest.raises(Unproven):
        check('gates:\n- type: a\n  more: "x"\n- type: b\n', patch, LIST)
