"""The network mode that the Pods of a workload are in."""

from __future__ import annotations

from schemas.contract import MODES, Mode
from transformer.lint.build import Build
from transformer.lint.objects import Object


def mode_of(workload: Object, build: Build) -> Mode | None:
    """The mode in which transform completes `workload`; None when it does not.

    What is direct by its manifests' own word only is in the mode of the configuration, so long as
    that knows one mode.
    """
    found = build.plan(workload).mode
    settings = build.settings
    if found is None and not workload.skipped and not settings.overrides:
        found = settings.mode if build.is_declared(workload) else None
    return MODES[found] if found else None
