"""The Kubernetes API in plain JSON, over the connections of the official client.

The client's models cost several times the memory and time of the JSON that they are made from, and
a Pod is needed for a moment only.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator, Mapping
from contextlib import suppress
from typing import Any
from urllib.parse import urlencode

import urllib3
from kubernetes.client import ApiClient
from kubernetes.config import ConfigException
from urllib3.exceptions import HTTPError, ReadTimeoutError

Json = dict[str, Any]
Query = Mapping[str, object]

PLAIN = "application/json"
STRATEGIC = "application/strategic-merge-patch+json"
MERGE = "application/merge-patch+json"

NOT_FOUND, CONFLICT, GONE, INVALID = 404, 409, 410, 422
PAGE = 500  # objects at a time, as kubectl and client-go do; the limit of memory for a LIST
_LONGEST = 300  # characters of an answer that is no JSON
_CHUNK = 1 << 16


class Failed(Exception):
    """The API server gave no answer, or none that can be used; says which call and why."""


class Refused(Failed):
    """The API server answered with an error: `status` of HTTP, and `said` for people."""

    def __init__(self, call: str, status: int, said: str) -> None:
        super().__init__(f"{call}: {status} {said}")
        self.status, self.said = status, said


class Stream:
    """Objects of an answer that goes on, one a line, until the server ends it."""

    def __init__(self, call: str, response: urllib3.BaseHTTPResponse, silence: float) -> None:
        self._call, self._response, self._silence = call, response, silence

    def __iter__(self) -> Iterator[Json]:
        """Failed: it broke off, or nothing came for `silence` seconds."""
        for line in self._lines():
            yield _decoded(self._call, line)

    def cut(self) -> None:
        """End it from another thread, where urllib3 can (from 2.3 on); else its silence does."""
        shutdown = getattr(self._response, "shutdown", None)
        with suppress(ValueError, RuntimeError, OSError):  # it has ended by itself
            if shutdown:
                shutdown()

    def close(self) -> None:
        """Give up the connection; what is on the way on it nobody wants."""
        self._response.close()

    def _lines(self) -> Iterator[bytes]:
        rest = b""
        try:
            for chunk in self._response.stream(_CHUNK):
                *whole, rest = (rest + chunk).split(b"\n")
                yield from filter(None, whole)
        except ReadTimeoutError:
            raise Failed(f"{self._call}: silent for {self._silence:g} s") from None
        except (HTTPError, OSError) as error:
            raise Failed(f"{self._call}: {_why(error)}") from None
        if rest:
            raise Failed(f"{self._call}: broke off in the middle of an object")


class Api:
    """Calls with a time-out in seconds, none of them repeated."""

    def __init__(self, client: ApiClient, timeout: float = 10.0) -> None:
        self._client, self._timeout = client, timeout
        self._lock = threading.Lock()  # a token that has run out is renewed by one thread

    def call(
        self,
        method: str,
        path: str,
        query: Query | None = None,
        body: Json | None = None,
        media: str = PLAIN,
        timeout: float | None = None,
    ) -> Json:
        """The object that the API server answers with.

        Refused: it answered with an error.  Failed: it did not answer, or not with an object.
        """
        limit = urllib3.Timeout(total=timeout or self._timeout)
        response = self._request(method, path, query, body, media, limit, preload=True)
        return _decoded(f"{method} {path}", response.data)

    def stream(self, path: str, query: Query, silence: float) -> Stream:
        """An answer that goes on, such as a watch's; the caller closes it.

        `silence`: seconds without a byte after which it counts as broken.
        """
        limit = urllib3.Timeout(connect=min(self._timeout, silence), read=silence)
        response = self._request("GET", path, query, None, PLAIN, limit, preload=False)
        return Stream(f"WATCH {path}", response, silence)

    def pages(self, path: str) -> Iterator[tuple[str, list[Json]]]:
        """All objects of a collection: the list's version and its objects, page by page.

        Without a resourceVersion, so that they are what etcd's quorum has, not a cache.
        """
        query: dict[str, object] = {"limit": PAGE}
        while True:
            page = self.call("GET", path, query)
            meta, items = page.get("metadata"), page.get("items", "")
            # An answer of something in between must not look like a cluster without objects.
            if not isinstance(meta, dict) or not isinstance(items, list | None):
                raise Failed(f"GET {path}: the answer is no list")
            if not meta.get("resourceVersion"):
                raise Failed(f"GET {path}: the list has no resourceVersion")
            yield (
                str(meta["resourceVersion"]),
                [one for one in items or () if isinstance(one, dict)],
            )
            if not meta.get("continue"):
                return
            query["continue"] = str(meta["continue"])

    def _request(
        self,
        method: str,
        path: str,
        query: Query | None,
        body: Json | None,
        media: str,
        limit: urllib3.Timeout,
        *,
        preload: bool,
    ) -> urllib3.BaseHTTPResponse:
        call = f"{method} {path}"
        settings = self._client.configuration
        try:
            response = self._client.rest_client.pool_manager.request(
                method,
                f"{settings.host.rstrip('/')}{path}{'?' + urlencode(query) if query else ''}",
                headers=self._headers(media),
                body=None if body is None else json.dumps(body).encode(),
                timeout=limit,
                retries=False,
                preload_content=preload,
            )
            if response.status >= 300:
                raise Refused(call, response.status, _said(response.data))
        except (HTTPError, OSError, ConfigException) as error:
            raise Failed(f"{call}: {_why(error)}") from None
        return response

    def _headers(self, media: str) -> dict[str, str]:
        with self._lock:
            auth = self._client.configuration.auth_settings().get("BearerToken")
        headers = {"Accept": PLAIN, "Content-Type": media, **self._client.default_headers}
        if auth and auth["value"]:
            headers["Authorization"] = auth["value"]
        return headers


def _decoded(call: str, data: bytes) -> Json:
    try:
        value = json.loads(data)
    except ValueError:
        value = None
    if not isinstance(value, dict):
        raise Failed(f"{call}: the answer is not JSON, or no object")
    return value


def _said(data: bytes) -> str:
    """The message of a Status, else the beginning of what there is."""
    text = data.decode("utf-8", "replace")
    with suppress(ValueError):
        value = json.loads(text)
        if isinstance(value, dict) and isinstance(value.get("message"), str):
            text = value["message"]
    return " ".join(text.split())[:_LONGEST]


def _why(error: Exception) -> str:
    return f"{type(error).__name__}: {' '.join(str(error).split())}"[:_LONGEST]
