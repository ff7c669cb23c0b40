"""The commands that print reference: rules, schemas and configuration."""

from __future__ import annotations

import sys

import click


@click.command()
@click.option("--format", type=click.Choice(["text", "json", "markdown"]), default="text")
def rules(format: str) -> None:
    """List the rules of lint."""
    from transformer.lint.teach import listing

    click.echo(listing(format), nl=False)


@click.command()
@click.argument("rule")
def explain(rule: str) -> None:
    """Say what RULE finds, why it matters and what to write instead."""
    from transformer.lint.teach import explanation

    click.echo(explanation(rule), nl=False)


@click.group(short_help="The JSON Schemas, for editors and CI.")
def schema() -> None:
    """The JSON Schemas of annotations and configuration, for editors and CI."""


@schema.command("list")
def schema_list() -> None:
    """Print the names of the schemas: ours, and those of Kubernetes that lint uses."""
    import schemas
    from schemas import kubernetes

    for name in schemas.names():
        click.echo(f"{name}\t{schemas.load(name)['title']}")
    for version, kind in kubernetes.kinds():
        minors = kubernetes.minors_of(version, kind)
        click.echo(f"{version}/{kind}\tKubernetes {minors[0]} to {minors[-1]}")


@schema.command("show")
@click.argument("name")
@click.option("--kubernetes-version", metavar="1.N", help="Of Kubernetes' kinds; default: newest.")
def schema_show(name: str, kubernetes_version: str | None) -> None:
    """Print one schema as JSON: of ours, or of a kind like apps/v1/Deployment or v1/Service."""
    import json

    import schemas
    from schemas import kubernetes

    version, _, kind = name.rpartition("/")
    try:
        if not version:
            click.echo(schemas.text(name), nl=False)
            return
        minors = kubernetes.minors_of(version, kind)
        minor = kubernetes_version or (minors[-1] if minors else kubernetes.NEWEST)
        click.echo(json.dumps(kubernetes.standalone(version, kind, minor), indent=2))
    except KeyError:
        of = f" of Kubernetes {kubernetes_version}" if kubernetes_version else ""
        raise click.UsageError(
            f"no schema {name!r}{of}; `tke-direct schema list` names them"
        ) from None


@click.group()
def config() -> None:
    """The configuration file .tke-direct.yaml."""


@config.command("show")
@click.argument("path", default=".")
@click.option("--config", "explicit", metavar="FILE", help="This file, not the nearest one.")
@click.option("-m", "--network-mode", metavar="MODE", help="How Pods get their addresses.")
def config_show(path: str, explicit: str | None, network_mode: str | None) -> None:
    """Print the configuration that governs PATH, with every default spelled out."""
    from pathlib import Path

    from ruamel.yaml import YAML

    from transformer import config as configuration
    from transformer.config_shown import shown

    found = Path(explicit) if explicit else configuration.find(Path(path))
    content = configuration.read(found) if found else configuration.EMPTY
    mode = configuration.mode_named(network_mode) if network_mode else None
    effective = shown(configuration.settings(content, mode))
    click.echo(f"# from {found}" if found else "# no configuration file: defaults")
    dumper = YAML(typ="safe", pure=True)
    dumper.default_flow_style = False
    dumper.sort_base_mapping_type_on_output = False  # type: ignore[assignment]
    dumper.dump(effective, sys.stdout)


COMMANDS: tuple[click.Command, ...] = (rules, explain, schema, config)
