"""Random manifests as text, written in every style that people and machines use.

The generator writes the text itself, choice by choice, so that styles no emitter would produce
come up: flow inside block, odd indentation, comments anywhere, anchors, block scalars that end
the file without a line break.
"""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

Draw = st.DrawFn
WORDS = st.sampled_from(
    [
        "web",
        "api",
        "shop",
        "a b",
        "on",
        "1",
        "1e400",
        "=",
        "null",
        "0o17",
        "2001-01-01",
        "#x",
        "- y",
        "it's",
        'say "hi"',
        "商店",
        "🛒",
        "a: b",
        "",
        "{x}",
        "*x",
        "&x",
        "%",
        "@",
        "tab\there",
    ]
)
NAMES = st.sampled_from(["web", "web", "api"])
KINDS = st.sampled_from(
    ["Deployment", "Deployment", "StatefulSet", "DaemonSet", "Job", "CronJob", "Pod"]
)


class Null:
    """A value that is written as nothing, ``~`` or ``null``."""


class Bare(str):
    """A string that must be written without quotes (a boolean, a number)."""


@st.composite
def builds(draw: Draw) -> bytes:
    """A YAML stream of one to five documents that may belong together."""
    documents = draw(st.lists(objects(), min_size=1, max_size=5))
    if draw(st.integers(0, 9)) == 0:
        documents = [{"apiVersion": "v1", "kind": "List", "items": documents}]
    writer = Writer(draw)
    text = ""
    for index, document in enumerate(documents):
        if index or draw(st.booleans()):
            text += draw(st.sampled_from(["---\n", "--- # next\n", "---\n# about it\n\n"]))
        text += writer.document(document)
        if draw(st.integers(0, 19)) == 0:
            text += "...\n"
            if index + 1 < len(documents):
                text += "---\n"
    if draw(st.integers(0, 3)) == 0:
        text = text.rstrip("\n")
    if draw(st.integers(0, 5)) == 0:
        text = text.replace("\n", "\r\n")
    bom = b"\xef\xbb\xbf" if draw(st.integers(0, 9)) == 0 else b""
    return bom + text.encode()


@st.composite
def objects(draw: Draw) -> dict[str, Any]:
    """A Kubernetes object as ordered plain data with Null and Bare leaves."""
    make = draw(st.sampled_from([_service, _workload, _workload, _ingress, _config_map]))
    made = make(draw)
    if draw(st.integers(0, 3)) == 0:
        made = dict(draw(st.permutations(list(made.items()))))
    return made


def _metadata(draw: Draw, **annotations: Any) -> dict[str, Any]:
    metadata: dict[str, Any] = {"name": draw(NAMES)}
    if draw(st.integers(0, 4)) == 0:
        metadata["namespace"] = draw(st.sampled_from(["one", "two"]))
    notes = draw(st.dictionaries(st.sampled_from(["team", "note", "x/y"]), WORDS, max_size=2))
    notes.update(annotations)
    choice = draw(st.integers(0, 3))
    if notes:
        metadata["annotations"] = notes
    elif choice < 2:
        metadata["annotations"] = [Null(), {}][choice]
    if draw(st.booleans()):
        metadata["labels"] = {"app": draw(NAMES)}
    return metadata


def _service(draw: Draw) -> dict[str, Any]:
    access = draw(st.sampled_from([None, None, None, "true", "false", Bare("true")]))
    extra = {} if access is None else {"service.cloud.tencent.com/direct-access": access}
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": _metadata(draw, **extra),
        "spec": {
            "type": draw(st.sampled_from(["LoadBalancer"] * 4 + ["ClusterIP"])),
            "selector": {"app": draw(NAMES)},
            "ports": [{"port": Bare("80"), "name": draw(WORDS)}],
        },
    }


def _ingress(draw: Draw) -> dict[str, Any]:
    paths = [{"path": "/", "backend": {"service": {"name": draw(NAMES)}}}]
    return {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "Ingress",
        "metadata": _metadata(draw),
        "spec": {
            "ingressClassName": draw(st.sampled_from(["qcloud", "qcloud", "nginx"])),
            "rules": [{"http": {"paths": paths}}],
        },
    }


