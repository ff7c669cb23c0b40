"""What there is of one kind, kept current: a LIST, then a WATCH that goes on from it.

The rules are those of "Kubernetes API Concepts", "Efficient detection of changes", as API servers
keep them from 1.20 on.
"""

from __future__ import annotations

import logging
import random
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from typing import Any, Generic, NamedTuple, Protocol, TypeVar

from binder.cluster.api import GONE, NOT_FOUND, Api, Failed, Refused, Stream
from binder.cluster.project import (
    INGRESSES,
    SERVICE_CONFIGS,
    SERVICES,
    Item,
    Json,
    Resource,
    pods,
)
from binder.core.objects import Changes
from schemas.contract import READINESS_GATE

log = logging.getLogger(__name__)
Taken = TypeVar("Taken", contravariant=True)


class Sink(Protocol[Taken]):
    """Who wants to know; called from the informer's thread, one call at a time."""

    def replace(self, items: Sequence[Taken]) -> None:
        """These there are, and no others of their kind."""

    def put(self, item: Taken) -> None:
        """It is new, or has changed."""

    def drop(self, item: Taken) -> None:
        """It has gone; this is the last that is known of it."""


class Timing(NamedTuple):
    """Seconds.

    A watch is ended by the server so early, though it could last an hour, because that is a sign
    of life where nothing happens: bookmarks come about once a minute only, and a view of that age
    is stale already (`Settings.stale`).
    """

    watch: float = 25.0  # and up to `spread` more, so that not all end together
    spread: float = 8.0
    silence: float = 7.0  # after the end that the server was asked for: the connection hangs
    absent: float = 30.0  # until it is looked again for a kind that the cluster does not have
    first: float = 0.5  # the pause after an error; doubled by each further one
    most: float = 30.0
    short: float = 1.0  # a watch that ends before this without an event counts as an error


