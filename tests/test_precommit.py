"""The hooks under the real pre-commit, in a repository of their user."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from tests.conftest import COMMAND, ROOT

HOOKS_FILE = ROOT / ".pre-commit-hooks.yaml"
CONFIG = "apiVersion: tke-direct.dev/v1alpha1\nkind: DirectAccess\nspec: {networkMode: mixed}\n"
GOOD = """\
apiVersion: v1
kind: Service
metadata:
  name: web  # comments stay
  annotations:
    service.cloud.tencent.com/direct-access: "true"
spec:
  type: LoadBalancer
  selector: {app: web}
  ports:
    - port: 80
"""
BAD = GOOD.replace('"true"', "true")
WORKLOAD = """\
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
      containers:
        - name: web
          image: nginx
"""
HELM = """\
apiVersion: v1
kind: Service
metadata:
  name: {{ .Release.Name }}
spec:
{{- if .Values.loadBalancer }}
  type: LoadBalancer
{{- end }}
"""

Result = subprocess.CompletedProcess[str]


def hooks() -> dict[str, dict[str, Any]]:
    rows: list[dict[str, Any]] = YAML(typ="safe").load(HOOKS_FILE)
    return {row["id"]: row for row in rows}


class Repository:
    """A git repository of somebody who uses the hooks."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder / "user"
        self.folder.mkdir()
        shim = folder / "bin" / "tke-direct"
        shim.parent.mkdir()
        shim.write_text(
            f'#!/bin/sh\nPYTHONPATH={shlex.quote(str(ROOT))} exec {shlex.join(COMMAND)} "$@"\n'
        )
        shim.chmod(0o755)
        known = {name: text for name, text in os.environ.items() if not name.startswith("GIT_")}
        self.environment = {
            **known,
            "PATH": f"{shim.parent}:{os.environ['PATH']}",
            "PRE_COMMIT_HOME": str(folder / "cache"),
            "PRE_COMMIT_COLOR": "never",
            "GIT_CONFIG_GLOBAL": os.devnull,
            "GIT_CONFIG_NOSYSTEM": "1",
        }
        for name in ("AUTHOR", "COMMITTER"):
            self.environment[f"GIT_{name}_NAME"] = "somebody"
            self.environment[f"GIT_{name}_EMAIL"] = "somebody@example.com"
        self.git("init", "--quiet")
        self.write(".tke-direct.yaml", CONFIG)

    def call(self, *arguments: str, cwd: Path | None = None) -> Result:
        return subprocess.run(
            arguments,
            cwd=cwd or self.folder,
            env=self.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )

    def git(self, *arguments: str, cwd: Path | None = None) -> str:
        result = self.call("git", *arguments, cwd=cwd)
        assert result.returncode == 0, result.stdout
        return result.stdout

    def write(self, name: str, text: str) -> Path:
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
        return path

    def install(self, repository: dict[str, Any]) -> None:
        with (self.folder / ".pre-commit-config.yaml").open("wb") as file:
            YAML(typ="safe").dump({"repos": [repository]}, file)
        installed = self.call(sys.executable, "-m", "pre_commit", "install", "--install-hooks")
        assert installed.returncode == 0, installed.stdout

    def use(self, *names: str, **other: Any) -> None:
        """Install the hooks `names` as they stand in our file, but for how they are installed."""
        known = hooks()
        rows = [{**known[name], "language": "system", **other} for name in names]
        self.install({"repo": "local", "hooks": rows})

    def commit(self) -> Result:
        self.git("add", "--all")
        return self.call("git", "commit", "--quiet", "--message", "change")


@pytest.fixture
def repository(tmp_path: Path) -> Repository:
    return Repository(tmp_path)


def test_the_hooks_file_is_one_that_pre_commit_takes() -> None:
    command = [sys.executable, "-m", "pre_commit", "validate-manifest", HOOKS_FILE]
    subprocess.run(command, check=True, capture_output=True)
    assert set(hooks()) == {"tke-direct-lint", "tke-direct-fix", "tke-direct-tree"}


def test_lint_stops_a_bad_commit_and_says_where(repository: Repository) -> None:
    repository.use("tke-direct-lint")
    repository.write("deploy/web.yaml", BAD)
    result = repository.commit()
    assert result.returncode == 1
    assert "deploy/web.yaml:6:46: error unquoted-string: Service web: " in result.stdout
    assert repository.call("git", "rev-parse", "HEAD").returncode != 0  # no commit was made


def test_a_clean_commit_passes(repository: Repository) -> None:
    repository.use("tke-direct-lint", "tke-direct-fix", "tke-direct-tree")
    repository.write("deploy/web.yaml", GOOD)
    result = repository.commit()
    assert result.returncode == 0, result.stdout
    assert result.stdout.count("Passed") == 3


def test_fix_mends_the_file_and_the_second_commit_passes(repository: Repository) -> None:
    repository.use("tke-direct-fix")
    path = repository.write("web.yaml", BAD)
    first = repository.commit()
    assert first.returncode == 1
    assert "Failed" in first.stdout
    assert "- exit code: 1" in first.stdout
    assert "files were modified by this hook" in first.stdout
    assert path.read_text(encoding="utf-8") == GOOD
    second = repository.commit()
    assert second.returncode == 0, second.stdout
    assert repository.git("show", "HEAD:web.yaml") == GOOD