def _config_map(draw: Draw) -> dict[str, Any]:
    keys = st.sampled_from(["a", "b.txt", "kind", "Service"])
    data = draw(st.dictionaries(keys, WORDS | _blocks(), max_size=3))
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": _metadata(draw), "data": data}


def _blocks() -> st.SearchStrategy[str]:
    lines = st.sampled_from(["echo", "kind: Service", "", "  deep", "--- x", "# no comment"])
    return st.lists(lines, min_size=1, max_size=4).map(lambda ls: "x\n" + "\n".join(ls) + "\n")


def _workload(draw: Draw) -> dict[str, Any]:
    kind = draw(KINDS)
    labels = {"app": draw(NAMES), "tier": draw(WORDS)}
    template = {"metadata": {"labels": labels}, "spec": _pod_spec(draw)}
    team = {"team": "shop"}
    notes = draw(st.sampled_from([None, Null(), {}, team, team, team, {**team, "note": "on"}]))
    if notes is not None:
        template["metadata"]["annotations"] = notes
    version = "batch/v1" if "Job" in kind else "v1" if kind == "Pod" else "apps/v1"
    made: dict[str, Any] = {"apiVersion": version, "kind": kind, "metadata": _metadata(draw)}
    if kind == "Pod":
        made["metadata"].update(template["metadata"])
        made["spec"] = template["spec"]
    elif kind == "CronJob":
        made["spec"] = {"schedule": "* * * * *", "jobTemplate": {"spec": {"template": template}}}
    else:
        made["metadata"].setdefault("annotations", team)
        selector = {"matchLabels": labels}
        made["spec"] = {"replicas": Bare("3"), "selector": selector, "template": template}
    return made


def _pod_spec(draw: Draw) -> dict[str, Any]:
    containers = [_container(draw) for _ in range(draw(st.integers(1, 2)))]
    spec: dict[str, Any] = {"containers": containers}
    gates = draw(st.sampled_from([None, None, None, Null(), [], [{"conditionType": "mesh/ready"}]]))
    if gates is not None:
        spec["readinessGates"] = gates
    if draw(st.booleans()):
        spec["restartPolicy"] = "Always"
    return dict(draw(st.permutations(list(spec.items()))))


def _container(draw: Draw) -> dict[str, Any]:
    made: dict[str, Any] = {"name": draw(NAMES), "image": "nginx:1.27"}
    cpu = {"cpu": Bare("1")}
    resources = draw(
        st.sampled_from(
            [None, None, Null(), {}, {"limits": cpu}, {"requests": Null(), "limits": {}}]
        )
    )
    if resources is not None:
        made["resources"] = resources
    if draw(st.booleans()):
        made["args"] = draw(st.lists(WORDS | _blocks(), min_size=1, max_size=2))
    return dict(draw(st.permutations(list(made.items()))))


class Alias(str):
    """An alias by its name."""


