"""From a request to an answer, in the order in which the real service refuses things.

Size, key, clock, token, signature, version, action, region, CAM, rate limit; then faults, then
parameters, then the action itself. The order is that of the gateway as its errors show it.
"""

from __future__ import annotations

import hashlib
import logging
from dataclasses import dataclass, field
from typing import Any

from binder.simulator import parameters
from binder.simulator.accounts import Key
from binder.simulator.actions import ACTIONS
from binder.simulator.call import Action, Call, Reply
from binder.simulator.carry_out import carry_out
from binder.simulator.errors import ApiError, within
from binder.simulator.faults import OUT_OF_BAND, Effects
from binder.simulator.out_of_band import happen
from binder.simulator.parameters import Params
from binder.simulator.signature import Request
from binder.simulator.tasks import Write
from binder.simulator.world import REGIONS, World

log = logging.getLogger(__name__)

MOST_BYTES = {"POST": 10 * 1024 * 1024, "GET": 32 * 1024}
VERSIONS = {"clb": "2018-03-17", "sts": "2018-08-13"}
WEB_IDENTITY = "AssumeRoleWithWebIdentity"  # the one action that nobody signs
UNEXECUTED = ("http", "drop-before", "hang-before")
_STRANGER = Key("", "", account="", uin="")


@dataclass
class Answer:
    """What is sent back, and how it is spoilt on its way."""

    response: dict[str, Any]
    effects: Effects = field(default_factory=lambda: Effects([]))


@dataclass
class Visit:
    """What is known of a request so far; the journal gets it however far it comes."""

    request_id: str
    request: Request
    started: float
    given: Params = field(default_factory=dict)
    key: Key = _STRANGER
    action: Action | None = None
    effects: Effects = field(default_factory=lambda: Effects([]))

    @property
    def lbs(self) -> tuple[str, ...]:
        """The load balancers that the request names, right or wrong."""
        one, several = self.given.get("LoadBalancerId"), self.given.get("LoadBalancerIds")
        names = [one, *several] if isinstance(several, list) else [one]
        return tuple(name for name in names if isinstance(name, str))


async def answer(world: World, request: Request) -> Answer:
    """Answer `request`, and write it into the journal."""
    visit = Visit(world.new_request_id(), request, world.now())
    outcome = "OK"
    try:
        reply = await _execute(world, visit)
    except ApiError as error:
        documented = visit.action.errors if visit.action else frozenset()
        outcome = within(error.code, documented)
        reply = {"Error": {"Code": outcome, "Message": error.message(_language(request))}}
    except Exception:
        log.exception("a bug in the simulator, answered as InternalError")
        outcome = "InternalError"
        reply = {"Error": {"Code": outcome, "Message": "a bug in the simulator, see its log"}}
    _write_down(world, visit, outcome)
    return Answer({"Response": {**reply, "RequestId": visit.request_id}}, visit.effects)


async def _execute(world: World, visit: Visit) -> Reply:
    call = _admit(world, visit)
    delay = visit.effects.value("delay", "seconds", 1.0)
    if delay:
        await world.clock.sleep(delay)
    if visit.effects.get(*UNEXECUTED):
        raise ApiError("InternalError", "not executed")  # nobody gets to see it
    if call.action.writes:
        for name in visit.lbs:
            world.require_lb(name, call.region)
        world.tasks.require_free(visit.lbs)
    outcome = call.action.run(call)
    return await carry_out(call, outcome) if isinstance(outcome, Write) else outcome


def _admit(world: World, visit: Visit) -> Call:
    """Everything that comes before the action itself."""
    request = visit.request
    if request.method not in MOST_BYTES:
        raise ApiError("UnsupportedProtocol")
    if len(request.body or request.query) > MOST_BYTES[request.method]:
        raise ApiError("RequestSizeLimitExceeded")
    service = _authenticate(world, visit)
    action, region = _known(visit, service)
    malformed = _look_inside(visit)
    _authorize(visit, action, region)
    _count(world, visit, action, region)
    _inject(world, visit, action)
    if malformed:
        raise malformed
    params = parameters.check(visit.given, action.schema, from_text=request.method == "GET")
    return Call(world, action, visit.request_id, region, visit.key, params, visit.effects)


def _authenticate(world: World, visit: Visit) -> str:
    """Whose call it is; the service that it was signed for."""
    headers = visit.request.headers
    if headers.get("authorization") == "SKIP" and headers.get("x-tc-action") == WEB_IDENTITY:
        return "sts"
    visit.key, claimed = world.accounts.authenticate(visit.request, world.now())
    return claimed.service


def _known(visit: Visit, service: str) -> tuple[Action, str]:
    """The action and the region, if there are such."""
    headers = visit.request.headers
    version, name = headers.get("x-tc-version", ""), headers.get("x-tc-action", "")
    if VERSIONS.get(service) != version:
        raise ApiError("NoSuchVersion", version=version)
    action = ACTIONS.get(name)
    if action is None or action.service != service:
        raise ApiError("InvalidAction", action=name)
    visit.action = action
    region = headers.get("x-tc-region", "")
    if not region:
        raise ApiError("MissingParameter", name="Region")
    if region not in REGIONS:
        raise ApiError("UnsupportedRegion", region=region)
    return action, region


def _look_inside(visit: Visit) -> ApiError | None:
    """Take the parameters apart, unchecked; what is wrong with them is told later."""
    try:
        visit.given = parameters.parse(
            visit.request.method, visit.request.query, visit.request.body
        )
    except ApiError as error:
        return error
    return None


def _authorize(visit: Visit, action: Action, region: str) -> None:
    if action.service != "clb":
        return
    for lb in visit.lbs or ("",):
        if not visit.key.may(action.name, lb):
            resource = f"qcs::clb:{region}:uin/{visit.key.uin}:clb/{lb or '*'}"
            raise ApiError("UnauthorizedOperation", action=action.name, resource=resource)


def _count(world: World, visit: Visit, action: Action, region: str) -> None:
    now, account = world.now(), visit.key.account
    lowered = world.faults.limit(action.name, visit.lbs, account, now)
    who = (account, visit.key.uin, visit.request.peer)
    world.windows.take(action.name, region, *who, now=now, limit=lowered)


def _inject(world: World, visit: Visit, action: Action) -> None:
    """Let the faults take effect that this call has."""
    now = world.now()
    visit.effects = Effects(world.faults.hit(action.name, visit.lbs, visit.key.account, now))
    for fault in visit.effects.rows:
        values = {"request_id": visit.request_id, "fault": fault.id}
        world.journal.add("fault", now, effect=fault.effect, **values)
        if fault.effect in OUT_OF_BAND:
            happen(world, fault, visit.lbs)
    error = visit.effects.get("error")
    if error:
        raise ApiError(error.parameters["code"], error.parameters.get("message"))


def _language(request: Request) -> str:
    return request.headers.get("x-tc-language", "zh-CN")


def _write_down(world: World, visit: Visit, outcome: str) -> None:
    headers = visit.request.headers
    now = world.now()
    world.journal.add(
        "call",
        now,
        request_id=visit.request_id,
        action=headers.get("x-tc-action", ""),
        region=headers.get("x-tc-region", ""),
        account=visit.key.account,
        lbs=list(visit.lbs),
        writes=bool(visit.action and visit.action.writes),
        outcome=outcome,
        arrived=round(visit.started, 6),
        duration=round(now - visit.started, 6),
        body=hashlib.sha256(visit.request.body).hexdigest(),
    )
