"""Pods whose gate has nothing to wait for, or not any more: why it opens, and how soon.

Each case has a Deployment of one Pod, and mostly a Service, of its own; all run at once in one bed.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from typing import Any, NamedTuple

from kubernetes.client import ApiextensionsV1Api, CustomObjectsApi
from kubernetes.client.exceptions import ApiException

from binder.settings import Settings
from schemas import contract
from tests.binder.cluster.test_real import service_config_definition
from tests.binder.endtoend.bed import CHECK, FRONT, Bed
from tests.binder.endtoend.recorder import Life

NOBODY = 9  # a port at which no Pod answers: its target stays Dead, its gate waits
CONFIG = "quick"
# The shortest that TKE takes: Alive five seconds after it was bound.
QUICK = {"enable": True, "intervalTime": 5, "timeout": 2, "healthNum": 2, "unHealthNum": 2}


class Case(NamedTuple):
    """`act` is done when the Pod waits; `hold` is the setting for how long the gate waits then."""

    name: str
    reason: str
    service: Mapping[str, Any] | None = None  # what its Service is made with; None: it has none
    spec: Mapping[str, Any] = {}  # of the Pod
    act: Callable[[Bed, str], None] | None = None
    hold: str = ""
    warns: bool = True
    lb: bool = False  # has a load balancer of its own
    modes: tuple[str, ...] = ("existing", "owned")


class Release(NamedTuple):
    """Since when it could open (its containers are ready, or `act` was done), and what it said."""

    case: Case
    seconds: float
    reason: str
    warned: bool


def lb_of(name: str) -> str:
    return f"lb-{name.replace('-', '')}"


def delete_service(bed: Bed, name: str) -> None:
    bed.core.delete_namespaced_service(name, bed.namespace)


def forget_id(bed: Bed, name: str) -> None:
    """Its Service does not name a load balancer any more."""
    named = bed.core.read_namespaced_service(name, bed.namespace).metadata.annotations
    change = {"metadata": {"annotations": dict.fromkeys(named)}}
    bed.core.patch_namespaced_service(name, bed.namespace, change)


def delete_lb(bed: Bed, name: str) -> None:
    bed.fault("delete-lb", lb=lb_of(name))


def delete_listener(bed: Bed, name: str) -> None:
    bed.fault("delete-listener", lb=lb_of(name))


DEAD: Mapping[str, Any] = {"target": NOBODY}
HOST: Mapping[str, Any] = {"hostNetwork": True}
SERVING = "LoadBalancerNetworkGroupReady"
DETACHED = "LoadBalancerDetached"
NOT_PROVISIONED = "LoadBalancerNotProvisioned"

CASES: tuple[Case, ...] = (
    Case("served", SERVING, {"port": FRONT}, warns=False),
    Case("in-no-lb", "NoLoadBalancer", warns=False),
    Case("host-network", "Unsupported", {"port": FRONT + 1}, HOST),
    Case("port-missing", "Unsupported", {"port": FRONT + 1, "target": "grpc"}),
    Case("no-lb-named", NOT_PROVISIONED, {"lb": ""}),
    Case("lb-unknown", DETACHED, {"lb": "lb-nowhere1"}, hold="confirm_absent"),
    Case("listener-unknown", DETACHED, {"port": 9999}, hold="confirm_absent", modes=("existing",)),
    Case("service-removed", "NoLoadBalancer", DEAD, act=delete_service, warns=False, lb=True),
    Case("lb-forgotten", NOT_PROVISIONED, DEAD, act=forget_id, hold="forget_lb", lb=True),
    Case("lb-deleted", DETACHED, DEAD, act=delete_lb, hold="confirm_absent", lb=True),
    Case(
        "listener-deleted",
        DETACHED,
        DEAD,
        act=delete_listener,
        hold="confirm_absent",
        lb=True,
        modes=("existing",),
    ),
    # It is made again, and the Pod is served.
    Case(
        "listener-remade", SERVING, {}, act=delete_listener, warns=False, lb=True, modes=("owned",)
    ),
)


def released(bed: Bed, mode: str, timing: Mapping[str, float]) -> list[Release]:
    """Let all cases of `mode` happen, and then every disaster, with what must hold of each.

    `timing` is that of the bed.
    """
    settings = Settings()._replace(**timing)
    bed.facts.pop("min_available")
    with ExitStack() as stack:
        if mode == "owned":
            stack.enter_context(service_configs(bed))
        bed.start_binder()
        found = _releases(bed, mode, settings)
        # A binder that looks even where nothing waits. The bed makes sure that no Pod becomes
        # NotReady by what it sees.
        bed.leader().end()
        bed.start_binder("--timing=audit=1")
        disasters(bed)
    for one in found:
        assert one.reason == one.case.reason, one
        assert one.warned is one.case.warns, one
        assert not one.case.hold or one.seconds >= getattr(settings, one.case.hold) - 1, one
    return found


def _releases(bed: Bed, mode: str, settings: Settings) -> list[Release]:
    cases = [case for case in CASES if mode in case.modes]
    for case in cases:
        _make(bed, case, mode)
    acted: dict[str, float] = {}
    for case in cases:
        if case.act is not None:
            bed.wait(f"that {case.name} waits", lambda name=case.name: _waits(bed, name), 120.0)
            acted[case.name] = time.time()
            case.act(bed, case.name)
    patience = 90.0 + 2 * max(settings.confirm_absent, settings.forget_lb)
    found = []
    for case in cases:
        bed.wait(f"the gate of {case.name}", lambda name=case.name: _life(bed, name).open, patience)
        life = _life(bed, case.name)
        since = acted.get(case.name) or life.up
        assert since is not None and life.opened is not None
        bed.wait(f"the event of {case.name}", lambda one=case: _warned(bed, one) or not one.warns)
        found.append(Release(case, life.opened - since, life.reason, _warned(bed, case)))
    return found


def disasters(bed: Bed) -> None:
    """All that can happen to a load balancer, each until the binder has looked twice."""
    for effect, more in (
        ("set-health", {"health": "Dead"}),
        ("weight", {"weight": 0}),
        ("remove-target", {}),
        ("delete-listener", {}),
        ("delete-lb", {}),
    ):
        bed.fault(effect, lb=bed.lb, parameters=more)
        for _ in range(2):
            since = bed.mark()
            bed.wait(f"a look after {effect}", lambda at=since: bed.read_since(at))


def _make(bed: Bed, case: Case, mode: str) -> None:
    existing = mode == "existing"
    if case.lb:
        listener = {"protocol": "TCP", "port": FRONT, "health_check": CHECK}
        bed.sow(lb_of(case.name), *([listener] if existing else []))
    if case.service is not None:
        more = {} if existing else {contract.SERVICE_CONFIG["service"]: CONFIG}
        where = {"lb": lb_of(case.name)} if case.lb else {}
        bed.service(case.name, more=more, **{**where, **case.service})
    bed.deploy(1, name=case.name, pre_stop=1, **case.spec)


@contextmanager
def service_configs(bed: Bed) -> Iterator[None]:
    """TKE's kind, and one of it that shortens health checks."""
    kinds = ApiextensionsV1Api(bed.api)
    definition = service_config_definition()
    kinds.create_custom_resource_definition(definition)
    try:
        bed.wait("TKE's kind", lambda: _configured(bed))
        yield
    finally:
        kinds.delete_custom_resource_definition(definition["metadata"]["name"])


