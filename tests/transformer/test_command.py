"""The command as a user meets it: where output goes, exit codes, files that stay whole."""

from __future__ import annotations

import errno
import os
import resource
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests import oracle
from tests.conftest import COMMAND, FIXTURES, ROOT, Run, tke_direct
from transformer import files
from transformer.errors import WriteError

INPUT = (FIXTURES / "mixed/deployment/input.yaml").read_bytes()
EXPECTED = (FIXTURES / "mixed/deployment/expected.yaml").read_bytes()
MIXED = ("--network-mode", "mixed")


@pytest.fixture
def web(tmp_path: Path) -> Path:
    path = tmp_path / "web.yaml"
    path.write_bytes(INPUT)
    return path


def test_stdout_carries_the_result_and_stderr_the_summary(run: Run, web: Path) -> None:
    result = run("transform", *MIXED, "web.yaml")
    assert result.stdout == EXPECTED
    assert result.stderr == b"1 file transformed (2 resources), 0 unchanged\n"
    assert web.read_bytes() == INPUT


def test_standard_input_pipes_through(run: Run) -> None:
    assert run("transform", *MIXED, "-", stdin=INPUT).stdout == EXPECTED


def test_in_place_rewrites_the_file_and_prints_nothing(run: Run, web: Path) -> None:
    web.chmod(0o640)
    result = run("transform", *MIXED, "-i", "web.yaml")
    assert (result.returncode, result.stdout) == (0, b"")
    assert web.read_bytes() == EXPECTED
    assert web.stat().st_mode & 0o777 == 0o640
    assert [path.name for path in web.parent.iterdir() if path.is_file()] == ["web.yaml"]


def test_in_place_leaves_an_unchanged_file_alone(run: Run, web: Path) -> None:
    web.write_bytes(EXPECTED)
    before = web.stat()
    run("transform", *MIXED, "-i", "web.yaml")
    assert (web.stat().st_ino, web.stat().st_mtime_ns) == (before.st_ino, before.st_mtime_ns)


def test_in_place_keeps_a_symlink(run: Run, web: Path, tmp_path: Path) -> None:
    real = tmp_path / "real" / "web.yaml"
    real.parent.mkdir()
    web.rename(real)
    web.symlink_to(real)
    run("transform", *MIXED, "-i", "web.yaml")
    assert web.is_symlink()
    assert real.read_bytes() == EXPECTED


def test_check_says_what_would_change_and_exits_1(run: Run, web: Path) -> None:
    result = run("transform", *MIXED, "--check", "web.yaml")
    assert (result.returncode, result.stdout) == (1, b"")
    assert result.stderr.startswith(b"would change web.yaml\n")
    web.write_bytes(EXPECTED)
    assert run("transform", *MIXED, "--check", "web.yaml").returncode == 0


STYLED = [path for path in sorted(FIXTURES.rglob("expected.*")) if "crlf" not in str(path)]


@pytest.mark.parametrize("expected", STYLED, ids=lambda path: path.parent.name)
def test_the_diff_applies_with_git(expected: Path, run: Run, tmp_path: Path) -> None:
    case = expected.parent
    source = next(case.glob("input.*"))
    shutil.copy(source, tmp_path)
    mode = case.parent.name if case.parent.name.islower() and "-" in case.parent.name else "mixed"
    if (case / "config.yaml").exists():
        shutil.copy(case / "config.yaml", tmp_path / ".tke-direct.yaml")
    arguments = () if (case / "config.yaml").exists() else ("-m", mode)
    if case.parent.name in ("vpc-cni", "vpc-cni-exclusive", "global-router", "serverless", "mixed"):
        arguments = ("-m", case.parent.name)
    result = run("transform", "--diff", *arguments, source.name)
    assert result.returncode == 0, result.stderr
    shutil.rmtree(tmp_path / ".git")
    patch = ["git", "apply", "--verbose", "-"]
    subprocess.run(patch, cwd=tmp_path, input=result.stdout, check=True, capture_output=True)
    assert (tmp_path / source.name).read_bytes() == expected.read_bytes()


def test_colours_only_when_asked_for(run: Run, web: Path) -> None:
    assert b"\x1b[" not in run("transform", *MIXED, "--diff", "web.yaml").stdout
    assert (
        b"\x1b[32m+" in run("transform", *MIXED, "--diff", "--color", "always", "web.yaml").stdout
    )


