"""The command line ``tke-direct-binder``.

Click only: every command imports what it needs when it runs, so that ``--help`` stays quick.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import click

from binder.commands.options import cloud, readiness_gate, shared

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


PLAN = """\b
Print what `run` would do now: read the cluster and CLB once, write nothing.

\b
  drain, listeners, register, deregister   the lanes, in which writes go
  wait         a target that will go later: it drains, it is the last one that serves, or the brake
               against mass removal holds it until the API server has been asked
  others       targets that the binder did not bind; it never touches them
  gates        what would be written, and the evidence. One reading proves nothing about a target
               whose address had another Pod before, so `run` may open more.

\b
Exit codes, as of kubectl diff: 0 nothing to do, 1 something to do, 2 an error.
"""

EXPLAIN = """\b
Say on one screen why a Pod waits for its readiness gate, and what to do about it.

\b
  tke-direct-binder explain --cluster-id cls-1a2b3c4d --region ap-shanghai shop/web-7d4b9-x2x5q
  kubectl -n tke-direct exec deploy/tke-direct-binder -- \\
    tke-direct-binder explain -n shop web-7d4b9-x2x5q      options are in its environment

\b
Exit codes: 0 the gate is open, or there is none; 1 the Pod waits; 2 an error.
"""

SELFTEST = """\b
Ask a CLB what its documentation does not say, and whether the binder's settings fit.

\b
It makes two listeners, tke-direct/selftest-…, one after the other, on free ports from 64999 down,
binds --target to them, looks for about a minute, and removes all, also after an error or Ctrl-C.
It touches nothing else; as with any change, the CLB takes no other ones for some seconds.
CLB takes addresses of its VPC only; take one that nobody serves, or a Pod's, which is probed then.

\b
  tke-direct-binder selftest --region ap-shanghai --lb lb-1a2b3c4d --target 10.0.0.250:8080

