"""When the readiness gate of a Pod opens, and what stands in its condition until then.

It opens on evidence for this very Pod on every binding that gates, or when there is nothing to wait
for, which the API server itself has confirmed. It never closes because of the load balancer.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from binder.core.actions import SetGate, Tell
from binder.core.bindings import Binding
from binder.core.objects import Owner, Pod
from binder.settings import Settings

# The reason that TKE's own controller writes, for tools that look for it (facts of TKE, observed).
SERVING = "LoadBalancerNetworkGroupReady"
NO_LOAD_BALANCER = "NoLoadBalancer"
NOT_PROVISIONED = "LoadBalancerNotProvisioned"
DETACHED = "LoadBalancerDetached"
UNSUPPORTED = "Unsupported"
NO_CHECK = "LoadBalancerHealthCheckDisabled"
WAITING = "LoadBalancerNetworkGroupNotReady"
REARMED = "UpdatedInPlace"

# Of several reasons to open, the one that people should hear of first.
GRAVITY = (UNSUPPORTED, DETACHED, NOT_PROVISIONED, NO_CHECK, SERVING)
WARNINGS = (UNSUPPORTED, DETACHED, NOT_PROVISIONED)
_NAMED = 3  # bindings in a message


class Standing(NamedTuple):
    """How one Pod stands with one binding."""

    reason: str  # one of GRAVITY when nothing is left to wait for, else WAITING
    text: str  # what a message says of it
    seen_at: float | None = None  # the reading that proves it; None: no reading is needed

    @property
    def passes(self) -> bool:
        return self.reason != WAITING


class Look(NamedTuple):
    """All that the gate of one Pod depends on beside the Pod."""

    standings: Sequence[tuple[Binding, Standing]]  # of the bindings that gate
    ready_since: float | None  # its containers were first seen ready
    confirmed_at: float | None  # when the API server last agreed with us about the namespace
    trusted: bool  # the view is complete and fresh, and we lead
    moved: bool = False  # the Pod has another address than when its gate opened
    lost: tuple[float, ...] = ()  # when owners lost the load balancer that they had
    said_at: float | None = None  # when we last wrote the condition
    elsewhere: Sequence[Owner] = ()  # for whom TKE's own controller opens this gate


class Verdict(NamedTuple):
    """What to write, whether to ask the API server first, and when to look again."""

    write: SetGate | None = None
    confirm: bool = False
    tells: tuple[Tell, ...] = ()
    again: float | None = None


def verdict(pod: Pod, look: Look, now: float, settings: Settings) -> Verdict:
    """What the condition of our gate in `pod` should be now."""
    if not pod.gated or pod.terminating or pod.over:
        return Verdict()
    if not look.trusted:
        return Verdict(again=now + settings.poll_most)
    if look.elsewhere:
        # A condition has one writer. TKE's would open it without asking us, and we without it.
        return Verdict(tells=_shared(pod, look))
    if pod.open:
        # It is NotReady for another reason, so that closing it takes nothing away.
        if not pod.ready and (pod.updating or look.moved):
            message = "the Pod is updated in place; waiting for the load balancer again"
            return Verdict(_closed(pod, REARMED, message, look, now, settings))
        return Verdict()
    if pod.updating or not pod.containers_ready or look.ready_since is None:
        return Verdict()
    waiting = [
        (binding, one)
        for binding, one in look.standings
        if not _passes(one, look.ready_since, now, settings)
    ]
    if waiting:
        message = _message(look, waiting)
        write = _closed(pod, WAITING, message, look, now, settings)
        return Verdict(write, again=now + settings.poll_first)
    return _open(pod, look, now, settings)


def _passes(one: Standing, ready_since: float, now: float, settings: Settings) -> bool:
    """Whether it is proven, by a reading of the Pod as it is: up again, or at another address."""
    if one.seen_at is None or not one.passes:
        return one.passes
    return one.seen_at >= ready_since and now - one.seen_at <= settings.fresh


def _open(pod: Pod, look: Look, now: float, settings: Settings) -> Verdict:
    reasons = [one.reason for _, one in look.standings]
    reason = min(reasons, key=GRAVITY.index, default=NO_LOAD_BALANCER)
    hold = [lost + settings.forget_lb for lost in look.lost if now < lost + settings.forget_lb]
    unprovisioned = NOT_PROVISIONED in reasons
    if unprovisioned and hold:
        message = "the load balancer's id has vanished; waiting for it"
        return Verdict(_closed(pod, WAITING, message, look, now, settings), again=max(hold))
    if unprovisioned or not reasons:
        # That there is nothing to wait for is believed of the API server only, asked after the
        # Pod came up, and after the id was lost.
        since = max([look.ready_since or now, *look.lost])
        if look.confirmed_at is None or look.confirmed_at <= since:
            return Verdict(confirm=True, again=now + settings.poll_first)
    texts = [one.text for _, one in look.standings if one.reason == reason]
    message = "; ".join(dict.fromkeys(texts)) or "no Service or Ingress that the binder serves"
    tells = [_tell(pod, reason, message)] if reason in WARNINGS else []
    write = SetGate(pod.key, pod.uid, "True", reason, message)
    return Verdict(write, tells=tuple(tells))


def _closed(
    pod: Pod, reason: str, message: str, look: Look, now: float, settings: Settings
) -> SetGate | None:
    """None when it is closed for that reason, and says the same or has said else just now."""
    before = pod.condition
    if before is not None and (before.status, before.reason) == ("False", reason):
        lately = look.said_at is not None and now - look.said_at < settings.say_again
        if lately or before.message == message:
            return None
    # A stale view must never overwrite an open gate.
    return SetGate(pod.key, pod.uid, "False", reason, message, pod.resource_version)


def _message(look: Look, waiting: Sequence[tuple[Binding, Standing]]) -> str:
    ready = len(look.standings) - len(waiting)
    names = [
        f"{binding.owner.namespace}/{binding.owner.name} {binding.frontend} {binding.lb}: "
        f"{one.text}"
        for binding, one in waiting[:_NAMED]
    ]
    more = f" and {len(waiting) - _NAMED} more" if len(waiting) > _NAMED else ""
    return f"{ready}/{len(look.standings)} ready; waiting for {'; '.join(names)}{more}"


def _shared(pod: Pod, look: Look) -> tuple[Tell, ...]:
    if pod.open or not look.standings:
        return ()
    message = (
        f"{look.standings[0][0].owner} does not hold this Pod's readiness gate, which TKE's "
        f"controller opens for {look.elsewhere[0]}; give the binder a gate of its own with "
        "--readiness-gate"
    )
    return (Tell(_owner(pod), "Warning", "ReadinessGateShared", message),)


def _owner(pod: Pod) -> Owner:
    return Owner("Pod", pod.namespace, pod.name, pod.uid)


def _tell(pod: Pod, reason: str, message: str) -> Tell:
    return Tell(
        _owner(pod),
        "Warning",
        reason,
        f"the readiness gate is open without the load balancer: {message}",
    )