def test_a_directory_is_one_build(run: Run, tmp_path: Path) -> None:
    deployment, _, service = INPUT.partition(b"---\n")
    (tmp_path / "apps").mkdir()
    (tmp_path / "apps" / "deployment.yaml").write_bytes(deployment)
    (tmp_path / "apps" / "service.yml").write_bytes(service)
    (tmp_path / "apps" / "values.yaml").write_text("replicas: 3\n")
    (tmp_path / "apps" / ".hidden.yaml").write_text("{")
    (tmp_path / "apps" / "notes.txt").write_text("{")
    result = run("transform", *MIXED, "-v", "apps")
    assert result.stdout == EXPECTED
    assert (
        b"apps/deployment.yaml: Deployment deployment (behind Service deployment)" in result.stderr
    )
    assert b"2 files transformed (2 resources), 0 unchanged, 1 not Kubernetes" in result.stderr


def test_templates_in_a_directory_are_skipped_and_counted(
    run: Run, web: Path, tmp_path: Path
) -> None:
    (tmp_path / "chart.yaml").write_text("apiVersion: v1\nkind: Service\nname: {{ .Name }}-x\n")
    result = run("transform", *MIXED, "--check", ".")
    assert result.returncode == 1
    assert b"1 skipped (templates)" in result.stderr


def test_excluded_files_are_left_out_of_walks_only(run: Run, web: Path, tmp_path: Path) -> None:
    (tmp_path / ".tke-direct.yaml").write_text(
        "apiVersion: tke-direct.dev/v1alpha1\nkind: DirectAccess\n"
        "spec: {networkMode: mixed, exclude: [vendor]}\n"
    )
    (tmp_path / "vendor").mkdir()
    broken = tmp_path / "vendor" / "broken.yaml"
    broken.write_text("apiVersion: v1\nkind: Service\nx: [")
    assert run("transform", ".").returncode == 0
    assert run("transform", "vendor/broken.yaml").returncode == 2
    assert run("transform", "--force-exclude", "vendor/broken.yaml").returncode == 0


def test_each_folder_has_the_configuration_nearest_to_it(run: Run, tmp_path: Path) -> None:
    for cluster, mode in (("a", "mixed"), ("b", "serverless")):
        (tmp_path / cluster).mkdir()
        (tmp_path / cluster / "web.yaml").write_bytes(INPUT)
        (tmp_path / cluster / ".tke-direct.yaml").write_text(
            "apiVersion: tke-direct.dev/v1alpha1\nkind: DirectAccess\n"
            f"spec: {{networkMode: {mode}}}\n"
        )
    assert run("transform", "-i", ".").returncode == 0
    assert (tmp_path / "a" / "web.yaml").read_bytes() == EXPECTED
    serverless = (FIXTURES / "serverless/deployment/expected.yaml").read_bytes()
    assert (tmp_path / "b" / "web.yaml").read_bytes() == serverless


@pytest.mark.parametrize(
    "arguments",
    [(), ("-i", "--diff", "x"), ("-i", "-"), ("missing.yaml",), ("--config", "missing.yaml", "-")],
    ids=" ".join,
)
def test_a_wrong_call_exits_2_with_one_message(arguments: tuple[str, ...], run: Run) -> None:
    result = run("transform", *MIXED, *arguments)
    assert (result.returncode, result.stdout) == (2, b"")
    assert b"rror: " in result.stderr
    assert b"Traceback" not in result.stderr


def test_an_unknown_mode_is_answered_with_the_nearest_one(run: Run, web: Path) -> None:
    result = run("transform", "-m", "mixd", "-i", "web.yaml")
    assert result.returncode == 2
    assert result.stderr == b"error: unknown network mode 'mixd'; did you mean 'mixed'?\n"
    assert web.read_bytes() == INPUT


def test_one_bad_file_among_fifty_leaves_all_of_them_alone(run: Run, tmp_path: Path) -> None:
    folder = tmp_path / "many"
    folder.mkdir()
    for number in range(49):
        (folder / f"{number:02}.yaml").write_bytes(INPUT)
    (folder / "30-bad.yaml").write_bytes(INPUT + b"x: [1, 2\n")
    result = run("transform", *MIXED, "-i", "many")
    assert result.returncode == 2
    assert b"many/30-bad.yaml:" in result.stderr
    changed = [path for path in folder.glob("??.yaml") if path.read_bytes() != INPUT]
    assert changed == []


