"""One call of the CLB API: signed by the real SDK, strictly checked, and never replayed blindly.

What the SDK does not do: it finds no error in a reply of an unusual Content-Type, it has no
deadline for a call as a whole, and its retryer repeats writes that succeeded. So none is used.
"""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Callable, Mapping
from typing import Any

from requests import Response
from tencentcloud.common.common_client import (  # type: ignore[import-untyped]  # it has no types
    CommonClient,
)
from tencentcloud.common.exception.tencent_cloud_sdk_exception import (  # type: ignore[import-untyped]
    TencentCloudSDKException,
)
from tencentcloud.common.profile.client_profile import (  # type: ignore[import-untyped]
    ClientProfile,
)
from tencentcloud.common.profile.http_profile import HttpProfile  # type: ignore[import-untyped]

from binder.cloud import codes
from binder.cloud.budget import READ, Budget, Nobody, Observer
from binder.cloud.codes import CloudError, Kind
from binder.cloud.credentials import Credentials
from binder.cloud.deadline import within
from binder.cloud.transport import Timely, send_within

VERSION = "2018-03-17"
NAME = "tke-direct-binder"
CONNECTIONS = 32  # kept open; more are opened when needed
THROTTLED_TIMES = 4  # how often a call may be throttled before it fails
YOUNG = 30.0  # seconds; a key that was fetched just now is not fetched again for an error

Reply = Mapping[str, Any]


class Strict(CommonClient):  # type: ignore[misc]  # the SDK has no types
    """The SDK's client without a model of replies; any Error in a reply is one.

    The models of the SDK check nothing, and are empty for a reply that is not understood.
    """

    def __init__(self, credentials: Credentials, region: str, http: HttpProfile) -> None:
        profile = ClientProfile(
            language="en-US",
            httpProfile=http,
            disable_region_breaker=True,
            request_client=NAME,
        )
        super().__init__("clb", VERSION, credentials, region, profile)
        # In debug mode this logger writes down whole requests, with signature and token.
        logging.getLogger("tencentcloud_sdk_common").setLevel(logging.WARNING)
        self._session = self.request.conn._session
        for scheme in ("http://", "https://"):
            self._session.mount(scheme, Timely(pool_maxsize=CONNECTIONS))

    def close(self) -> None:
        """Close the connections, which the SDK leaves to the garbage collector."""
        self._session.close()

    def _check_status(self, response: Response) -> None:
        if response.status_code != 200:
            response.close()  # unread, so the connection is of no use
            message = f"HTTP status {response.status_code}"
            raise TencentCloudSDKException("ServerNetworkError", message)

    def _check_error(self, response: Response) -> None:
        with response:  # it closes the connection that a broken reply came from
            reply = _response(response.content)
        found = reply.get("Error")
        if found is not None:
            if not isinstance(found, dict) or not isinstance(found.get("Code"), str):
                raise _malformed("an Error without a Code")
            message = str(found.get("Message") or "")
            raise TencentCloudSDKException(found["Code"], message, reply.get("RequestId"))
        if not isinstance(reply.get("RequestId"), str):
            raise _malformed("there is no RequestId")


def _response(content: bytes) -> dict[str, Any]:
    try:
        data = json.loads(content)
    except ValueError:
        raise _malformed("it is not JSON") from None
    reply = data.get("Response") if isinstance(data, dict) else None
    if not isinstance(reply, dict):
        raise _malformed("there is no Response")
    return reply


def _malformed(why: str) -> TencentCloudSDKException:
    return TencentCloudSDKException(codes.MALFORMED, why)


class Client:
    """Calls the API of one region; to be shared by threads.

    `fence` says whether we are still the leader: it is asked before each write is sent. `timeout`
    is for a call as a whole, in seconds.
    """

    def __init__(
        self,
        credentials: Credentials,
        region: str,
        endpoint: str,
        budget: Budget,
        timeout: float,
        fence: Callable[[], bool],
        *,
        protocol: str = "https",
        observer: Observer | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        http = HttpProfile(protocol=protocol, endpoint=endpoint, reqTimeout=timeout, keepAlive=True)
        self._credentials = credentials
        self._sdk = Strict(credentials, region, http)
        self._budget, self._fence = budget, fence
        self.timeout = timeout
        self._observer = observer or Nobody()
        self._clock = clock

    def close(self) -> None:
        """Close the connections."""
        self._sdk.close()

    def call(self, action: str, parameters: Mapping[str, Any], lane: float = READ) -> Reply:
        """Call `action`, and give what is in Response; CloudError when it fails.

        What certainly was not executed may be sent again here: when there were too many calls,
        and once with another key. Nothing else is.
        """
        renewed = False
        throttled = 0
        while True:
            self._budget.take(action, lane)
            try:
                return self._once(action, parameters)
            except CloudError as error:
                if error.kind is Kind.THROTTLED:
                    self._budget.throttled(action)
                    throttled += 1
                    if throttled < THROTTLED_TIMES:
                        continue
                elif not renewed and self._may_renew(error):
                    self._credentials.renew()
                    renewed = True
                    continue
                raise

    def _may_renew(self, error: CloudError) -> bool:
        """Another key may help against this; not where the key is good, but may not do that."""
        denied = "UnauthorizedOperation" in error.code or error.code == codes.NO_CREDENTIALS
        return error.kind is Kind.IDENTITY and not denied and self._credentials.age() >= YOUNG

    def _once(self, action: str, parameters: Mapping[str, Any]) -> Reply:
        # A first key is fetched here, and so is no part of the call's time.
        self._credentials.key()
        if not action.startswith("Describe") and not self._fence():
            raise codes.error(codes.FENCED, "another replica may lead now, nothing sent", action)
        began, code = self._clock(), "OK"
        try:
            return within(self.timeout, lambda: self._send(action, parameters))
        except TimeoutError:
            code = codes.TIMEOUT
            message = f"no complete reply within {self.timeout:g} s"
            raise codes.error(code, message, action) from None
        except TencentCloudSDKException as error:
            code = str(error.code)
            message = self._credentials.conceal(str(error.message))
            raise codes.error(code, message, action, str(error.requestId or "")) from None
        except CloudError as error:
            code = error.code
            raise
        except Exception as error:
            # Of the SDK, requests or urllib3: whether it was sent, nobody knows.
            code = type(error).__name__
            message = self._credentials.conceal(str(error))
            raise codes.error(code, message, action) from None
        finally:
            self._observer.called(action, code, self._clock() - began)

    def _send(self, action: str, parameters: Mapping[str, Any]) -> Reply:
        send_within(self.timeout)
        reply: Reply = self._sdk.call_json(action, dict(parameters))["Response"]
        return reply
