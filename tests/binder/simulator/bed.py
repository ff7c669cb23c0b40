"""A simulator with two listeners, and the real SDK in front of it."""

from __future__ import annotations

import json
import urllib.request
from types import SimpleNamespace
from typing import Any

from tencentcloud.clb.v20180317 import models
from tencentcloud.clb.v20180317.clb_client import ClbClient
from tencentcloud.common.credential import Credential
from tencentcloud.common.exception.tencent_cloud_sdk_exception import TencentCloudSDKException
from tencentcloud.common.profile.client_profile import ClientProfile
from tencentcloud.common.profile.http_profile import HttpProfile

from binder.simulator.simulator import KEY, Running

LB, TCP, HTTP, RULE = "lb-1", "lbl-tcp", "lbl-http", "loc-a"
SEED = {
    "load_balancers": [
        {
            "id": LB,
            "name": "shop",
            "tags": {"team": "web"},
            "listeners": [
                {"id": TCP, "protocol": "TCP", "port": 80},
                {
                    "id": HTTP,
                    "protocol": "HTTP",
                    "port": 8080,
                    "rules": [{"id": RULE, "domain": "a.example", "url": "/"}],
                },
            ],
        }
    ]
}


class Bed:
    """The SDK's client, and the hands of whoever runs the simulator."""

    def __init__(self, simulator: Running) -> None:
        self.simulator = simulator
        self.world = simulator.world
        self._clients: list[ClbClient] = []
        self.client = self.new_client()

    def close(self) -> None:
        """Close the connections, which the SDK leaves to the garbage collector."""
        for client in self._clients:
            client.request.conn._session.close()

    def new_client(
        self,
        secret_id: str = KEY.secret_id,
        secret_key: str = KEY.secret_key,
        token: str | None = None,
        *,
        region: str = "ap-guangzhou",
        language: str = "en-US",
        method: str = "POST",
        timeout: int = 60,
        **profile: Any,
    ) -> ClbClient:
        http = HttpProfile(
            protocol="http",
            endpoint=self.simulator.endpoint,
            reqMethod=method,
            reqTimeout=timeout,
        )
        credential = Credential(secret_id, secret_key, token)
        chosen = ClientProfile(language=language, httpProfile=http, **profile)
        self._clients.append(ClbClient(credential, region, chosen))
        return self._clients[-1]

    def call(self, action: str, client: ClbClient | None = None, **params: Any) -> Any:
        """Call `action` and give the SDK's model of the reply."""
        request = getattr(models, f"{action}Request")()
        request._deserialize(params)
        return getattr(client or self.client, action)(request)

    def shown(self, action: str, **params: Any) -> Any:
        """The reply as plain data."""
        return json.loads(self.call(action, **params).to_json_string())

    def error(self, action: str, client: ClbClient | None = None, **params: Any) -> Any:
        """The exception that calling `action` raises."""
        try:
            self.call(action, client, **params)
        except TencentCloudSDKException as error:
            return error
        raise AssertionError(f"{action} did not fail")

    def raw(self, action: str, body: dict[str, Any]) -> Any:
        """Call with a body that the SDK's models would not make; the error, or the reply."""
        try:
            return self.client.call_json(action, body)["Response"]
        except TencentCloudSDKException as error:
            return error

    def done(self, action: str, **params: Any) -> Any:
        """Call `action`, and let its task end well."""
        reply = self.call(action, **params)
        self.simulator.advance(10)
        status = self.call("DescribeTaskStatus", TaskId=reply.RequestId)
        assert status.Status == 0, status.Message
        return reply

    def bind(self, *ips: str, listener: str = TCP, location: str | None = None, **more: Any) -> Any:
        place = {"ListenerId": listener, **({"LocationId": location} if location else {})}
        targets = [{**place, "EniIp": ip, "Port": 80, **more} for ip in ips]
        return self.call("BatchRegisterTargets", LoadBalancerId=LB, Targets=targets)

    def bound(self) -> dict[str, int]:
        """Addresses and weights on the TCP listener, as DescribeTargets shows them."""
        reply = self.call("DescribeTargets", LoadBalancerId=LB, ListenerIds=[TCP])
        return {row.PrivateIpAddresses[0]: row.Weight for row in reply.Listeners[0].Targets}

    def fault(self, effect: str, **match: Any) -> Any:
        parameters = match.pop("parameters", {})
        return self.admin("faults", effect=effect, parameters=parameters, **match)

    def switch(self, **values: Any) -> None:
        self.admin("switches", **values)

    def admin(self, path: str, **given: Any) -> Any:
        """POST to the admin port."""
        request = urllib.request.Request(
            f"{self.simulator.admin}/{path}", json.dumps(given).encode(), method="POST"
        )
        with urllib.request.urlopen(request) as reply:
            return json.load(reply)

    def targets(self, count: int, **more: Any) -> list[dict[str, Any]]:
        """So many different targets."""
        rows = ({"EniIp": f"10.1.{at // 250}.{at % 250}", "Port": 80} for at in range(count))
        return [{**row, **more} for row in rows]


def time_of(world: Any) -> SimpleNamespace:
    """A module `time` that says what the simulator's clock says."""
    return SimpleNamespace(time=lambda: world.clock.now())
