"""What a function finds: as ``results`` for programs, on standard error for people.

``kustomize build`` throws results away.  ``kustomize fn run`` keeps them, as kpt does, and it
works on files: so their comments are there too.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import Result, tke_direct
from tests.doors.kustomize import (
    EXEC,
    FUNCTION,
    WITH_EXEC,
    Kustomize,
    Machine,
    flags,
    function_config,
    objects,
    with_function,
    write,
)

WEB = """\
# The shop: CLB sends to its Pods.
apiVersion: v1
kind: Service
metadata:
  name: web # comments stay
spec:
  type: LoadBalancer
  selector: {app: web}
  ports: [{port: 80}]
---
apiVersion: apps/v1
kind: Deployment
metadata:
  name: web
spec:
  selector: {matchLabels: {app: web}}
  template:
    metadata:
      labels: {app: web}
    spec:
      # the only one
      containers:
      - name: web
        image: 'nginx' # quotes too
"""
EDGE = WEB.replace("      # the only one\n", "      hostNetwork: true\n").replace("web", "edge")
FILES = {"web.yaml": WEB, "sub/edge.yaml": EDGE}
LINT = "DirectAccessLint"


class Ran:
    """``kustomize fn run`` on a folder with `files`, with the function configured by `config`."""

    def __init__(
        self, by: Kustomize, machine: Machine, folder: Path, files: dict[str, str], config: str
    ) -> None:
        self.app = write(folder / "app", files)
        functions = write(folder / "functions", {"function.yaml": config})
        (folder / "results").mkdir()  # it fails when it has results and nowhere to put them
        self.result: Result = machine.call(
            [
                *(by.command[0], "fn", "run", self.app, "--enable-exec"),
                *("--fn-path", functions, "--results-dir", folder / "results"),
            ]
        )
        self.results = list(results_in(folder / "results"))
        self.files = {name: (self.app / name).read_text() for name in files}


def results_in(folder: Path) -> Iterator[Any]:
    for path in folder.iterdir():
        assert path.name == "results-0.yaml"
        (found,) = objects(path.read_bytes())
        yield from found


@pytest.mark.parametrize("by", WITH_EXEC)
def test_results_are_the_findings_of_lint_and_say_file_resource_and_field(
    by: Kustomize, machine: Machine, tmp_path: Path
) -> None:
    ran = Ran(by, machine, tmp_path, FILES, function_config(EXEC, kind=LINT))
    assert ran.result.returncode == 1
    assert ran.files == FILES
    (ran.app / ".git").mkdir()
    linted = tke_direct("lint", "-m", "mixed", "--format", "json", ".", cwd=ran.app)
    wanted = list(map(as_result, json.loads(linted.stdout)["findings"]))
    assert in_order(ran.results) == in_order(wanted)
    assert {
        "message": "is true: a Pod on the host's network has no address of its own for CLB to "
        "bind; remove it, or take the workload out of direct access",
        "severity": "error",
        "resourceRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": "edge"},
        "field": {"path": "spec.template.spec.hostNetwork"},
        "file": {"path": "sub/edge.yaml", "index": 1},
        "tags": {"rule": "host-network"},
    } in ran.results


def as_result(row: Any) -> Any:
    """A finding in the JSON of lint, as results have it; the document of a file is new there."""
    index = 1 if row["resourceRef"]["kind"] == "Deployment" else 0
    return {
        "message": row["message"],
        "severity": row["severity"],
        "resourceRef": {key: value for key, value in row["resourceRef"].items() if value},
        "field": row["field"],
        "file": {**row["file"], "index": index},
        "tags": {"rule": row["rule"]},
    }


def in_order(results: list[Any]) -> list[str]:
    return sorted(json.dumps(one, sort_keys=True) for one in results)


@pytest.mark.parametrize("by", WITH_EXEC)
def test_warnings_are_results_of_a_run_that_succeeds(
    by: Kustomize, machine: Machine, tmp_path: Path
) -> None:
    ran = Ran(by, machine, tmp_path, {"web.yaml": WEB}, function_config(EXEC, kind=LINT))
    assert ran.result.returncode == 0
    assert {one["severity"] for one in ran.results} == {"warning"}
    assert ran.files["web.yaml"] == WEB


@pytest.mark.parametrize("by", WITH_EXEC)
def test_build_shows_on_standard_error_what_run_puts_into_results(
    by: Kustomize, machine: Machine, tmp_path: Path
) -> None:
    config = function_config(EXEC, kind=LINT)
    ran = Ran(by, machine, tmp_path, FILES, config)
    listed = {"kustomization.yaml": f"resources: [{', '.join(FILES)}]\n"}
    plain = write(tmp_path / "plain", {**FILES, **listed})
    built = machine.build(by, with_function(plain, tmp_path / "built", config), *flags(EXEC))
    assert sentences(built.stderr) == sentences(ran.result.stderr)
    assert sentences(built.stderr) == sorted(map(sentence, ran.results))


def sentence(one: Any) -> str:
    ref = one["resourceRef"]
    place = f"{ref['kind']} {ref['name']}: {one['field']['path']}"
    return f"{one['severity']} {one['tags']['rule']}: {place}: {one['message']}"


def sentences(stderr: bytes) -> list[str]:
    """The findings on standard error, without those who frame them."""
    lines = stderr.decode().splitlines()
    return sorted(line for line in lines if line.startswith(("error ", "warning ", "info ")))


@pytest.mark.parametrize("by", WITH_EXEC)
def test_what_is_completed_in_files_keeps_their_comments(
    by: Kustomize, machine: Machine, tmp_path: Path
) -> None:
    """kustomize itself gives every list and comment the place that it likes; here they have it."""
    ran = Ran(by, machine, tmp_path, {"web.yaml": WEB}, function_config(EXEC))
    assert ran.result.returncode == 0
    assert ran.results == []
    assert ran.files["web.yaml"].encode() == machine.pipe(WEB.encode()).stdout


@pytest.mark.parametrize("by", WITH_EXEC)
def test_a_refusal_is_a_result_and_changes_no_file(
    by: Kustomize, machine: Machine, tmp_path: Path
) -> None:
    ran = Ran(by, machine, tmp_path, FILES, function_config(EXEC))
    assert ran.result.returncode == 1
    assert ran.files == FILES
    assert [one["tags"]["rule"] for one in ran.results] == ["host-network"]
    assert ran.results[0]["file"] == {"path": "sub/edge.yaml", "index": 1}


@pytest.mark.parametrize("by", WITH_EXEC)
def test_a_configuration_that_is_wrong_is_a_result_too(
    by: Kustomize, machine: Machine, tmp_path: Path
) -> None:
    ran = Ran(by, machine, tmp_path, FILES, function_config(EXEC, "networkMode: mixd"))
    assert ran.result.returncode != 0
    assert ran.files == FILES
    (one,) = ran.results
    assert one["tags"] == {"rule": "configuration"}
    assert "did you mean 'mixed'?" in one["message"]


@pytest.mark.parametrize("by", WITH_EXEC)
def test_a_function_beside_its_resources_is_found_there_and_stays(
    by: Kustomize, machine: Machine, tmp_path: Path
) -> None:
    config = function_config(EXEC)
    app = write(tmp_path / "app", {"web.yaml": WEB, "direct.yaml": config})
    ran = machine.call([by.command[0], "fn", "run", app, "--enable-exec"])
    assert ran.returncode == 0
    assert (app / "web.yaml").read_bytes() == machine.pipe(WEB.encode()).stdout
    assert (app / "direct.yaml").read_text() == config


@pytest.mark.parametrize("by", WITH_EXEC)
def test_arguments_instead_of_a_configuration_are_refused(
    by: Kustomize, machine: Machine, tmp_path: Path
) -> None:
    """``--exec-path`` makes a configuration of its own, which has only ``data``."""
    app = write(tmp_path / "app", FILES)
    command = [by.command[0], "fn", "run", app, "--enable-exec", "--exec-path", FUNCTION]
    ran = machine.call([*command, "--", "networkMode=mixed"])
    assert ran.returncode != 0
    assert b"error: functionConfig ConfigMap " in ran.stderr
    assert {name: (app / name).read_text() for name in FILES} == FILES
