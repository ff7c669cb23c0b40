"""Connections that do not send what nobody waits for any more.

A call that was given up may still hang in a name server. When that answers at last, the request
must not go out: it might be a write, long after the lease that allowed it.
"""

from __future__ import annotations

import threading
import time
from typing import Any

from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.exceptions import ConnectTimeoutError

_this_thread = threading.local()


def send_within(seconds: float) -> None:
    """From now on this thread may open connections to send on for `seconds`."""
    _this_thread.until = time.monotonic() + seconds


def _require_time(connection: HTTPConnection) -> None:
    if time.monotonic() > getattr(_this_thread, "until", float("inf")):
        connection.close()
        raise ConnectTimeoutError("connected too late to send anything")


class _Connection(HTTPConnection):
    def connect(self) -> None:
        super().connect()
        _require_time(self)


class _SecureConnection(HTTPSConnection):
    def connect(self) -> None:
        super().connect()
        _require_time(self)


class _Pool(HTTPConnectionPool):
    ConnectionCls = _Connection


class _SecurePool(HTTPSConnectionPool):
    ConnectionCls = _SecureConnection


class Timely(HTTPAdapter):
    """The adapter of requests with such connections; a proxy's are its own."""

    def init_poolmanager(self, *given: Any, **options: Any) -> None:
        super().init_poolmanager(*given, **options)
        self.poolmanager.pool_classes_by_scheme = {"http": _Pool, "https": _SecurePool}