def without_override() -> list[str]:
    """A prefix that makes permissions count for root too."""
    if os.geteuid() != 0:
        return []
    setpriv = shutil.which("setpriv")
    if setpriv is None:
        pytest.skip("root ignores permissions, and setpriv (util-linux) is not there")
    return [setpriv, "--bounding-set", "-dac_override,-dac_read_search"]


def run_unprivileged(*arguments: str, cwd: Path) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(
        [*without_override(), *COMMAND, *arguments],
        cwd=cwd,
        capture_output=True,
        check=False,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )


def test_an_unreadable_file_is_an_error(web: Path) -> None:
    web.chmod(0)
    (web.parent / "other.yaml").write_bytes(INPUT)
    result = run_unprivileged("transform", *MIXED, "-i", "web.yaml", "other.yaml", cwd=web.parent)
    assert result.returncode == 2
    assert b"web.yaml: cannot be read: Permission denied" in result.stderr
    assert (web.parent / "other.yaml").read_bytes() == INPUT


def test_a_read_only_directory_is_an_error(web: Path, tmp_path: Path) -> None:
    locked = tmp_path / "locked"
    locked.mkdir()
    (locked / "b.yaml").write_bytes(INPUT)
    locked.chmod(0o555)
    result = run_unprivileged("transform", *MIXED, "-i", "web.yaml", "locked/b.yaml", cwd=tmp_path)
    locked.chmod(0o755)
    assert result.returncode == 2
    assert (
        b"locked/b.yaml: cannot be written: Permission denied; no file was changed" in result.stderr
    )
    assert web.read_bytes() == (locked / "b.yaml").read_bytes() == INPUT
    assert sorted(path.name for path in locked.iterdir()) == ["b.yaml"]


def test_a_file_that_cannot_grow_is_an_error(run: Run, web: Path) -> None:
    def no_large_files() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (len(INPUT), len(INPUT)))

    result = run("transform", *MIXED, "-i", "web.yaml", preexec_fn=no_large_files)
    assert result.returncode == 2
    assert b"web.yaml: cannot be written: File too large; no file was changed" in result.stderr
    assert web.read_bytes() == INPUT
    assert [path.name for path in web.parent.iterdir() if path.is_file()] == ["web.yaml"]


def test_a_full_disk_is_met_before_anything_changes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    paths = [tmp_path / f"{number}.yaml" for number in range(3)]
    for path in paths:
        path.write_bytes(b"old")
    calls: Iterator[int] = iter(range(10))

    def fsync(descriptor: int) -> None:
        if next(calls) == 2:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(files.os, "fsync", fsync)
    with pytest.raises(WriteError, match=r"2\.yaml: cannot be written: No space left"):
        files.replace_all([files.Replacement(p, b"old", b"new") for p in paths])
    assert [path.read_bytes() for path in paths] == [b"old"] * 3
    assert sorted(tmp_path.iterdir()) == paths


def test_a_file_that_changed_meanwhile_is_not_overwritten(tmp_path: Path) -> None:
    path = tmp_path / "web.yaml"
    path.write_bytes(b"newer")
    with pytest.raises(WriteError, match="it changed while we were reading"):
        files.replace_all([files.Replacement(path, b"old", b"new")])
    assert path.read_bytes() == b"newer"


@pytest.mark.parametrize("moment", ["staging", "renaming"])
def test_kill_9_leaves_every_file_wholly_old_or_wholly_new(moment: str, tmp_path: Path) -> None:
    folder = tmp_path / "many"
    folder.mkdir()
    paths = [folder / f"{number:04}.yaml" for number in range(1000)]
    for path in paths:
        path.write_bytes(INPUT)
    inode = paths[0].stat().st_ino
    process = subprocess.Popen(
        [*COMMAND, "transform", *MIXED, "-q", "-i", "many"],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )
    while process.poll() is None:
        staged = sum(1 for _ in os.scandir(folder)) > 1000
        if paths[0].stat().st_ino != inode if moment == "renaming" else staged:
            break
    process.send_signal(signal.SIGKILL)
    process.wait()
    contents = [path.read_bytes() for path in paths]
    assert set(contents) <= {INPUT, EXPECTED}
    if moment == "staging" and process.returncode == -signal.SIGKILL:
        assert INPUT in contents


