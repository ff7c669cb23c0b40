"""The error codes that each action documents.

From the CLB API pages, as the vendor's Go SDK repeats them above each method. What is not in the
set of an action is answered with its prefix, see ``errors.within``; the gateway's codes are not
listed here, they may come from any action.
"""

from __future__ import annotations

_COMMON = (
    *("FailedOperation", "InternalError", "InvalidParameter", "InvalidParameter.FormatError"),
    *("InvalidParameterValue", "InvalidParameterValue.Length", "UnauthorizedOperation"),
)
_BUSY = "FailedOperation.ResourceInOperating"
_BATCH = (
    *(*_COMMON, _BUSY, "InvalidParameter.LBIdNotFound", "InvalidParameter.ListenerIdNotFound"),
    *("InvalidParameter.LocationNotFound", "InvalidParameter.PortCheckFailed"),
    *("InvalidParameter.ProtocolCheckFailed", "InvalidParameter.RegionNotFound"),
    *("InvalidParameterValue.Duplicate", "LimitExceeded", "MissingParameter"),
)
_TARGETS = (*_COMMON, "InvalidParameterValue.Duplicate", "MissingParameter")
_READ = (
    *("InternalError", "InvalidParameter", "InvalidParameter.FormatError"),
    *("InvalidParameter.LBIdNotFound", "InvalidParameterValue.Length"),
)

ERRORS: dict[str, frozenset[str]] = {
    name: frozenset(codes)
    for name, codes in {
        "BatchRegisterTargets": _BATCH,
        "BatchDeregisterTargets": (
            *(*_BATCH, "InvalidParameterValue.Range", "ResourceInsufficient"),
        ),
        "RegisterTargets": (*_TARGETS, _BUSY, "LimitExceeded", "ResourceInsufficient"),
        "DeregisterTargets": _TARGETS,
        "BatchModifyTargetWeight": _COMMON,
        "BatchModifyTargetTag": _COMMON,
        "ModifyTargetWeight": (*_COMMON, _BUSY, "InvalidParameterValue.Duplicate"),
        "DescribeTargets": (
            *(*_READ, "InvalidParameter.InvalidFilter", "InvalidParameter.ListenerIdNotFound"),
        ),
        "DescribeTargetHealth": (*_READ, "UnsupportedOperation"),
        "CreateListener": (
            *(*_COMMON, _BUSY, "InvalidParameter.PortCheckFailed", "LimitExceeded"),
            *("ResourceInsufficient", "InvalidParameter.LBIdNotFound"),
        ),
        "DescribeListeners": (*_READ, "InvalidParameter.ListenerIdNotFound"),
        "ModifyListener": (*_COMMON, _BUSY),
        "DeleteListener": (*_COMMON, _BUSY),
        "DeleteLoadBalancerListeners": (*_COMMON, _BUSY),
        "CreateRule": (*_COMMON, _BUSY, "LimitExceeded"),
        "ModifyRule": (*_COMMON, _BUSY),
        "ModifyDomainAttributes": (*_COMMON, _BUSY),
        "DeleteRule": (*_COMMON, _BUSY),
        "CreateLoadBalancer": (
            *(*_COMMON, "InvalidParameter.ClientTokenLimitExceeded", "LimitExceeded"),
            *("ResourceInsufficient", "UnsupportedOperation", "InvalidParameterValue.Range"),
        ),
        "DescribeLoadBalancers": (
            *(*_READ, "InvalidParameterValue.Range", "InvalidParameterValue.InvalidFilter"),
        ),
        "DeleteLoadBalancer": (
            *(*_COMMON, "FailedOperation.FrequencyCheckRisk", "LimitExceeded"),
            *("FailedOperation.TargetNumCheckRisk", "FailedOperation.TrafficCheckRisk"),
            "InvalidParameter.LBIdNotFound",
        ),
        "ModifyLoadBalancerAttributes": (*_COMMON, _BUSY, "InvalidParameter.LBIdNotFound"),
        "SetLoadBalancerSecurityGroups": (
            *(*_COMMON, _BUSY, "LimitExceeded", "InvalidParameter.LBIdNotFound"),
        ),
        "DescribeTaskStatus": (
            *("FailedOperation", "InternalError", "InvalidParameter"),
            "InvalidParameter.RegionNotFound",
        ),
        "DescribeAsyncJobs": (*_READ, "InvalidParameterValue.Range"),
        "DescribeQuota": ("InternalError", "InvalidParameter.FormatError", "UnsupportedOperation"),
        "DescribeLBListeners": _READ,
        "AssumeRoleWithWebIdentity": (
            *("InternalError", "InvalidParameter.WebIdentityTokenError"),
            *("InvalidParameter.OverTimeError", "ResourceNotFound", "InvalidParameterValue.Range"),
        ),
    }.items()
}
