"""The command line ``tke-direct-binder``.

Click only: every command imports what it needs when it runs, so that ``--help`` stays quick.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from binder.simulator.simulator import Simulator

CONTEXT = {"help_option_names": ["-h", "--help"], "max_content_width": 100}

HOW = """\b
Try the binder, or anything that speaks to CLB, without an account.

\b
The simulator answers the API of Tencent Cloud CLB (clb 2018-03-17) and STS over HTTP. It is strict:
it verifies signatures, keeps limits, locks and quotas, runs tasks in their time, probes targets and
carries real TCP and HTTP traffic to them, on addresses in 127.64.0.0/16.

\b
1. Start it, with a load balancer in it:
     echo '{load_balancers: [{id: lb-demo, listeners: [{id: lbl-demo, protocol: TCP, port: 9080,
            health_check: {interval_s: 2, timeout_s: 1}}]}]}' > seed.yaml
     tke-direct-binder simulate --port 9300 --seed seed.yaml

\b
2. Let the SDK speak to it (pip install tencentcloud-sdk-python-clb):
     from tencentcloud.clb.v20180317 import clb_client, models
     from tencentcloud.common.credential import Credential
     from tencentcloud.common.profile.client_profile import ClientProfile
     from tencentcloud.common.profile.http_profile import HttpProfile
\b
     http = HttpProfile(protocol="http", endpoint="127.0.0.1:9300")
     key = Credential("AKIDsimulator", "simulator-secret-key")
     client = clb_client.ClbClient(key, "ap-guangzhou", ClientProfile(httpProfile=http))
\b
     request = models.BatchRegisterTargetsRequest()
     request._deserialize({"LoadBalancerId": "lb-demo", "Targets": [
         {"ListenerId": "lbl-demo", "EniIp": "127.0.0.1", "Port": 8000}]})
     print(client.BatchRegisterTargets(request))
   Set NO_PROXY=127.0.0.1,127.0.0.1:9300 if the environment has a proxy.

\b
3. Serve something as that target, and watch it become Alive and get traffic:
     python3 -m http.server 8000 &
     curl localhost:9301/_sim/state          everything there is, with each target's health
     curl http://127.64.0.1:9080/            through the load balancer; its vip is in the state

\b
4. Break something, on the admin port (--admin-port, else the port after --port):
     curl localhost:9301/_sim/faults -d '{"effect": "error", "action": "BatchRegisterTargets",
          "budget": 3, "parameters": {"code": "InternalError"}}'
     curl localhost:9301/_sim/faults -d '{"effect": "delete-listener"}'
     curl 'localhost:9301/_sim/journal?kind=change'           who did what
     curl localhost:9301/_sim/invariants -d '{"grace_s": 10}' what should not have been done
     curl localhost:9301/_sim/switches                        what only a real account could settle
     curl localhost:9301/_sim/clock -d '{"skew": 301}'        a clock that is wrong
   And /_sim/seed and /_sim/reset. With --clock virtual time stands still until
     curl localhost:9301/_sim/clock -d '{"advance": 15}'
"""


@click.group(context_settings=CONTEXT)
def cli() -> None:
    """Bind the Pods of TKE to Tencent CLB."""


@cli.command(help=HOW)
@click.option("--host", default="127.0.0.1", show_default=True, help="Address of both ports.")
@click.option("--port", default=9300, show_default=True, help="Port of the API.")
@click.option("--admin-port", type=int, help="Port of the admin API; default: the next one.")
@click.option("--region", default="ap-guangzhou", show_default=True, help="Region of the seed.")
@click.option("--secret-id", default="AKIDsimulator", show_default=True, help="Id of the key.")
@click.option("--secret-key", default="simulator-secret-key", show_default=True, help="The key.")
@click.option(
    "--clock",
    type=click.Choice(["real", "virtual"]),
    default="real",
    show_default=True,
    help="Virtual: time moves by /_sim/clock only.",
)
@click.option("--journal", type=click.Path(dir_okay=False), help="Write the journal to this file.")
@click.option(
    "--seed", type=click.File(encoding="utf-8"), help="YAML or JSON: what is there at the start."
)
def simulate(**options: Any) -> None:
    """Run the simulator until it is interrupted; its help is HOW."""
    try:
        import aiohttp  # noqa: F401
    except ImportError:
        raise click.ClickException(
            "the simulator needs aiohttp: pip install 'tke-direct[simulator]'"
        ) from None
    from binder.simulator.command import serve

    try:
        serve(_announce, **options)
    except ValueError as error:
        raise click.ClickException(f"--seed: {error}") from None
    except OSError as error:
        raise click.ClickException(str(error)) from None


def _announce(simulator: Simulator) -> None:
    """Say where it listens, and what it has."""
    api, admin = simulator.api_port, simulator.admin_port
    click.echo(f"API    http://127.0.0.1:{api}   admin http://127.0.0.1:{admin}/_sim/state")
    for lb in simulator.world.load_balancers.values():
        ports = ", ".join(f"{row.protocol} {row.port}" for row in lb.listeners.values())
        click.echo(f"{lb.id}  {lb.vip}  {ports or 'no listeners'}")
    sys.stdout.flush()


def console() -> None:
    """The program ``tke-direct-binder``."""
    cli(prog_name="tke-direct-binder")