def test_a_wrong_splice_is_caught_by_the_proof_and_nothing_is_written(web: Path) -> None:
    program = (
        "import sys; from transformer import splice, layout, console\n"
        "lines = layout.block_lines\n"
        "layout.block_lines = lambda patch, column, style: lines(patch, column - 1, style)\n"
        f"sys.argv = ['tke-direct', 'transform', '-m', 'mixed', '-i', {str(web)!r}]\n"
        "console.main()"
    )
    result = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, capture_output=True, check=False
    )
    assert result.returncode == 3, result.stderr
    assert b"a bug in tke-direct: the proof failed" in result.stderr
    assert web.read_bytes() == INPUT


def test_a_closed_pipe_is_no_traceback(web: Path) -> None:
    web.write_bytes(b"---\n".join([INPUT] * 2000))
    command = f"{' '.join(COMMAND)} transform -q -m mixed web.yaml | head -1"
    result = subprocess.run(
        ["/bin/sh", "-c", command],
        cwd=web.parent,
        capture_output=True,
        check=False,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )
    assert result.stdout == b"apiVersion: apps/v1\n"
    assert result.stderr == b""


def test_thousands_of_errors_take_time_in_proportion(run: Run) -> None:
    result = run("transform", *MIXED, "-", stdin=INPUT.replace(b"---\n", b"") * 2000, timeout=60)
    assert result.stderr.count(b"stands twice") > 10_000


def test_many_processors_give_what_one_gives(run: Run, tmp_path: Path) -> None:
    documents = [
        INPUT.replace(b"name: deployment", b"name: d%d" % n).replace(
            b"app: deployment", b"app: d%d" % n
        )
        for n in range(600)
    ]
    (tmp_path / "many.yaml").write_bytes(b"---\n".join(documents))
    alone = run("transform", *MIXED, "many.yaml", preexec_fn=lambda: os.sched_setaffinity(0, {0}))
    together = run("transform", *MIXED, "many.yaml")
    assert alone.stdout == together.stdout
    assert together.stdout.count(b"direct-access") == 600


def test_schemas_are_listed_and_shown(run: Run) -> None:
    assert run("schema", "list").stdout.split(b"\n")[0].startswith(b"annotations\t")
    assert b'"networkMode"' in run("schema", "show", "direct-access").stdout
    assert run("schema", "show", "nothing").returncode == 2


def test_config_show_spells_out_every_default(run: Run, tmp_path: Path) -> None:
    shown = run("config", "show", "-m", "mixed").stdout
    assert b"conditionType: cloud.tencent.com/load-balancer-backendgroup-ready" in shown
    (tmp_path / ".tke-direct.yaml").write_bytes(shown)
    assert run("config", "show").stdout.split(b"\n")[1:] == shown.split(b"\n")[1:]


