"""Why a Pod waits for one binding, and what to do about it: one table, and one function over it."""

from __future__ import annotations

from enum import Enum
from typing import NamedTuple


class Case(NamedTuple):
    """What is so, and what to do; `advice` may name {lb}, {frontend}, {owner}, {port}, {pod}."""

    passes: bool
    text: str
    advice: str = ""


class Situation(Enum):
    """How one Pod stands with one binding; what comes first is the first thing to look at."""

    CLB_UNREADABLE = Case(
        False,
        "CLB could not be read",
        "Look at --region, --endpoint, the key or role, and whether its policy allows {lb}.",
    )
    NO_SUCH_LB = Case(
        False,
        "there is no such load balancer",
        "Correct the id in the annotation of {owner}, or the --region; the gate opens when two "
        "looks agree.",
    )
    HOST_NETWORK = Case(
        True,
        "the Pod is on the host's network and cannot be bound",
        "Take hostNetwork out, or give {owner} the annotation that no gate waits for it.",
    )
    NO_PORT = Case(
        True,
        "the Pod has no port of the name that the Service asks for",
        "Name a containerPort {port} in the Pod, or put its number into targetPort.",
    )
    NO_WEIGHT = Case(
        True,
        "the Pod asks for weight 0 and gets no traffic",
        "Take the annotation for the weight away when it should get some.",
    )
    CONFLICT = Case(
        True,
        "the listener or rule cannot be had",
        "Another one has its place on {lb}: change the port or path of {owner}, or of the other.",
    )
    LISTENER_MISSING = Case(
        False,
        "the listener or rule is not there",
        "Make {frontend} on {lb}, or run the binder with --listeners=owned.",
    )
    LISTENER_COMES = Case(
        False,
        "the listener or rule is not there yet",
        "Wait some seconds; then look at the events of {owner}: kubectl describe says why CLB "
        "refuses it.",
    )
    NOT_READY = Case(
        False,
        "the containers are not ready",
        "Look at the Pod itself: kubectl describe pod, kubectl logs. CLB comes after that.",
    )
    UPDATING = Case(
        False,
        "the Pod is updated in place",
        "Wait for the update; it is bound with weight 0 meanwhile.",
    )
    NOT_BOUND = Case(
        False,
        "it is not bound, though its containers are ready",
        "Look at the events of {owner} (LoadBalancerSyncFailed: quota, permissions) and at the "
        "log of the binder.",
    )
    FOREIGN = Case(
        False,
        "somebody else has bound this address",
        "Nobody's target is touched by the binder; if it may have it, unbind it by hand on {lb}.",
    )
    WEIGHT_0 = Case(
        False,
        "it is bound with weight 0",
        "The binder gives it weight when the Pod is ready; if it stays so, look at the binder's "
        "log.",
    )
    DEAD = Case(
        False,
        "CLB's health check fails",
        "Look at port and path of the health check of {frontend} on {lb}, and whether the Pod's "
        "security group lets {lb} in (pass-to-target).",
    )
    UNKNOWN = Case(
        False,
        "CLB has not probed it often enough yet",
        "Wait for some intervals of the health check.",
    )
    STOPPED = Case(
        False,
        "the listener is stopped",
        "Start {frontend} on {lb}.",
    )
    NO_HEALTH = Case(
        False,
        "CLB says nothing about its health",
        "Wait some seconds; it may have been bound just now.",
    )
    ALIVE = Case(
        False,
        "Alive; the binder watches whether that is about this Pod",
        "Wait: after a restart of the binder or with an address that was used before, Alive has "
        "to last as long as a dead target would take to be noticed.",
    )
    NOT_PROVISIONED = Case(
        True,
        "it names no load balancer, so there is nothing to wait for",
        "Name one in the annotation of {owner} if it should be served.",
    )
    NO_CHECK = Case(True, "bound, and there is no health check")
    SERVING = Case(True, "Alive")

    @property
    def case(self) -> Case:
        value: Case = self.value
        return value


ORDER = list(Situation)


def advice(situation: Situation, **names: str) -> str:
    """What to do about it; "" where nothing has to be done."""
    return situation.case.advice.format(**names)
