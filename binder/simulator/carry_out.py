"""Carrying out a write: it holds its load balancers, takes its time, and then shows."""

from __future__ import annotations

from collections.abc import Sequence

from binder.simulator.call import Call, Reply
from binder.simulator.errors import ApiError
from binder.simulator.faults import Effects
from binder.simulator.tasks import Status, Step, Task, Write, run
from binder.simulator.world import World

_PROMISED = "the task was made to fail"


async def carry_out(call: Call, write: Write) -> Reply:
    """Begin `write`, or do it at once where the action is synchronous; the fields of the reply."""
    world, action = call.world, call.action
    task = Task(call.request_id, action.name, write.lbs, world.now(), write.created, write.deal)
    at_once = action.synchronous and world.switches.batch_is_synchronous
    hold = world.switches.weight_change_locks or not action.name.endswith("TargetWeight")
    world.tasks.begin(task, hold=hold)
    duration = world.pace.duration(write)
    if call.effects.get("task-stuck"):
        return write.reply
    if not at_once:
        world.spawn(_later(world, task, write.steps, call.effects, duration))
        return write.reply
    if world.pace.reply_takes_time:
        await world.clock.sleep(duration)
    _finish(world, task, write.steps, call.effects)
    if task.status is Status.FAILED:
        raise ApiError("FailedOperation", task.message)
    return write.reply


async def _later(
    world: World, task: Task, steps: Sequence[Step], effects: Effects, duration: float
) -> None:
    await world.clock.sleep(duration)
    _finish(world, task, steps, effects)


def _finish(world: World, task: Task, steps: Sequence[Step], effects: Effects) -> None:
    """Do the steps that faults leave, let go, and tell everybody."""
    failure = run(_left(steps, effects))
    promised = effects.get("task-fails", "task-half")
    if promised:
        failure = promised.parameters.get("message", _PROMISED)
    world.tasks.end(task, world.now(), failure)
    world.journal.add(
        "task",
        world.now(),
        request_id=task.id,
        action=task.action,
        lbs=list(task.lbs),
        started=round(task.started, 6),
        status=int(task.status),
        message=task.message,
    )
    for lb in task.lbs:
        world.touch(lb)


def _left(steps: Sequence[Step], effects: Effects) -> Sequence[Step]:
    if effects.get("task-fails", "task-not-applied"):
        return ()
    if effects.get("task-half"):
        return steps[: len(steps) // 2]
    lost = effects.value("lose-targets", "count", 1)
    return steps[: max(0, len(steps) - lost)] if lost is not None else steps
