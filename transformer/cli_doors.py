"""The commands that other programs call, and that put us where they find us."""

from __future__ import annotations

import os

import click


@click.command("install-plugin", short_help="Put the legacy kustomize plugin where it is found.")
@click.option(
    "--home",
    metavar="DIR",
    help="kustomize's plugin home; default: where kustomize would look first.",
)
@click.option("--remove", is_flag=True, help="Take it away again.")
def install_plugin(home: str | None, remove: bool) -> None:
    """Put the legacy exec plugin where kustomize and kubectl kustomize find it.

    Under kubectl it is the only way to run a program of this machine in a build: kubectl knows no
    --enable-exec.  Links are made, in kustomize's plugin home, to the program tke-direct-fn.

    \b
    The plugin home is the first of:
      $KUSTOMIZE_PLUGIN_HOME
      $XDG_CONFIG_HOME/kustomize/plugin, or $HOME/.config/kustomize/plugin
      $HOME/kustomize/plugin
    Then: kubectl kustomize --enable-alpha-plugins DIR
    """
    from transformer.doors.plugin_home import install, remove_from

    for line in remove_from(home) if remove else install(home):
        click.echo(line, err=True)


@click.command("helm-post-render", short_help="Complete and lint what Helm rendered.")
@click.option("-m", "--network-mode", metavar="MODE", help="How Pods get addresses.")
@click.option(
    "--config", metavar="FILE", help="Configuration; default: the nearest .tke-direct.yaml."
)
@click.option(
    "--lint",
    type=click.Choice(["error", "warning", "off"]),
    default="error",
    show_default=True,
    help="Stop Helm from this severity on; off: do not lint.",
)
@click.pass_context
def helm_post_render(
    context: click.Context, /, network_mode: str | None, config: str | None, lint: str
) -> None:
    """Complete what Helm rendered for direct access, lint the result, give it back.

    Helm calls it, and stops when it fails; nothing is given back then.

    \b
    Helm 3:  helm upgrade shop CHART --post-renderer tke-direct \\
               --post-renderer-args helm-post-render --post-renderer-args --network-mode=mixed
    Helm 4:  helm plugin install kustomize-plugin/helm/tke-direct
             helm upgrade shop CHART --post-renderer tke-direct \\
               --post-renderer-args --network-mode=mixed

    Helm 3 keeps the hooks of a chart to itself; Helm 4 sends them too.
    """
    from transformer.doors.helm import Options, run

    context.exit(run(Options(network_mode, config, lint)))


@click.group(short_help="What Argo CD calls in a config management plugin.")
def cmp() -> None:
    """What Argo CD calls, in the folder of an application, as plugin.yaml says.

    kustomize-plugin/argocd has the plugin.yaml and what else it takes; docs/argocd.md explains it.
    """


@cmp.command("generate", short_help="Print what is to be deployed from here.")
@click.option(
    "--kustomize-option",
    "kustomize_options",
    multiple=True,
    metavar="OPTION",
    help="Give any option to kustomize build, like --kustomize-option=--enable-exec; repeatable.",
)
@click.option("--allow-empty", is_flag=True, help="Let an application have no resource at all.")
@click.pass_context
def cmp_generate(
    context: click.Context, /, kustomize_options: tuple[str, ...], allow_empty: bool
) -> None:
    """Print what is to be deployed from the working directory, completed and linted.

    That is what `kustomize build` makes of it, or its *.yaml, *.yml and *.json files.  Nothing is
    printed unless everything succeeded.

    ARGOCD_APP_PARAMETERS has the parameters of the Application, which may be tried by hand:

    \b
    ARGOCD_APP_PARAMETERS='[{"name": "network-mode", "string": "mixed"}]' tke-direct cmp generate

    Argo CD also says ARGOCD_APP_NAMESPACE, where objects go that name no namespace, and
    KUBE_VERSION, which lint takes unless the configuration says spec.kubernetesVersion.
    """
    from transformer.doors.argocd import Options, generate

    context.exit(generate(Options(kustomize_options, allow_empty), os.environ))


@cmp.command("discover", short_help="Print which configuration governs this folder.")
def cmp_discover() -> None:
    """Print the path of the .tke-direct.yaml that governs the working directory, if there is one.

    Argo CD takes the plugin for an application when anything is printed.
    """
    from transformer.doors.argocd import discover

    found = discover(os.environ)
    if found is not None:
        click.echo(found)


@cmp.command("parameters", short_help="Print the parameters that an Application may set.")
def cmp_parameters() -> None:
    """Print the parameters that an Application may set, as JSON, for the forms of Argo CD."""
    from transformer.doors.argocd import announced

    click.echo(announced(os.environ))


COMMANDS: tuple[click.Command, ...] = (install_plugin, helm_post_render, cmp)
