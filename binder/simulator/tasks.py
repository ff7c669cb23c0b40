"""Tasks: a write holds its load balancers until it ends, and is asked for by its RequestId.

What a task does is a list of steps, one per target or listener, so that a fault can leave out some
of them. They run when the task ends, without an await between them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from enum import IntEnum
from typing import Any, NamedTuple

from binder.simulator.errors import ApiError

Step = Callable[[], None]
MOST_KNOWN = 100_000  # tasks; the oldest are forgotten, so that a long run does not grow


class Status(IntEnum):
    """As DescribeTaskStatus says it."""

    SUCCEEDED = 0
    FAILED = 1
    RUNNING = 2


class Write(NamedTuple):
    """What a write is going to do, and what is answered before or after it."""

    steps: Sequence[Step]
    lbs: tuple[str, ...]  # which it holds
    reply: dict[str, Any] = {}  # noqa: RUF012  read only
    created: tuple[str, ...] = ()  # load balancers, for DescribeTaskStatus
    deal: str = ""


@dataclass(frozen=True)
class Pace:
    """How long writes take, in seconds.

    TKE's published figures for direct Pods fit 10 ms a binding; a call for one target is taken to
    last 0.2 s, and CLB's own tools see a load balancer created within some 10 s.
    """

    base_s: float = 0.2
    per_step_s: float = 0.01
    create_s: float = 3.0
    # Whether a synchronous call takes its time before it is answered. Under a clock that somebody
    # moves by hand it must not: the caller waits for the reply, and cannot move the clock.
    reply_takes_time: bool = True

    def duration(self, write: Write) -> float:
        """How long `write` holds its load balancers."""
        if write.created:
            return self.create_s
        return self.base_s + self.per_step_s * len(write.steps)


@dataclass(eq=False)
class Task:
    """A write that was accepted; `id` is the RequestId of its call."""

    id: str
    action: str
    lbs: tuple[str, ...]
    started: float
    created: tuple[str, ...] = ()
    deal: str = ""
    status: Status = Status.RUNNING
    message: str = ""
    ended: float | None = None


@dataclass
class Tasks:
    """All tasks, and which load balancer is held by which."""

    known: dict[str, Task] = field(default_factory=dict)
    held: dict[str, str] = field(default_factory=dict)

    def require_free(self, lbs: Iterable[str]) -> None:
        """FailedOperation.ResourceInOperating where one of `lbs` is held."""
        for lb in lbs:
            if lb in self.held:
                raise ApiError("FailedOperation.ResourceInOperating", lb=lb)

    def begin(self, task: Task, *, hold: bool = True) -> None:
        """Take note of `task`, and hold its load balancers."""
        if len(self.known) >= MOST_KNOWN:
            del self.known[next(iter(self.known))]
        self.known[task.id] = task
        if hold:
            self.held.update(dict.fromkeys(task.lbs, task.id))

    def end(self, task: Task, moment: float, failure: str | None = None) -> None:
        """Let go of what `task` held."""
        task.status = Status.SUCCEEDED if failure is None else Status.FAILED
        task.message = failure or ""
        task.ended = moment
        self.release(task.id)

    def release(self, holder: str) -> None:
        """Free whatever `holder` holds."""
        self.held = {lb: held_by for lb, held_by in self.held.items() if held_by != holder}

    def find(self, task_id: str, deal: str, oldest: float) -> Task | None:
        """The task of a RequestId or of an order, unless it began before `oldest`."""
        task = self.known.get(task_id)
        if deal:
            task = next((task for task in self.known.values() if task.deal == deal), None)
        return task if task and task.started >= oldest else None


def run(steps: Iterable[Step]) -> str | None:
    """Do `steps`; what failed, in words, or nothing."""
    for step in steps:
        try:
            step()
        except ApiError as error:
            return f"{error.code}: {error.message('en-US')}"
    return None
