"""The few calls to the API server that the webhook makes, for asyncio."""

from __future__ import annotations

import asyncio
import logging
import threading
import time
from collections.abc import Callable, Mapping
from contextlib import closing, suppress
from typing import Any, NamedTuple, TypeAlias
from urllib.parse import quote

from binder.cluster.api import CONFLICT, MERGE, NOT_FOUND, PLAIN, Api, Failed, Refused

Json: TypeAlias = Mapping[str, Any]
APPLY = "application/apply-patch+yaml"  # JSON is YAML too
WATCH_SECONDS = 60
SILENCE_SECONDS = WATCH_SECONDS + 15.0
AGAIN_SECONDS, AFTER_FAILURE_SECONDS = 1.0, 10.0
LOG = logging.getLogger(__name__)


class Resource(NamedTuple):
    """One object that there is or is not."""

    collection: str  # the path of its kind, and of its namespace if it has one
    name: str

    @property
    def path(self) -> str:
        return f"{self.collection}/{quote(self.name)}"


class Cluster:
    """Calls in threads; every error is a Failed of binder.cluster.api."""

    def __init__(self, api: Api) -> None:
        self._api = api

    async def read(self, resource: Resource) -> Json | None:
        """As it is now, not in a cache; None where there is no such object."""
        try:
            return await self._call("GET", resource)
        except Refused as refusal:
            if refusal.status == NOT_FOUND:
                return None
            raise

    async def replace(self, resource: Resource, body: Json) -> Json:
        """Refused with CONFLICT when it is not what it was."""
        return await self._call("PUT", resource, body)

    async def delete(self, resource: Resource, uid: str) -> None:
        """Delete it if it is the one with this uid, and still there."""
        try:
            await self._call("DELETE", resource, {"preconditions": {"uid": uid}})
        except Refused as refusal:
            if refusal.status != NOT_FOUND:
                raise

    async def apply(self, resource: Resource, body: Json, manager: str, force: bool) -> Json:
        """Server-side apply, which creates it where there is none.

        Without `force` it is Refused with CONFLICT where another manager has set another value.
        """
        query = {"fieldManager": manager, "force": str(force).lower()}
        return await self._call("PATCH", resource, body, APPLY, query)

    async def merge(self, resource: Resource, body: Json, manager: str) -> Json:
        """A merge patch; Refused with CONFLICT when it is not what it was, or is there no more."""
        try:
            return await self._call("PATCH", resource, body, MERGE, {"fieldManager": manager})
        except Refused as refusal:
            if refusal.status == NOT_FOUND:
                raise Refused(f"PATCH {resource.path}", CONFLICT, refusal.said) from None
            raise

    def follow(self, resource: Resource, changed: Callable[[], None]) -> None:
        """Call `changed` in the running loop at each change, and whenever one may be missed."""
        watch = (self._watch, resource, asyncio.get_running_loop(), changed)
        threading.Thread(target=_for_ever, args=watch, name=resource.path, daemon=True).start()

    def _watch(self, resource: Resource, tell: Callable[[], None]) -> None:
        """Until it ends, which the server sees to; without a version it begins with what is."""
        query: dict[str, str | int] = {
            "watch": "true",
            "timeoutSeconds": WATCH_SECONDS,
            # With this one, a role that is limited to the name allows it.
            "fieldSelector": f"metadata.name={resource.name}",
        }
        with closing(self._api.stream(resource.collection, query, SILENCE_SECONDS)) as events:
            for _ in events:
                tell()

    async def _call(
        self,
        method: str,
        resource: Resource,
        body: Json | None = None,
        media: str = PLAIN,
        query: Mapping[str, str | int] | None = None,
    ) -> Json:
        sent = None if body is None else dict(body)
        return await asyncio.to_thread(self._api.call, method, resource.path, query, sent, media)


def _for_ever(
    watch: Callable[[Resource, Callable[[], None]], None],
    resource: Resource,
    loop: asyncio.AbstractEventLoop,
    changed: Callable[[], None],
) -> None:
    def tell() -> None:
        loop.call_soon_threadsafe(changed)

    with suppress(RuntimeError):  # the loop has ended, and so has this process soon
        while True:
            pause = AGAIN_SECONDS
            try:
                watch(resource, tell)
            except Failed as error:
                pause = AFTER_FAILURE_SECONDS
                LOG.warning("no watch, so damage is seen later: %s", error)
            tell()
            time.sleep(pause)
