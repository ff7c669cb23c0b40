"""The queue of keys that wait for a worker."""

from __future__ import annotations

import threading

from binder.controller.queue import Queue


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def drained(queue: Queue[str]) -> list[str]:
    """What is due now, in order, each worked on at once."""
    found = []
    while (item := queue.next_due()) is not None:
        found.append(item)
        queue.done(item)
    return found


def test_a_key_that_is_added_twice_comes_once() -> None:
    queue = Queue[str](Clock())
    queue.add("a")
    queue.add("a")
    assert drained(queue) == ["a"]
    assert drained(queue) == []


def test_keys_come_when_they_are_due_and_in_that_order() -> None:
    clock = Clock()
    queue = Queue[str](clock)
    queue.add("late", 2.0)
    queue.add("soon", 1.0)
    queue.add("now")
    assert drained(queue) == ["now"]
    clock.now += 1.5
    assert drained(queue) == ["soon"]
    clock.now += 1.5
    assert drained(queue) == ["late"]


def test_the_sooner_of_two_times_counts() -> None:
    clock = Clock()
    queue = Queue[str](clock)
    queue.add("a", 60.0)
    queue.add("a", 1.0)
    queue.add("a", 30.0)
    clock.now += 1.0
    assert drained(queue) == ["a"]
    clock.now += 100.0
    assert drained(queue) == []


def test_a_key_has_one_worker_at_a_time_and_comes_again_afterwards() -> None:
    queue = Queue[str](Clock())
    queue.add("a")
    assert queue.next_due() == "a"
    queue.add("a")
    queue.add("b")
    assert queue.next_due() == "b"
    assert queue.next_due() is None
    queue.done("a")
    assert queue.next_due() == "a"


def test_closing_it_sends_all_workers_home() -> None:
    queue = Queue[str](Clock())
    got: list[str | None] = []
    workers = [threading.Thread(target=lambda: got.append(queue.get())) for _ in range(3)]
    for worker in workers:
        worker.start()
    queue.close()
    for worker in workers:
        worker.join(5)
    assert got == [None] * 3
