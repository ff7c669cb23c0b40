"""List and watch by a script of answers; no thread and no clock but the test's."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import pytest

from binder.cluster.api import Failed, Refused
from binder.cluster.informer import Informer, Timing
from binder.cluster.project import PODS, SERVICE_CONFIGS, Resource
from binder.core.objects import Pod, ServiceConfig
from tests.binder.cluster.objects import Object, pod

Turn = Any  # pages of a list, events of a watch, or an error; Watch says how long it lasts
START = 1000.0


class Pages(list[list[Object]]):
    """A list, page by page."""


class Watch:
    """Events and errors in order; then the server ends it after `seconds`."""

    def __init__(self, *events: Any, seconds: float = 25.0) -> None:
        self.events, self.seconds = events, seconds


class Script:
    """Stands for the API; when all is played it stops the informer."""

    def __init__(self, *turns: Turn) -> None:
        self._turns = list(turns)
        self.calls: list[dict[str, Any]] = []
        self.pauses: list[float] = []
        self.now = START
        self.stop: Callable[[], None] = lambda: None

    def pages(self, path: str) -> Iterator[tuple[str, list[Object]]]:
        self.calls.append({"path": path})
        turn = self._next(Pages)
        for number, items in enumerate(turn):
            self.now += 1
            if isinstance(items, Exception):
                raise items
            yield f"list-{number}", items

    def stream(self, path: str, query: dict[str, Any], silence: float) -> Stream:
        self.calls.append({"path": path, "silence": silence, **query})
        return Stream(self, self._next(Watch))

    def wait(self, seconds: float) -> None:
        self.pauses.append(seconds)
        self.now += seconds

    def _next(self, kind: type) -> Any:
        if not self._turns:
            self.stop()
            raise Failed("the script has ended")
        turn = self._turns.pop(0)
        if isinstance(turn, Exception):
            raise turn
        assert isinstance(turn, kind), f"{turn} is due, not a {kind.__name__}"
        return turn


class Stream:
    def __init__(self, script: Script, watch: Watch) -> None:
        self._script, self._watch = script, watch

    def __iter__(self) -> Iterator[Object]:
        for event in self._watch.events:
            self._script.now += 1
            if isinstance(event, Exception):
                raise event
            yield event
        self._script.now += self._watch.seconds

    def cut(self) -> None:
        pass

    close = cut


class Told:
    """A sink that writes down what it is told."""

    def __init__(self) -> None:
        self.calls: list[tuple[str, Any]] = []
        self.there: dict[str, Any] = {}

    def replace(self, items: Sequence[Any]) -> None:
        self.calls.append(("replace", [item.name for item in items]))
        self.there = {item.name: item for item in items}

    def put(self, item: Any) -> None:
        self.calls.append(("put", item.name))
        self.there[item.name] = item

    def drop(self, item: Any) -> None:
        self.calls.append(("drop", item.name))
        self.there.pop(item.name, None)


def event(kind: str, item: Object) -> Object:
    return {"type": kind, "object": item}


def bookmark(version: str) -> Object:
    return event("BOOKMARK", {"metadata": {"resourceVersion": version}})


def expired() -> Object:
    return event("ERROR", {"code": 410, "message": "too old resource version"})


def follow(
    script: Script, sink: Any = None, resource: Resource[Any] = PODS
) -> tuple[Informer[Any], Any]:
    told = sink or Told()
    informer = Informer[Any](
        script,  # type: ignore[arg-type]
        resource,
        told,
        clock=lambda: script.now,
        jitter=lambda: 1.0,
        wait=script.wait,
    )
    script.stop = informer.stop
    informer.run()
    return informer, told


def versions(script: Script) -> list[str]:
    return [call.get("resourceVersion", "list") for call in script.calls]


def test_a_list_is_followed_by_a_watch_from_its_version() -> None:
    script = Script(
        Pages([[pod("a"), pod("b")], [pod("c")]]),
        Watch(event("ADDED", pod("d", version="7")), event("DELETED", pod("a", version="8"))),
    )
    informer, told = follow(script)
    assert told.calls == [("replace", ["a", "b", "c"]), ("put", "d"), ("drop", "a")]
    assert versions(script) == ["list", "list-1", "8"]
    assert informer.synced


def test_a_watch_asks_for_bookmarks_and_an_end_and_has_a_deadline_after_it() -> None:
    script = Script(Pages([[]]), Watch())
    follow(script)
    call, timing = script.calls[1], Timing()
    assert call["watch"] == call["allowWatchBookmarks"] == "true"
    assert call["timeoutSeconds"] == timing.watch + timing.spread
    assert call["silence"] == call["timeoutSeconds"] + timing.silence


def test_a_quiet_kind_is_heard_of_well_before_its_view_is_stale() -> None:
    from binder.settings import Settings

    timing = Timing()
    longest = timing.watch + timing.spread + timing.silence + timing.first
    assert longest < Settings().stale
    assert timing.absent < Settings().stale


def test_a_watch_that_ended_in_order_goes_on_without_a_pause() -> None:
    script = Script(Pages([[]]), Watch(bookmark("50")), Watch(), Watch(bookmark("60")))
    _, told = follow(script)
    assert versions(script) == ["list", "list-0", "50", "50", "60"]
    assert script.pauses == []
    assert told.calls == [("replace", [])]


def test_a_watch_that_broke_off_goes_on_from_what_was_heard_last() -> None:
    script = Script(
        Pages([[]]), Watch(event("ADDED", pod("a", version="5")), Failed("cut")), Watch()
    )
    _, told = follow(script)
    assert versions(script) == ["list", "list-0", "5", "5"]
    assert script.pauses == [0.5]
    assert told.calls == [("replace", []), ("put", "a")]


@pytest.mark.parametrize("gone", [Refused("WATCH", 410, "Gone"), Watch(expired())])
def test_what_a_watch_has_missed_a_new_list_makes_up_for(gone: Any) -> None:
    script = Script(
        Pages([[pod("kept"), pod("changed"), pod("deleted"), pod("anew", uid="old")]]),
        gone,
        Pages([[pod("kept"), pod("anew", uid="new"), pod("changed", version="2"), pod("added")]]),
    )
    _, told = follow(script)
    assert told.calls[1:] == [
        ("drop", "anew"),
        ("put", "anew"),
        ("put", "changed"),
        ("put", "added"),
        ("drop", "deleted"),
    ]
    assert sorted(told.there) == ["added", "anew", "changed", "kept"]
    assert told.there["anew"].uid == "new"
    assert len(script.pauses) == 1, "a server that always says so is not hammered"


def test_an_error_in_a_watch_that_is_no_410_means_a_new_list() -> None:
    failure = event("ERROR", {"code": 500, "message": "etcd"})
    script = Script(Pages([[]]), Watch(failure), Pages([[]]))
    follow(script)
    assert versions(script) == ["list", "list-0", "list", "list-0"]


def test_errors_are_repeated_ever_less_often_and_at_least_twice_a_minute() -> None:
    script = Script(*[Failed("no")] * 9, Pages([[]]))
    _, told = follow(script)
    assert script.pauses[:9] == [0.5, 1, 2, 4, 8, 16, 30, 30, 30]
    assert told.calls == [("replace", [])]


def test_an_error_on_the_second_page_tells_the_sink_nothing() -> None:
    broken: Any = Pages([[pod("a")], Refused("GET", 410, "continue expired")])
    script = Script(broken, Pages([[pod("a"), pod("b")]]))
    _, told = follow(script)
    assert told.calls == [("replace", ["a", "b"])]


def test_a_watch_that_ends_at_once_again_and_again_is_slowed_down() -> None:
    script = Script(Pages([[]]), *[Watch(seconds=0.0)] * 3)
    follow(script)
    assert script.pauses == [0.5, 1, 2]


def test_a_kind_that_the_cluster_does_not_have_is_empty_and_asked_for_again() -> None:
    missing = Refused("GET", 404, "404 page not found")
    config = {"metadata": {"namespace": "shop", "name": "web", "uid": "u", "resourceVersion": "3"}}
    script = Script(missing, missing, Pages([[config]]), Watch(), missing, missing)
    informer, told = follow(script, resource=SERVICE_CONFIGS)
    assert informer.synced
    assert script.pauses[:2] == [Timing().absent] * 2
    # The watch's 404 asks for a list; the list's says that the kind has gone.
    assert told.calls == [("replace", []), ("put", "web"), ("drop", "web")]
    assert told.there == {}


def test_pods_are_never_absent_as_a_kind() -> None:
    informer, told = follow(Script(Refused("GET", 404, "404 page not found")))
    assert not informer.synced
    assert told.calls == []


def test_when_it_was_heard_of_is_told() -> None:
    script = Script(Pages([[], []]), Failed("refused"), Failed("refused"))
    informer, _ = follow(script)
    assert informer.seen_at == START, "a list is as old as its beginning"
    script = Script(Pages([[]]), Watch(bookmark("5"), Failed("silent")))
    informer, _ = follow(script)
    assert informer.seen_at == START + 2
    assert informer.failure == "silent"


def test_a_sink_that_raises_gets_everything_again() -> None:
    class Fragile(Told):
        def put(self, item: Any) -> None:
            if not self.calls.count(("put", item.name)):
                self.calls.append(("put", item.name))
                raise ValueError("a bug")

    script = Script(Pages([[]]), Watch(event("ADDED", pod("a"))), Pages([[pod("a")]]))
    _, told = follow(script, Fragile())
    assert told.calls == [("replace", []), ("put", "a"), ("replace", ["a"])]


@pytest.mark.parametrize(
    "odd",
    [
        {},
        {"type": "ADDED"},
        {"type": "ADDED", "object": None},
        {"type": "ADDED", "object": {}},
        {"type": "ADDED", "object": {"metadata": {"uid": 5}}},
        {"type": "NEW", "object": {}},
    ],
)
def test_an_odd_event_ends_nothing(odd: Object) -> None:
    script = Script(Pages([[]]), Watch(odd), Watch(event("ADDED", pod("a"))))
    _, told = follow(script)
    assert told.calls == [("replace", []), ("put", "a")]


def test_values_are_of_the_kind() -> None:
    _, told = follow(Script(Pages([[pod("a")]])))
    assert isinstance(told.there["a"], Pod)
    meta = {"uid": "u", "namespace": "n", "name": "c"}
    _, told = follow(Script(Pages([[{"metadata": meta}]])), resource=SERVICE_CONFIGS)
    assert told.there["c"] == ServiceConfig("n", "c", {})
