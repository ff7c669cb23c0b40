"""A minute of load over rollouts: python -m tests.binder.plane.soak [--seconds 60] [--rate 200]."""

from __future__ import annotations

import argparse
import asyncio

from tests.binder.plane.rollout import Pace, rollout

PROBES_S, DRAIN_S = 2.0, 2.0  # the fastest legal check; how long weight 0 lasts
TARGETS = 10


def pace(protocol: str, drain: bool, rate: float, seconds: float) -> Pace:
    """A rollout of ten targets that takes about so long."""
    step = seconds / TARGETS
    pause = max(0.0, step - PROBES_S - (DRAIN_S if drain else 0.0))
    return Pace(protocol, drain, rate, TARGETS, 0.02, PROBES_S, DRAIN_S, pause, timeout_s=2.0)


def main() -> int:
    """Run all orders; 0 if draining lost nothing and unbinding first lost something."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--rate", type=float, default=200.0, help="requests per second")
    options = parser.parse_args()
    fine = True
    for protocol in ("TCP", "HTTP"):
        for drain in (True, False):
            plan = pace(protocol, drain, options.rate, options.seconds)
            result, served = asyncio.run(rollout(plan))
            order = "weight 0, wait, unbind" if drain else "unbind first"
            print(f"{protocol:4} {order:22} {served} targets served: {result}", flush=True)
            fine = fine and (result.failures == 0) is drain
    return 0 if fine else 1


if __name__ == "__main__":
    raise SystemExit(main())
