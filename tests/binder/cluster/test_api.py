"""Calls, pages and streams over HTTP, whatever the other side does."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import closing

import pytest

from binder.cluster.api import PAGE, Api, Failed, Refused
from tests.binder.cluster.server import (
    DROP,
    HANG,
    Answer,
    Reply,
    Request,
    Server,
    api_of,
    line,
    page,
    refusal,
    serve,
)

PATH = "/api/v1/pods"
AWAKE = 30.0  # seconds, for what is not meant to time out


@pytest.fixture
def server() -> Iterator[Server]:
    with serve(lambda _: page([])) as running:
        yield running


@pytest.fixture
def api(server: Server) -> Iterator[Api]:
    with api_of(server) as made:
        yield made


def replies(*each: Reply) -> Answer:
    left = iter(each)
    return lambda _: next(left)


def test_a_call_sends_and_gets_json(server: Server, api: Api) -> None:
    server.answer = lambda request: Reply({"got": request.body})
    assert api.call("PATCH", PATH, {"a": "b c"}, {"x": 1}, "application/merge-patch+json") == {
        "got": {"x": 1}
    }
    sent = server.requests[0]
    assert (sent.method, sent.path, sent.query) == ("PATCH", PATH, {"a": "b c"})
    assert sent.headers["Content-Type"] == "application/merge-patch+json"


def test_a_refusal_says_which_call_and_why(server: Server, api: Api) -> None:
    server.answer = lambda _: refusal(403, "pods is forbidden")
    with pytest.raises(Refused, match=r"^GET /api/v1/pods: 403 pods is forbidden$") as caught:
        api.call("GET", PATH)
    assert caught.value.status == 403


@pytest.mark.parametrize("body", [b"<html>", b"[1]", b"", b"\xff"])
def test_an_answer_that_is_no_object_is_a_failure(server: Server, api: Api, body: bytes) -> None:
    server.answer = lambda _: Reply(body)
    with pytest.raises(Failed, match="not JSON, or no object"):
        api.call("GET", PATH)


def test_a_call_that_hangs_times_out(server: Server, api: Api) -> None:
    server.answer = lambda _: Reply(iter([b"{", HANG]))
    with pytest.raises(Failed, match="imeout"):
        api.call("GET", PATH, timeout=0.1)


def test_no_failure_is_repeated(server: Server, api: Api) -> None:
    server.answer = lambda _: refusal(503, "starting")
    with pytest.raises(Refused):
        api.call("GET", PATH)
    assert len(server.requests) == 1


def test_no_failure_tells_the_token(server: Server, api: Api) -> None:
    api._client.configuration.api_key["authorization"] = "Bearer secret"
    server.answer = lambda request: refusal(401, "Unauthorized")
    with pytest.raises(Refused) as caught:
        api.call("GET", PATH)
    assert server.requests[0].headers["Authorization"] == "Bearer secret"
    assert "secret" not in str(caught.value)


def test_pages_go_on_to_the_end(server: Server, api: Api) -> None:
    server.answer = replies(
        page([{"n": 1}], more="more"), page([{"n": 2}], more="still"), page([{"n": 3}])
    )
    assert [items for _, items in api.pages(PATH)] == [[{"n": 1}], [{"n": 2}], [{"n": 3}]]
    assert [request.query.get("continue") for request in server.requests] == [None, "more", "still"]
    assert {request.query["limit"] for request in server.requests} == {str(PAGE)}
    assert not any("resourceVersion" in request.query for request in server.requests)


def test_a_page_is_asked_for_when_the_one_before_has_been_dealt_with(
    server: Server, api: Api
) -> None:
    server.answer = replies(page([{}], more="more"), page([]))
    pages = api.pages(PATH)
    next(pages)
    assert len(server.requests) == 1


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"items": []},
        {"items": [], "metadata": {}},
        {"metadata": {"resourceVersion": "1"}},
        {"items": {}, "metadata": {"resourceVersion": "1"}},
    ],
)
def test_an_answer_that_is_no_list_is_no_empty_cluster(
    server: Server, api: Api, body: dict[str, object]
) -> None:
    server.answer = lambda _: Reply(body)
    with pytest.raises(Failed, match="list"):
        list(api.pages(PATH))


def test_a_list_without_objects_may_have_null(server: Server, api: Api) -> None:
    server.answer = lambda _: Reply({"items": None, "metadata": {"resourceVersion": "1"}})
    assert list(api.pages(PATH)) == [("1", [])]


def test_objects_of_a_stream_may_be_cut_anywhere(server: Server, api: Api) -> None:
    whole = line("ADDED", {"n": 1}) + line("ADDED", {"n": 2})
    server.answer = lambda _: Reply(iter([whole[:5], whole[5:45], whole[45:]]))
    with closing(api.stream(PATH, {"watch": "true"}, AWAKE)) as stream:
        assert [event["object"] for event in stream] == [{"n": 1}, {"n": 2}]


def test_a_stream_that_says_nothing_has_a_deadline(server: Server, api: Api) -> None:
    server.answer = lambda _: Reply(iter([line("ADDED", {"n": 1}), HANG]))
    with closing(api.stream(PATH, {}, silence=0.1)) as stream:
        events = iter(stream)
        next(events)
        with pytest.raises(Failed, match=r"WATCH /api/v1/pods: silent for 0\.1 s"):
            next(events)


def test_a_stream_that_breaks_off_is_a_failure(server: Server, api: Api) -> None:
    server.answer = lambda _: Reply(iter([line("ADDED", {"n": 1}), b'{"type', DROP]))
    with closing(api.stream(PATH, {}, AWAKE)) as stream:
        events = iter(stream)
        next(events)
        with pytest.raises(Failed):
            next(events)


def test_a_stream_that_ends_in_the_middle_of_an_object_is_a_failure(
    server: Server, api: Api
) -> None:
    server.answer = lambda _: Reply(iter([b'{"type": "ADD']))
    with (
        closing(api.stream(PATH, {}, AWAKE)) as stream,
        pytest.raises(Failed, match="in the middle"),
    ):
        list(stream)


def test_a_stream_that_is_refused_says_so(server: Server, api: Api) -> None:
    server.answer = lambda _: refusal(410, "too old resource version")
    with pytest.raises(Refused, match="too old"):
        api.stream(PATH, {}, AWAKE)


def test_a_stream_can_be_cut_from_another_thread(server: Server, api: Api) -> None:
    server.answer = lambda _: Reply(iter([line("ADDED", {"n": 1}), HANG]))
    heard, ended = threading.Event(), threading.Event()

    def read() -> None:
        with closing(api.stream(PATH, {}, AWAKE)) as stream:
            streams.append(stream)
            try:
                for _ in stream:
                    heard.set()
            except Failed:
                pass
        ended.set()

    streams: list[object] = []
    thread = threading.Thread(target=read)
    thread.start()
    assert heard.wait(5)
    streams[0].cut()  # type: ignore[attr-defined]
    assert ended.wait(5)
    thread.join()


def test_a_server_that_is_not_there_is_a_failure(server: Server) -> None:
    server.url = "http://127.0.0.1:1"
    with api_of(server) as api, pytest.raises(Failed, match="GET /api/v1/pods: "):
        api.call("GET", PATH)


def test_what_is_asked_names_the_binder(server: Server, api: Api) -> None:
    request: Request
    api._client.user_agent = "tke-direct-binder"
    api.call("GET", PATH)
    (request,) = server.requests
    assert request.headers["User-Agent"] == "tke-direct-binder"
