"""What an error of the CLB API means for whoever called: one table, and one function over it.

Codes are those of the SDK's errorcodes module, of the gateway before it, of the SDK itself
("ClientNetworkError", "JSONDecodeError"), and our own.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum

LONGEST = 500  # characters of a message


class Kind(Enum):
    """What to do."""

    BUSY = "not executed, as the load balancer is held: soon again"
    THROTTLED = "not executed, as there were too many calls: slower"
    AMBIGUOUS = "executed, or not: read, then decide anew"
    CHANGED = "things are not as we believed: read, then decide anew"
    WRONG = "what is asked for is wrong: tell the user, wait for another object"
    FULL = "a quota, stock or money is used up: tell the user, try again much later"
    IDENTITY = "we are not who may do this: stop writing, tell the operator"
    BROKEN = "the binder or its installation is wrong: tell the operator"
    FENCED = "not sent, as we are not the leader any more"


class CloudError(Exception):
    """A call that failed, or the part of one.

    `message` is text of at most LONGEST characters, without keys and tokens; `action` is the name
    of the API's action.
    """

    def __init__(
        self, code: str, message: str, kind: Kind, action: str, request_id: str = ""
    ) -> None:
        super().__init__(code, message)
        self.code = code
        self.message = message[:LONGEST]
        self.kind = kind
        self.action = action
        self.request_id = request_id

    def __str__(self) -> str:
        request = f" (request {self.request_id})" if self.request_id else ""
        return f"{self.action}: {self.code}: {self.message}{request}"


MALFORMED = "MalformedResponse"
TIMEOUT = "CallTimeout"
TASK_FAILED, TASK_UNRESOLVED = "TaskFailed", "TaskUnresolved"
FAILED_LISTENER = "FailListenerIdSet"
NO_CREDENTIALS = "NoCredentials"
NOT_TRIED = "NotTried"
FENCED = "Fenced"

_CODES: Mapping[Kind, tuple[str, ...]] = {
    Kind.BUSY: (
        *("FailedOperation.ResourceInOperating", "FailedOperation.ResourceInCloning"),
        *("FailedOperation.InvalidLBStatus", "ResourceInUse", "ResourceUnavailable"),
        *("ServiceUnavailable", NOT_TRIED),
    ),
    Kind.THROTTLED: ("RequestLimitExceeded",),
    Kind.AMBIGUOUS: (
        *("ClientNetworkError", "ServerNetworkError", "ConnectionError", "ChunkedEncodingError"),
        *("JSONDecodeError", "KeyError", "InternalError", "FailedOperation"),
        *(MALFORMED, TIMEOUT, TASK_FAILED, TASK_UNRESOLVED),
    ),
    Kind.CHANGED: (
        *("InvalidParameter.LBIdNotFound", "InvalidParameter.ListenerIdNotFound"),
        *("InvalidParameter.LocationNotFound", "FailedOperation.NoListenerInLB"),
        *("ResourceNotFound", "InvalidParameterValue.Duplicate", FAILED_LISTENER),
    ),
    Kind.WRONG: (
        *("InvalidParameter", "InvalidParameterValue", "InvalidParameterCombination"),
        *("MissingParameter", "UnknownParameter", "UnsupportedOperation", "OperationDenied"),
        *("FailedOperation.TargetNumCheckRisk", "FailedOperation.TrafficCheckRisk"),
        *("FailedOperation.FrequencyCheckRisk", "FailedOperation.EipTrafficCheckRisk"),
        *("RequestSizeLimitExceeded", "ResponseSizeLimitExceeded"),
    ),
    Kind.FULL: (
        *("LimitExceeded", "ResourceInsufficient", "ResourcesSoldOut"),
        "FailedOperation.InsufficientBalance",
    ),
    Kind.IDENTITY: (
        *("AuthFailure", "UnauthorizedOperation", "InvalidCredential", "IpInBlacklist"),
        *("IpNotInWhitelist", NO_CREDENTIALS),
        "TypeError",  # what the SDK makes of a key that is None
    ),
    Kind.BROKEN: (
        *("ActionOffline", "InvalidAction", "InvalidRequest", "NoSuchProduct", "NoSuchVersion"),
        *("UnsupportedProtocol", "UnsupportedRegion", "ClientParamsError", "ClientError"),
    ),
    Kind.FENCED: (FENCED,),
}
_KIND = {code: kind for kind, codes in _CODES.items() for code in codes}

# Some say it in words only. The words are those that tke-extend-network-controller and the
# vendor's Terraform provider look for; what a rule is for is the codes that it may come with.
_VAGUE = ("FailedOperation", "InternalError", "InvalidParameter")
_WORDS: tuple[tuple[Kind, str], ...] = (
    (Kind.BUSY, "desstate"),
    (Kind.BUSY, "not in normal"),
    (Kind.BUSY, "des status"),
    (Kind.BUSY, "task is working"),
    (Kind.CHANGED, "loadbalancer not exist"),
    (Kind.CHANGED, "lb not exist"),
    (Kind.CHANGED, "some listenerid"),
    (Kind.CHANGED, "some location"),
)
_NO_LOAD_BALANCER = ("loadbalancer not exist", "lb not exist")

# These change what is there, and document no code of their own for what is not: there a bare
# InvalidParameter is most often a target, rule or listener that has gone.
_OF_THINGS_THERE = frozenset(
    {
        *("BatchDeregisterTargets", "BatchModifyTargetWeight", "BatchModifyTargetTag"),
        *("DeleteListener", "DeleteRule"),
    }
)


def classify(code: str, message: str = "", action: str = "") -> Kind:
    """What `code` means: by its words where it is vague, else by its longest known prefix.

    What nobody knows is AMBIGUOUS: then nothing is sent again before CLB was asked.
    """
    if code in _VAGUE:
        text = message.lower()
        for kind, words in _WORDS:
            if words in text:
                return kind
    if code == "InvalidParameter" and action in _OF_THINGS_THERE:
        return Kind.CHANGED
    prefix = code
    while prefix and prefix not in _KIND:
        prefix = prefix.rpartition(".")[0]
    return _KIND.get(prefix, Kind.AMBIGUOUS)


def error(code: str, message: str, action: str, request_id: str = "") -> CloudError:
    """The error of `code`, classified."""
    return CloudError(code, message, classify(code, message, action), action, request_id)


def is_no_load_balancer(error: CloudError) -> bool:
    """Whether the load balancer as a whole is what there is not."""
    text = error.message.lower()
    named = error.code == "InvalidParameter.LBIdNotFound"
    return named or (error.code in _VAGUE and any(words in text for words in _NO_LOAD_BALANCER))
