"""Every change of the Pods of a namespace, watched from outside, and what must never be among them.

The only thing by which a binder could make a Ready Pod NotReady is its gate.
"""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from kubernetes.client import ApiClient, CoreV1Api
from kubernetes.client.exceptions import ApiException
from urllib3.exceptions import HTTPError

from binder.core import tag
from schemas import contract

CLUSTER = "cls-test"
WATCH_SECONDS = 2
GRACE = 1.0  # seconds by which we may hear of something later than the binder


@dataclass
class Life:
    """What became of a Pod; times are seconds since the epoch, None: not yet."""

    name: str
    app: str
    ip: str = ""
    up: float | None = None  # its containers were ready
    opened: float | None = None
    reason: str = ""  # why its gate opened
    ready: bool = False
    open: bool = False
    deleted: float | None = None
    gone: float | None = None  # its containers have ended for good

    @property
    def took(self) -> float | None:
        """Seconds from containers ready to gate open."""
        return None if self.up is None or self.opened is None else self.opened - self.up


class Recorder:
    """Watches from `with` on; `lives` are the Pods by uid, `problems` what must not have been."""

    def __init__(self, api: ApiClient, namespace: str) -> None:
        self.lives: dict[str, Life] = {}
        self.problems: list[str] = []
        self._core, self._namespace = CoreV1Api(api), namespace
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._run, name="recorder")

    def __enter__(self) -> Recorder:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()

    def gone(self) -> dict[str, float]:
        """By the tag of its targets, when each Pod went."""
        return {
            tag.write(tag.mark(CLUSTER, uid)): life.gone - GRACE
            for uid, life in list(self.lives.items())
            if life.gone is not None
        }

    def of(self, app: str) -> dict[str, Life]:
        """The Pods of a Deployment, those that have gone too."""
        return {uid: life for uid, life in list(self.lives.items()) if life.app == app}

    def _run(self) -> None:
        version = ""
        while not self._over.is_set():
            try:
                version = self._watch(version) if version else self._list()
            except (ApiException, HTTPError, OSError):
                version = ""  # the API server is away, or does not remember
                self._over.wait(0.2)

    def _list(self) -> str:
        answer = self._core.list_namespaced_pod(self._namespace, _preload_content=False)
        found = json.loads(answer.data)
        there = {pod["metadata"]["uid"] for pod in found["items"]}
        for pod in found["items"]:
            self._note(pod)
        for uid, life in self.lives.items():
            if uid not in there and life.gone is None:
                life.gone = time.time()
        return str(found["metadata"]["resourceVersion"])

    def _watch(self, version: str) -> str:
        for event in self._events(version):
            if event["type"] == "ERROR":
                return ""
            pod = event["object"]
            version = pod["metadata"]["resourceVersion"]
            if event["type"] != "BOOKMARK":
                self._note(pod)
            if event["type"] == "DELETED":
                life = self.lives[pod["metadata"]["uid"]]
                life.gone = life.gone or time.time()
        return version

    def _events(self, version: str) -> Iterator[dict[str, Any]]:
        answer = self._core.list_namespaced_pod(
            self._namespace,
            watch=True,
            allow_watch_bookmarks=True,
            resource_version=version,
            timeout_seconds=WATCH_SECONDS,
            _preload_content=False,
            _request_timeout=WATCH_SECONDS + 10,
        )
        rest = b""
        with answer:
            for part in answer.stream(amt=None, decode_content=False):
                *lines, rest = (rest + part).split(b"\n")
                yield from (json.loads(line) for line in lines if line)

    def _note(self, pod: dict[str, Any]) -> None:
        meta, status, now = pod["metadata"], pod.get("status", {}), time.time()
        app = meta.get("labels", {}).get("app", "")
        life = self.lives.setdefault(meta["uid"], Life(meta["name"], app))
        kinds = {each["type"]: each for each in status.get("conditions", ())}
        said = {kind: each["status"] for kind, each in kinds.items()}
        gate, was_ready, was_open = kinds.get(contract.READINESS_GATE), life.ready, life.open
        life.ip = status.get("podIP", life.ip)
        life.ready = said.get("Ready") == "True"
        life.open = gate is not None and gate["status"] == "True"
        up = said.get("ContainersReady") == "True"
        life.up = life.up or (now if up else None)
        if life.open and life.opened is None:
            life.opened, life.reason = now, gate["reason"] if gate else ""
        terminating = "deletionTimestamp" in meta
        if terminating:
            life.deleted = life.deleted or now
        if status.get("phase") in ("Succeeded", "Failed"):
            life.gone = life.gone or now
        if was_open and not life.open:
            self.problems.append(f"the gate of {life.name} was closed: {gate}")
        gated = any(
            each["conditionType"] == contract.READINESS_GATE
            for each in pod["spec"].get("readinessGates", ())
        )
        closed = gated and not life.open
        if was_ready and not life.ready and up and closed and not terminating:
            self.problems.append(f"{life.name} was Ready and is not: {kinds}")
