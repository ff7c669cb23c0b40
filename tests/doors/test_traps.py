"""The ways in which a build may lose what it builds, each tried with the real programs.

kustomize takes for all there is whatever a function writes that exits 0.  So either everything
comes out, or the build fails.
"""

from __future__ import annotations

import shlex
import shutil
import signal
import subprocess
import textwrap
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.conftest import Result
from tests.doors.kustomize import (
    CONTAINER,
    DOORS,
    EVERY,
    EXEC,
    FUNCTION,
    LEGACY,
    NEWEST,
    SOME_DOORS,
    Kustomize,
    Machine,
    documents,
    flags,
    function_config,
    kustomize,
    named,
    names,
    needed,
    objects,
    program,
    succeeded,
    with_function,
    write,
)

WEB = """\
apiVersion: v1
kind: Service
metadata: {name: web}
spec:
  type: LoadBalancer
  selector: {app: web}
  ports: [{port: 80}]
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec:
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      containers: [{name: web, image: nginx}]
"""
LINT = "DirectAccessLint"

# What kustomize, Kubernetes and YAML readers have been known to trip over.  None of it is ours to
# change, and all of it stands in one build with an application that is.
ODD = {
    "scalars that readers disagree about": r"""
apiVersion: v1
kind: ConfigMap
metadata: {name: scalars}
data:
  huge: 1e400
  equals: =
  booleans: [on, off, yes, no, y, n, Y, N, "on", true]
  octal: [0777, 0o777, 08, 00123, "0777"]
  numbers: [1_000, 0x1F, 1e3, 1.10, -0, +1, .5, 5., 0b11, 123456789012345678901234567890]
  sexagesimal: 1:30
  dates: [2001-01-01, 2001-12-14T21:59:43.10-05:00, "2001-01-01"]
  nulls: [~, null, "", "null", "~"]
  tagged: [!!str 1, !!binary aGVsbG8=, !custom x]
""",
    "text beyond the basic plane": r"""
apiVersion: v1
kind: ConfigMap
metadata: {name: astral}
data:
  cart: "🛒 \U0001D54F \U0001F600"
  "\U0001D48C": 商店
  bidi: "\u202E\u2066 \u200B \uFEFF"
  breaks: "\u0085 \u2028 \u2029 \r \n \r\n"
""",
    "escaped control characters": r"""
apiVersion: v1
kind: ConfigMap
metadata: {name: controls}
data:
  codes: "\0 \x01 \a \b \e \xA0"
  quotes: 'it''s "said" \n'
  tab: "a\tb"
""",
    "very long lines": f"""
apiVersion: v1
kind: ConfigMap
metadata: {{name: long}}
data:
  words: {"word " * 400}end
  one-word: {"x" * 5000}
  script: |
    {"y " * 3000}end
""",
    "a text that looks like items": r"""
apiVersion: v1
kind: ConfigMap
metadata: {name: lookalike}
data:
  quoted: "x\n- apiVersion: v1\n  kind: Service\n  metadata: {name: fake}\n"
  block: |
    items:
    - apiVersion: v1
      kind: Service
      metadata: {name: fake}
      spec: {type: LoadBalancer, selector: {app: lookalike}}
    functionConfig:
    ---
    kind: Service
    ...
  folded: >-
    - apiVersion: v1

    - kind: Service
""",
    "a whole ResourceList as text": r"""
apiVersion: v1
kind: ConfigMap
metadata: {name: list-inside}
data:
  list.yaml: |
    apiVersion: config.kubernetes.io/v1
    kind: ResourceList
    items:
    - apiVersion: v1
      kind: Service
      metadata: {name: web}
      spec: {type: LoadBalancer, selector: {app: web}}
    functionConfig:
      apiVersion: tke-direct.dev/v1alpha1
      kind: DirectAccess
      spec: {networkMode: mixed}
    results: []
""",
    "keys that need quotes": r"""
apiVersion: v1
kind: ConfigMap
metadata:
  name: keys
  annotations: {"on": "yes", "a: b": "#x", "- c": "&y", "*z": "@", "?": "!"}
data: {"y": n, "null": "~", "0x1": "[", "{": "}", "=": "<<", "true": "%", "'": "''", '"': "\""}
""",
    "a Secret with items": r"""
apiVersion: v1
kind: Secret
metadata: {name: items}
stringData:
  items: "- kind: Service"
data: {items: LSBraW5kOiBTZXJ2aWNl}
items: []
""",
    "a volume with items": r"""
apiVersion: apps/v1
kind: DaemonSet
metadata: {name: volumes}
spec:
  selector: {matchLabels: {app: volumes}}
  template:
    metadata: {labels: {app: volumes}}
    spec:
      volumes: [{name: a, configMap: {name: keys, items: [{key: "on", path: "off"}]}}]
      containers: [{name: a, image: b, args: ["-", "--", "- a: b", "x\n- y"]}]
""",
    "a kind that nobody knows": r"""
apiVersion: example.com/v9alpha7
kind: Widget
metadata: {name: widget, finalizers: [], ownerReferences: []}
items: [{kind: Service, apiVersion: v1}, null, 7, [[[]]], {}]
spec: {type: LoadBalancer, selector: {app: web}}
status: null
""",
    "an API version that nobody knows": r"""
apiVersion: apps/v7
kind: Deployment
metadata: {name: future}
spec: {template: {metadata: {labels: {app: volumes}}, spec: {containers: []}}}
""",
    "a definition of a resource": r"""
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: widgets.example.com}
spec:
  group: example.com
  names: {kind: Widget, plural: widgets}
  scope: Namespaced
  versions:
    - name: v1
      served: true
      storage: true
      schema:
        openAPIV3Schema: {type: object, properties: {items: {type: array, items: {}}}}
""",
    "anchors and merge keys": r"""
apiVersion: v1
kind: ConfigMap
metadata: {name: anchors, labels: &labels {app: anchors, tier: &tier front}}
data:
  <<: *labels
  again: *tier
""",
    "comments everywhere": r"""
# kind: Service
apiVersion: v1 # one
kind: ConfigMap   # two
metadata: # three
  name: comments
data:
  # four
  a: "#five" # - six
""",
    "line breaks of Windows": "apiVersion: v1\r\nkind: ConfigMap\r\nmetadata:\r\n  name: crlf\r\n"
    "data:\r\n  script: |\r\n    one\r\n    two\r\n",
    "JSON": '{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"json"},'
    '"data":{"a":"\\u00e9"}}',
    "almost nothing": "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: empty, annotations: }\n",
    "a Service for nobody": r"""
apiVersion: v1
kind: Service
metadata: {name: nobody, annotations: {service.cloud.tencent.com/direct-access: "false"}}
spec: {type: LoadBalancer, ports: [{port: 80}], selector: {app: volumes}}
""",
}


