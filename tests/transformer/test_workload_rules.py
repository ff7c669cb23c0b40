"""The arithmetic that the rules about workloads share."""

from __future__ import annotations

import pytest

from transformer.rules.workload._pre_stop import Sleep, sleep_of
from transformer.rules.workload._rollout import amount, percentage
from transformer.values import Value


@pytest.mark.parametrize(
    ("value", "total", "up", "down"),
    [
        (3, 10, 3, 3),
        ("25%", 10, 3, 2),
        ("25%", 8, 2, 2),
        ("0%", 10, 0, 0),
        ("1%", 2, 1, 0),
        ("100%", 7, 7, 7),
        ("29%", 100, 29, 29),  # which binary fractions get wrong
    ],
)
def test_an_amount_is_rounded_as_kubernetes_does(
    value: Value, total: int, up: int, down: int
) -> None:
    assert amount(value, total, up=True) == up
    assert amount(value, total, up=False) == down


@pytest.mark.parametrize("value", ["3", "%", "x%", "-5%", "²%", "", None, True, 2.5, [], {}])
def test_what_is_no_amount(value: Value) -> None:
    assert amount(value, 10, up=True) is None
    assert percentage(value) is None


def hooked(*command: Value) -> dict[str, Value]:
    words: list[Value] = list(command)
    return {"lifecycle": {"preStop": {"exec": {"command": words}}}}


@pytest.mark.parametrize(
    ("command", "seconds", "only"),
    [
        (("sleep", "15"), 15, True),
        (("/bin/sleep", "1m"), 60, True),
        (("sleep", "0.5"), 0.5, True),
        (("sh", "-c", "sleep 10"), 10, True),
        (("/bin/bash", "-ec", "sleep 5 && nginx -s quit; sleep 5s"), 10, True),
        (("sh", "-c", "exec sleep 7"), 7, True),
        (("sh", "-c", "/app/drain\nsleep 3\n"), 3, False),
    ],
)
def test_the_sleep_of_a_hook(command: tuple[str, ...], seconds: float, only: bool) -> None:
    found = sleep_of(hooked(*command))
    assert found is not None
    assert (found.seconds, found.only) == (seconds, only)
    assert found.path == ("lifecycle", "preStop", "exec", "command", len(command) - 1)


@pytest.mark.parametrize(
    "command",
    [
        (),
        ("sleep",),
        ("sleep", 15),
        ("sleep", "$DRAIN"),
        ("sleep", "²"),
        ("/app/drain", "5"),
        ("sh", "-c", "/app/drain"),
        ("sh", "-c", "while pgrep nginx; do sleep 1; done"),
        ("sh", "-c", "sleep 20 &"),
        ("sh", "-c", "sleep ${DRAIN:-5}"),
        ("sh", "drain.sh", "sleep 5"),
        ("sh", "-c"),
    ],
)
def test_a_sleep_that_nobody_can_tell(command: tuple[Value, ...]) -> None:
    assert sleep_of(hooked(*command)) is None


def test_the_sleep_that_newer_kubernetes_has() -> None:
    container: dict[str, Value] = {"lifecycle": {"preStop": {"sleep": {"seconds": 4}}}}
    path = ("lifecycle", "preStop", "sleep", "seconds")
    assert sleep_of(container) == Sleep(path, 4, True)