def test_a_pipe_in_a_directory_is_no_manifest(run: Run, web: Path, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.yaml")
    (tmp_path / "dangling.yaml").symlink_to(tmp_path / "nowhere")
    assert run("transform", *MIXED, "--check", ".", timeout=20).returncode == 1


def test_an_empty_path_is_not_the_working_directory(run: Run, web: Path) -> None:
    result = run("transform", *MIXED, "-i", "")
    assert result.returncode == 2
    assert b"an empty path" in result.stderr
    assert web.read_bytes() == INPUT


def test_a_file_named_twice_is_one_input(run: Run, web: Path, tmp_path: Path) -> None:
    (tmp_path / "again.yaml").hardlink_to(web)
    result = run("transform", *MIXED, "--check", "web.yaml", "./web.yaml", "again.yaml")
    assert b"1 file would change" in result.stderr


def test_a_path_that_climbs_finds_the_same_configuration(run: Run, tmp_path: Path) -> None:
    deployment, _, service = INPUT.partition(b"---\n")
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub" / "deployment.yaml").write_bytes(deployment)
    (tmp_path / "service.yaml").write_bytes(service)
    (tmp_path / ".tke-direct.yaml").write_text(
        "apiVersion: tke-direct.dev/v1alpha1\nkind: DirectAccess\nspec: {networkMode: mixed}\n"
    )
    result = tke_direct("transform", "--check", ".", "../service.yaml", cwd=tmp_path / "sub")
    assert b"2 files would change (2 resources)" in result.stderr


def test_several_results_are_one_readable_stream_in_the_order_of_the_call(
    run: Run, tmp_path: Path
) -> None:
    starts = (
        b"",
        b"\xef\xbb\xbf",
        b"%YAML 1.1\n---\n",
        b"# note\n---\n",
        b"# note\rapiVersion: v1\n---\n",  # a document stands before the marker
        b"# note\xe2\x80\xa8apiVersion: v1\n---\n",
        b"---x: 1\n",
    )
    for number, start in enumerate(starts):
        document = b"apiVersion: v1\nkind: ConfigMap\nmetadata: {name: c%d}\n" % number
        (tmp_path / f"{number}.yaml").write_bytes(start + document)
    stream = run("transform", *MIXED, *(f"{n}.yaml" for n in (1, 0, 3, 2, 4, 5, 6))).stdout
    names = [one["metadata"]["name"] for one in oracle.load(stream) if "metadata" in (one or {})]
    assert names == ["c1", "c0", "c3", "c2", "c4", "c5", "c6"]


def test_replacements_are_put_back_when_a_later_one_fails(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    paths = [tmp_path / f"{number}.yaml" for number in range(3)]
    for path in paths:
        path.write_bytes(b"old")
    rename = os.replace

    def busy(source: str, target: Path) -> None:
        if target == paths[2]:  # as for a file that is a mount point
            raise OSError(errno.EBUSY, os.strerror(errno.EBUSY))
        rename(source, target)

    monkeypatch.setattr(files.os, "replace", busy)
    with pytest.raises(WriteError, match=r"2\.yaml: cannot be written: Device or resource busy"):
        files.replace_all([files.Replacement(p, b"old", b"new") for p in paths])
    assert [path.read_bytes() for path in paths] == [b"old"] * 3
    assert sorted(tmp_path.iterdir()) == paths


def test_an_interrupt_between_two_renames_puts_everything_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    paths = [tmp_path / f"{number}.yaml" for number in range(3)]
    for path in paths:
        path.write_bytes(b"old")
    rename, interrupts = os.replace, iter([False, True])

    def interrupted(source: str, target: Path) -> None:
        rename(source, target)
        if next(interrupts, False):
            raise KeyboardInterrupt

    monkeypatch.setattr(files.os, "replace", interrupted)
    with pytest.raises(KeyboardInterrupt):
        files.replace_all([files.Replacement(p, b"old", b"new") for p in paths])
    assert [path.read_bytes() for path in paths] == [b"old"] * 3
    assert sorted(tmp_path.iterdir()) == paths


def test_utf_16_is_an_error_wherever_it_is_found(run: Run, tmp_path: Path) -> None:
    (tmp_path / "wide.yaml").write_bytes(INPUT.decode().encode("utf-16"))
    result = run("transform", *MIXED, ".")
    assert result.returncode == 2
    assert b"wide.yaml:1:1: error encoding: byte 0xff is not UTF-8" in result.stderr


@pytest.mark.parametrize("lead", ["", "# \u4e2d\u6587\n"], ids=["ASCII", "wide"])
@pytest.mark.parametrize("newline", ["", "\n"], ids=["one line", "many lines"])
def test_long_lists_take_time_in_proportion(lead: str, newline: str, run: Run) -> None:
    """Quadratic work would run into the time-out: this takes a second or two."""
    items = ",".join(
        f'{newline}{{"apiVersion":"v1","kind":"Service","metadata":{{"name":"s{n}"}},'
        f'"spec":{{"type":"LoadBalancer","selector":{{"app":"s{n}"}}}}}}'
        for n in range(4000)
    )
    data = f'{lead}{{"apiVersion":"v1","kind":"List","items":[{items}]}}\n'.encode()
    result = run("transform", *MIXED, "-", stdin=data, timeout=60)
    assert result.stdout.count(b"direct-access") == 4000