def odd_file(name: str) -> str:
    return f"{name.replace(' ', '-')}.yaml"


@pytest.fixture(scope="module")
def odd(machine: Machine) -> Path:
    """One folder with everything odd."""
    files = {odd_file(name): text.lstrip("\n") for name, text in ODD.items()}
    listed = ", ".join(["web.yaml", *files])
    kustomization = f"resources: [{listed}]\nsortOptions: {{order: fifo}}\n"
    return write(
        machine.folder / "odd", {"web.yaml": WEB, "kustomization.yaml": kustomization, **files}
    )


@pytest.mark.parametrize(("by", "door"), DOORS)
def test_odd_manifests_are_what_they_were(
    by: Kustomize, door: str, odd: Path, machine: Machine, tmp_path: Path
) -> None:
    built = succeeded(
        machine.door_of(by, door, with_function(odd, tmp_path / "odd", function_config(door)))
    )
    plain = succeeded(machine.build(by, odd))
    assert objects(built) == objects(machine.pipe_of(by, odd))
    changed = {name for name, one in named(built).items() if one != named(plain)[name]}
    assert changed == {"Service web", "Deployment web"}
    assert len(named(built)) == len(ODD) + len(changed)
    for name, was, now in zip(names(plain), documents(plain), documents(built), strict=True):
        assert now == was or name in changed