def test_a_hook_for_files_judges_by_changed_files_alone(repository: Repository) -> None:
    repository.write("workload.yaml", WORKLOAD)
    assert repository.commit().returncode == 0
    repository.use("tke-direct-lint")
    repository.write("service.yaml", GOOD)
    assert repository.commit().returncode == 0


def test_the_hook_for_the_tree_compares_files_that_did_not_change(repository: Repository) -> None:
    repository.write("workload.yaml", WORKLOAD)
    assert repository.commit().returncode == 0
    repository.use("tke-direct-tree", args=["--fail-on", "warning", "."])
    repository.write("service.yaml", GOOD)
    result = repository.commit()
    assert result.returncode == 1
    assert re.search(
        r"^workload.yaml:\d+:\d+: \w+ networks-missing: Deployment web: ", result.stdout, re.M
    )


def test_file_names_with_blanks_and_other_letters_work(repository: Repository) -> None:
    repository.use("tke-direct-lint")
    repository.write("my shop/the web 服务.yaml", BAD)
    result = repository.commit()
    assert result.returncode == 1
    assert "my shop/the web 服务.yaml:6:46: error unquoted-string" in result.stdout


def test_an_excluded_file_is_left_out_though_pre_commit_names_it(repository: Repository) -> None:
    repository.use("tke-direct-lint", "tke-direct-fix")
    repository.write(".tke-direct.yaml", CONFIG.replace("mixed", "mixed, exclude: [vendor]"))
    path = repository.write("vendor/web.yaml", BAD)
    assert repository.commit().returncode == 0
    assert path.read_text(encoding="utf-8") == BAD


FOREIGN = {
    "a workflow": (".github/workflows/ci.yml", 'on: push\njobs: {a: {name: "{{ x }}"}}\n'),
    "other JSON": ("package.json", '{"name": "x"}\n'),
    "JSON with comments": ("tsconfig.json", '{\n  // strict\n  "strict": true\n}\n'),
    "a Helm template": ("chart/templates/service.yaml", HELM),
    "a template elsewhere": ("ansible/service.yaml", HELM),
    "values of a chart": ("chart/values.yaml", "loadBalancer: yes\n"),
    "Jinja": ("playbook.yml", "a: b\n{% if x %}\nc: d\n{% endif %}\n"),
    "an empty file": ("empty.yaml", ""),
    "tags of other tools": ("template.yaml", "Resources: !Sub ${x}\nOther: !GetAtt a.b\n"),
}


@pytest.mark.parametrize("name", FOREIGN)
def test_what_is_no_manifest_does_not_disturb(name: str, repository: Repository) -> None:
    repository.use("tke-direct-lint", "tke-direct-fix", "tke-direct-tree")
    file, text = FOREIGN[name]
    path = repository.write(file, text)
    result = repository.commit()
    assert result.returncode == 0, result.stdout
    assert path.read_text(encoding="utf-8") == text


def test_a_manifest_that_is_not_yaml_stops_the_commit(repository: Repository) -> None:
    repository.use("tke-direct-lint")
    repository.write("web.yaml", GOOD.replace("  type:", "\ttype:"))
    result = repository.commit()
    assert result.returncode == 1
    assert "web.yaml:8:1: error tab: " in result.stdout


def test_many_files_are_one_process(repository: Repository) -> None:
    repository.use("tke-direct-lint")
    for number in range(40):
        repository.write(f"web{number}.yaml", BAD)
    result = repository.commit()
    assert result.returncode == 1
    assert result.stdout.count("40 errors in") == 1


def checkout(repository: Repository, folder: Path) -> str:
    """A git repository at `folder` of this checkout as it is now; its commit."""
    folder.mkdir()
    listed = repository.git(
        "ls-files", "-z", "--cached", "--others", "--exclude-standard", cwd=ROOT
    )
    for name in filter(None, listed.split("\0")):
        if (ROOT / name).is_file():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, folder / name)
    repository.git("init", "--quiet", cwd=folder)
    repository.git("add", "--all", cwd=folder)
    repository.git("commit", "--quiet", "--message", "as it is now", cwd=folder)
    return repository.git("rev-parse", "HEAD", cwd=folder).strip()


def test_pre_commit_installs_the_hooks_from_a_clone(repository: Repository, tmp_path: Path) -> None:
    options = ("--no-deps", "--quiet", "--disable-pip-version-check", "--retries", "0")
    target = str(tmp_path / "downloads")
    reach = repository.call(
        sys.executable, "-m", "pip", "download", *options, "-d", target, "setuptools>=77"
    )
    if reach.returncode != 0:
        pytest.skip("pip reaches no package index, so pre-commit cannot install the hooks")
    clone = tmp_path / "clone"
    rows = [{"id": name} for name in hooks()]
    revision = checkout(repository, clone)
    repository.install({"repo": str(clone), "rev": revision, "hooks": rows})
    (tmp_path / "bin" / "tke-direct").unlink()  # what runs now is what pre-commit installed
    path = repository.write("web.yaml", BAD)
    first = repository.commit()
    assert first.returncode == 1
    assert "web.yaml:6:46: error unquoted-string" in first.stdout
    assert path.read_text(encoding="utf-8") == GOOD
    assert repository.commit().returncode == 0