\b
Exit codes: 0 all answers fit, 1 one does not, 2 an error.
"""

_METRICS_PORT = click.option(
    "--metrics-port", default=9090, show_default=True, help="0: any free one."
)
_LOG_FORMAT = click.option(
    "--log-format", type=click.Choice(["json", "text"]), help="Default: by the terminal."
)
_LOG_LEVEL = click.option(
    "--log-level",
    type=click.Choice(["debug", "info", "warning", "error"]),
    default="info",
    show_default=True,
)
_OUTPUT = click.option(
    "-o", "--output", type=click.Choice(["text", "json"]), default="text", show_default=True
)


@click.group(context_settings=CONTEXT)
def cli() -> None:
    """Bind the Pods of TKE to Tencent CLB."""


@cli.command()
@shared
@_METRICS_PORT
@_LOG_FORMAT
@_LOG_LEVEL
def run(**options: Any) -> None:
    """Bind Pods to CLB and open their readiness gates, until it is told to end."""

    def work() -> int:
        from binder.commands.run import run
        from binder.commands.trouble import told

        with told():
            run(**options)
        return 0

    _end(work)


@cli.command(help=PLAN)
@shared
@_OUTPUT
def plan(**options: Any) -> None:
    """Print what run would do; its help is PLAN."""

    def work() -> int:
        from binder.commands.plan import plan

        return plan(**options)

    _end(work)


@cli.command()
@shared
@_METRICS_PORT
@_LOG_FORMAT
@_LOG_LEVEL
def observe(**options: Any) -> None:
    """Log what run would do as things change, with metrics; writes nothing, for ever."""

    def work() -> int:
        from binder.commands.observe import observe

        return observe(**options)

    _end(work)


@cli.command(help=EXPLAIN)
@shared
@click.argument("name", metavar="NAMESPACE/POD")
@click.option("-n", "pod_namespace", metavar="NAMESPACE", help="Of the Pod, beside its bare name.")
def explain(**options: Any) -> None:
    """Say why a Pod waits; its help is EXPLAIN."""

    def work() -> int:
        from binder.commands.explain import explain

        return explain(**options)

    _end(work)


@cli.command(help=SELFTEST)
@cloud
@click.option("--lb", required=True, metavar="lb-…", help="The load balancer to try it on.")
@click.option(
    "--target", required=True, metavar="IP:PORT", help="An address of its VPC; it will be probed."
)
@click.option("--yes", is_flag=True, help="Do not ask before it starts.")
@_OUTPUT
def selftest(**options: Any) -> None:
    """Ask a CLB how it is; its help is SELFTEST."""

    def work() -> int:
        from binder.commands.selftest import selftest

        return selftest(confirm=lambda text: click.confirm(text, err=True), **options)

    _end(work)


class _Failure(click.ClickException):
    exit_code = 2


def _end(work: Callable[[], int]) -> None:
    """Exit with what `work` says: 0 or 1, and 2 when it cannot be done."""
    try:
        from binder.commands.trouble import Trouble
    except ImportError as error:
        text = f"this needs {error.name}: pip install 'tke-direct[binder]'"
        raise _Failure(text) from None
    try:
        code = work()
    except (Trouble, OSError) as error:
        raise _Failure(str(error)) from None
    sys.exit(code)


@cli.command()
@click.option("--kubeconfig", metavar="FILE", help="Default: the cluster that this runs in.")
@click.option("--namespace", metavar="NAME", help="Our own. Default: the one that this runs in.")
@click.option(
    "--name",
    default="tke-direct-webhook",
    show_default=True,
    help="Of the MutatingWebhookConfiguration, of the Secret and of our Deployment.",
)
@readiness_gate
@click.option("--service", default="tke-direct-webhook", show_default=True, help="Leads here.")
@click.option("--service-port", default=443, show_default=True, help="Port of the Service.")
@click.option("--host", default="0.0.0.0", show_default=True, help="Address of both ports.")  # noqa: S104
@click.option("--port", default=8443, show_default=True, help="For API servers; 0: any free one.")
@click.option("--metrics-port", default=9090, show_default=True, help="0: any free one.")
@click.option(
    "--failure-policy",
    type=click.Choice(["Ignore", "Fail"]),
    default="Ignore",
    show_default=True,
    help="What happens to Pods while nobody answers.",
)
@click.option(
    "--object-selector", multiple=True, metavar="KEY=VALUE", help="Only Pods with this label."
)
@click.option(
    "--certificates",
    type=click.Path(file_okay=False),
    help="Use tls.crt and tls.key of this folder, such as cert-manager's; default: our own.",
)
@click.option(
    "--inject-ca-from", metavar="NAMESPACE/NAME", help="cert-manager's Certificate, for its CA."
)
@click.option(
    "--lifetime-hours",
    type=click.FloatRange(min=0.001),
    default=2160.0,
    show_default=True,
    help="Of our own certificates; they are replaced after two thirds.",
)
@click.option(
    "--settle-seconds",
    type=click.FloatRange(min=0),
    default=5.0,
    show_default=True,
    help="From a new CA bundle to the certificate that it is for.",
)
@click.option(
    "--drain-seconds",
    type=click.FloatRange(min=0),
    default=5.0,
    show_default=True,
    help="How long to go on after SIGTERM.",
)
def webhook(**options: Any) -> None:
    """Give new Pods the readiness gate, and keep the webhook in order."""
    try:
        from binder.webhook.command import CannotStartError, serve
    except ImportError as error:
        raise click.ClickException(
            f"the webhook needs {error.name}: pip install 'tke-direct[binder]'"
        ) from None
    try:
        serve(_announce_webhook, **options)
    except (CannotStartError, OSError) as error:
        raise click.ClickException(str(error)) from None


def _announce_webhook(port: int, metrics_port: int) -> None:
    """Say where it listens."""
    click.echo(f"webhook {port}   metrics, healthz, readyz {metrics_port}")
    sys.stdout.flush()


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
