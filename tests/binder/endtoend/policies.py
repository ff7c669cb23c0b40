"""Models of what others do with readiness gates, to compare with; models, not products."""

from __future__ import annotations

import threading

from kubernetes.client.exceptions import ApiException

from tests.binder.endtoend.bed import GATE, PORT, Bed

REGISTERED = "tests.tke-direct/registered"
LOOK_SECONDS = 0.05

# By the name of the policy: the gate that Pods carry. The binder binds and drains in each.
POLICIES = {
    "evidence of health": GATE,
    "no gate": "",
    "registration opens the gate": REGISTERED,
}


class OpensWhenRegistered:
    """Opens the gate REGISTERED of every Pod as soon as it is bound, whatever its health is."""

    def __init__(self, bed: Bed) -> None:
        self._bed = bed
        self._open: set[str] = set()
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._run, name="opens-when-registered")

    def __enter__(self) -> OpensWhenRegistered:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._over.wait(LOOK_SECONDS):
            bound = self._bed.bound()
            for uid, life in list(self._bed.recorder.lives.items()):
                if uid not in self._open and life.up and (life.ip, PORT) in bound:
                    self._open.add(uid)
                    self._patch(uid, life.name)

    def _patch(self, uid: str, name: str) -> None:
        condition = {"type": REGISTERED, "status": "True", "reason": "Registered"}
        body = {"metadata": {"uid": uid}, "status": {"conditions": [condition]}}
        try:
            self._bed.core.patch_namespaced_pod_status(name, self._bed.namespace, body)
        except ApiException as error:
            if error.status not in (404, 409):
                self._open.discard(uid)
