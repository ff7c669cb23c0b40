"""Trees: positions in characters, what is shared, and where a text stops being YAML."""

from __future__ import annotations

import pytest

from transformer.errors import Malformed
from transformer.lookup import child, string, strings
from transformer.tree import check_syntax, parse, start


@pytest.mark.parametrize("lead", ["", "# 商店 🛒\n", "# one\r\n# two\r\n"])
def test_positions_count_characters(lead: str) -> None:
    text = lead + "a:\n  b: value\n"
    node = child(parse(text).roots[0], "a", "b")
    assert node is not None
    assert text[start(node) :].startswith("value")


def test_the_second_of_two_equal_keys_is_a_duplicate() -> None:
    text = "a: 1\nb: {c: 1, 'c': 2}\n"
    assert [text[start(key) :][:3] for key in parse(text).duplicates] == ["'c'"]


def test_readers_follow_aliases_and_merge_keys() -> None:
    root = parse("base: &b {x: '1', y: '2'}\nuse: {<<: *b, y: '3'}\nsame: *b\n").roots[0]
    assert strings(child(root, "use")) == {"x": "1", "y": "3"}
    assert string(root, "use", "x") == "1"
    assert string(root, "same", "y") == "2"


def test_of_several_merged_mappings_the_first_wins() -> None:
    root = parse("a: &a {k: '1'}\nb: &b {k: '2', l: '3'}\nuse: {<<: [*a, *b]}\n").roots[0]
    assert strings(child(root, "use")) == {"k": "1", "l": "3"}
    assert string(root, "use", "k") == "1"


def test_an_anchor_that_merges_itself_ends() -> None:
    root = parse("a: &a\n  <<: *a\n  k: v\n").roots[0]
    assert strings(child(root, "a")) == {"k": "v"}
    assert child(root, "a", "missing") is None


def test_keys_that_are_not_scalars_are_kept() -> None:
    root = parse("? [a, b]\n: c\nplain: d\n").roots[0]
    assert string(root, "plain") == "d"


BROKEN = {
    "an unclosed quote": ('a: "x\n', "syntax", 6),
    "an unclosed list": ("a: [1, 2", "syntax", 8),
    "a tab as indentation": ("a:\n\tb: c\n", "tab", 3),
    "an unknown alias": ("a: *b\n", "syntax", 3),
    "a control character": ("a: é\x01\n", "syntax", 4),
    "two values on a line": ("a: b: c\n", "syntax", 4),
}


@pytest.mark.parametrize("name", BROKEN)
def test_a_broken_text_says_where(name: str) -> None:
    text, code, offset = BROKEN[name]
    with pytest.raises(Malformed) as caught:
        parse(text)
    assert (caught.value.code, caught.value.offset) == (code, offset)


def test_deep_nesting_is_an_error_and_no_crash() -> None:
    with pytest.raises(Malformed):
        parse("[" * 5000)
    with pytest.raises(Malformed):
        parse("[" * 900 + "]" * 900)


def test_the_quick_check_finds_what_the_parser_finds() -> None:
    check_syntax(b"a: b\n")
    with pytest.raises(Malformed):
        check_syntax(b'a: "b\n')


def test_mappings_that_merge_each_other_are_asked_once() -> None:
    text = "x0: &x0 {q: r}\n" + "".join(
        f"x{n}: &x{n} {{<<: [{', '.join([f'*x{n - 1}'] * 9)}]}}\n" for n in range(1, 30)
    )
    root = parse(text + "self: &m {<<: [*m, *m, *m]}\n").roots[0]
    assert string(root, "x29", "q") == "r"
    assert strings(child(root, "x29")) == {"q": "r"}
    assert string(root, "x29", "missing") is None
    assert strings(child(root, "self")) == {}
