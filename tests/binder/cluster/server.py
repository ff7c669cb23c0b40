"""An API server that answers what a test says, over real HTTP."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, NamedTuple
from urllib.parse import parse_qsl, urlsplit

from kubernetes.client import ApiClient, Configuration

from binder.cluster.api import Api

Object = dict[str, Any]
HANG, DROP = b"<hang>", b"<drop>"  # instead of a chunk: say nothing more; cut the connection


class Request(NamedTuple):
    method: str
    path: str
    query: dict[str, str]
    headers: dict[str, str]
    body: Any


class Reply(NamedTuple):
    """A body of bytes or JSON; of an iterator, chunks as they come."""

    body: Object | bytes | Iterable[bytes]
    status: int = 200


Answer = Callable[[Request], Reply]


class Server:
    """`requests` are those it has had; `answer` may be changed at any time."""

    def __init__(self, url: str, answer: Answer) -> None:
        self.url, self.answer = url, answer
        self.requests: list[Request] = []
        self.ending = threading.Event()


@contextmanager
def serve(answer: Answer) -> Iterator[Server]:
    http = ThreadingHTTPServer(("127.0.0.1", 0), BaseHTTPRequestHandler)
    http.daemon_threads = True
    server = Server(f"http://127.0.0.1:{http.server_port}", answer)
    http.RequestHandlerClass = _handler(server)
    thread = threading.Thread(target=http.serve_forever, args=(0.02,), name="api")
    thread.start()
    try:
        yield server
    finally:
        server.ending.set()
        http.shutdown()
        thread.join()
        http.server_close()


@contextmanager
def api_of(server: Server, timeout: float = 5.0) -> Iterator[Api]:
    settings = Configuration(host=server.url)
    settings.proxy = None
    settings.retries = False
    with ApiClient(settings) as client:
        yield Api(client, timeout)


def page(items: list[Object], version: str = "10", more: str = "") -> Reply:
    return Reply({"metadata": {"resourceVersion": version, "continue": more}, "items": items})


def refusal(status: int, message: str = "no") -> Reply:
    return Reply({"kind": "Status", "code": status, "message": message}, status)


def line(kind: str, item: Object) -> bytes:
    return json.dumps({"type": kind, "object": item}).encode() + b"\n"


def _handler(server: Server) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_message(self, *_: object) -> None:
            pass

        def do_GET(self) -> None:
            size = int(self.headers.get("Content-Length") or 0)
            body = json.loads(self.rfile.read(size)) if size else None
            path, query = urlsplit(self.path).path, dict(parse_qsl(urlsplit(self.path).query))
            request = Request(self.command, path, query, dict(self.headers), body)
            server.requests.append(request)
            reply = server.answer(request)
            self.send_response(reply.status)
            if isinstance(reply.body, dict | bytes):
                self._whole(reply.body)
            else:
                self._chunks(reply.body)

        do_POST = do_PUT = do_PATCH = do_GET

        def _whole(self, body: Object | bytes) -> None:
            data = body if isinstance(body, bytes) else json.dumps(body).encode()
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        def _chunks(self, chunks: Iterable[bytes]) -> None:
            self.send_header("Transfer-Encoding", "chunked")
            self.end_headers()
            for chunk in chunks:
                if chunk == HANG:
                    server.ending.wait()
                if chunk in (HANG, DROP):
                    self.close_connection = True
                    return
                self.wfile.write(b"%x\r\n%s\r\n" % (len(chunk), chunk))
            self.wfile.write(b"0\r\n\r\n")

    return Handler
