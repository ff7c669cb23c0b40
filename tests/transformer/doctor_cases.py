"""Small repositories with one defect each, where the doctor finds it, and what mends it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from schemas.contract import CONTROLLER_CONFIG, DIRECT_ENI, ENI_IP, NETWORKS

Files = Mapping[str, str]
FLAGS = "--enable-alpha-plugins --enable-exec"
RESOURCES = "resources: [web.yaml]\n"
CONFIG_MAP = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: web}\ndata: {a: before}\n"


def config_for(mode: str) -> str:
    return (
        f"apiVersion: tke-direct.dev/v1alpha1\nkind: DirectAccess\nspec: {{networkMode: {mode}}}\n"
    )


def function(
    how: str = "exec: {path: tke-direct-fn}",
    kind: str = "DirectAccess",
    spec: str = "networkMode: mixed",
) -> str:
    """Our function config; `how` is the text of its annotation, '' for none."""
    text = f"apiVersion: tke-direct.dev/v1alpha1\nkind: {kind}\nmetadata:\n  name: direct\n"
    if how:
        text += f"  annotations:\n    config.kubernetes.io/function: |\n      {how}\n"
    return f"{text}spec: {{{spec}}}\n"


def indented(text: str, by: int = 4) -> str:
    return "".join(f"{' ' * by}{line}\n" if line else "\n" for line in text.splitlines())


def inline(text: str, field: str = "transformers") -> str:
    return f"{RESOURCES}{field}:\n  - |-\n{indented(text)}"


MIXED = {".tke-direct.yaml": config_for("mixed")}
WIRED = {
    **MIXED,
    "web.yaml": CONFIG_MAP,
    "kustomization.yaml": f"{RESOURCES}transformers: [direct.yaml]\n",
    "direct.yaml": function(),
    "bin/tke-direct-fn": "#!/bin/sh\nsed s/before/after/\n",
}
PLUGIN = "home/.config/kustomize/plugin/tke-direct.dev/v1alpha1/directaccess/DirectAccess"
PROGRAM = "apiVersion: v1\nkind: Pod\nmetadata: {name: p}\n"


class Case(NamedTuple):
    """A defect: what to put into a wired repository, where it is found, and what mends it."""

    name: str
    files: Files
    place: str
    severity: str
    says: str
    mended: Files


def template(annotations: str = "{}", resources: str = "{}", selector: str = "{}") -> str:
    return f"""\
apiVersion: apps/v1
kind: Deployment
metadata: {{name: web}}
spec:
  template:
    metadata:
      annotations: {annotations}
    spec:
      nodeSelector: {selector}
      containers:
        - name: web
          resources: {resources}
