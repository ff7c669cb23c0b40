"""The mark of ours on a target: which cluster bound it, for which Pod.

CLB keeps a Tag per target and gives it back with DescribeTargets (CLB API, data type Backend). So
the load balancer is the ledger, and a binder that starts knows what is its own.
"""

from __future__ import annotations

import hashlib
from typing import NamedTuple

_VERSION = "b1"
_CLUSTER, _UID = 8, 16


class Mark(NamedTuple):
    """What a tag of ours says; both are shortened, as a tag is short."""

    cluster: str
    uid: str


def mark(cluster: str, uid: str) -> Mark:
    """The mark of a Pod's targets."""
    return Mark(short(cluster), uid.replace("-", "")[:_UID])


def short(cluster: str) -> str:
    """Eight characters that stand for a cluster's name."""
    return hashlib.sha256(cluster.encode()).hexdigest()[:_CLUSTER]


def write(mark: Mark) -> str:
    """The tag that says `mark`."""
    return f"{_VERSION}.{mark.cluster}.{mark.uid}"


def read(tag: str) -> Mark | None:
    """What `tag` says; None when it is no tag of a binder."""
    version, _, rest = tag.partition(".")
    cluster, _, uid = rest.partition(".")
    if version != _VERSION or len(cluster) != _CLUSTER or len(uid) != _UID:
        return None
    return Mark(cluster, uid)
