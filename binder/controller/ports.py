"""What the loops need of the world; the adapters have it, and tests have fakes of it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Protocol, TypeVar

from binder.core.actions import Action, SetAddresses, SetGate, Tell
from binder.core.clb import Health, Key, Listener, Target
from binder.core.objects import Changes, Condition, Ingress, Pod, Service

Value = TypeVar("Value", covariant=True)


class Read(Protocol[Value]):
    """An answer, and when its call started, in seconds of our monotonic clock."""

    @property
    def value(self) -> Value: ...
    @property
    def started(self) -> float: ...


class Failure(Protocol):
    """Why an action was not done, as far as is known."""

    @property
    def code(self) -> str: ...
    @property
    def message(self) -> str: ...
    @property
    def kind(self) -> object: ...


class Outcome(Protocol):
    """An action and what became of it."""

    @property
    def action(self) -> Action: ...
    @property
    def error(self) -> Failure | None: ...


class Cloud(Protocol):
    """CLB; every failure is a CloudError."""

    def load_balancers(self, ids: Sequence[str]) -> Read[Mapping[str, tuple[str, ...]]]: ...
    def listeners(self, lb: str) -> Read[tuple[Listener, ...]]: ...
    def targets(self, lb: str) -> Read[Mapping[Key, Target]]: ...
    def health(self, lbs: Sequence[str]) -> Read[Mapping[str, Mapping[Key, Health]]]: ...
    def perform(self, lb: str, actions: Sequence[Action]) -> Sequence[Outcome]: ...


class Cluster(Protocol):
    """Kubernetes, as far as it is written to or asked without a cache."""

    def changes(self) -> Changes: ...
    def set_gate(self, write: SetGate, before: Condition | None) -> bool: ...
    def set_addresses(self, write: SetAddresses) -> bool: ...
    def tell(self, tell: Tell) -> None: ...
    def live(
        self, namespace: str
    ) -> tuple[Sequence[Pod], Sequence[Service], Sequence[Ingress]]: ...


class Lease(Protocol):
    """Whether we lead."""

    @property
    def since(self) -> float | None: ...
    def held(self) -> bool: ...
    def enter(self) -> bool:
        """Begin a piece of work, if we lead; no write of it is sent after a lapse."""

    def retire(self) -> None:
        """Let no write be sent any more."""

    def inherited(self) -> Iterable[str]:
        """The load balancers that whoever led last was working on."""

    def leave_behind(self, lbs: Iterable[str]) -> None:
        """Let the next one know that we are working on `lbs`."""
