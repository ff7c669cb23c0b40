"""Carrying out what a plan wants, in batches, one call at a time on each load balancer.

What may have been executed is never sent again: the caller reads, and decides anew.
"""

from __future__ import annotations

import logging
import random
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Sequence
from itertools import count, groupby
from typing import NamedTuple

from binder.cloud import codes, read
from binder.cloud.bodies import Place, place
from binder.cloud.client import Client
from binder.cloud.codes import CloudError, Kind
from binder.cloud.reply import Fields
from binder.cloud.steps import STEPS, Step, cut, halves
from binder.core.actions import Action, Lane

log = logging.getLogger(__name__)

START, GROW = 200, 100  # targets in a call; more as calls go well, half when one fails
MARGIN = 0.75  # of the time that a call may take
BUSY_FIRST, BUSY_MOST, BUSY_TOTAL = 0.5, 8.0, 10.0  # seconds
TASK_FIRST, TASK_MOST, TASK_TOTAL = 0.2, 0.5, 30.0  # seconds
PATIENCE = 3.0  # seconds; what has not begun by then is left for later, as a drain may be due
SPLITS = 64  # of batches that failed, in one go
FAILED_TIMES = 3  # after so many a listener's part of a batch is split

_SPLIT = (Kind.WRONG, Kind.CHANGED, Kind.FULL)
_UNKNOWABLE = (Kind.IDENTITY, Kind.BROKEN, Kind.FENCED)


class Outcome(NamedTuple):
    """What became of an action; no error: CLB says that it is done."""

    action: Action
    error: CloudError | None


