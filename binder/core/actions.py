"""What a plan wants done, as values; each is harmless when it is done twice."""

from __future__ import annotations

from enum import IntEnum
from typing import NamedTuple, TypeAlias

from binder.core.clb import Attributes, Frontend, Key
from binder.core.objects import Name, Owner


class Lane(IntEnum):
    """In which order writes to one load balancer go."""

    DRAIN = 0
    LISTENERS = 1
    REGISTER = 2
    DEREGISTER = 3


class CreateListener(NamedTuple):
    """Make the listener of `frontend`; a certificate is the id of one in CLB."""

    frontend: Frontend
    name: str
    attributes: Attributes
    certificate: str = ""


class CreateRule(NamedTuple):
    """Make a rule in a listener of layer 7."""

    listener: str
    frontend: Frontend
    attributes: Attributes


class Modify(NamedTuple):
    """Change what `attributes` say of a listener, or of its rule `location`."""

    listener: str
    location: str
    attributes: Attributes


class DeleteListener(NamedTuple):
    """Remove a listener of ours that nobody wants and that has no targets."""

    listener: str


class DeleteRule(NamedTuple):
    """Remove a rule in a listener of ours that nobody wants and that has no targets."""

    listener: str
    location: str


class Register(NamedTuple):
    """Bind a target."""

    key: Key
    weight: int
    tag: str


class Retag(NamedTuple):
    """Write down whose a bound target is."""

    key: Key
    tag: str


class Weigh(NamedTuple):
    """Set the weight of a bound target; 0 drains it."""

    key: Key
    weight: int


class Deregister(NamedTuple):
    """Unbind a target of ours that has been drained."""

    key: Key


Action: TypeAlias = (
    CreateListener
    | CreateRule
    | Modify
    | DeleteListener
    | DeleteRule
    | Register
    | Retag
    | Weigh
    | Deregister
)


class SetGate(NamedTuple):
    """Write the condition of our gate into the status of the Pod with this uid.

    `resource_version` is given when the write must not overwrite anything newer.
    """

    pod: Name
    uid: str
    status: str
    reason: str
    message: str
    resource_version: str = ""


class SetAddresses(NamedTuple):
    """Write ``status.loadBalancer`` of a Service or Ingress."""

    owner: Owner
    addresses: tuple[str, ...]


class Tell(NamedTuple):
    """An event of a Pod ("Pod", namespace, name, uid), Service or Ingress."""

    about: Owner
    type: str  # Normal, Warning
    reason: str
    message: str


class Confirm(NamedTuple):
    """Ask the API server itself, not a cache, what there is in this namespace."""

    namespace: str
