"""`python -m tests.controlplane`: a control plane with two nodes, until Ctrl-C.

For trying things by hand; the line that it prints makes kubectl talk to it.
"""

from __future__ import annotations

import signal
import sys

from tests.controlplane.kubelet import Kubelet
from tests.controlplane.plane import ControlPlane
from tests.controlplane.programs import HOW, find


def main() -> None:
    programs = find()
    if not programs:
        sys.exit(HOW)
    with ControlPlane(programs) as plane, Kubelet(plane):
        path = plane.directory / "admin.kubeconfig"
        path.write_text(plane.kubeconfig(), encoding="utf-8")
        print(f"ready after {plane.start_seconds:.1f} s: export KUBECONFIG={path}", flush=True)
        signal.sigwait({signal.SIGINT, signal.SIGTERM})


if __name__ == "__main__":
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT, signal.SIGTERM})
    main()
