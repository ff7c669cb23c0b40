"""The commands that other programs call, and that put us where they find us."""

from __future__ import annotations

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


COMMANDS: tuple[click.Command, ...] = (install_plugin,)