class Pace:
    """How many targets go into a call of each action; of one load balancer."""

    def __init__(self, timeout: float) -> None:
        self._timeout = timeout
        self._sizes: dict[str, int] = {}

    def size(self, api: str) -> int:
        """At most so many."""
        return self._sizes.get(api, START)

    def grow(self, step: Step, done: int, seconds: float) -> None:
        """A call for `done` went well: more, unless that might take too much of a call's time."""
        larger = min(step.most, self.size(step.api) + GROW)
        if done >= self.size(step.api) and seconds / done * larger < self._timeout * MARGIN:
            self._sizes[step.api] = larger

    def halve(self, api: str, done: int) -> None:
        """A call for `done` failed."""
        self._sizes[api] = max(1, min(done, self.size(api)) // 2)


class _Place:
    """What is remembered of a load balancer between two goes."""

    def __init__(self, timeout: float) -> None:
        self.lock = threading.Lock()
        self.pace = Pace(timeout)
        self.failed: dict[tuple[str, str], int] = {}  # in a row, by action and listener


class Writer:
    """Carries out actions; `wait` and `clock` are in seconds, `jitter` gives 0 to 1."""

    def __init__(
        self,
        client: Client,
        *,
        clock: Callable[[], float] = time.monotonic,
        wait: Callable[[float], None] = time.sleep,
        jitter: Callable[[], float] = random.random,
    ) -> None:
        self.client = client
        self.clock, self.wait, self.jitter = clock, wait, jitter
        self._lock = threading.Lock()
        self._places: defaultdict[str, _Place] = defaultdict(lambda: _Place(client.timeout))

    def perform(self, lb: str, actions: Sequence[Action], address: str = "") -> list[Outcome]:
        """Do `actions` to `lb`, and tell of each what became of it.

        `address` is that of the load balancer, the domain of rules without one.
        """
        with self._lock:
            of_lb = self._places[lb]
        with of_lb.lock:
            return _Go(self, of_lb, lb, address).perform(actions)


class _Go:
    """One go at a load balancer."""

    def __init__(self, writer: Writer, of_lb: _Place, lb: str, address: str) -> None:
        self._writer, self._client = writer, writer.client
        self._pace, self._failed = of_lb.pace, of_lb.failed
        self._lb, self._address = lb, address
        self._errors: dict[Action, CloudError | None] = {}
        self._splits = SPLITS
        self._until = writer.clock() + PATIENCE
        self._full: dict[tuple[str, Place], CloudError] = {}
        self._parted: set[tuple[str, str]] = set()  # listeners whose batches are being split
        self._stop: CloudError | None = None  # nothing more at all, and why
        self._skip: CloudError | None = None  # nothing more of this step

    def perform(self, actions: Sequence[Action]) -> list[Outcome]:
        distinct = sorted(dict.fromkeys(actions), key=place)
        for step in STEPS:
            mine = sorted(filter(step.wants, distinct), key=lambda one: str(step.together(one)))
            self._skip = None
            for _, group in groupby(mine, step.together):
                self._step(step, list(group))
        return [Outcome(action, self._errors[action]) for action in actions]

    def _step(self, step: Step, rest: Sequence[Action]) -> None:
        while rest:
            length = cut(step, rest, self._pace.size(step.api))
            self._settle(step, rest[:length])
            rest = rest[length:]

    def _settle(self, step: Step, batch: Sequence[Action]) -> None:
        """Do `batch`, in parts where as a whole it fails, and note what became of it."""
        stop = self._stop or self._skip or self._late(step)
        if stop:
            self._note(batch, stop)
            return
        batch = self._with_room(step, batch)
        if not batch:
            return
        try:
            failed = self._do(step, batch)
        except CloudError as error:
            self._sort_out(step, batch, error)
        else:
            self._tell(step, batch, failed)

    def _late(self, step: Step) -> CloudError | None:
        if step.lane is Lane.DRAIN or self._writer.clock() < self._until:
            return None
        message = "the load balancer has been held for long enough; it is decided anew"
        return codes.error(codes.NOT_TRIED, message, step.api)

    def _with_room(self, step: Step, batch: Sequence[Action]) -> Sequence[Action]:
        """`batch` without what goes where it is known to be full."""
        room = []
        for one in batch:
            error = self._full.get((step.api, place(one)))
            if error:
                self._note([one], error)
            else:
                room.append(one)
        return room

    def _sort_out(self, step: Step, batch: Sequence[Action], error: CloudError) -> None:
        """`batch` failed as a whole."""
        one_of_many = error.kind in _SPLIT and not codes.is_no_load_balancer(error)
        if one_of_many and len(batch) > 1:
            self._split(step, batch, error)
            return
        self._note(batch, error)
        if error.kind is Kind.FULL:
            self._full[step.api, place(batch[0])] = error
        if error.kind is Kind.AMBIGUOUS:
            self._pace.halve(step.api, len(batch))
        if not one_of_many:
            self._hold_back(error)

    def _split(self, step: Step, batch: Sequence[Action], error: CloudError) -> None:
        if not self._splits:
            self._pace.halve(step.api, len(batch))
            self._note(batch, _not_tried(step, error))
            return
        self._splits -= 1
        for half in halves(batch):
            self._settle(step, half)

    def _hold_back(self, error: CloudError) -> None:
        """What must not, or need not, be tried after `error`."""
        denied = "UnauthorizedOperation" in error.code
        if error.code == codes.TASK_FAILED:
            return
        if error.kind is Kind.AMBIGUOUS:
            later = codes.error(codes.NOT_TRIED, f"after {error.code}", error.action)
            held = error.code == codes.TASK_UNRESOLVED
            self._stop, self._skip = (later if held else None), later
        elif error.kind in (Kind.THROTTLED, Kind.BROKEN) or denied:
            self._skip = error
        else:
            self._stop = error

    def _tell(self, step: Step, batch: Sequence[Action], failed: set[str]) -> None:
        """`batch` is done but for the listeners `failed`."""
        for listener, group in groupby(batch, lambda one: place(one)[0]):
            some, counted = list(group), (step.api, listener)
            if listener not in failed:
                if counted not in self._parted:
                    self._failed.pop(counted, None)
                self._note(some, None)
                continue
            times = self._failed[counted] = self._failed.get(counted, 0) + 1
            error = codes.error(
                codes.FAILED_LISTENER, f"CLB left out all targets of {listener}", step.api
            )
            if times > FAILED_TIMES and len(some) > 1:
                self._parted.add(counted)
                self._split(step, some, error)
            else:
                self._note(some, error)

    def _note(self, batch: Sequence[Action], error: CloudError | None) -> None:
        self._errors.update(dict.fromkeys(batch, error))

    def _do(self, step: Step, batch: Sequence[Action]) -> set[str]:
        """Do `batch` in one call; the listeners that it left out."""
        body = {"LoadBalancerId": self._lb, **step.body(batch, self._address)}
        reply, seconds = self._call(step, body)
        if step.task:
            self._await(step, reply.text("RequestId"))
        self._pace.grow(step, len(batch), seconds)
        return set(reply.texts("FailListenerIdSet"))

    def _call(self, step: Step, body: dict[str, object]) -> tuple[Fields, float]:
        """Call until the load balancer is free, for a while; the reply, and how long it took."""
        writer = self._writer
        until = writer.clock() + BUSY_TOTAL
        for times in count():
            began = writer.clock()
            try:
                reply = self._client.call(step.api, body, step.lane)
                return Fields(reply, step.api), writer.clock() - began
            except CloudError as error:
                left = until - writer.clock()
                if error.kind is not Kind.BUSY or left <= 0:
                    raise
            pause = writer.jitter() * min(BUSY_MOST, BUSY_FIRST * 2**times)
            writer.wait(min(pause, left))
        raise AssertionError  # count() does not end

    def _await(self, step: Step, request: str) -> None:
        """Wait for the task that `request` began; it may have failed, or not end."""
        writer, pause, last = self._writer, TASK_FIRST, ""
        until = writer.clock() + TASK_TOTAL
        while writer.clock() < until:
            writer.wait(pause)
            pause = min(TASK_MOST, pause * 2)
            try:
                status, last = read.task(self._client, request, step.lane)
            except CloudError as error:
                last = str(error)
                if error.kind in _UNKNOWABLE:
                    break
                continue
            if status == read.SUCCEEDED:
                return
            if status == read.FAILED:
                raise codes.error(codes.TASK_FAILED, last, step.api, request)
        message = (
            f"the task did not end in time: {last}" if last else "the task did not end in time"
        )
        raise codes.error(codes.TASK_UNRESOLVED, message, step.api, request)


def _not_tried(step: Step, error: CloudError) -> CloudError:
    message = f"too many fail to tell them apart now, the last with {error.code}"
    return codes.error(codes.NOT_TRIED, message, step.api)
