"""Each arrow of the state machine of a Pod behind a target."""

from __future__ import annotations

import pytest

from binder.core.clb import ALIVE, CLOSE, DEAD, UNKNOWN, Check, Health
from binder.core.evidence import Evidence, missing, observe, proven
from binder.settings import Settings

SETTINGS = Settings()
CHECK = Check()
OFF = Check(enabled=False)
WINDOW = CHECK.window(SETTINGS.window_slack)
SINCE = 100.0

Reading = tuple[float, str | None]  # seconds after SINCE, and what CLB says ("ALIVE 0": weight 0)


def health(text: str | None) -> Health | None:
    if text is None:
        return None
    detail, _, weight = text.partition(" ")
    return Health(detail, int(weight or 10))


def after(readings: list[Reading]) -> Evidence:
    evidence = Evidence(SINCE)
    for at, text in readings:
        evidence = observe(evidence, health(text), SINCE + at, SETTINGS)
    return evidence


def every(first: int, last: int, text: str = ALIVE, step: int = 1) -> list[Reading]:
    return [(float(at), text) for at in range(first, last + 1, step)]


@pytest.mark.parametrize(
    ("what", "readings", "is_proven"),
    [
        ("nothing read", [], False),
        ("not bound", [(4, None)], False),
        ("Unknown", [(4, UNKNOWN)], False),
        ("Dead", [(4, DEAD)], False),
        ("Unknown, then Alive", [(4, UNKNOWN), (7, ALIVE)], True),
        ("Dead, then Alive", [(4, DEAD), (7, ALIVE)], True),
        ("Unknown, then Alive in a reading that may be older", [(4, UNKNOWN), (6, ALIVE)], False),
        ("Unknown within the lag of a reading, then Alive", [(2, UNKNOWN), (4, ALIVE)], False),
        ("Unknown before the Pod was seen, then Alive", [(-1, UNKNOWN), (4, ALIVE)], False),
        ("absent, then Alive", [(4, None), (9, ALIVE)], False),
        ("Alive at first sight", [(4, ALIVE)], False),
        ("Alive for less than the window", every(4, 27), False),
        ("Alive for the window", every(4, 28), True),
        ("Alive for the window, counted from before the lag", every(1, 26), False),
        ("Alive for the window, but for a Dead", [*every(4, 20), (21, DEAD), *every(22, 29)], True),
        ("Alive, then Unknown at last", [*every(4, 40), (41, UNKNOWN)], False),
        ("Alive for the window in readings 14 s apart", every(4, 32, step=14), True),
        ("Alive for the window with a gap of 16 s", [*every(4, 20), *every(36, 44)], False),
        ("Alive for the window after a gap", [*every(4, 20), *every(36, 60)], True),
        ("Unknown, a gap, then Alive", [(4, UNKNOWN), (30, ALIVE)], True),
        (
            "Alive for the window with a moment of absence",
            [*every(4, 20), (21, None), *every(22, 40)],
            False,
        ),
        ("Alive with weight 0", every(4, 40, f"{ALIVE} 0"), False),
        ("Unknown with weight 0, then Alive", [(4, f"{UNKNOWN} 0"), (5, ALIVE)], False),
        ("the listener has been stopped", every(4, 40, CLOSE), False),
        ("stopped, then Alive", [(4, CLOSE), (9, ALIVE)], False),
    ],
)
def test_with_a_health_check_it_takes_a_turn_to_alive_or_the_whole_window(
    what: str, readings: list[Reading], is_proven: bool
) -> None:
    evidence = after(readings)
    now = SINCE + (readings[-1][0] if readings else 0)
    assert proven(evidence, CHECK, now, SETTINGS) is is_proven, what


@pytest.mark.parametrize(
    ("readings", "is_proven"),
    [
        ([], False),
        ([(4, None)], False),
        ([(4, CLOSE)], True),
        ([(4, f"{CLOSE} 0")], False),
        ([(-1, CLOSE)], False),
        ([(4, DEAD)], False),  # so there is a check
    ],
)
def test_without_a_health_check_it_takes_a_target_with_weight(
    readings: list[Reading], is_proven: bool
) -> None:
    assert proven(after(readings), OFF, SINCE + 4, SETTINGS) is is_proven


def test_a_proof_lasts_as_long_as_its_reading_is_fresh() -> None:
    evidence = after([(4, UNKNOWN), (7, ALIVE)])
    assert proven(evidence, CHECK, SINCE + 7 + SETTINGS.fresh, SETTINGS)
    assert not proven(evidence, CHECK, SINCE + 7.1 + SETTINGS.fresh, SETTINGS)


def test_a_reading_that_comes_late_changes_nothing() -> None:
    evidence = after([(4, UNKNOWN), (6, ALIVE)])
    assert observe(evidence, Health(DEAD, 10), SINCE + 5, SETTINGS) == evidence
    assert observe(evidence, Health(DEAD, 10), SINCE + 6, SETTINGS) == evidence


def test_the_next_pod_at_the_address_starts_without_evidence() -> None:
    first = after(every(4, 40))
    assert proven(first, CHECK, SINCE + 40, SETTINGS)
    second = observe(Evidence(SINCE + 41), Health(ALIVE, 10), SINCE + 45, SETTINGS)
    assert not proven(second, CHECK, SINCE + 45, SETTINGS)


@pytest.mark.parametrize(
    ("readings", "later", "message"),
    [
        ([], 0, "not read yet"),
        ([(4, None)], 0, "not bound"),
        ([(4, DEAD)], 0, "Dead"),
        ([(4, f"{ALIVE} 0")], 0, "Alive, weight 0"),
        ([(4, ALIVE), (10, ALIVE)], 0, "Alive, watched for 18 s more"),
        ([(4, DEAD)], 16, "CLB has not answered for a while"),
    ],
)
def test_people_are_told_what_is_missing(
    readings: list[Reading], later: float, message: str
) -> None:
    now = SINCE + later + (readings[-1][0] if readings else 0)
    assert missing(after(readings), CHECK, now, SETTINGS) == message
