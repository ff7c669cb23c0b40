"""Find, read and check ``.tke-direct.yaml``, and turn it into Settings.

jsonschema is imported only when there is something wrong to explain.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import schemas
from schemas.contract import (
    API_VERSION,
    CONFIG_KIND,
    LINT_KIND,
    MODES,
    READINESS_GATE,
    WORKLOADS,
    NetworkMode,
    Workload,
)
from transformer.errors import ConfigError, Malformed
from transformer.model import (
    Ignored,
    LabelSelector,
    LintSettings,
    Override,
    Requirement,
    Settings,
    by_kind,
)

if TYPE_CHECKING:
    from transformer.tree import Node
    from transformer.values import Value

FILE_NAME = ".tke-direct.yaml"
_FEW = 20  # so many names may stand in one message
EMPTY: dict[str, Any] = {"apiVersion": API_VERSION, "kind": CONFIG_KIND, "spec": {}}


def find(start: Path) -> Path | None:
    """The nearest configuration file at or above `start`, not beyond the root of its repository."""
    start = start.resolve()  # a look-up must not climb through ".."
    for folder in (start, *start.parents) if start.is_dir() else start.parents:
        candidate = folder / FILE_NAME
        if candidate.is_file():
            return candidate
        if (folder / ".git").exists():
            return None
    return None


def read(path: Path) -> dict[str, Any]:
    """The checked content of a configuration file; raises ConfigError that says where and what."""
    try:
        data = path.read_bytes()
    except OSError as error:
        raise ConfigError(f"{path}: cannot be read: {error.strerror}") from None
    return parse(data, str(path))


# The kinds of configuration, and the schema of each.
_SCHEMAS = {CONFIG_KIND: "direct-access", LINT_KIND: "direct-access-lint"}


def parse(data: bytes, name: str, kinds: Collection[str] = (CONFIG_KIND,)) -> dict[str, Any]:
    """The checked content of configuration text of one of `kinds`; `name` is for messages."""
    from transformer import tree  # only runs that have a configuration pay for it
    from transformer.values import TooLarge, plain

    try:
        text = tree.decode(data)
        positions = tree.parse(text)
    except Malformed as error:
        text = data.decode(errors="replace")
        raise ConfigError(f"{_at(name, text, error.offset)}: {error.message}") from None
    if positions.duplicates:
        key = positions.duplicates[0]
        raise ConfigError(f"{_at(name, text, tree.start(key))}: key {key.value!r} stands twice")
    if len(positions.roots) > 1:
        second = tree.start(positions.roots[1])
        raise ConfigError(f"{_at(name, text, second)}: expected one document, found another")
    try:
        content = plain(positions.roots[0] if positions.roots else None)
    except TooLarge:
        raise ConfigError(f"{name}:1:1: its aliases expand to millions of nodes") from None
    root = positions.roots[0] if positions.roots else None
    return checked(content, root, lambda offset: _at(name, text, offset), kinds)


def checked(
    content: Value,
    root: Node | None,
    where: Callable[[int], str],
    kinds: Collection[str] = (CONFIG_KIND,),
) -> dict[str, Any]:
    """`content` when it is what the schema of its kind wants; raises ConfigError otherwise.

    `root` is its node, `where` names the place of a character for messages.

    Importing jsonschema takes longer than everything else that a run on a small file does, so it
    is asked only when the quick walk says that something is wrong: what, it says better.
    """
    from transformer.structure import defects

    if isinstance(content, dict) and content.get("spec", {}) is None:
        content = {**content, "spec": {}}  # "spec:" with nothing below
    said = content.get("kind") if isinstance(content, dict) else None
    kind = said if isinstance(said, str) and said in kinds else next(iter(kinds))
    schema = schemas.load(_SCHEMAS[kind])
    if len(kinds) > 1:
        schema["properties"]["kind"] = {"enum": list(kinds)}
    found = defects(content, schema, schema["$defs"])
    if not found:
        assert isinstance(content, dict)
        return content
    from jsonschema import Draft202012Validator
    from jsonschema.exceptions import relevance

    from transformer import lookup, tree

    validator = Draft202012Validator(schema)
    errors = sorted(validator.iter_errors(content), key=relevance, reverse=True)
    if not errors:
        assert isinstance(content, dict)
        return content
    error = errors[0]
    path = list(error.absolute_path)
    node = lookup.child(root, *path)
    field = ".".join(map(str, path)) or "the file"
    message = f"{field}: {error.message}"
    if error.validator == "type":
        better = (row.message for row in found if list(row.path) == path)
        message = f"{field}: {next(better, error.message)}"
    elif error.validator == "additionalProperties" and isinstance(error.instance, Mapping):
        known = sorted(error.schema["properties"])
        unknown = next(key for key in error.instance if key not in known)
        keys = node.keys if type(node) is tree.Mapping else []
        node = next((key for key in keys if getattr(key, "value", None) == unknown), node)
        message = f"{field}: unknown key {unknown!r}{meant(str(unknown), known)}"
    elif error.validator == "enum":
        known = [str(value) for value in error.validator_value]
        message = f"{field}: unknown value {error.instance!r}{meant(str(error.instance), known)}"
    offset = tree.start(node) if node is not None else 0
    raise ConfigError(f"{where(offset)}: {message}")


def meant(word: str, known: list[str]) -> str:
    """How to go on after "unknown `word`": the nearest of `known`, or all of them."""
    from difflib import get_close_matches

    close = get_close_matches(word, known, n=1, cutoff=0.5)
    if close or len(known) > _FEW:
        return f"; did you mean {close[0]!r}?" if close else ""
    return f"; known: {', '.join(known)}"


def _at(name: str, text: str, offset: int) -> str:
    line = text.count("\n", 0, offset) + 1
    return f"{name}:{line}:{offset - (text.rfind(chr(10), 0, offset) + 1) + 1}"


def mode_named(name: str) -> NetworkMode:
    """The network mode `name`; raises ConfigError with the nearest one."""
    known = [mode.value for mode in NetworkMode]
    if name not in known:
        raise ConfigError(f"unknown network mode {name!r}{meant(name, known)}")
    return NetworkMode(name)


def settings(content: Mapping[str, Any], mode: NetworkMode | None = None) -> Settings:
    """Settings with every default from checked `content`; `mode` overrules its networkMode.

    Raises ConfigError when nobody names a mode: a wrong guess leaves Pods unschedulable.
    """
    spec: dict[str, Any] = content.get("spec") or {}
    named = spec.get("networkMode")
    if mode is None and named is None:
        raise ConfigError(_teach_mode())
    targets = spec.get("targets", {})
    services, ingresses = targets.get("services", {}), targets.get("ingresses", {})
    gate, graceful = spec.get("readinessGate", {}), spec.get("graceful", {})
    made = Settings(
        mode=mode or NetworkMode(named),
        workloads=by_kind((*map(_workload, spec.get("workloads", ())), *WORKLOADS)),
        overrides=tuple(map(_override, spec.get("overrides", ()))),
        services_select=services.get("select", "all"),
        services_selector=_selector(services),
        ingresses_select=ingresses.get("select", "all"),
        ingresses_selector=_selector(ingresses),
        ingress_default_class=ingresses.get("defaultClass", False),
        gate=gate.get("conditionType", READINESS_GATE),
        inject=gate.get("inject"),
        container=spec.get("container"),
        graceful=graceful.get("enabled", False),
        pre_stop_s=int(graceful.get("preStopSeconds", 15)),
        grace_period_s=int(graceful.get("terminationGracePeriodSeconds", 60)),
        exclude=tuple(spec.get("exclude", ())),
        kubernetes=str(spec.get("kubernetesVersion", "")).removeprefix("v"),
        lint=_lint(spec.get("lint", {})),
    )
    if made.graceful and made.grace_period_s <= made.pre_stop_s:
        raise ConfigError(
            "spec.graceful: terminationGracePeriodSeconds must exceed preStopSeconds, "
            "or the Pod is killed while it still sleeps"
        )
    return made


def _lint(spec: dict[str, Any]) -> LintSettings:
    controllers = spec.get("controllers", {})
    return LintSettings(
        target_quota=spec.get("targetQuota", 100),
        drain_s=spec.get("drainSeconds", 5),
        service_controller=controllers.get("service", "").removeprefix("v"),
        ingress_controller=controllers.get("ingress", "").removeprefix("v"),
        ignored=tuple(
            Ignored(tuple(row["rules"]), tuple(row.get("resources", ("*",))))
            for row in spec.get("ignore", ())
        ),
    )


def _workload(row: dict[str, str]) -> Workload:
    return Workload(row["group"], row["kind"], tuple(row["podTemplate"].split(".")))


def _override(row: dict[str, Any]) -> Override:
    return Override(
        NetworkMode(row["networkMode"]), tuple(row.get("namespaces", ())), _selector(row)
    )


def _selector(holder: dict[str, Any]) -> LabelSelector:
    selector = holder.get("labelSelector", {})
    return LabelSelector(
        tuple(selector.get("matchLabels", {}).items()),
        tuple(
            Requirement(row["key"], row["operator"], tuple(row.get("values", ())))
            for row in selector.get("matchExpressions", ())
        ),
    )


def _teach_mode() -> str:
    width = max(len(mode.value) for mode in NetworkMode)
    rows = (
        f"  {mode.name.value:<{width}}  {mode.summary}\n  {'':<{width}}  you have it when: "
        f"{mode.recognise}{'' if mode.supported else ' (no direct access)'}"
        for mode in MODES.values()
    )
    return (
        "no network mode: say which one the cluster has, with --network-mode MODE or "
        f"spec.networkMode in {FILE_NAME}\n" + "\n".join(rows) + "\nTo find out:\n"
        "  kubectl -n kube-system get daemonset tke-eni-agent tke-bridge-agent\n"
        "There is no default: a wrong mode leaves Pods unschedulable."
    )
