"""Waiting for the cluster: by watches and under a deadline, never by a pause of some seconds."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from contextlib import closing
from typing import Any

from kubernetes import watch

Objects = Sequence[Any]


def wait_for(
    what: str,
    listed: Callable[..., Any],
    until: Callable[[Objects], bool],
    *arguments: str,
    seconds: float = 30.0,
    **selectors: str,
) -> list[Any]:
    """The objects of a list call, such as `core.list_namespaced_pod`, once they fulfil `until`.

    `what` says in the error what was waited for.
    """
    deadline = time.monotonic() + seconds
    listing = listed(*arguments, **selectors)
    objects = {each.metadata.uid: each for each in listing.items}
    version = listing.metadata.resource_version
    while not until(list(objects.values())):
        left = deadline - time.monotonic()
        if left <= 0:
            raise AssertionError(f"not within {seconds} s: {what}; {_said(objects.values())}")
        selectors_now = {**selectors, "resource_version": version, "timeout_seconds": int(left) + 1}
        with closing(watch.Watch().stream(listed, *arguments, **selectors_now)) as events:
            for event in events:
                each = event["object"]
                version = each.metadata.resource_version
                objects[each.metadata.uid] = each
                if event["type"] == "DELETED":
                    del objects[each.metadata.uid]
                if until(list(objects.values())):
                    break
    return list(objects.values())


def eventually(what: str, check: Callable[[], bool], seconds: float = 30.0) -> None:
    """For what has no watch, such as a process: look until it is so."""
    deadline = time.monotonic() + seconds
    while not check():
        if time.monotonic() > deadline:
            raise AssertionError(f"not within {seconds} s: {what}")
        time.sleep(0.02)


def condition(each: Any, kind: str) -> str:
    """The status of an object's condition; Unknown where it has none, as in Kubernetes."""
    conditions = (each.status and each.status.conditions) or ()
    return next((one.status for one in conditions if one.type == kind), "Unknown")


def are_ready(number: int) -> Callable[[Objects], bool]:
    """Exactly so many Pods there are, all of them ready."""

    def check(pods: Objects) -> bool:
        return len(pods) == number and all(condition(pod, "Ready") == "True" for pod in pods)

    return check


def _said(objects: Any) -> str:
    return "; ".join(
        f"{each.metadata.name}: "
        + ", ".join(f"{one.type}={one.status}" for one in (each.status.conditions or ()))
        for each in objects
    )
