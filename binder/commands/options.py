"""The options that commands share, once; click only."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import click

from binder.settings import Settings
from schemas.contract import READINESS_GATE

# A qualified name (Kubernetes API, PodReadinessGate).
_CONDITION_TYPE = re.compile(
    r"[a-z0-9]([-a-z0-9.]*[a-z0-9])?/[A-Za-z0-9]([-\w.]{0,61}[A-Za-z0-9])?"
)

# The shipped Deployment sets variables only, so that a command in its Pod has the same options.
_REGION = (
    click.option(
        "--region",
        required=True,
        metavar="ap-…",
        envvar="REGION",
        show_envvar=True,
        help="Where the load balancers are.",
    ),
)
_ENDPOINT = (
    click.option(
        "--endpoint",
        default="clb.internal.tencentcloudapi.com",
        envvar="ENDPOINT",
        show_envvar=True,
        show_default=True,
        help="CLB's API; http://127.0.0.1:9300 is the simulator.",
    ),
)
_CREDENTIALS = (
    click.option(
        "--credentials-dir",
        type=click.Path(path_type=Path),
        default=Path("/etc/tke-direct/credentials"),
        envvar="CREDENTIALS_DIR",
        show_envvar=True,
        show_default=True,
        help="A mounted Secret with SecretId and SecretKey, where there is no CAM role.",
    ),
)


def _condition_type(_context: object, _option: object, value: str) -> str:
    if not _CONDITION_TYPE.fullmatch(value):
        raise click.BadParameter(f"{value!r} is not of the form example.com/name")
    return value


readiness_gate = click.option(
    "--readiness-gate",
    default=READINESS_GATE,
    metavar="TYPE",
    envvar="READINESS_GATE",
    show_envvar=True,
    callback=_condition_type,
    help=f"The conditionType of the gate. Default: {READINESS_GATE}, which TKE's own controller "
    "opens, too: Pods that it serves in direct mode are left to it.",
)
_CLOUD = (*_REGION, *_ENDPOINT, *_CREDENTIALS)
_ALL = (
    click.option(
        "--cluster-id",
        required=True,
        metavar="cls-…",
        envvar="CLUSTER_ID",
        show_envvar=True,
        help="Part of every mark of ours.",
    ),
    *_REGION,
    click.option(
        "--listeners",
        type=click.Choice(["owned", "existing"]),
        default="owned",
        envvar="LISTENERS",
        show_envvar=True,
        show_default=True,
        help="owned: make listeners and rules and remove those made; existing: only bind Pods.",
    ),
    click.option(
        "--adopt-all",
        is_flag=True,
        envvar="ADOPT_ALL",
        show_envvar=True,
        help="Where TKE's controller does not run: serve every Service of type LoadBalancer "
        "without a class and every Ingress of class qcloud, unless it says direct access is off.",
    ),
    readiness_gate,
    click.option(
        "--allow-mass-removal",
        is_flag=True,
        envvar="ALLOW_MASS_REMOVAL",
        show_envvar=True,
        help="Do not ask the API server before many targets go at once.",
    ),
    *_ENDPOINT,
    click.option("--kubeconfig", metavar="FILE", help="Default: the cluster that this runs in."),
    click.option("--context", metavar="NAME", help="Of the kubeconfig."),
    *_CREDENTIALS,
    click.option(
        "--namespace",
        default="tke-direct",
        envvar="POD_NAMESPACE",
        show_envvar=True,
        show_default=True,
        help="Of the lease, and our own.",
    ),
    click.option(
        "--timing",
        multiple=True,
        hidden=True,
        metavar="NAME=SECONDS",
        callback=lambda _context, _option, values: timing(values),
        help="Overrides a number of binder.settings, for tests and simulators.",
    ),
)


def timing(values: Iterable[str]) -> dict[str, float]:
    """The numbers of the settings that ``name=seconds`` stand for."""
    found: dict[str, float] = {}
    for value in values:
        name, _, text = value.partition("=")
        try:
            seconds = float(text)
        except ValueError:
            seconds = -1.0
        if type(Settings._field_defaults.get(name)) is not float or not 0 <= seconds < float("inf"):
            raise click.BadParameter(f"{value!r} is no number of the settings")
        found[name] = seconds
    return found


def shared(command: Callable[..., Any]) -> Callable[..., Any]:
    """Give `command` the options that say which cluster and which CLB, and what is allowed."""
    return _given(command, _ALL)


def cloud(command: Callable[..., Any]) -> Callable[..., Any]:
    """Give `command` the options that say how CLB is reached."""
    return _given(command, _CLOUD)


def _given(command: Callable[..., Any], options: Iterable[Any]) -> Callable[..., Any]:
    for option in reversed(tuple(options)):
        command = option(command)
    return command
