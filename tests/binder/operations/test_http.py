"""What the kubelet and Prometheus are answered, however others behave."""

from __future__ import annotations

import http.client
import socket
import threading
from collections.abc import Iterator

import pytest

from binder.core.objects import Changes
from binder.operations.counts import Counts
from binder.operations.health import Checks, Heart
from binder.operations.http import Operations
from binder.operations.metrics import Metrics, Now

LONG = 30.0  # seconds; nothing here takes so long


class Bed:
    def __init__(self, **options: float) -> None:
        self.now = 0.0
        self.heart, self.ready, self.metrics = Heart(lambda: self.now), Checks(), Metrics()
        self.server = Operations(
            self.heart, self.ready, self.metrics, host="127.0.0.1", port=0, **options
        )  # type: ignore[arg-type]  # a table of numbers
        self.port = self.server.start()

    def get(self, path: str, method: str = "GET") -> tuple[int, str]:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=LONG)
        try:
            connection.request(method, path)
            answer = connection.getresponse()
            return answer.status, answer.read().decode()
        finally:
            connection.close()

    def open(self) -> socket.socket:
        return socket.create_connection(("127.0.0.1", self.port), LONG)


def ended(connection: socket.socket) -> bool:
    """Whether the server ends it, rather than answer."""
    try:
        return connection.recv(1) == b""
    except ConnectionResetError:
        return True


@pytest.fixture
def bed() -> Iterator[Bed]:
    one = Bed()
    yield one
    one.server.stop()


@pytest.mark.parametrize("path", ["/healthz", "/readyz"])
def test_a_probe_is_answered_in_plain_text(bed: Bed, path: str) -> None:
    assert bed.get(path) == (200, "ok\n")


def test_a_silent_loop_fails_liveness_and_not_readiness(bed: Bed) -> None:
    bed.heart.expect("tick", 5.0)
    bed.now = 6.0
    assert bed.get("/healthz") == (503, "tick: silent for 6 s, 5 s are allowed\n")
    assert bed.get("/readyz") == (200, "ok\n")


def test_every_failing_check_has_a_line(bed: Bed) -> None:
    bed.ready.add("view", lambda: "stale")
    bed.ready.add("certificate", lambda: "expired")
    assert bed.get("/readyz") == (503, "view: stale\ncertificate: expired\n")


def test_prometheus_gets_metrics(bed: Bed) -> None:
    bed.metrics.drained(1.5)
    status, text = bed.get("/metrics")
    assert status == 200
    assert "tke_direct_binder_drain_ack_seconds_sum 1.5\n" in text


def test_metrics_that_cannot_be_had_are_an_error_and_no_end(bed: Bed) -> None:
    def broken() -> Counts:
        raise RuntimeError("secret")

    bed.metrics.look(Now(broken, Changes, lambda: 0.0, lambda: True, lambda _: 1.0, lambda: 0))
    assert bed.get("/metrics") == (500, "metrics could not be written\n")
    assert bed.get("/healthz") == (200, "ok\n")


@pytest.mark.parametrize(("method", "path"), [("GET", "/"), ("POST", "/healthz")])
def test_nothing_else_is_there(bed: Bed, method: str, path: str) -> None:
    assert bed.get(path, method)[0] in (404, 405)


def test_a_scrape_that_hangs_does_not_hold_up_a_probe(bed: Bed) -> None:
    go_on, asked = threading.Event(), threading.Event()

    def slow() -> Counts:
        asked.set()
        go_on.wait(LONG)
        return Counts()

    bed.metrics.look(Now(slow, Changes, lambda: 0.0, lambda: True, lambda _: 1.0, lambda: 0))
    scrape = threading.Thread(target=bed.get, args=["/metrics"])
    scrape.start()
    try:
        assert asked.wait(LONG)
        assert bed.get("/healthz")[0] == 200
    finally:
        go_on.set()
        scrape.join(LONG)


def test_clients_that_say_nothing_give_way_to_a_probe() -> None:
    bed = Bed(most=4)
    silent = [bed.open() for _ in range(12)]
    try:
        before = threading.active_count()
        assert bed.get("/healthz")[0] == 200
        assert ended(silent[0])  # the oldest one
        assert threading.active_count() == before  # none costs a thread
    finally:
        for one in silent:
            one.close()
        bed.server.stop()


def test_a_client_that_is_slow_is_ended() -> None:
    bed = Bed(longest=0.2)
    try:
        with bed.open() as slow:
            slow.sendall(b"GET /healthz HTTP/1.1\r\nX-Slow:")
            assert ended(slow)
    finally:
        bed.server.stop()


def test_garbage_is_refused(bed: Bed) -> None:
    with bed.open() as other:
        other.sendall(b"\x16\x03\x01 what is this?\r\n\r\n")
        assert b" 400 " in other.makefile("rb").readline()
    assert bed.get("/healthz")[0] == 200


def test_a_port_that_is_taken_is_named(bed: Bed) -> None:
    other = Operations(Heart(lambda: 0.0), Checks(), Metrics(), host="127.0.0.1", port=bed.port)
    with pytest.raises(OSError, match=f"cannot listen on 127.0.0.1:{bed.port}: "):
        other.start()


def test_it_ends_twice_without_harm() -> None:
    bed = Bed()
    bed.server.stop()
    bed.server.stop()
    with pytest.raises(OSError):
        bed.get("/healthz")