class Informer(Generic[Item]):
    """Follows all objects of `resource`; `seen_at` is when the API server was last heard of.

    A sink that raises gets everything again, by `replace`.
    """

    def __init__(
        self,
        api: Api,
        resource: Resource[Item],
        sink: Sink[Item],
        *,
        clock: Callable[[], float] = time.monotonic,
        jitter: Callable[[], float] = random.random,
        wait: Callable[[float], object] | None = None,
        timing: Timing = Timing(),  # noqa: B008  # a constant
    ) -> None:
        self.synced = False
        self.seen_at = 0.0
        self.failure = ""  # why it is not current; for people
        self._api, self._resource, self._sink = api, resource, sink
        self._clock, self._jitter, self._timing = clock, jitter, timing
        self._stopping = threading.Event()
        self._wait = wait or self._stopping.wait
        self._failures = 0
        self._version = ""  # up to which everything is known; "": list first
        self._known: dict[str, Item] | None = None  # by uid; None: the sink must be told all
        self._stream: Stream | None = None
        self._thread = threading.Thread(
            target=self.run, name=f"informer-{resource.plural}", daemon=True
        )

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """End soon, from another thread; a watch is cut off."""
        self._stopping.set()
        stream = self._stream
        if stream:
            stream.cut()

    def join(self, seconds: float) -> None:
        self._thread.join(seconds)

    def run(self) -> None:
        """Follow until `stop`."""
        while not self._stopping.is_set():
            pause = self._turn()
            if pause:
                self._wait(pause)

    def _turn(self) -> float:
        """List or watch once; how long to pause before the next turn."""
        try:
            return self._watch() if self._version else self._list()
        except Refused as error:
            if error.status in (GONE, NOT_FOUND):
                was_listed, self._version = bool(self._version), ""
                if error.status == NOT_FOUND and self._resource.optional and not was_listed:
                    return self._absent()
            return self._failed(error)
        except Failed as error:
            return self._failed(error)
        except Exception as error:  # of the sink; the thread must not end by it
            self._version, self._known = "", None
            return self._failed(Failed(f"{type(error).__name__}: {error}"))

    def _list(self) -> float:
        began, upto = self._clock(), ""
        found: dict[str, Item] = {}
        for version, page in self._api.pages(self._resource.path()):
            upto = version
            for item in page:
                uid = _meta(item, "uid")
                if uid:
                    found[uid] = self._resource.project(item)
            if self._stopping.is_set():
                return 0.0
        self._accept(found)
        self._version = upto
        self._heard(began)
        self.synced = True
        return 0.0

    def _accept(self, found: dict[str, Item]) -> None:
        """Tell the sink what a list has changed."""
        known, self._known = self._known, None
        if known is None:
            self._sink.replace(list(found.values()))
        else:
            self._tell_difference(known, found)
        self._known = found

    def _tell_difference(self, known: Mapping[str, Item], found: Mapping[str, Item]) -> None:
        """What is new first, for an address that has a new owner must not look ownerless.

        Only what was made anew under its name is dropped before, as a watch would have told it.
        """
        gone = {_name(item): item for uid, item in known.items() if uid not in found}
        for uid, item in found.items():
            if known.get(uid) == item:
                continue
            before = gone.pop(_name(item), None)
            if before is not None:
                self._sink.drop(before)
            self._sink.put(item)
        for item in gone.values():
            self._sink.drop(item)

    def _absent(self) -> float:
        """The cluster does not have this kind, so it has no objects of it."""
        began = self._clock()
        self._accept({})
        self._heard(began)
        self._failures, self.synced = 0, True
        return self._timing.absent

    def _watch(self) -> float:
        seconds = int(self._timing.watch + self._timing.spread * self._jitter())
        query: dict[str, object] = {
            "watch": "true",
            "resourceVersion": self._version,
            "allowWatchBookmarks": "true",
            "timeoutSeconds": seconds,
        }
        silence = seconds + self._timing.silence
        began, events = self._clock(), 0
        with closing(self._api.stream(self._resource.path(), query, silence)) as stream:
            self._stream = stream
            self._heard(self._clock())
            # `stop` may have looked for a stream just before there was one.
            if not self._stopping.is_set():
                for event in stream:
                    self._take(event)
                    events += 1
        self._stream = None
        if not events and self._clock() - began < self._timing.short:
            raise Failed(f"WATCH {self._resource.path()}: ended at once")
        self._failures = 0
        return 0.0

    def _take(self, event: Json) -> None:
        kind, item = event.get("type"), event.get("object")
        if not isinstance(item, dict):
            raise Failed(f"WATCH {self._resource.path()}: an event without an object")
        if kind == "ERROR":
            code = item.get("code")
            status = code if isinstance(code, int) else 500
            if status != GONE:
                self._version = ""  # what was missed nobody says
            raise Refused(f"WATCH {self._resource.path()}", status, str(item.get("message", "")))
        self._heard(self._clock())
        self._failures = 0
        if kind in ("ADDED", "MODIFIED", "DELETED"):
            self._change(item, deleted=kind == "DELETED")
        self._version = _meta(item, "resourceVersion") or self._version

    def _change(self, item: Json, *, deleted: bool) -> None:
        uid, known = _meta(item, "uid"), self._known
        if not uid or known is None:
            return
        value = self._resource.project(item)
        if deleted:
            known.pop(uid, None)
            self._sink.drop(value)
        else:
            known[uid] = value
            self._sink.put(value)

    def _heard(self, moment: float) -> None:
        self.seen_at, self.failure = moment, ""

    def _failed(self, error: Failed) -> float:
        """The pause after an error: longer each time, and not the same for two binders."""
        self._stream = None
        if self._stopping.is_set():
            return 0.0
        self.failure = str(error)
        pause = min(self._timing.first * 2.0**self._failures, self._timing.most)
        self._failures = min(self._failures + 1, 16)
        pause *= 0.5 + 0.5 * self._jitter()
        log.warning("%s: %s; again in %.1f s", self._resource.plural, error, pause)
        return pause


class Informers:
    """All that the binder follows, as one.

    `sink` gives, for each kind, who wants to know of it; each kind has a thread of its own.
    """

    def __init__(
        self,
        api: Api,
        sink: Callable[[Resource[Any]], Sink[Any]],
        clock: Callable[[], float] = time.monotonic,
        timing: Timing = Timing(),  # noqa: B008  # a constant
        gate: str = READINESS_GATE,
    ) -> None:
        self._all = [
            Informer(api, resource, sink(resource), clock=clock, timing=timing)
            for resource in (SERVICE_CONFIGS, SERVICES, INGRESSES, pods(gate))
        ]

    def start(self) -> None:
        for each in self._all:
            each.start()

    def stop(self, seconds: float = 5.0) -> None:
        """End all; none is waited for longer than `seconds`."""
        for each in self._all:
            each.stop()
        for each in self._all:
            each.join(seconds)

    def changes(self) -> Changes:
        """Whether all has been listed, and when the one heard of longest ago was heard of."""
        return Changes(
            all(each.synced for each in self._all), min(each.seen_at for each in self._all)
        )

    def failures(self) -> list[str]:
        """Why some are not current, for people."""
        return [each.failure for each in self._all if each.failure]


def _meta(item: Json, key: str) -> str:
    meta = item.get("metadata")
    value = meta.get(key) if isinstance(meta, dict) else None
    return value if isinstance(value, str) else ""


def _name(item: Any) -> tuple[str, str]:
    return item.namespace, item.name
