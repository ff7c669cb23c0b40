"""Whom a reference means while plugins run: kustomize corrects references only when all have run.

Until then an Ingress still says the name that its Service has in the files.
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from random import Random

import pytest

from tests.doors.kustomize import (
    EXEC,
    NEWEST,
    SOME_DOORS,
    Kustomize,
    Machine,
    flags,
    function_config,
    kustomize,
    named,
    needed,
    objects,
    program,
    succeeded,
    with_function,
    write,
)
from transformer.doors import krm, references
from transformer.doors.task import Made, perform, task_of
from transformer.transform import Source


def app(name: str, namespace: str = "", ingress_to: str = "") -> str:
    """A Deployment and its Service inside the cluster, which only an Ingress can make direct."""
    at = f", namespace: {namespace}" if namespace else ""
    return f"""\
apiVersion: v1
kind: Service
metadata: {{name: {name}{at}}}
spec:
  selector: {{app: {name}}}
  ports: [{{port: 80}}]
---
apiVersion: apps/v1
kind: Deployment
metadata: {{name: {name}{at}}}
spec:
  selector: {{matchLabels: {{app: {name}}}}}
  template:
    metadata: {{labels: {{app: {name}}}}}
    spec:
      containers: [{{name: {name}, image: nginx}}]
{f"---{chr(10)}{ingress(ingress_to, namespace)}" if ingress_to else ""}"""


def ingress(to: str, namespace: str = "") -> str:
    at = f", namespace: {namespace}" if namespace else ""
    return f"""\
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: {{name: front{at}}}
spec:
  ingressClassName: qcloud
  defaultBackend: {{service: {{name: {to}, port: {{number: 80}}}}}}