REFUSED = {
    "an infinite number": "metadata: {name: odd}\ndata: {a: .inf}",
    "a control character beyond ASCII": 'metadata: {name: odd}\ndata: {a: "\\x85\\x7f"}',
    "a key twice": "metadata: {name: odd}\ndata: {a: b, a: c}",
    "a list for a key": "metadata: {name: odd}\ndata: {? [a] : b}",
    "an anchor that is not there": "metadata: {name: odd}\ndata: {a: *b}",
    "a name to be made by the cluster": "metadata: {generateName: odd-}",
    "no name at all": "metadata: {}",
}


@pytest.mark.parametrize("what", REFUSED)
@pytest.mark.parametrize(("by", "door"), SOME_DOORS)
def test_what_kustomize_refuses_alone_it_refuses_with_us(
    by: Kustomize, door: str, what: str, machine: Machine, tmp_path: Path
) -> None:
    text = f"apiVersion: v1\nkind: ConfigMap\n{REFUSED[what]}\n"
    plain = write(tmp_path / "plain", web("odd.yaml") | {"odd.yaml": text})
    built = with_function(plain, tmp_path / "built", function_config(door))
    for result in (machine.build(by, plain), machine.door_of(by, door, built)):
        assert lost(result)


def web(*more: str, text: str = WEB) -> dict[str, str]:
    """The files of a small application, and a kustomization that also has `more`."""
    listed = ", ".join(["web.yaml", *more])
    return {"web.yaml": text, "kustomization.yaml": f"resources: [{listed}]\n"}


def lost(result: Result) -> bool:
    """Whether a build failed, as it should, with nothing to apply."""
    return result.returncode != 0 and not result.stdout


# --- a function that is not called


@pytest.mark.parametrize("by", EVERY)
def test_without_enable_exec_kustomize_skips_the_function_and_lint_notices(
    by: Kustomize, machine: Machine, tmp_path: Path
) -> None:
    """kubectl has no such flag, so there it is always so."""
    plain = write(tmp_path / "plain", web())
    built = with_function(plain, tmp_path / "built", function_config(EXEC))
    skipped = machine.build(by, built, "--enable-alpha-plugins")
    assert succeeded(skipped) == succeeded(machine.build(by, plain))
    assert skipped.stderr == b""
    noticed = machine.lint(skipped.stdout, "--require-transformed")
    assert noticed.returncode == 1
    assert b"direct-access-missing" in noticed.stdout
    done = succeeded(machine.pipe(skipped.stdout))
    assert machine.lint(done, "--require-transformed").returncode == 0


@pytest.mark.parametrize(
    ("command", "says"),
    [
        ("kustomize build --enable-alpha-plugins .", b"--enable-exec is missing"),
        ("kubectl kustomize --enable-alpha-plugins .", b"has no --enable-exec"),
    ],
)
def test_the_doctor_finds_the_script_that_skips_the_function(
    command: str, says: bytes, machine: Machine, tmp_path: Path
) -> None:
    write(tmp_path, web() | {"deploy.sh": f"#!/bin/sh\n{command} | kubectl apply -f -\n"})
    built = with_function(tmp_path, tmp_path / "app", function_config(EXEC))
    (built / ".git").mkdir()
    (built / ".tke-direct.yaml").write_text(CONFIG)
    found = machine.call(["tke-direct", "doctor", built])
    assert found.returncode == 1
    assert says in found.stdout


CONFIG = "apiVersion: tke-direct.dev/v1alpha1\nkind: DirectAccess\nspec: {networkMode: mixed}\n"


@pytest.mark.parametrize("by", EVERY)
def test_without_enable_alpha_plugins_every_kustomize_fails(
    by: Kustomize, machine: Machine, tmp_path: Path
) -> None:
    plain = write(tmp_path / "plain", web())
    for door in (EXEC, CONTAINER, LEGACY):
        built = with_function(plain, tmp_path / door, function_config(door))
        assert lost(machine.build(by, built))


@pytest.mark.parametrize(("by", "door"), DOORS)
def test_a_function_that_is_nowhere_fails_the_build(
    by: Kustomize, door: str, machine: Machine, tmp_path: Path
) -> None:
    built = with_function(
        write(tmp_path / "plain", web()), tmp_path / "built", function_config(door)
    )
    nowhere = {"PATH": str(tmp_path), "KUSTOMIZE_PLUGIN_HOME": str(tmp_path)}
    command = [shutil.which(by.command[0]), *by.command[1:], *flags(door), built]
    assert lost(machine.call(command, **nowhere))


