"""The self-test on the simulator: its answers follow the switches, and nothing is left behind."""

from __future__ import annotations

import json
from typing import Any

import click
import pytest

from binder.cloud.codes import CloudError
from binder.commands.selftest import (
    PREFIX,
    QUESTIONS,
    Answer,
    Bench,
    Interrupted,
    as_json,
    as_text,
    ask,
    free_port,
    parse,
)
from binder.commands.trouble import Trouble
from binder.core.clb import Listener
from binder.settings import Settings
from tests.binder.cloud.bed import Cloud
from tests.binder.simulator.bed import LB, Bed

ADDRESS = ("10.0.0.250", 8080)


def bench(cloud: Cloud, wait: Any = None) -> Bench:
    return Bench(
        cloud.clb,
        cloud.client,
        LB,
        ADDRESS,
        Settings(),
        cloud.bed.world.clock.now,
        wait or cloud.wait,
        lambda _text: None,
        cloud.wait,
    )


def names(bed: Bed) -> list[str]:
    """The listeners that there are, by their names."""
    listeners = bed.world.load_balancers[LB].listeners.values()
    return sorted(one.name for one in listeners)


def answers(cloud: Cloud) -> dict[str, Answer]:
    return {one.question: one for one in ask(bench(cloud))}


def test_everything_fits_the_simulator_and_nothing_is_left(bed: Bed, cloud: Cloud) -> None:
    before, changes = names(bed), len(list(bed.world.journal.since(kind="change")))
    found = answers(cloud)
    assert [one for one in found.values() if not one.fits] == []
    assert len(found) >= len(QUESTIONS)
    assert names(bed) == before
    made = list(bed.world.journal.since(kind="change"))[changes:]
    assert made
    assert {row.get("listener") for row in made}.isdisjoint({"lbl-tcp", "lbl-http"})


@pytest.mark.parametrize(
    ("switch", "question", "answer", "fits"),
    [
        ({"tags_kept": False}, "Does DescribeTargets give the Tag back?", "no: ''", False),
        (
            {"reregister_updates_weight": True},
            "Does registering again keep the weight?",
            "no: it is 7",
            True,
        ),
        (
            {"deregister_missing": "ok"},
            "What does unbinding say of a target that is not bound?",
            "nothing",
            True,
        ),
        (
            {"deregister_missing": "error"},
            "What does unbinding say of a target that is not bound?",
            "InvalidParameter",
            True,
        ),
    ],
)
def test_answers_are_those_of_the_account(
    switch: dict[str, Any], question: str, answer: str, fits: bool, bed: Bed, cloud: Cloud
) -> None:
    bed.switch(**switch)
    found = answers(cloud)[question]
    assert (found.answer, found.fits) == (answer, fits)


@pytest.mark.parametrize("api", ["BatchRegisterTargets", "BatchModifyTargetWeight"])
def test_what_fails_is_raised_and_the_listener_removed(api: str, bed: Bed, cloud: Cloud) -> None:
    before = names(bed)
    bed.fault("error", action=api, parameters={"code": "UnauthorizedOperation"})
    with pytest.raises(CloudError, match="UnauthorizedOperation"):
        ask(bench(cloud))
    assert names(bed) == before


@pytest.mark.parametrize(
    "api", ["CreateListener", "CreateRule", "BatchRegisterTargets", "BatchDeregisterTargets"]
)
def test_what_was_done_without_an_answer_is_removed_too(api: str, bed: Bed, cloud: Cloud) -> None:
    before = names(bed)
    bed.fault("drop-after", action=api, budget=1)
    with pytest.raises(CloudError):
        ask(bench(cloud))
    assert names(bed) == before


def test_a_target_that_is_never_shown_ends_it(bed: Bed, cloud: Cloud) -> None:
    before = names(bed)
    bed.fault("lose-targets", action="BatchRegisterTargets")
    with pytest.raises(Trouble, match=r"10\.0\.0\.250 is bound, and does not show it"):
        ask(bench(cloud))
    assert names(bed) == before


@pytest.mark.parametrize(("lag", "fits"), [(2.0, True), (6.0, False)])
def test_the_lag_of_readings_is_measured(lag: float, fits: bool, bed: Bed, cloud: Cloud) -> None:
    bed.fault("hide-from-health", parameters={"seconds": lag})
    found = answers(cloud)["When does DescribeTargetHealth show a new target?"]
    assert found.seconds == pytest.approx(lag, abs=0.5)
    assert found.fits is fits


def test_it_ends_at_any_moment_without_leaving_anything(bed: Bed, cloud: Cloud) -> None:
    before, waits = names(bed), 0

    def counted(seconds: float) -> None:
        nonlocal waits
        waits += 1
        cloud.wait(seconds)

    ask(bench(cloud, counted))
    for last in range(waits):
        done = 0

        def wait(seconds: float, last: int = last) -> None:
            nonlocal done
            if done == last:
                raise Interrupted
            done += 1
            cloud.wait(seconds)

        with pytest.raises(Interrupted):
            ask(bench(cloud, wait))
        assert names(bed) == before
    assert waits > 5


def test_what_cannot_be_removed_is_named(bed: Bed, cloud: Cloud) -> None:
    bed.fault("error", action="DeleteListener", parameters={"code": "UnauthorizedOperation"})
    with pytest.raises(Trouble, match=f"{PREFIX}.* on {LB} may be left .*by hand"):
        ask(bench(cloud))


def test_a_port_is_taken_that_nobody_has() -> None:
    there = tuple(Listener(f"lbl-{port}", "", "UDP", port, ()) for port in (64999, 64998))
    assert free_port(there) == 64997
    with pytest.raises(Trouble):
        free_port(tuple(Listener("x", "", "TCP", port, ()) for port in range(60000, 65000)))


@pytest.mark.parametrize(
    ("given", "found"),
    [("10.0.0.1:80", ("10.0.0.1", 80)), ("[fd00:0:0::1]:8080", ("fd00::1", 8080))],
)
def test_a_target_is_an_address_and_a_port(given: str, found: tuple[str, int]) -> None:
    assert parse(given) == found


@pytest.mark.parametrize("given", ["", "10.0.0.1", "web:80", "10.0.0.1:0", "10.0.0.1:99999", ":80"])
def test_a_bad_target_is_refused(given: str) -> None:
    with pytest.raises(Trouble):
        parse(given)


REPORT = [
    Answer("Does it?", "yes", 0.25, "read_lag, 3 s, is enough"),
    Answer("And the other?", "no", None, "beware", False),
]


def test_the_report_has_a_line_for_each_question() -> None:
    assert click.unstyle(as_text("lb-1", REPORT)) == (
        """\
selftest of lb-1
  fits  Does it?        yes  0.25 s  read_lag, 3 s, is enough
  look  And the other?  no           beware
The longest lag was 0.25 s. 1 answer did not fit."""
    )


def test_the_report_is_json_too() -> None:
    said = json.loads(as_json("lb-1", REPORT))
    assert (said["lb"], said["fits"]) == ("lb-1", False)
    assert [row["answer"] for row in said["answers"]] == ["yes", "no"]