"""


def layer(*resources: str, **fields: str) -> str:
    """A kustomization; labels tell the Pods of its applications from all others."""
    rows = "".join(f"{field}: {value}\n" for field, value in fields.items())
    return f"resources: [{', '.join(resources)}]\n{rows}"


def labels(track: str) -> str:
    return f"[{{pairs: {{track: {track}}}, includeSelectors: true}}]"


WEB = app("web", ingress_to="web")

# A build, and the Deployments that its Ingresses reach in the end.
NAMES: dict[str, tuple[dict[str, str], set[str]]] = {
    "a-prefix-and-a-suffix-in-the-layer-of-the-function": (
        {
            "web.yaml": WEB,
            "kustomization.yaml": layer("web.yaml", namePrefix="a-", nameSuffix="-z"),
        },
        {"a-web-z"},
    ),
    "a-prefix-on-every-layer": (
        {
            "base/web.yaml": WEB + "---\n" + app("other"),
            "base/kustomization.yaml": layer("web.yaml", namePrefix="a-"),
            "middle/kustomization.yaml": layer("../base", namePrefix="b-", nameSuffix="-y"),
            "kustomization.yaml": layer("middle", namePrefix="c-", nameSuffix="-z"),
        },
        {"c-b-a-web-y-z"},
    ),
    "prefixes-below-and-none-in-the-layer-of-the-function": (
        {
            "base/web.yaml": WEB,
            "base/kustomization.yaml": layer("web.yaml", namePrefix="a-"),
            "kustomization.yaml": layer("base"),
        },
        {"a-web"},
    ),
    "one-base-twice-under-two-prefixes": (
        {
            "base/web.yaml": WEB,
            "base/kustomization.yaml": layer("web.yaml"),
            "blue/kustomization.yaml": layer("../base", namePrefix="blue-", labels=labels("blue")),
            "green/only.yaml": "$patch: delete\n" + ingress("web"),
            "green/kustomization.yaml": layer(
                "../base",
                namePrefix="green-",
                labels=labels("green"),
                patches="[{path: only.yaml}]",
            ),
            "kustomization.yaml": layer("blue", "green", namePrefix="shop-"),
        },
        {"shop-blue-web"},
    ),
    "an-ingress-above-the-layer-that-renamed-its-service": (
        {
            "base/web.yaml": app("web"),
            "base/kustomization.yaml": layer("web.yaml", namePrefix="a-"),
            "left/front.yaml": ingress("web"),
            "left/kustomization.yaml": layer(
                "front.yaml", "../base", namePrefix="left-", labels=labels("left")
            ),
            "right/web.yaml": app("web"),
            "right/kustomization.yaml": layer(
                "web.yaml", namePrefix="right-", labels=labels("right")
            ),
            "kustomization.yaml": layer("left", "right"),
        },
        {"left-a-web"},
    ),
    "an-ingress-above-the-layer-that-put-a-suffix-to-its-service": (
        {
            "base/web.yaml": app("web"),
            "base/kustomization.yaml": layer("web.yaml", nameSuffix="-z"),
            "left/front.yaml": ingress("web"),
            "left/kustomization.yaml": layer(
                "front.yaml", "../base", namePrefix="left-", labels=labels("left")
            ),
            "right/web.yaml": app("web"),
            "right/kustomization.yaml": layer(
                "web.yaml", namePrefix="right-", labels=labels("right")
            ),
            "kustomization.yaml": layer("left", "right"),
        },
        {"left-web-z"},
    ),
    "a-service-with-the-name-that-another-gets": (
        {
            "web.yaml": app("web") + "---\n" + app("a-web") + "---\n" + ingress("a-web"),
            "kustomization.yaml": layer("web.yaml", namePrefix="a-"),
        },
        {"a-a-web"},
    ),
    "a-namespace-for-all": (
        {
            "base/web.yaml": WEB,
            "base/kustomization.yaml": layer("web.yaml", namespace="one"),
            "kustomization.yaml": layer("base", namespace="two", namePrefix="a-"),
        },
        {"two/a-web"},
    ),
    "the-same-names-in-two-namespaces": (
        {
            "web.yaml": app("web", "one") + "---\n" + app("web", "two", ingress_to="web"),
            "kustomization.yaml": layer("web.yaml", namePrefix="a-"),
        },
        {"two/a-web"},
    ),
    "no-namespace-is-the-one-named-default": (
        {
            "base/web.yaml": app("web", "default") + "---\n" + ingress("web"),
            "base/kustomization.yaml": layer("web.yaml", namePrefix="a-"),
            "other.yaml": app("web"),
            "kustomization.yaml": layer("base", "other.yaml"),
        },
        set(),  # the Ingress and its Service are joined by the namespace that is written
    ),
}


@pytest.mark.parametrize("case", NAMES)
@pytest.mark.parametrize(("by", "door"), SOME_DOORS)
def test_an_ingress_reaches_whom_it_reaches_in_the_end(
    by: Kustomize, door: str, case: str, machine: Machine, tmp_path: Path
) -> None:
    files, completed = NAMES[case]
    plain = write(machine.folder / "names" / case, files)
    built = with_function(plain, tmp_path / case, function_config(door))
    given = succeeded(machine.door_of(by, door, built))
    assert objects(given) == objects(machine.pipe_of(by, plain))
    assert completed_in(given) == completed


def completed_in(stream: bytes) -> set[str]:
    """The Deployments whose Pods get an address that CLB can bind."""
    return {name.split()[1] for name, one in named(stream).items() if "eni-ip" in str(one)}


@needed(NEWEST)
def test_what_a_lower_layer_completes_keeps_its_name(machine: Machine, tmp_path: Path) -> None:
    """The function sees no layer above it, but those above see what it did."""
    files, _ = NAMES["a-prefix-on-every-layer"]
    plain = write(tmp_path / "plain", files)
    with_function(plain, tmp_path / "built", function_config(EXEC), top="base")
    by = kustomize(NEWEST)
    given = succeeded(machine.door_of(by, EXEC, tmp_path / "built"))
    assert objects(given) == objects(machine.pipe_of(by, plain))


@needed(NEWEST)
def test_base_and_overlay_may_both_have_the_function(machine: Machine, tmp_path: Path) -> None:
    files, _ = NAMES["a-prefix-on-every-layer"]
    plain = write(tmp_path / "plain", files)
    with_function(plain, tmp_path / "base", function_config(EXEC), top="base")
    with_function(tmp_path / "base", tmp_path / "both", function_config(EXEC))
    by = kustomize(NEWEST)
    given = succeeded(machine.door_of(by, EXEC, tmp_path / "both"))
    assert objects(given) == objects(machine.pipe_of(by, plain))


AUTOSCALED = (
    WEB
    + """---
apiVersion: autoscaling/v2
kind: HorizontalPodAutoscaler
metadata: {name: web}
spec:
  scaleTargetRef: {apiVersion: apps/v1, kind: Deployment, name: web}
  minReplicas: 2
  maxReplicas: 150