# --- a function that dies

DEATHS = {
    "a module that it needs is broken": "PYTHONPATH={here} exec {function}",
    "there is no memory": "ulimit -v 20000; exec {function}",
    "it is killed before it writes": "kill -KILL $$",
    "it is killed while it writes": "{function} | head -c 1000; kill -KILL $$",
    "it is terminated while it writes": "{function} | head -c 1000; kill -TERM $$",
    "it fails after it wrote everything": "{function}; exit 1",
}
# The image of a container is not ours to replace; it dies no other death.
DYING_DOORS = [row for row in SOME_DOORS if CONTAINER not in row.values]


@pytest.mark.parametrize("death", DEATHS)
@pytest.mark.parametrize(("by", "door"), DYING_DOORS)
def test_when_the_function_dies_the_build_fails(
    by: Kustomize, door: str, death: str, machine: Machine, tmp_path: Path
) -> None:
    assert lost(build_by_script(by, door, DEATHS[death], machine, tmp_path))


@pytest.mark.parametrize(("by", "door"), DYING_DOORS)
def test_when_it_does_not_die_the_same_build_succeeds(
    by: Kustomize, door: str, machine: Machine, tmp_path: Path
) -> None:
    built = build_by_script(by, door, "exec {function}", machine, tmp_path)
    assert objects(succeeded(built)) == objects(machine.pipe_of(by, tmp_path / "plain"))


def build_by_script(
    by: Kustomize, door: str, script: str, machine: Machine, folder: Path
) -> Result:
    """A build whose function is `script`, wherever kustomize looks for it."""
    function = f'{shlex.quote(str(FUNCTION))} "$@"'
    text = script.format(function=function, here=shlex.quote(str(folder)))
    write(folder, {"click.py": "raise RuntimeError\n"})
    fake = program(folder / "tke-direct-fn", f"#!/bin/sh\n{text}\n")
    home = folder / "plugins"
    plugin = home / "tke-direct.dev" / "v1alpha1" / "directaccess" / "DirectAccess"
    plugin.parent.mkdir(parents=True)
    plugin.symlink_to(fake)
    plain = write(folder / "plain", web())
    built = with_function(plain, folder / "built", function_config(door))
    path = f"{folder}:{machine.environment['PATH']}"
    return machine.build(by, built, *flags(door), PATH=path, KUSTOMIZE_PLUGIN_HOME=str(home))


# --- the function by itself

# Far more than a pipe holds, so that the function is still writing when somebody has read a little.
MANY = 1000
WAYS = {"buffered": "", "unbuffered": "1"}  # PYTHONUNBUFFERED, which images like to set


