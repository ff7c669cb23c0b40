"""Actions in words: each kind has some, and they say what is known."""

from __future__ import annotations

from typing import get_args

import pytest

from binder.commands.advice import Situation, advice
from binder.commands.screen import columns, paint
from binder.commands.words import _WORDS, count, span, step, where, words
from binder.core.actions import (
    Action,
    CreateListener,
    CreateRule,
    DeleteListener,
    DeleteRule,
    Deregister,
    Modify,
    Register,
    Retag,
    Weigh,
)
from binder.core.clb import Attributes, Check, Frontend, Key, Listener, LoadBalancer
from tests.binder.commands.things import GROUP, LB, LISTENER, WEB

RULE = Frontend("HTTP", 80, "a.example", "/")
READING = LoadBalancer(LB, listeners=(Listener(LISTENER, "", "TCP", 80, (GROUP,)),))
KEY = Key(LISTENER, "", "10.0.0.1", 8080)
SAID = [
    (CreateListener(WEB, "ours", Attributes()), "make the listener, named ours", "TCP 80"),
    (
        CreateRule("lbl-7", RULE, Attributes()),
        "make the rule in lbl-7",
        "HTTP 80 a.example/",
    ),
    (
        Modify(LISTENER, "", Attributes(check=Check(interval=7), session=30, http_path="/x")),
        "change health check every 7 s, time-out 2 s, session 30, http path /x",
        "TCP 80",
    ),
    (Modify(LISTENER, "", Attributes(Check(False))), "change health check off", "TCP 80"),
    (DeleteListener(LISTENER), "remove the listener", "TCP 80"),
    (DeleteListener("lbl-gone"), "remove the listener", "lbl-gone"),
    (DeleteRule("lbl-7", "loc-1"), "remove the rule", "lbl-7 loc-1"),
    (Register(KEY, 10, "tag"), "bind, weight 10", "TCP 80"),
    (Retag(KEY, "tag"), "mark as the Pod's that has the address now", "TCP 80"),
    (Weigh(KEY, 0), "weight 0, to drain it", "TCP 80"),
    (Weigh(KEY, 5), "weight 5", "TCP 80"),
    (Deregister(KEY), "unbind", "TCP 80"),
]


@pytest.mark.parametrize(("action", "text", "place"), SAID)
def test_an_action_is_said_in_words(action: Action, text: str, place: str) -> None:
    assert (words(action), where(action, READING)) == (text, place)
    assert step(action)[1].api


def test_every_kind_of_action_has_words() -> None:
    assert set(_WORDS) == set(get_args(Action)) == {type(action) for action, _, _ in SAID}


@pytest.mark.parametrize("situation", Situation)
def test_every_advice_can_be_given(situation: Situation) -> None:
    names = {"lb": LB, "frontend": "TCP 80", "owner": "Service a/b", "port": "http", "pod": "a/c"}
    text = advice(situation, **names)
    assert bool(text) is (situation not in (Situation.SERVING, Situation.NO_CHECK))
    assert "{" not in text


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(-1, "0 s"), (0, "0 s"), (119, "119 s"), (120, "2 min"), (7200, "2 h"), (259200, "3 d")],
)
def test_a_span_is_said_in_one_unit(seconds: float, text: str) -> None:
    assert span(seconds) == text


def test_a_count_has_its_plural() -> None:
    assert [count(number, "Pod") for number in (0, 1, 2)] == ["0 Pods", "1 Pod", "2 Pods"]


def test_columns_align_whatever_their_colours() -> None:
    rows = [(paint("a", "red"), "x", "1"), ("long", paint("yy", "green"), "2")]
    assert columns(rows) == [
        "  \x1b[31ma\x1b[0m     x   1",
        "  long  \x1b[32myy\x1b[0m  2",
    ]
    assert columns([]) == []
