"""The command line ``tke-direct``.

Click only: every command imports what it needs when it runs, so that ``--help`` stays quick.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from typing import Any

import click

from transformer import __version__, cli_doors, cli_reference

CONTEXT = {"help_option_names": ["-h", "--help"], "max_content_width": 100}


Command = Callable[..., None]


def _reading(command: Command) -> Command:
    """Paths, and the options that say what to read and how: the same for every command."""
    for decorate in reversed(
        (
            click.argument("paths", nargs=-1),
            click.option("-m", "--network-mode", metavar="MODE", help="How Pods get addresses."),
            click.option(
                "--config",
                metavar="FILE",
                help="Configuration; default: the nearest .tke-direct.yaml.",
            ),
            click.option("--stdin-filename", metavar="FILE", help="Name of '-' in messages."),
            click.option(
                "--force-exclude", is_flag=True, help="Apply spec.exclude to named files too."
            ),
            click.option("-q", "--quiet", is_flag=True, help="Print no summary."),
            click.option(
                "--color",
                type=click.Choice(["auto", "always", "never"]),
                default="auto",
                help="Colours; auto: on terminals, unless NO_COLOR is set.",
            ),
        )
    ):
        command = decorate(command)
    return command


@click.group(context_settings=CONTEXT)
@click.version_option(__version__, prog_name="tke-direct")
def cli() -> None:
    """Make manifests ready for direct access from a Tencent CLB to Pods on TKE.

    \b
    See what would change:   tke-direct transform --network-mode mixed --diff deploy/
    Change it:               tke-direct transform --network-mode mixed -i deploy/
    In a pipe:               kustomize build . | tke-direct transform -

    Exit codes: 0 fine, 1 something would change, 2 the input or configuration is wrong,
    3 a bug of ours.  Results go to stdout, everything else to stderr.
    """


@cli.command()
@_reading
@click.option("-i", "--in-place", is_flag=True, help="Rewrite the files: all of them or none.")
@click.option("--diff", is_flag=True, help="Print a unified diff; change nothing.")
@click.option("--check", is_flag=True, help="Change nothing; exit 1 if something would change.")
@click.option("-v", "--verbose", is_flag=True, help="Name every resource that changes, and why.")
@click.pass_context
def transform(context: click.Context, /, color: str, **options: Any) -> None:
    """Complete Services, Ingresses and workloads for direct access.

    PATHS are files, directories (walked for *.yaml, *.yml, *.json) or '-' for standard input.
    All of them form one build: a workload is completed when a direct Service or Ingress among
    them reaches it.  Not one other byte moves, and every edit is proven before it is written.

    \b
    Modes: vpc-cni, mixed, vpc-cni-exclusive, global-router, serverless.
    Run without --network-mode to learn how to find out which one a cluster has.
    """
    _start(context, color, options)
    if options["in_place"] and (options["diff"] or options["check"]):
        raise click.UsageError("--in-place writes; --diff and --check do not: choose one")
    if options["in_place"] and "-" in options["paths"]:
        raise click.UsageError("standard input cannot be rewritten in place")
    from transformer.run import Options, run

    context.exit(run(Options(**options)))


@cli.command(short_help="Say what would break direct access.")
@_reading
@click.option("--fix", is_flag=True, help="Mend what transform would mend; exit 1 if it did.")
@click.option("--diff", is_flag=True, help="Print what --fix would change; change nothing.")
@click.option(
    "--format",
    type=click.Choice(["text", "json", "github", "sarif", "junit"]),
    help="Default: text; github inside GitHub Actions.",
)
@click.option("-o", "--output", metavar="FILE", help="Write the findings there, not to stdout.")
@click.option(
    "--fail-on",
    type=click.Choice(["error", "warning", "info"]),
    default="error",
    show_default=True,
    help="Exit 1 from this severity on.",
)
@click.option("--exit-zero", is_flag=True, help="Exit 0 whatever is found.")
@click.option("--select", multiple=True, metavar="RULE,…", help="Only these rules.")
@click.option("--ignore", multiple=True, metavar="RULE,…", help="Not these rules.")
@click.option("--baseline", metavar="FILE", help="Be silent about the findings in this file.")
@click.option("--write-baseline", is_flag=True, help="Write what is found to --baseline FILE.")
@click.option(
    "--no-inline-ignores", is_flag=True, help="Do not honour ignore annotations and comments."
)
@click.option(
    "--require-transformed", is_flag=True, help="What transform would still change is an error."
)
@click.option(
    "--per-file",
    is_flag=True,
    help="Judge each file alone, without rules about what is missing elsewhere.",
)
@click.option("-v", "--verbose", is_flag=True, help="Name the files that are skipped.")
@click.pass_context
def lint(context: click.Context, /, color: str, **options: Any) -> None:
    """Say what would break direct access, before it reaches a cluster.

    PATHS are files, directories (walked for *.yaml, *.yml, *.json) or '-' for standard input.
    All of them form one build: a Service is judged by the workloads that it selects.

    \b
    Everything below here:     tke-direct lint .
    What a build renders:      kustomize build . | tke-direct lint -
    Mend what can be mended:   tke-direct lint --fix .
    Learn about a finding:     tke-direct explain RULE

    Silence a finding with a comment on its line, `# tke-direct: ignore[RULE]`, with the annotation
    tke-direct.dev/ignore: RULE on the resource, or with spec.lint.ignore in .tke-direct.yaml.
    """
    _start(context, color, options)
    if options["fix"] and options["diff"]:
        raise click.UsageError("--fix writes; --diff does not: choose one")
    if options["fix"] and "-" in options["paths"]:
        raise click.UsageError(
            "standard input cannot be mended in place: pipe it through transform"
        )
    if options["diff"] and (options["format"] or options["output"]):
        raise click.UsageError("--diff prints a diff: it goes with neither --format nor --output")
    if options["output"] == "" or options["baseline"] == "":
        raise click.UsageError("an empty file name: a variable that is not set?")
    if options["write_baseline"] and not options["baseline"]:
        raise click.UsageError("--write-baseline needs --baseline FILE to write to")
    if options["format"] is None:
        on_github = os.environ.get("GITHUB_ACTIONS") == "true" and options["output"] is None
        options["format"] = "github" if on_github else "text"
    from transformer.lint.run import Options, run

    terminal = color == "always" or (color == "auto" and sys.stdout.isatty())
    context.exit(run(Options(**options, carets=terminal)))


@cli.command(short_help="Draw who sends traffic to whom, findings marked.")
@_reading
@click.option("--format", type=click.Choice(["text", "mermaid", "dot"]), default="text")
@click.pass_context
def graph(context: click.Context, /, color: str, **options: Any) -> None:
    """Draw who sends traffic to whom: Ingress, Service, workload, readiness gate.

    Findings of lint are marked.  PATHS are as for lint.

    \b
    For a terminal:       tke-direct graph deploy/
    For a README:         tke-direct graph --format mermaid deploy/
    For a picture file:   tke-direct graph --format dot deploy/ | dot -Tsvg
    """
    _start(context, color, options)
    from transformer.lint.draw import Options, draw

    context.exit(draw(Options(**options)))


@cli.command("doctor", short_help="Say whether the repository really calls tke-direct.")
@click.argument("directory", metavar="[DIR]", default=".")
@click.pass_context
def doctor_command(context: click.Context, /, directory: str) -> None:
    """Say whether the repository in DIR is wired so that tke-direct really runs.

    It reads kustomizations, Makefiles, scripts, workflows, Argo CD's settings and plugins, and
    .tke-direct.yaml; it looks for programs on the PATH and in kustomize's plugin home.  It runs
    nothing and changes nothing.

    \b
    It finds, for instance:
      kustomize build without --enable-exec: kustomize skips the function and exits 0
      kubectl apply -k, which runs no plugins
      a pipe in an Argo CD plugin that hides a failed build
      a network mode that the manifests contradict

    Exit codes: 0 fine, 1 problems, 2 DIR or the call is wrong.
    """
    _set_color(context, "auto")
    from transformer.doctor.run import run

    context.exit(run(directory))


def _start(context: click.Context, color: str, options: dict[str, Any]) -> None:
    if not options["paths"]:
        raise click.UsageError("name files or directories, or '-' for standard input")
    _set_color(context, color)


def _set_color(context: click.Context, color: str) -> None:
    if color == "auto":
        context.color = False if os.environ.get("NO_COLOR") else None
    else:
        context.color = color == "always"


for _command in (*cli_doors.COMMANDS, *cli_reference.COMMANDS):
    cli.add_command(_command)
