"""Asking the API server itself whether the view is right, before anything depends on it.

A cache that has lost objects looks like a cluster that has none. So that nothing waits for a Pod,
or that many targets go at once, is believed only when a list of this moment says the same.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence

from binder.controller.ports import Cluster
from binder.controller.state import State
from binder.core.bindings import Binding, bindings
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
            same = True
            for space in spaces:
                live = bindings(
                    [one for one in services if one.namespace == space],
                    [one for one in ingresses if one.namespace == space],
                    [one for one in configs if one.namespace == space],
                    state.settings,
                )
                known = state.view.wanted_in(space)
                same &= _targets(live.bindings) == _targets(known.bindings)
                same &= set(live.elsewhere) == set(known.elsewhere)
            if same:
                state.confirmed_services[namespace] = started
            there = [pod for space in spaces for pod in state.view.pods_in(space)]
            same &= _labels(pods) == _labels(there)
            if same:
                state.confirmed_all[namespace] = started
        return same


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


def _labels(pods: Iterable[Pod]) -> dict[str, Mapping[str, str]]:
    return {pod.uid: pod.labels for pod in pods if not pod.terminating}