class Writer:
    """Writes data as YAML text, one drawn choice after another."""

    def __init__(self, draw: Draw) -> None:
        self.draw = draw
        self.step = draw(st.sampled_from([2, 2, 2, 4, 3]))
        self.dash = draw(st.sampled_from([0, self.step]))
        self.gap = draw(st.sampled_from([" ", " ", "   "]))
        self.anchors: list[tuple[str, Any]] = []
        self.names = 0
        self.comments = draw(st.booleans())
        self.quoted_keys = draw(st.integers(0, 7)) == 0

    def one_in(self, number: int) -> bool:
        return self.draw(st.integers(0, number - 1)) == 0

    def document(self, data: dict[str, Any]) -> str:
        self.anchors = []
        if self.one_in(8):
            return self.flow(data) + "\n"
        return self.mapping(data, 0)

    def comment(self) -> str:
        if self.comments and self.one_in(6):
            return self.draw(st.sampled_from(["  # why", " # kind: Service", " #"]))
        return ""

    def between(self, column: int) -> str:
        if self.comments and self.one_in(8):
            pad = " " * self.draw(st.sampled_from([0, column, column + 2]))
            return self.draw(st.sampled_from(["\n", f"{pad}# note\n", f"\n{pad}# a: b\n"]))
        return ""

    def key(self, key: str) -> str:
        if self.quoted_keys:
            return f'"{key}"'
        return f"'{key}'" if self.one_in(40) else key

    def mapping(self, data: dict[str, Any], column: int, first: str | None = None) -> str:
        """Block entries at `column`; `first` stands before the first one instead of spaces."""
        text = ""
        for key, value in self.merged(data).items():
            if first is None:
                text += self.between(column) + " " * column
            else:
                text, first = first, None
            text += (key if key == "<<" else self.key(key)) + ":" + self.value(value, column)
        return text

    def merged(self, data: dict[str, Any]) -> dict[str, Any]:
        """`data`, perhaps with some entries taken from an anchor through a merge key."""
        for name, known in self.anchors:
            inside = isinstance(known, dict) and known.items() <= data.items()
            if inside and not self.one_in(3):
                rest = {key: value for key, value in data.items() if key not in known}
                return {"<<": Alias(name), **rest}
        return data

    def value(self, value: Any, column: int) -> str:
        if isinstance(value, (dict, list)) and value and not self.one_in(7):
            for name, known in self.anchors:
                if known == value and not self.one_in(3):
                    return f" *{name}{self.comment()}\n"
            if self.one_in(3):
                self.names += 1
                name = f"a{self.names}"
                text = f" &{name}" + self.collection(value, column)
                self.anchors.append((name, value))  # only now: it cannot hold itself
                return text
            return self.collection(value, column)
        return " " + self.inline(value, column) + "\n"

    def collection(self, value: Any, column: int) -> str:
        head = self.comment() + "\n"
        if isinstance(value, dict):
            return head + self.mapping(value, column + self.step)
        return head + self.items(value, column + self.dash)

    def items(self, values: list[Any], column: int) -> str:
        text = ""
        for value in values:
            head = self.between(column) + " " * column + "-" + self.gap
            if isinstance(value, dict) and value and not self.one_in(6):
                text += self.mapping(value, column + 1 + len(self.gap), head)
            else:
                text += head + self.inline(value, column) + "\n"
        return text

    def inline(self, value: Any, column: int) -> str:
        """What follows on the key's line: a scalar or a flow collection, perhaps a comment."""
        if isinstance(value, str) and "\n" in value:
            return self.block_scalar(value, column)
        return self.flow(value, in_block=True) + self.comment()

    def block_scalar(self, value: str, column: int) -> str:
        pad = " " * (column + self.step)
        lines = "\n".join(pad + line if line else "" for line in value.rstrip("\n").split("\n"))
        header = self.draw(st.sampled_from(["|", "|-", "|+", ">", ">-"]))
        return header + self.comment() + "\n" + lines

    def flow(self, value: Any, in_block: bool = False) -> str:
        if isinstance(value, Null):
            return self.draw(st.sampled_from(["", "~", "null"] if in_block else ["~", "null"]))
        if isinstance(value, dict):
            spaced = self.draw(st.sampled_from(["", " "]))
            rows = [f"{self.key(k)}: {self.flow(v)}" for k, v in value.items()]
            comma = "," if rows and self.one_in(6) else ""
            return "{" + spaced + ", ".join(rows) + comma + spaced + "}"
        if isinstance(value, list):
            return "[" + ", ".join(map(self.flow, value)) + "]"
        if isinstance(value, Bare):
            return str(value)
        if isinstance(value, Alias):
            return f"*{value}"
        return self.scalar(value, in_block)

    def scalar(self, value: str, in_block: bool) -> str:
        simple = value.replace("-", "").replace("/", "").replace(".", "").isalnum()
        keeps = value not in ("on", "null", "1", "1e400", "0o17", "2001-01-01", "true", "false")
        if simple and keeps and not self.one_in(4):
            return value
        if "\n" not in value and "\t" not in value and self.one_in(2):
            return "'" + value.replace("'", "''") + "'"
        escaped = value.replace("\\", "\\\\").replace('"', '\\"')
        return '"' + escaped.replace("\n", "\\n").replace("\t", "\\t") + '"'
