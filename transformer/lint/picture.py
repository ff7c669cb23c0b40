"""The build as a picture: Ingress → Service → workload → gate, with what is wrong marked.

One walk makes nodes and arrows; three writers put them on paper.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import NamedTuple

from transformer.lint.build import Build
from transformer.lint.joins import Key
from transformer.lint.objects import WORKLOAD, Object
from transformer.lint.report import Reported
from transformer.lint.rule import SEVERITIES
from transformer.resources import full_name


class Node(NamedTuple):
    """One box: what it is called, notes about it, and the findings in it, as short words."""

    title: str
    notes: tuple[str, ...] = ()
    findings: tuple[str, ...] = ()
    severity: str = ""  # of the gravest finding, '' without one
    direct: bool = False


class Picture(NamedTuple):
    """Boxes by key, arrows from key to key, and the keys that no arrow leads to, in order."""

    nodes: dict[str, Node]
    arrows: dict[str, tuple[str, ...]]
    roots: tuple[str, ...]


def picture(build: Build, findings: Mapping[Key, Sequence[Reported]]) -> Picture:
    """The Ingresses, Services and workloads of `build` and how traffic goes."""
    nodes: dict[str, Node] = {}
    arrows: dict[str, tuple[str, ...]] = {}
    for one in build.objects:
        if one.subject in ("ingress", "service", WORKLOAD):
            nodes[_key(one)] = _node(one, build, findings.get(one.key, ()))
            arrows[_key(one)] = tuple(_targets(one, build, nodes))
    led_to = {target for targets in arrows.values() for target in targets}
    return Picture(nodes, arrows, tuple(key for key in nodes if key not in led_to))


def _key(one: Object) -> str:
    return f"n{one.source}_{one.offset}"


def _targets(one: Object, build: Build, nodes: dict[str, Node]) -> Iterator[str]:
    if one.subject == "ingress":
        names = dict.fromkeys(name for _, name, _ in one.backends())
        for number, name in enumerate(names):
            service = build.service_named(one.namespace, name)
            if service is not None:
                yield _key(service)
            else:
                # A number, for a name may have letters that mean something in a drawing.
                missing = f"{_key(one)}_{number}"
                title = full_name("Service", one.namespace, name)
                nodes[missing] = Node(title, ("not in this build",))
                yield missing
    elif one.subject == "service":
        yield from map(_key, build.workloads_of(one))


def _node(one: Object, build: Build, findings: Sequence[Reported]) -> Node:
    own = direct = build.is_direct(one)
    notes = []
    if one.subject == "service" and not own:
        direct = any(build.is_direct(ingress) for ingress in build.ingresses_of(one))
    if one.subject == WORKLOAD:
        if direct or one.has_gate(build.settings.gate):
            gated = one.has_gate(build.settings.gate)
            notes.append("readiness gate" if gated else "no readiness gate")
    elif own:
        mode = build.plan(one).mode
        state = "direct" if build.declares(one) else "not direct yet"
        notes.append(f"{state}, {mode.value}" if mode else state)
    counted = Counter((row.severity, row.rule) for row in findings)
    ordered = sorted(counted, key=lambda row: (SEVERITIES.index(row[0]), row[1]))
    words = tuple(
        f"{severity} {rule}{_times(counted[severity, rule])}" for severity, rule in ordered
    )
    return Node(one.shown, tuple(notes), words, ordered[0][0] if ordered else "", direct)


def _times(count: int) -> str:
    return f" ({count} times)" if count > 1 else ""


def render(form: str, made: Picture) -> str:
    """`made` as text, Mermaid or DOT."""
    writers: dict[str, Callable[[Picture], Iterator[str]]] = {
        "text": _text,
        "mermaid": _mermaid,
        "dot": _dot,
    }
    return "".join(f"{line}\n" for line in writers[form](made))


def _text(made: Picture) -> Iterator[str]:
    for root in made.roots:
        yield from _branch(made, root, "", "")


def _branch(made: Picture, key: str, lead: str, below: str) -> Iterator[str]:
    node = made.nodes[key]
    notes = f"  ({', '.join(node.notes)})" if node.notes else ""
    yield f"{lead}{node.title}{notes}"
    targets = made.arrows.get(key, ())
    rail = f"{below}│  " if targets else f"{below}   "
    for words in node.findings:
        yield f"{rail}! {words}"
    for index, target in enumerate(targets):
        last = index + 1 == len(targets)
        yield from _branch(
            made, target, f"{below}{'└─' if last else '├─'} ", f"{below}{'   ' if last else '│  '}"
        )


_COLORS = {"error": "#d33", "warning": "#d90", "info": "#39c", "": "#999"}


def _mermaid(made: Picture) -> Iterator[str]:
    yield "flowchart LR"
    for key, node in made.nodes.items():
        text = "<br/>".join(_html(line) for line in _lines(node))
        yield f'  {key}["{text}"]'
        if node.severity:
            yield f"  style {key} stroke:{_COLORS[node.severity]},stroke-width:3px"
    for key, targets in made.arrows.items():
        arrow = "-->" if made.nodes[key].direct else "-.->"
        yield from (f"  {key} {arrow} {target}" for target in targets)


def _html(text: str) -> str:
    return text.replace("&", "#amp;").replace('"', "#quot;").replace("<", "#lt;")


def _dot(made: Picture) -> Iterator[str]:
    yield "digraph direct {"
    yield "  rankdir=LR; node [shape=box];"
    for key, node in made.nodes.items():
        text = "\\n".join(_quoted(line) for line in _lines(node))
        yield f'  {key} [label="{text}", color="{_COLORS[node.severity]}"];'
    for key, targets in made.arrows.items():
        style = "" if made.nodes[key].direct else " [style=dashed]"
        yield from (f"  {key} -> {target}{style};" for target in targets)
    yield "}"


def _quoted(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"')


def _lines(node: Node) -> list[str]:
    return [node.title, *node.notes, *(f"! {words}" for words in node.findings)]