def _configured(bed: Bed) -> bool:
    rows = [{"protocol": "TCP", "port": port, "healthCheck": QUICK} for port in (FRONT, FRONT + 1)]
    config = {
        "apiVersion": f"{contract.SERVICE_CONFIG_GROUP}/v1alpha1",
        "kind": "TkeServiceConfig",
        "metadata": {"name": CONFIG},
        "spec": {"loadBalancer": {"l4Listeners": rows}},
    }
    try:
        CustomObjectsApi(bed.api).create_namespaced_custom_object(
            contract.SERVICE_CONFIG_GROUP, "v1alpha1", bed.namespace, "tkeserviceconfigs", config
        )
    except ApiException as error:
        if error.status != 404:
            raise
        return False
    return True


def _life(bed: Bed, name: str) -> Life:
    return next(iter(bed.recorder.of(name).values()), Life(name, name))


def _waits(bed: Bed, name: str) -> bool:
    """Its Pod is bound, and the gate says what it waits for."""
    bound = {ip for ip, _ in bed.targets(lb=lb_of(name))}
    return any(
        bed.gate_of(pod) is not None and pod.status.pod_ip in bound for pod in bed.pods(name)
    )


def _warned(bed: Bed, case: Case) -> bool:
    listed = bed.core.list_namespaced_event(bed.namespace).items
    return any(
        each.type == "Warning"
        and each.reason == case.reason
        and each.involved_object.kind == "Pod"
        and each.involved_object.name.startswith(f"{case.name}-")
        for each in listed
    )
