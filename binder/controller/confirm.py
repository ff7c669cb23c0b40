"""Asking the API server itself whether the view is right, before anything depends on it.

A cache that has lost objects looks like a cluster that has none. So that nothing waits for a Pod,
or that many targets go at once, is believed only when a list of this moment says the same.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence

from binder.controller.ports import Cluster
from binder.controller.state import State
from binder.core.bindings import Binding, bindings, selects
from binder.core.objects import Pod, ServiceConfig

EVERYWHERE = ""


class Confirmer:
    """Looks at one namespace at a time; the namespace "" is all of them."""

    def __init__(self, state: State, cluster: Cluster, clock: Callable[[], float]) -> None:
        self._state, self._cluster, self._clock = state, cluster, clock

    def look(self, namespace: str) -> bool:
        """Ask, and note what agrees; whether all did."""
        started = self._clock()
        pods, services, ingresses = self._cluster.live(namespace)
        state = self._state
        with state.lock:
            spaces = {namespace} if namespace else _spaces(pods, services, ingresses, state)
            configs = [
                one for one in state.view.of(ServiceConfig) if isinstance(one, ServiceConfig)
            ]
            by_space: dict[str, list[Pod]] = defaultdict(list)
            for pod in pods:
                by_space[pod.namespace].append(pod)
            services_agree = pods_agree = True
            for space in spaces:
                live = bindings(
                    [one for one in services if one.namespace == space],
                    [one for one in ingresses if one.namespace == space],
                    [one for one in configs if one.namespace == space],
                    state.settings,
                )
                known = state.view.wanted_in(space)
                services_agree &= _targets(live.bindings) == _targets(known.bindings)
                services_agree &= set(live.elsewhere) == set(known.elsewhere)
                pods_agree &= all(
                    _knows(state, pod)
                    for pod in by_space[space]
                    if any(selects(one, pod) for one in live.bindings)
                )
            if services_agree:
                state.confirmed_services[namespace] = started
            if services_agree and pods_agree:
                state.confirmed_all[namespace] = started
        return services_agree and pods_agree


def _spaces(
    pods: Sequence[Pod], services: Sequence[object], ingresses: Sequence[object], state: State
) -> set[str]:
    live = {getattr(one, "namespace", "") for one in (*pods, *services, *ingresses)}
    return live | {pod.namespace for pod in state.view.pods.values()}


def _targets(found: Iterable[Binding]) -> set[tuple[object, ...]]:
    """Who wants whom bound where; without settings, which come from another kind of object."""
    return {
        (one.owner, one.lb, one.frontend, one.selector, one.target_port, one.gating)
        for one in found
    }


def _knows(state: State, pod: Pod) -> bool:
    """Whether the view has a Pod that serves, and as it is.

    Pods that nothing selects come and go all the time, and decide nothing; those that have ended
    since keep their targets in the view a little longer.
    """
    known = state.view.pods.get(pod.uid)
    return pod.terminating or pod.over or (known is not None and known.labels == pod.labels)
