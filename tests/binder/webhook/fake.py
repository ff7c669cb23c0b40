"""An API server of two objects in memory, and a clock that moves when it is told to."""

from __future__ import annotations

import base64
import copy
import datetime
from collections.abc import Callable
from typing import Any

from binder.cluster.api import CONFLICT, INVALID, NOT_FOUND, Failed, Refused
from binder.webhook import secret
from binder.webhook.certificates import Material
from binder.webhook.cluster import Json, Resource
from binder.webhook.configuration import WEBHOOK, bundle_in
from binder.webhook.heal import Healer, resources
from binder.webhook.metrics import Metrics
from binder.webhook.options import Options

OPTIONS = Options("own", lifetime=9000.0, ready_above=100.0)
START = datetime.datetime(2026, 6, 1, tzinfo=datetime.timezone.utc)
CONFIGURATION, SECRET = resources(OPTIONS)


class Clock:
    """Both clocks of a healer."""

    def __init__(self) -> None:
        self.seconds = 0.0

    def now(self) -> datetime.datetime:
        return START + datetime.timedelta(seconds=self.seconds)

    def monotonic(self) -> float:
        return self.seconds


class FakeCluster:
    """`objects` by path; `before` is called before a write, `broken` fails every call."""

    def __init__(self) -> None:
        self.objects: dict[str, dict[str, Any]] = {}
        self.writes: list[str] = []
        self.broken = False
        self.before: Callable[[], None] | None = None
        self._version = 0

    async def read(self, resource: Resource) -> Json | None:
        if self.broken:
            raise Failed("the API server is away")
        return copy.deepcopy(self.objects.get(resource.path))

    async def replace(self, resource: Resource, body: Json) -> Json:
        live = self._writing(resource, "replace")
        if live is None:
            raise Refused("PUT", NOT_FOUND, "not found")
        if live.get("immutable"):
            raise Refused("PUT", INVALID, "field is immutable")
        self._expect(live, body)
        return self._put(resource, body)

    async def delete(self, resource: Resource, uid: str) -> None:
        live = self._writing(resource, "delete")
        assert live
        assert live["metadata"]["uid"] == uid
        del self.objects[resource.path]

    async def apply(self, resource: Resource, body: Json, manager: str, force: bool) -> Json:
        live = self._writing(resource, "apply")
        if live and not force and live.get("data") != body.get("data"):
            raise Refused("PATCH", CONFLICT, "conflict with another manager")
        if live is None:
            return self._put(resource, body)
        if body["metadata"].get("resourceVersion"):
            self._expect(live, body)
        merged = copy.deepcopy(live)
        for field in ("labels", "annotations"):
            merged["metadata"].setdefault(field, {}).update(body["metadata"].get(field, {}))
        for hook in copy.deepcopy(body.get("webhooks", [])):
            hooks = merged["webhooks"] = merged.get("webhooks") or []
            there = next((each for each in hooks if each["name"] == hook["name"]), None)
            if there is None:
                hooks.append(hook)
            else:
                client = {**there["clientConfig"], **hook["clientConfig"]}
                there.update({**hook, "clientConfig": client})
        return self._put(resource, merged)

    async def merge(self, resource: Resource, body: Json, manager: str) -> Json:
        live = self._writing(resource, "merge")
        assert live
        self._expect(live, body)
        return self._put(resource, {**live, "webhooks": body["webhooks"]})

    def put_secret(self, material: Material | None) -> None:
        if material is None:
            self.objects.pop(SECRET.path, None)
        else:
            self._put(SECRET, secret.new("own", SECRET.name, material))

    @property
    def material(self) -> Material:
        return secret.read(self.objects[SECRET.path])

    @property
    def configuration(self) -> dict[str, Any]:
        return self.objects[CONFIGURATION.path]

    @property
    def hook(self) -> dict[str, Any]:
        hooks = self.configuration["webhooks"]
        return next(each for each in hooks if each["name"] == WEBHOOK)

    @property
    def bundle(self) -> str:
        return bundle_in(self.configuration)

    def set_bundle(self, text: str) -> None:
        self.hook["clientConfig"]["caBundle"] = base64.b64encode(text.encode()).decode()

    def _writing(self, resource: Resource, how: str) -> dict[str, Any] | None:
        if self.before:
            before, self.before = self.before, None
            before()
        self.writes.append(f"{how} {resource.collection.rpartition('/')[2]}")
        return self.objects.get(resource.path)

    def _expect(self, live: dict[str, Any], body: Json) -> None:
        if live["metadata"]["resourceVersion"] != body["metadata"]["resourceVersion"]:
            raise Refused("PUT", CONFLICT, "the object has been modified")

    def _put(self, resource: Resource, body: Json) -> dict[str, Any]:
        self._version += 1
        stored: dict[str, Any] = copy.deepcopy(dict(body))
        stored["metadata"] |= {"resourceVersion": str(self._version), "uid": "u"}
        self.objects[resource.path] = stored
        return copy.deepcopy(stored)


class Replica:
    """A healer, and the pair that it `serves`."""

    def __init__(self, cluster: FakeCluster, clock: Clock, options: Options = OPTIONS) -> None:
        self.served: list[Any] = []
        self.metrics = Metrics()
        self.healer = Healer(
            cluster, options, self.metrics, self.served.append, clock.now, clock.monotonic
        )

    @property
    def serves(self) -> Any:
        return self.served[-1]

    def healed(self, what: str) -> float:
        return self.metrics.registry.get_sample_value("heals_total", {"what": what}) or 0.0