"""
)


@pytest.mark.parametrize(("by", "door"), SOME_DOORS)
def test_lint_finds_what_it_finds_in_the_pipe(
    by: Kustomize, door: str, machine: Machine, tmp_path: Path
) -> None:
    """An autoscaler names its Deployment, an Ingress its Service: both by the old name."""
    plain = write(
        tmp_path / "plain",
        {
            "base/web.yaml": AUTOSCALED,
            "base/kustomization.yaml": layer("web.yaml"),
            "blue/kustomization.yaml": layer("../base", namePrefix="b-", labels=labels("blue")),
            "green/kustomization.yaml": layer("../base", namePrefix="g-", labels=labels("green")),
            "kustomization.yaml": layer("blue", "green", nameSuffix="-z"),
        },
    )
    lint = function_config(door, "networkMode: mixed, failOn: info", kind="DirectAccessLint")
    built = machine.door_of(by, door, with_function(plain, tmp_path / "built", lint))
    rendered = succeeded(machine.build(by, plain))
    piped = machine.lint(rendered, "--format", "json")
    wanted = {
        (row["rule"], f"{row['resourceRef']['kind']} {row['resourceRef']['name']}")
        for row in json.loads(piped.stdout)["findings"]
    }
    assert ("autoscaler-over-quota", "HorizontalPodAutoscaler g-web-z") in wanted
    assert built.returncode != 0
    assert findings_in(built.stderr) == wanted


def findings_in(stderr: bytes) -> set[tuple[str, str]]:
    """Rule and resource of each finding that stands on standard error."""
    found = re.findall(rb"(?:error|warning|info) ([a-z-]+): ([A-Z]\w+ [\w/-]+):", stderr)
    return {(rule.decode(), resource.decode()) for rule, resource in found}


# --- any layers


RANDOM_BUILDS = 60
RECORDER = """\
#!/bin/sh
exec tee "$RECORD"
"""


@needed(NEWEST)
def test_in_random_layers_every_reference_means_what_kustomize_makes_of_it(
    machine: Machine, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """What the function is told, and what is built in the end, complete the same Deployments.

    One that only records takes the place of ours: so one build gives both.
    """
    program(machine.bin / "recorder", RECORDER)
    config = function_config(EXEC).replace("tke-direct-fn", "recorder")
    built = completed = 0
    for number in range(RANDOM_BUILDS):
        layers = RandomLayers(Random(number), tmp_path / str(number))
        folder = with_function(layers.folder, tmp_path / f"{number}-fn", config, top=layers.top)
        record = tmp_path / f"{number}.yaml"
        result = machine.build(kustomize(NEWEST), folder, *flags(EXEC), RECORD=str(record))
        if result.returncode != 0:  # two got one name, or may be meant by one reference
            continue
        *_, given = krm.readings(record.read_bytes())
        told = perform(task_of(given.config, "config"), given.sources, follow=references)
        wanted = perform(task_of(given.config, "config"), [Source("x", result.stdout)])
        assert changes(told) == changes(wanted), f"layers {number}"
        built += 1
        completed += len(changes(wanted)) > layers.ingresses
    with capsys.disabled():
        print(f"\nrandom layers: {built} of {RANDOM_BUILDS} built, {completed} completed Pods")
    assert completed >= RANDOM_BUILDS / 10


def changes(made: Made) -> list[tuple[str, tuple[str, ...]]]:
    """What was completed, and for whom."""
    rows = (row for one in made.outcomes for row in one.changes)
    return sorted((row.resource, tuple(sorted(row.via))) for row in rows)


class RandomLayers:
    """Folders of kustomizations that build on each other, with names that are easily confused."""

    def __init__(self, random: Random, folder: Path) -> None:
        self.random, self.folder = random, folder
        self.made: list[str] = []
        self.ingresses = 0
        self.top = self.layer(random.randint(1, 3))

    def layer(self, depth: int) -> str:
        """Make a layer with up to `depth` others below it; its name."""
        below = []
        if depth:
            for _ in range(self.random.randint(1, 2)):
                again = self.made and self.random.random() < 0.3
                below.append(self.random.choice(self.made) if again else self.layer(depth - 1))
        name = f"layer{len(self.made)}"
        self.made.append(name)
        resources = [f"../{one}" for one in dict.fromkeys(below)]
        files = {}
        if not depth or self.random.random() < 0.4:
            files["app.yaml"] = self.application(name)
            resources.append("app.yaml")
        files["kustomization.yaml"] = layer(*resources, **self.fields())
        write(self.folder / name, files)
        return name

    def application(self, track: str) -> str:
        texts = [
            app(name, self.namespace()).replace("app: ", f"track: {track}, app: ")
            for name in self.random.sample(["web", "api", "x-web", "web-s"], 2)
        ]
        if self.random.random() < 0.8:
            self.ingresses += 1
            texts.append(ingress(self.random.choice(["web", "api", "x-web"]), self.namespace()))
        return "---\n".join(texts)

    def namespace(self) -> str:
        return self.random.choice(["", "", "one"])

    def fields(self) -> dict[str, str]:
        likely = {
            "namePrefix": (0.6, ["x-", "y-"]),
            "nameSuffix": (0.25, ["-s", "-t"]),
            "namespace": (0.25, ["one", "two"]),
        }
        return {
            field: self.random.choice(values)
            for field, (chance, values) in likely.items()
            if self.random.random() < chance
        }
