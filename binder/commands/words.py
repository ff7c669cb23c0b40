"""Actions and times in words, for people who read a plan."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from binder.cloud.steps import STEPS, Step
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
from binder.core.clb import Attributes, Frontend, Key, LoadBalancer

Json = dict[str, Any]
_WORDS: Mapping[type, Callable[[Any], str]] = {
    CreateListener: lambda one: f"make the listener, named {one.name}",
    CreateRule: lambda one: f"make the rule in {one.listener}",
    Modify: lambda one: f"change {_attributes(one.attributes)}",
    DeleteListener: lambda one: "remove the listener",
    DeleteRule: lambda one: "remove the rule",
    Register: lambda one: f"bind, weight {one.weight}",
    Retag: lambda one: "mark as the Pod's that has the address now",
    Weigh: lambda one: f"weight {one.weight}" if one.weight else "weight 0, to drain it",
    Deregister: lambda one: "unbind",
}


def words(action: Action) -> str:
    """What is done, without where."""
    return _WORDS[type(action)](action)


def step(action: Action) -> tuple[int, Step]:
    """The call that does `action`, and its place in the order of calls."""
    return next((at, one) for at, one in enumerate(STEPS) if one.wants(action))


def where(action: Action, reading: LoadBalancer) -> str:
    """The frontend that `action` is about."""
    if isinstance(action, (CreateListener, CreateRule)):
        return str(action.frontend)
    if isinstance(action, (Register, Retag, Weigh, Deregister)):
        return place(action.key, reading)
    return _place(action.listener, getattr(action, "location", ""), reading)


def place(key: Key, reading: LoadBalancer) -> str:
    """The frontend of a target, by the names that there are for it."""
    return _place(key.listener, key.location, reading)


def _place(listener: str, location: str, reading: LoadBalancer) -> str:
    for one in reading.listeners:
        if one.id == listener:
            for group in one.groups:
                if group.location == location:
                    return str(group.frontend)
            return str(Frontend(one.protocol, one.port))
    return " ".join(filter(None, (listener, location)))


def _attributes(told: Attributes) -> str:
    """The names and values that are set; a check's numbers as CLB shows them."""
    values = {name: value for name, value in told._asdict().items() if value is not None}
    check = values.pop("check", None)
    found = [f"{name.replace('_', ' ')} {value}" for name, value in values.items()]
    if check is not None:
        rhythm = f"every {check.interval} s, time-out {check.timeout} s"
        found.insert(0, f"health check {rhythm if check.enabled else 'off'}")
    return ", ".join(found) or "nothing"


def count(number: int, noun: str) -> str:
    """`number` and the noun, in the plural unless it is one."""
    return f"{number} {noun}{'' if number == 1 else 's'}"


def span(seconds: float) -> str:
    """A duration as people say it."""
    for unit, name in ((86400, "d"), (3600, "h"), (60, "min")):
        if seconds >= 2 * unit:
            return f"{seconds / unit:.0f} {name}"
    return f"{max(seconds, 0):.0f} s"
