"""The command: its help teaches what works, and what is wrong is said in one line."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import textwrap
import threading
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest
from click.testing import CliRunner

from binder.cli import HOW, cli

COMMAND = [sys.executable, "-c", "from binder.cli import console; console()", "simulate"]
PORT = 20000 + os.getpid() % 10000  # other tests may carry traffic on the same address
SEED = f"""
load_balancers:
- id: lb-demo
  listeners:
  - {{id: lbl-demo, protocol: TCP, port: {PORT}, health_check: {{enabled: false}}}}
"""


@contextmanager
def simulating(*options: str) -> Iterator[tuple[str, str]]:
    """The command, running; its two ports."""
    command = [*COMMAND, "--port", "0", *options]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout
            ports = re.findall(r"127\.0\.0\.1:(\d+)", process.stdout.readline())
            yield ports[0], ports[1]
        finally:
            process.send_signal(signal.SIGTERM)
            assert process.wait(timeout=10) == 0


@contextmanager
def web_server() -> Iterator[int]:
    """A target; its port."""

    class Hello(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Length", "5")
            self.end_headers()
            self.wfile.write(b"hello")

        def log_message(self, *_: object) -> None:
            pass

    with HTTPServer(("127.0.0.1", 0), Hello) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield server.server_port
        server.shutdown()
        thread.join()


def test_what_the_help_teaches_works(tmp_path: Path) -> None:
    (tmp_path / "seed.yaml").write_text(SEED)
    journal = tmp_path / "journal"
    with (
        web_server() as target,
        simulating("--seed", f"{tmp_path}/seed.yaml", "--journal", str(journal)) as (port, admin),
    ):
        snippet = HOW[HOW.index("     from tencentcloud") : HOW.index("   Set NO_PROXY")]
        code = textwrap.dedent(snippet.replace("\b\n", ""))
        code = code.replace("9300", port).replace("8000", str(target))
        done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
        assert (done.returncode, done.stderr) == (0, "")
        assert '"FailListenerIdSet": []' in done.stdout
        with urllib.request.urlopen(f"http://127.0.0.1:{admin}/_sim/state") as reply:
            (lb,) = json.load(reply)["load_balancers"]
        with urllib.request.urlopen(f"http://{lb['vip']}:{PORT}/") as reply:
            assert reply.read() == b"hello"
    kinds = [json.loads(line)["kind"] for line in journal.read_text().splitlines()]
    assert kinds == ["change", "change", "change", "task", "call"]


def curls() -> list[str]:
    """The calls of the help, each with its quotes, without what is said beside it."""
    text = HOW[HOW.index("4. Break something") :].replace("\b\n", "")
    return [
        re.sub(r"\s+", " ", row)
        for row in re.findall(r"curl (?:'[^']+'|\S+)(?:\s+-d\s+'[^']*')?", text)
    ]


@pytest.mark.skipif(shutil.which("curl") is None, reason="curl is not here")
def test_the_calls_that_the_help_shows_are_answered(tmp_path: Path) -> None:
    (tmp_path / "seed.yaml").write_text(SEED)
    rows = curls()
    assert len(rows) >= 6
    by_hand = [row for row in rows if "advance" in row]  # of a clock that is moved by hand
    for clock, calls in (("virtual", by_hand), ("real", [r for r in rows if r not in by_hand])):
        with simulating("--seed", f"{tmp_path}/seed.yaml", "--clock", clock) as (_, admin):
            for row in calls:
                call = f"{row} --silent --show-error --fail-with-body".replace("9301", admin)
                done = subprocess.run(["sh", "-c", call], capture_output=True, text=True)
                assert done.returncode == 0, (row, done.stdout, done.stderr)


def test_the_seed_of_the_help_is_one() -> None:
    from io import StringIO

    from binder.simulator.command import read_seed

    text = re.findall(r"echo '(.*?)'", HOW, re.S)[0]
    assert read_seed(StringIO(text))["load_balancers"][0]["id"] == "lb-demo"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("colour: red", "a seed has no colour"),
        ("[1]", "an object is expected"),
        ("{", "expected"),
        ("load_balancers: [{colour: red}]", "colour"),
    ],
)
def test_a_wrong_seed_is_said_in_one_line(tmp_path: Path, text: str, said: str) -> None:
    (tmp_path / "seed.yaml").write_text(text)
    options = ["simulate", "--port", "0", "--seed", f"{tmp_path}/seed.yaml"]
    result = CliRunner().invoke(cli, options)
    assert result.exit_code == 1
    assert result.output.startswith("Error: --seed:")
    assert said in result.output


def test_a_port_in_use_is_said_in_one_line() -> None:
    with web_server() as taken:
        result = CliRunner().invoke(cli, ["simulate", "--port", str(taken)])
    assert (result.exit_code, "address already in use" in result.output) == (1, True)


def run(code: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)


def test_without_aiohttp_it_says_what_to_install() -> None:
    done = run(
        "import sys; sys.modules['aiohttp'] = None; sys.argv = ['x', 'simulate']\n"
        "from binder.cli import console; console()"
    )
    assert done.returncode == 1
    assert done.stderr == (
        "Error: the simulator needs aiohttp: pip install 'tke-direct[simulator]'\n"
    )


def test_help_loads_nothing_heavy() -> None:
    done = run(
        "import sys\nfrom binder.cli import cli\n"
        "try: cli(['simulate', '--help'])\n"
        "except SystemExit: pass\n"
        "print(sys.modules.keys() & {'aiohttp', 'tencentcloud', 'kubernetes', 'ruamel'})"
    )
    assert done.stdout.endswith("set()\n")
    assert "Try the binder" in done.stdout