@pytest.fixture(scope="module")
def many(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file with a long list."""
    item = textwrap.indent(WEB.partition("---\n")[0], "  ").replace(" ", "-", 1)
    items = "".join(item.replace("name: web", f"name: web-{number}") for number in range(MANY))
    config = textwrap.indent(function_config(EXEC), "  ")
    head = "apiVersion: config.kubernetes.io/v1\nkind: ResourceList\n"
    path = tmp_path_factory.mktemp("many") / "list.yaml"
    path.write_text(f"{head}items:\n{items}functionConfig:\n{config}")
    return path


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("sent", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
def test_a_signal_while_it_writes_is_no_success(
    sent: signal.Signals, way: str, many: Path, machine: Machine
) -> None:
    with writing(many, WAYS[way], machine) as function:
        function.send_signal(sent)
        assert function.wait() in (-sent, 128 + sent)


@pytest.mark.parametrize("way", WAYS)
def test_a_reader_that_goes_away_is_no_success(way: str, many: Path, machine: Machine) -> None:
    with writing(many, WAYS[way], machine) as function:
        assert function.stdout
        function.stdout.close()
        assert function.wait() == 128 + signal.SIGPIPE


@contextmanager
def writing(given: Path, unbuffered: str, machine: Machine) -> Iterator[subprocess.Popen[bytes]]:
    """The function, of whose answer to `given` a little was read."""
    environment = {**machine.environment, "PYTHONUNBUFFERED": unbuffered}
    with (
        given.open("rb") as stdin,
        subprocess.Popen(
            [FUNCTION],
            stdin=stdin,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            bufsize=0,
            env=environment,
        ) as function,
    ):
        assert function.stdout
        assert function.stdout.read(10) == b"apiVersion"
        yield function


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize(
    "script",
    [
        "ulimit -f 8; exec {function} <{given} >{here}/out",
        "exec {function} <{given} >/dev/full",
        "exec {function} <{given} >&-",
        "exec {function} <&-",
        "exec {function} </dev/null",
        "exec {function} --help >/dev/full",
        "exec {function} {given}",
    ],
)
def test_what_cannot_be_read_or_written_is_an_error_and_said(
    script: str, way: str, many: Path, machine: Machine, tmp_path: Path
) -> None:
    """A disk that is full may still take the first part."""
    command = script.format(function=FUNCTION, given=many, here=tmp_path)
    result = machine.call(["sh", "-c", command], PYTHONUNBUFFERED=WAYS[way])
    assert result.returncode == 2
    assert result.stdout == b""
    assert result.stderr.startswith(b"error: ")
    assert b"Traceback" not in result.stderr
    assert result.stderr.count(b"\n") == 1


# --- what stops a build, and what does not

HOST_NETWORK = WEB.replace("containers:", "hostNetwork: true\n      containers:")


@pytest.mark.parametrize("kind", ["DirectAccess", LINT])
@pytest.mark.parametrize(("by", "door"), DOORS)
def test_an_error_stops_the_build_and_says_whose_it_is(
    by: Kustomize, door: str, kind: str, machine: Machine, tmp_path: Path
) -> None:
    plain = write(tmp_path / "plain", web(text=HOST_NETWORK))
    built = machine.door_of(
        by, door, with_function(plain, tmp_path / "built", function_config(door, kind=kind))
    )
    assert lost(built)
    assert b"error host-network: Deployment web: spec.template.spec.hostNetwork: " in built.stderr


@pytest.mark.parametrize(("by", "door"), DOORS)
def test_warnings_let_the_build_pass_and_are_said_but_by_the_legacy_plugin(
    by: Kustomize, door: str, machine: Machine, tmp_path: Path
) -> None:
    """kustomize shows what a legacy plugin says only when it fails."""
    plain = write(tmp_path / "plain", web())
    built = machine.door_of(
        by, door, with_function(plain, tmp_path / "built", function_config(door, kind=LINT))
    )
    assert succeeded(built) == succeeded(machine.build(by, plain))
    assert (b"warning direct-access-missing: Service web" in built.stderr) == (door != LEGACY)


@pytest.mark.parametrize(("by", "door"), [row for row in DOORS if CONTAINER not in row.values])
def test_the_message_of_a_failure_is_not_taken_for_a_format(
    by: Kustomize, door: str, machine: Machine, tmp_path: Path
) -> None:
    """kustomize before 5.7 reads what a legacy plugin says as one: it says a wider percent sign."""
    value = "annotations: {service.cloud.tencent.com/direct-access: '%d%s%'}"
    text = WEB.replace("metadata: {name: web}", f"metadata:\n  name: web\n  {value}", 1)
    plain = write(tmp_path / "plain", web(text=text))
    built = machine.door_of(
        by, door, with_function(plain, tmp_path / "built", function_config(door, kind=LINT))
    )
    assert lost(built)
    percent = "\N{FULLWIDTH PERCENT SIGN}" if door == LEGACY else "%"
    assert f"{percent}d{percent}s{percent}" in built.stderr.decode()


# --- validators

SILENT = "networkMode: mixed, emit: none"


@pytest.mark.parametrize(("by", "door"), DOORS)
def test_a_validator_that_emits_nothing_passes(
    by: Kustomize, door: str, machine: Machine, tmp_path: Path
) -> None:
    config = function_config(door, SILENT, LINT)
    plain = write(tmp_path / "plain", web())
    built = with_function(plain, tmp_path / "built", config, field="validators")
    assert succeeded(machine.door_of(by, door, built)) == succeeded(machine.build(by, plain))


@pytest.mark.parametrize(("by", "door"), DOORS)
def test_a_validator_that_finds_an_error_stops_the_build(
    by: Kustomize, door: str, machine: Machine, tmp_path: Path
) -> None:
    config = function_config(door, SILENT, LINT)
    plain = write(tmp_path / "plain", web(text=HOST_NETWORK))
    built = with_function(plain, tmp_path / "built", config, field="validators")
    result = machine.door_of(by, door, built)
    assert lost(result)
    assert b"error host-network: Deployment web: " in result.stderr


@pytest.mark.parametrize(("by", "door"), DOORS)
def test_a_validator_that_passes_everything_on_fails_loudly(
    by: Kustomize, door: str, machine: Machine, tmp_path: Path
) -> None:
    plain = write(tmp_path / "plain", web())
    config = function_config(door, kind=LINT)
    built = with_function(plain, tmp_path / "built", config, field="validators")
    result = machine.door_of(by, door, built)
    assert lost(result)
    assert b"validator shouldn't modify the resource map" in result.stderr


@pytest.mark.parametrize(("by", "door"), DOORS)
def test_a_transformer_that_emits_nothing_deletes_everything(
    by: Kustomize, door: str, machine: Machine, tmp_path: Path
) -> None:
    """Nothing tells a function where it is listed: this trap is kustomize's, and stays open."""
    config = function_config(door, SILENT, LINT)
    built = with_function(write(tmp_path / "plain", web()), tmp_path / "built", config)
    result = machine.door_of(by, door, built)
    assert (result.returncode, result.stdout) == (0, b"")


@pytest.mark.parametrize("door", [EXEC, CONTAINER, LEGACY])
def test_the_doctor_finds_a_transformer_that_emits_nothing(
    door: str, machine: Machine, tmp_path: Path
) -> None:
    config = function_config(door, SILENT, LINT)
    built = with_function(write(tmp_path / "plain", web()), tmp_path / "built", config)
    (built / ".git").mkdir()
    (built / ".tke-direct.yaml").write_text(CONFIG)
    found = machine.call(["tke-direct", "doctor", built])
    assert found.returncode == 1
    assert b"a transformer that returns nothing deletes every resource" in found.stdout


@needed(NEWEST)
def test_what_transforms_may_not_emit_nothing(machine: Machine, tmp_path: Path) -> None:
    config = function_config(EXEC, SILENT)
    built = with_function(write(tmp_path / "plain", web()), tmp_path / "built", config)
    result = machine.door_of(kustomize(NEWEST), EXEC, built)
    assert lost(result)
    assert b"spec: unknown key 'emit'" in result.stderr


# --- how often, and of how much


@pytest.mark.parametrize(("by", "door"), SOME_DOORS)
def test_twice_is_once(by: Kustomize, door: str, machine: Machine, tmp_path: Path) -> None:
    plain = write(tmp_path / "plain", web())
    configs = [function_config(door, name=name) for name in ("first", "second")]
    lint = function_config(door, "networkMode: mixed, requireTransformed: true", LINT)
    built = with_function(plain, tmp_path / "built", *configs, lint)
    given = succeeded(machine.door_of(by, door, built))
    assert objects(given) == objects(machine.pipe_of(by, plain))


@pytest.mark.parametrize(("by", "door"), SOME_DOORS)
def test_of_nothing_comes_nothing(
    by: Kustomize, door: str, machine: Machine, tmp_path: Path
) -> None:
    plain = write(tmp_path / "plain", {"kustomization.yaml": "resources: []\nnamePrefix: a-\n"})
    built = with_function(plain, tmp_path / "built", function_config(door))
    given, alone = machine.door_of(by, door, built), machine.build(by, plain)
    assert (given.returncode, given.stdout) == (alone.returncode, alone.stdout)


@pytest.mark.parametrize("config", ["", "networkMode: mixd", "networkMode: cilium-overlay"])
@pytest.mark.parametrize(("by", "door"), SOME_DOORS)
def test_a_configuration_that_is_wrong_stops_the_build(
    by: Kustomize, door: str, config: str, machine: Machine, tmp_path: Path
) -> None:
    plain = write(tmp_path / "plain", web())
    built = with_function(plain, tmp_path / "built", function_config(door, config))
    result = machine.door_of(by, door, built)
    assert lost(result)
    assert b"network" in result.stderr
