"""Which call does which action, in which order, and how much one call may have: a table.

Limits are those of the CLB API pages; that of BatchModifyTargetTag, which none states, is taken to
be that of its sister for weights.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Hashable, Sequence
from typing import Any, NamedTuple

from binder.cloud import bodies
from binder.cloud.bodies import ITEM, Body, Place, place
from binder.core.actions import (
    Action,
    CreateListener,
    CreateRule,
    DeleteListener,
    DeleteRule,
    Deregister,
    Lane,
    Modify,
    Register,
    Retag,
    Weigh,
)

MOST = 500  # targets in one call
ITEMS = 100  # of ModifyList
PORTS = 49  # "Length of .Ports should be less than 50"
RULES = 20


class Step(NamedTuple):
    """Actions that one API action does.

    `together` is equal for actions that may share a call, `most` of them at a time; `items` bounds
    ModifyList. With `task` the call only begins something, and its RequestId tells how it ends.
    """

    lane: Lane
    api: str
    wants: Callable[[Action], bool]
    body: Callable[[Sequence[Any], str], Body]
    together: Callable[[Any], Hashable] = lambda _: None
    most: int = 1
    items: int | None = None
    task: bool = True


def _is(kind: type) -> Callable[[Action], bool]:
    return lambda action: isinstance(action, kind)


def _weighs(drains: bool) -> Callable[[Action], bool]:
    return lambda action: isinstance(action, Weigh) and (action.weight == 0) is drains


def _modifies(rule: bool) -> Callable[[Action], bool]:
    return lambda action: isinstance(action, Modify) and bool(action.location) is rule


def _listener(action: CreateRule | DeleteRule) -> str:
    return action.listener


def _alike(action: CreateListener) -> Hashable:
    return action.frontend.protocol, action.attributes, action.certificate


def _plain(body: Callable[[Sequence[Any]], Body]) -> Callable[[Sequence[Any], str], Body]:
    return lambda actions, _address: body(actions)


_TARGETS, _ITEMS = _plain(bodies.targets), _plain(bodies.items)
_MODIFY = _plain(bodies.modify)
_GONE, _NO_RULE = _plain(bodies.delete_listener), _plain(bodies.delete_rule)
_NEW = _plain(bodies.create_listener)

STEPS: tuple[Step, ...] = (
    Step(
        *(Lane.DRAIN, "BatchModifyTargetWeight", _weighs(True), _ITEMS),
        most=MOST,
        items=ITEMS,
    ),
    Step(
        *(Lane.LISTENERS, "DeleteRule", _is(DeleteRule), _NO_RULE),
        together=_listener,
        most=RULES,
    ),
    Step(Lane.LISTENERS, "DeleteListener", _is(DeleteListener), _GONE, place),
    Step(
        *(Lane.LISTENERS, "CreateListener", _is(CreateListener), _NEW),
        together=_alike,
        most=PORTS,
    ),
    Step(
        *(Lane.LISTENERS, "CreateRule", _is(CreateRule), bodies.create_rule),
        together=_listener,
        most=RULES,
    ),
    Step(Lane.LISTENERS, "ModifyListener", _modifies(False), _MODIFY, place),
    Step(Lane.LISTENERS, "ModifyRule", _modifies(True), _MODIFY, place),
    Step(
        *(Lane.REGISTER, "BatchRegisterTargets", _is(Register), _TARGETS),
        most=MOST,
        task=False,
    ),
    Step(
        *(Lane.REGISTER, "BatchModifyTargetTag", _is(Retag), _ITEMS),
        most=MOST,
        items=ITEMS,
    ),
    Step(
        *(Lane.REGISTER, "BatchModifyTargetWeight", _weighs(False), _ITEMS),
        most=MOST,
        items=ITEMS,
    ),
    Step(
        *(Lane.DEREGISTER, "BatchDeregisterTargets", _is(Deregister), _TARGETS),
        most=MOST,
        task=False,
    ),
)


def cut(step: Step, actions: Sequence[Action], size: int) -> int:
    """How many of `actions`, from the first, go into one call of at most `size`."""
    most = min(size, step.most, len(actions))
    if step.items is None:
        return most
    there: Counter[Place] = Counter()
    used = 0
    for at, action in enumerate(actions[:most]):
        where = place(action)
        if there[where] % ITEM == 0:
            used += 1
            if used > step.items:
                return at
        there[where] += 1
    return most


def halves(actions: Sequence[Action]) -> tuple[Sequence[Action], Sequence[Action]]:
    """Two parts of a batch that failed: cut between listeners or rules, where it has several."""
    middle = len(actions) // 2
    borders = [at for at in range(1, len(actions)) if place(actions[at - 1]) != place(actions[at])]
    at = min(borders, key=lambda border: abs(border - middle), default=middle)
    return actions[:at], actions[at:]
