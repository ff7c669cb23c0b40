"""What readings of health prove about one Pod behind one target.

A target that CLB calls Alive proves nothing by itself: the probes may have reached a Pod that had
the address before. It is proof that it was Unknown or Dead while this Pod owned the address and is
Alive since; or that it stayed Alive for as long as a Pod that does not serve would have taken to
turn Dead. Nothing is written down anywhere: a binder that starts knows nothing, and asks for the
second proof.
"""

from __future__ import annotations

from typing import NamedTuple

from binder.core.clb import ALIVE, CLOSE, DEAD, Check, Health
from binder.settings import Settings


class Evidence(NamedTuple):
    """Times are seconds of our own monotonic clock, of the starts of readings."""

    since: float  # the Pod was first seen to own the address with its containers ready
    read_at: float | None = None
    health: Health | None = None  # of the last reading; None: not bound, or no reading yet
    # The first reading in which it was bound, and neither Alive nor Close, when only this Pod was
    # probed.
    unwell: float | None = None
    alive_from: float | None = None  # Alive in every reading from then on

    @property
    def seen(self) -> str:
        """What the last reading said, in a word."""
        if self.read_at is None:
            return "not read yet"
        if self.health is None:
            return "not bound"
        return self.health.detail if self.health.weight else f"{self.health.detail}, weight 0"


def observe(
    before: Evidence, health: Health | None, read_at: float, settings: Settings
) -> Evidence:
    """`before` and one more reading, whose call started at `read_at`."""
    if before.read_at is not None and read_at <= before.read_at:
        return before
    if read_at <= before.since:
        return before  # it may have started while another Pod owned the address
    blind = before.read_at is not None and read_at - before.read_at > settings.fresh
    ours = read_at >= before.since + settings.read_lag
    bound = health is not None and health.weight > 0
    alive = bound and health is not None and health.detail == ALIVE
    unwell = bound and health is not None and health.detail not in (ALIVE, CLOSE)
    first = None if blind else before.alive_from
    return before._replace(
        read_at=read_at,
        health=health,
        unwell=read_at if before.unwell is None and unwell and ours else before.unwell,
        alive_from=(first if first is not None else read_at if ours else None) if alive else None,
    )


def proven(evidence: Evidence, check: Check, now: float, settings: Settings) -> bool:
    """Whether CLB has been seen to serve this very Pod, not longer ago than a fresh reading is."""
    health, read_at = evidence.health, evidence.read_at
    if health is None or read_at is None or now - read_at > settings.fresh or health.weight <= 0:
        return False
    if not check.enabled:
        return health.detail != DEAD  # CLB sends to it from the moment it is bound
    if health.detail != ALIVE:
        return False  # Close too: the listener has been stopped
    if evidence.unwell is not None and read_at - evidence.unwell >= settings.read_lag:
        return True  # a reading that is nearer may be of the time before
    first = evidence.alive_from
    return first is not None and read_at - first >= check.window(settings.window_slack)


def missing(evidence: Evidence, check: Check, now: float, settings: Settings) -> str:
    """Why it is not proven, for people."""
    read_at = evidence.read_at
    if read_at is not None and now - read_at > settings.fresh:
        return "CLB has not answered for a while"
    if evidence.alive_from is not None and read_at is not None:
        left = check.window(settings.window_slack) - (read_at - evidence.alive_from)
        return f"Alive, watched for {max(left, 0):.0f} s more"
    return evidence.seen
