"""The Kubernetes API in plain dictionaries, over the official client for asyncio.

A kubelet reads each Pod many times; the client's models cost more time than all the rest.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any
from urllib.parse import urlencode

import aiohttp
from kubernetes.aio import client

Object = dict[str, Any]
Event = tuple[str, Object]
MERGE = "application/strategic-merge-patch+json"
FORBIDDEN, GONE, CONFLICT = 403, 404, 409
RETRY_SECONDS = 0.2
WATCH_SECONDS = 3600.0
# What passes when the API server is there again.
PASSING = (aiohttp.ClientError, asyncio.TimeoutError, ConnectionError)


class Api:
    """Calls, and objects that are followed; an error is the client's ApiException."""

    def __init__(self, api: client.ApiClient) -> None:
        self._api = api

    async def call(self, method: str, path: str, body: Object | None = None) -> Object:
        answer = await self._request(method, path, body)
        data = await answer.read()
        if answer.status >= 400:
            raise client.ApiException(answer.status, data.decode("utf-8", "replace"))
        value: Object = json.loads(data)
        return value

    async def follow(self, path: str, **query: str) -> AsyncIterator[Event]:
        """All objects, then all that happens to them; what was missed meanwhile is made up for."""
        known: dict[str, Object] = {}
        while True:
            try:
                async for kind, item in self._list_and_watch(path, query, known):
                    known[item["metadata"]["uid"]] = item
                    if kind == "DELETED":
                        del known[item["metadata"]["uid"]]
                    yield kind, item
            except (*PASSING, client.ApiException):
                await asyncio.sleep(RETRY_SECONDS)

    async def _list_and_watch(
        self, path: str, query: dict[str, str], known: dict[str, Object]
    ) -> AsyncIterator[Event]:
        listing = await self.call("GET", f"{path}?{urlencode(query)}")
        items = {item["metadata"]["uid"]: item for item in listing["items"]}
        for uid in known.keys() - items.keys():
            yield "DELETED", known[uid]
        for item in items.values():
            yield "ADDED", item
        start = {"watch": "true", "resourceVersion": listing["metadata"]["resourceVersion"]}
        answer = await self._request("GET", f"{path}?{urlencode({**query, **start})}")
        try:
            async for line in answer.response.content:
                event = json.loads(line)
                if event["type"] == "ERROR":
                    return  # too old by now, list again
                yield event["type"], event["object"]
        finally:
            # Cut: a farewell in order waits for the server, and the loop may be about to end.
            connection = answer.response.connection
            if connection and connection.transport:
                connection.transport.abort()
            answer.response.close()

    async def _request(self, method: str, path: str, body: Object | None = None) -> Any:
        settings = self._api.configuration
        headers = {
            "Authorization": settings.api_key["authorization"],
            "Content-Type": MERGE if method == "PATCH" else "application/json",
        }
        return await self._api.call_api(
            method, settings.host + path, headers, body, _request_timeout=WATCH_SECONDS
        )


def pod_path(pod: Object, *below: str) -> str:
    meta = pod["metadata"]
    return "/".join((f"/api/v1/namespaces/{meta['namespace']}/pods/{meta['name']}", *below))