"""


def plugin(command: str, more: str = "") -> str:
    return (
        "apiVersion: argoproj.io/v1alpha1\nkind: ConfigManagementPlugin\nmetadata: {name: p}\n"
        f"spec:\n  generate:\n    command: {command}\n{more}"
    )


def argocd_cm(options: str) -> str:
    return (
        "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: argocd-cm}\n"
        f"data:\n  kustomize.buildOptions: {options}\n"
    )


def switch(value: str) -> str:
    return (
        f"apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: {CONTROLLER_CONFIG}}}\n"
        f"data: {{{value}}}\n"
    )


CLEAN_TEMPLATE = {"app.yaml": template()}
PIPE = "[bash, -c, 'set -o pipefail; kustomize build {} . | tke-direct transform -']"
LINT = function(kind="DirectAccessLint")
NOTHING = function(kind="DirectAccessLint", spec="networkMode: mixed, emit: none")
LINT_FILES = {"kustomization.yaml": f"{RESOURCES}validators: [lint.yaml]\n"}

CASES = [
    Case(
        "a Makefile without --enable-exec",
        {"Makefile": "deploy:\n\tkustomize build --enable-alpha-plugins . | kubectl apply -f -\n"},
        "Makefile:2:2",
        "error",
        "--enable-exec is missing, which the DirectAccess of kustomization.yaml needs: "
        "kustomize skips the function, says nothing and exits 0",
        {"Makefile": f"deploy:\n\tkustomize build {FLAGS} . | kubectl apply -f -\n"},
    ),
    Case(
        "a shared folder that says for all its functions how to run them",
        {
            "kustomization.yaml": f"{RESOURCES}transformers: [shared]\n",
            "shared/kustomization.yaml": "resources: [direct.yaml]\ncommonAnnotations:\n"
            "  config.kubernetes.io/function: 'exec: {path: tke-direct-fn}'\n",
            "shared/direct.yaml": function(how=""),
            "Makefile": "deploy:\n\tkustomize build --enable-alpha-plugins .\n",
        },
        "Makefile:2:2",
        "error",
        "--enable-exec is missing",
        {"Makefile": f"deploy:\n\tkustomize build {FLAGS} .\n"},
    ),
    Case(
        "a workflow without any flag",
        {".github/workflows/ci.yml": "jobs:\n  a:\n    steps:\n      - run: kustomize build .\n"},
        ".github/workflows/ci.yml:4:14",
        "error",
        "--enable-alpha-plugins --enable-exec is missing",
        {".github/workflows/ci.yml": f"steps:\n  - run: kustomize build . {FLAGS}\n"},
    ),
    Case(
        "a script with continuation lines",
        {"ci/go.sh": "#!/bin/sh\nkustomize build \\\n  --enable-alpha-plugins \\\n  ./\n"},
        "ci/go.sh:2:1",
        "error",
        "--enable-exec is missing",
        {"ci/go.sh": "kustomize build \\\n  --enable-alpha-plugins \\\n  --enable-exec ./\n"},
    ),
    Case(
        "a Makefile whose variable lacks a flag",
        {"Makefile": "OPTS := --enable-alpha-plugins\nx:\n\t$(KUSTOMIZE) build $(OPTS) .\n"},
        "Makefile:3:2",
        "error",
        "--enable-exec is missing",
        {"Makefile": f"OPTS := {FLAGS}\nx:\n\t$(KUSTOMIZE) build $(OPTS) .\n"},
    ),
    Case(
        "a script whose flags come from outside",
        {"go.sh": 'kustomize build "${EXTRA_FLAGS}" .\n'},
        "go.sh:1:1",
        "warning",
        "cannot tell whether $EXTRA_FLAGS brings --enable-alpha-plugins --enable-exec",
        {"go.sh": f"kustomize build $EXTRA_FLAGS {FLAGS} .\n"},
    ),
    Case(
        "kubectl kustomize with an exec function",
        {"Jenkinsfile": "sh 'kubectl kustomize --enable-alpha-plugins .'\n"},
        "Jenkinsfile:1:5",
        "error",
        "has no --enable-exec, which the DirectAccess of kustomization.yaml needs: it skips the "
        "function, says nothing and exits 0",
        {"Jenkinsfile": f"sh 'kustomize build {FLAGS} .'\n"},
    ),
    Case(
        "kubectl apply -k in the README",
        {"README.md": "Say `kubectl apply -k .`:\n\n```console\n$ kubectl -n x apply -k .\n```\n"},
        "README.md:4:3",
        "error",
        "kubectl apply -k cannot run plugins",
        {"README.md": "Never say this:\n\n    kubectl apply -k .\n"},
    ),
    Case(
        "a container function without --enable-alpha-plugins",
        {
            "direct.yaml": function("container: {image: example.com/tke-direct-fn}"),
            ".gitlab-ci.yml": "deploy:\n  script:\n    - kubectl kustomize . | kubectl apply -f-\n",
        },
        ".gitlab-ci.yml:3:7",
        "error",
        "--enable-alpha-plugins is missing",
        {".gitlab-ci.yml": "script:\n  - kubectl kustomize --enable-alpha-plugins .\n"},
    ),
    Case(
        "Argo CD's own kustomize without --enable-exec",
        {"argo/cm.yaml": argocd_cm("--enable-alpha-plugins")},
        "argo/cm.yaml:5:27",
        "error",
        "kustomize.buildOptions: --enable-exec is missing",
        {"argo/cm.yaml": argocd_cm(FLAGS)},
    ),
    Case(
        "a function that is on no PATH",
        {"direct.yaml": function("exec: {path: tke-direct-other}")},
        "direct.yaml:7:20",
        "error",
        "tke-direct-other is not on the PATH",
        {"bin/tke-direct-other": "#!/bin/sh\n"},
    ),
    Case(
        "a function that does not exist",
        {"direct.yaml": function("exec: {path: ./fn}")},
        "direct.yaml:7:20",
        "error",
        "./fn does not exist (kustomize starts from the folder of the kustomization)",
        {"direct.yaml": function("exec: {path: bin/tke-direct-fn}")},
    ),
    Case(
        "a function that is not executable",
        {"direct.yaml": function("exec: {path: ./fn}"), "fn": "#!/bin/sh\n"},
        "direct.yaml:7:20",
        "error",
        "./fn is not executable: chmod +x",
        {"direct.yaml": function("exec: {path: bin/tke-direct-fn}")},
    ),
    Case(
        "a function without #!",
        {"bin/tke-direct-fn": "cat\n"},
        "direct.yaml:7:20",
        "error",
        "tke-direct-fn has no #! in its first line",
        {"bin/tke-direct-fn": "#!/bin/sh\ncat\n"},
    ),
    Case(
        "a function with CRLF",
        {"bin/tke-direct-fn": "#!/bin/sh\r\ncat\r\n"},
        "direct.yaml:7:20",
        "error",
        "tke-direct-fn has CRLF line endings",
        {"bin/tke-direct-fn": "#!/bin/sh\ncat\n"},
    ),
    Case(
        "a script of the repository under Argo CD",
        {
            "direct.yaml": function("exec: {path: ./bin/tke-direct-fn}"),
            "cmp/plugin.yaml": plugin(f"[kustomize, build, {', '.join(FLAGS.split())}]"),
        },
        "direct.yaml:7:20",
        "warning",
        "gets the repository without executable files",
        {"direct.yaml": function()},
    ),
    Case(
        "no plugin home",
        {"direct.yaml": function("")},
        "direct.yaml:1:1",
        "error",
        "kustomize looks for a plugin in its plugin home, and there is none",
        {"direct.yaml": function()},
    ),
    Case(
        "a plugin home without our plugin",
        {"direct.yaml": function(""), "home/.config/kustomize/plugin/x": ""},
        "direct.yaml:1:1",
        "error",
        "tke-direct.dev/v1alpha1/directaccess/DirectAccess does not exist",
        {PLUGIN: "#!/bin/sh\ncat\n"},
    ),
    Case(
        "a function that is a link that leads nowhere",
        {"direct.yaml": function("exec: {path: ./fn}"), "fn ->": "gone/fn"},
        "direct.yaml:7:20",
        "error",
        "./fn is a link to gone/fn, which does not exist any more (kustomize starts",
        {"fn ->": "bin/tke-direct-fn"},
    ),
    Case(
        "a plugin home whose plugin is a link that leads nowhere",
        {"direct.yaml": function(""), f"{PLUGIN} ->": "/gone/tke-direct-fn"},
        "direct.yaml:1:1",
        "error",
        "directaccess/DirectAccess is a link to /gone/tke-direct-fn, which does not exist any more",
        {f"{PLUGIN} ->": "/bin/sh"},
    ),
    Case(
        "a function whose mode is misspelt",
        {"direct.yaml": function(spec="networkMode: mixd")},
        "direct.yaml:1:1",
        "error",
        "spec.networkMode: unknown value 'mixd'; did you mean 'mixed'?",
        {"direct.yaml": function()},
    ),
    Case(
        "a function in a text of the kustomization whose mode is misspelt",
        {"kustomization.yaml": inline(function(spec="networkMode: mixd"))},
        "kustomization.yaml:4:5",
        "error",
        "spec.networkMode: unknown value 'mixd'",
        {"kustomization.yaml": inline(function())},
    ),
    Case(
        "a function without a mode",
        {"direct.yaml": function(spec="")},
        "direct.yaml:1:1",
        "error",
        "no network mode: set spec.networkMode here; known: vpc-cni, mixed, ",
        {"direct.yaml": function()},
    ),
    Case(
        "a function whose kind is misspelt",
        {"direct.yaml": function(kind="DirectAcces")},
        "direct.yaml:1:1",
        "error",
        "kind: unknown value 'DirectAcces'; did you mean 'DirectAccess'?",
        {"direct.yaml": function()},
    ),
    Case(
        "a legacy plugin whose kind is misspelt",
        {"direct.yaml": function("", kind="DirectAcces")},
        "direct.yaml:1:1",
        "error",
        "kind: unknown value 'DirectAcces'",
        {"direct.yaml": function()},
    ),
    Case(
        "a lint function for another mode than the function before it",
        {
            "kustomization.yaml": f"{RESOURCES}transformers: [direct.yaml, lint.yaml]\n",
            "lint.yaml": function(kind="DirectAccessLint", spec="networkMode: vpc-cni"),
        },
        "lint.yaml:8:21",
        "error",
        "your two configurations disagree: direct.yaml:8 says mixed, this one vpc-cni",
        {"lint.yaml": LINT},
    ),
    Case(
        "a command that names the end of a path",
        {
            "go.sh": "cd deploy\nkustomize build --enable-alpha-plugins overlays/prod\n",
            "deploy/overlays/prod/kustomization.yaml": "transformers: [direct.yaml]\n",
            "deploy/overlays/prod/direct.yaml": function(),
        },
        "go.sh:2:1",
        "warning",
        "if this builds deploy/overlays/prod: --enable-exec is missing, which the DirectAccess of "
        "deploy/overlays/prod/kustomization.yaml needs",
        {"go.sh": f"cd deploy\nkustomize build {FLAGS} overlays/prod\n"},
    ),
    Case(
        "an annotation that names no program",
        {"direct.yaml": function("starlark: {path: x}")},
        "direct.yaml:6:36",
        "error",
        "names neither exec",
        {"direct.yaml": function()},
    ),
    Case(
        "an object where kustomize wants a text",
        {"kustomization.yaml": f"{RESOURCES}transformers:\n  -\n{indented(function())}"},
        "kustomization.yaml:4:5",
        "error",
        "kustomize refuses an object",
        {"kustomization.yaml": inline(function())},
    ),
    Case(
        "a validator that emits",
        {**LINT_FILES, "lint.yaml": LINT},
        "lint.yaml:1:1",
        "error",
        "kustomize rejects every validator that returns what it was given",
        {"lint.yaml": NOTHING},
    ),
    Case(
        "a transformer that emits nothing",
        {"direct.yaml": NOTHING},
        "direct.yaml:8:34",
        "error",
        "deletes every resource of the build",
        {"direct.yaml": function()},
    ),
    Case(
        "a generator",
        {"kustomization.yaml": f"{RESOURCES}generators: [direct.yaml]\n"},
        "kustomization.yaml:2:14",
        "error",
        "a generator is not given the resources",
        {"kustomization.yaml": f"{RESOURCES}transformers: [direct.yaml]\n"},
    ),
    Case(
        "a function below an overlay",
        {"overlays/prod/kustomization.yml": "resources:\n  - ../..\n"},
        "kustomization.yaml:2:16",
        "warning",
        "overlays/prod/kustomization.yml builds on this one",
        {"overlays/prod/kustomization.yml": "resources:\n  - ../../../other\n"},
    ),
    Case(
        "lint before another transformer",
        {
            "kustomization.yaml": f"{RESOURCES}transformers:\n  - direct.yaml\n  - |-\n"
            + indented(LINT),
        },
        "kustomization.yaml:4:5",
        "warning",
        "the transformer of line 3 runs after this lint",
        {"kustomization.yaml": f"{RESOURCES}transformers: [direct.yaml, lint.yaml]\n"}
        | {"lint.yaml": LINT},
    ),
    Case(
        "a pipe in the shell of an Argo CD plugin",
        {"plugin.yaml": plugin(f"[sh, -c, 'kustomize build {FLAGS} . | tke-direct transform -']")},
        "plugin.yaml:6:14",
        "error",
        "a pipe hides that its first command failed",
        {"plugin.yaml": plugin(PIPE.format(FLAGS))},
    ),
    Case(
        "pipefail in dash",
        {"plugin.yaml": plugin(PIPE.format(FLAGS).replace("bash", "sh"))},
        "plugin.yaml:6:14",
        "error",
        "Debian's sh is dash, which stops at 'set -o pipefail'",
        {"plugin.yaml": plugin(PIPE.format(FLAGS))},
    ),
    Case(
        "an Argo CD plugin that ignores failure",
        {"plugin.yaml": plugin(f"[sh, -c, 'kustomize build {FLAGS} . || true']")},
        "plugin.yaml:6:14",
        "error",
        "'|| true' hides that rendering failed",
        {"plugin.yaml": plugin(f"[sh, -c, 'kustomize build {FLAGS} .']")},
    ),
    Case(
        "an Argo CD plugin whose kustomize lacks flags",
        {"plugin.yaml": plugin("[kustomize]", "    args: [build, --enable-alpha-plugins]\n")},
        "plugin.yaml:6:14",
        "error",
        "--enable-exec is missing",
        {"plugin.yaml": plugin("[kustomize]", f"    args: [build, {FLAGS.replace(' ', ', ')}]\n")},
    ),
    Case(
        "an Argo CD plugin in a ConfigMap, with an unknown key",
        {
            "argo/cmp.yaml": "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: c}\ndata:\n"
            "  plugin.yaml: |\n" + indented(plugin("[cat]", "  discovery: {fileName: x}\n"))
        },
        "argo/cmp.yaml:12:7",
        "error",
        "spec.discovery: Argo CD ignores this unknown key without a word; did you mean 'discover'?",
        {"argo/cmp.yaml": plugin("[cat]", "  discover: {fileName: x}\n")},
    ),
    Case(
        "an Argo CD plugin without a command",
        {"plugin.yaml": plugin("[]")},
        "plugin.yaml:1:1",
        "error",
        "spec.generate.command is missing",
        {"plugin.yaml": plugin("[cat, all.yaml]")},
    ),
    Case(
        "a configuration that is wrong",
        {".tke-direct.yaml": config_for("mixd")},
        ".tke-direct.yaml:3:21",
        "error",
        "unknown value 'mixd'; did you mean 'mixed'?",
        MIXED,
    ),
    Case(
        "a kustomization that is not YAML",
        {"other/kustomization.yaml": "resources:\n  - [\n"},
        "other/kustomization.yaml:3:1",
        "error",
        "did not find expected node content",
        {"other/kustomization.yaml": "resources: []\n"},
    ),
    Case(
        "an ENI request in mode global-router",
        {
            ".tke-direct.yaml": config_for("global-router"),
            "app.yaml": template(resources=f'{{requests: {{{ENI_IP}: "1"}}}}'),
        },
        "app.yaml:12:34",
        "error",
        "but the mode is global-router: no node there offers it",
        CLEAN_TEMPLATE,
    ),
    Case(
        "a network annotation in mode vpc-cni",
        {
            ".tke-direct.yaml": config_for("vpc-cni"),
            "app.yaml": template(annotations=f"{{{NETWORKS}: tke-route-eni}}"),
        },
        "app.yaml:7:21",
        "warning",
        "asks for the network tke-route-eni, but the mode is vpc-cni",
        CLEAN_TEMPLATE,
    ),
    Case(
        "an exclusive interface in mode mixed",
        {"app.yaml": template(resources=f'{{limits: {{{DIRECT_ENI}: "1"}}}}')},
        "app.yaml:12:32",
        "error",
        "but the mode is mixed",
        {"app.yaml": template(resources=f'{{limits: {{{ENI_IP}: "1"}}}}')},
    ),
    Case(
        "direct access switched off in mode global-router",
        {
            ".tke-direct.yaml": config_for("global-router"),
            "cm.yaml": switch('GlobalRouteDirectAccess: "false"'),
        },
        "cm.yaml:4:33",
        "error",
        'mode global-router needs "true"',
        {"cm.yaml": switch('GlobalRouteDirectAccess: "true"')},
    ),
    Case(
        "direct access not switched on in mode global-router",
        {".tke-direct.yaml": config_for("global-router"), "cm.yaml": switch("VERSION: v2.11.4")},
        "cm.yaml:4:1",
        "warning",
        "data.GlobalRouteDirectAccess is missing",
        {"cm.yaml": switch('GlobalRouteDirectAccess: "true"')},
    ),
]
