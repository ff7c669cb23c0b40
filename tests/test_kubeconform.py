"""Our verdict on manifests against those of kubeconform and the library jsonschema.

Valid manifests of every kind are spoilt in one place each; all three judge them by the same
schemas.  kubeconform runs with -strict, once for each minor version.
"""

from __future__ import annotations

import copy
import json
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from jsonschema import Draft7Validator

from schemas.kubernetes import NEWEST, definitions, name_of, standalone
from tests.kubernetes_seeds import SEEDS, Manifest
from tests.peers import needs, peer
from transformer.structure import defects

MINORS = ("1.20", "1.23", "1.25", "1.30", NEWEST)
# So many mutants of a kind in a minor, spread evenly over all that there are.
MOST = 40

# (api version, kind, minor, where and what) of a mutant whose verdicts differ -> the reason.
DIFFERENCES: dict[tuple[str, str, str, str], str] = {}

Steps = tuple[str | int, ...]
REMOVED = "removed"
UNREADABLE = "error unmarshaling JSON"
OTHERS: tuple[Any, ...] = (
    *(REMOVED, None, "x", "", 7, 7.0, 1.5, True),
    *([], ["x"], [None], {}, {"x": "y"}, {"x": None}),
)


class Case(NamedTuple):
    api_version: str
    kind: str
    minor: str
    change: str
    manifest: Manifest

    @property
    def key(self) -> tuple[str, str, str, str]:
        return self.api_version, self.kind, self.minor, self.change


def places(value: Any, path: Steps = ()) -> Iterator[tuple[Steps, Any]]:
    """Every value in `value` with its path, itself first."""
    yield path, value
    if isinstance(value, (dict, list)):
        for step, inner in value.items() if isinstance(value, dict) else enumerate(value):
            yield from places(inner, (*path, step))


def changes(seed: Manifest) -> Iterator[tuple[Steps, Any]]:
    """Ways to spoil `seed`, or at least to change it, in one place: a path and a new value."""
    for path, value in places(seed):
        if isinstance(value, dict):
            yield (*path, "readinessGate"), []
        if path in ((), ("apiVersion",), ("kind",)):
            continue  # kubeconform finds the schema by these
        yield from ((path, other) for other in OTHERS if type(other) is not type(value))


def changed(seed: Manifest, path: Steps, value: Any) -> Manifest:
    """`seed` with another value at `path`, or without it."""
    manifest = copy.deepcopy(seed)
    holder: Any = manifest
    for step in path[:-1]:
        holder = holder[step]
    if value is REMOVED:
        del holder[path[-1]]
    else:
        holder[path[-1]] = value
    return manifest


def cases() -> Iterator[Case]:
    for minor in MINORS:
        for number, ((api_version, kind), seed) in enumerate(SEEDS.items()):
            if name_of(api_version, kind, minor):
                yield Case(api_version, kind, minor, "unchanged", seed)
                known = list(changes(seed))
                step = max(1, len(known) // MOST)
                # Not the same places for every kind and minor.
                for path, value in known[(number + MINORS.index(minor)) % step :: step]:
                    change = f"{'.'.join(map(str, path))}: {value!r}"
                    yield Case(api_version, kind, minor, change, changed(seed, path, value))


def judged_by_kubeconform(minor: str, known: list[Case], folder: Path) -> list[bool]:
    """Whether kubeconform finds each case valid."""
    for number, case in enumerate(known):
        text = json.dumps(case.manifest)
        (folder / "manifests" / f"{minor}-{number}.json").write_text(text)
    result = subprocess.run(
        [
            peer("kubeconform"),
            "-strict",
            "-verbose",
            "-output=json",
            f"-kubernetes-version={minor}.0",
            f"-schema-location={folder}/schemas/{minor}{{{{.ResourceKind}}}}{{{{.KindSuffix}}}}.json",
            *(folder / "manifests" / f"{minor}-{number}.json" for number in range(len(known))),
        ],
        capture_output=True,
        text=True,
        check=False,
    )
    verdicts = {Path(row["filename"]).stem: row for row in json.loads(result.stdout)["resources"]}
    rows = [verdicts[f"{minor}-{number}"] for number in range(len(known))]
    for row in rows:  # a name that is no string is an error, no "invalid"; refused either way
        assert row["status"] in ("statusValid", "statusInvalid") or UNREADABLE in row["msg"], row
    return [row["status"] == "statusValid" for row in rows]


def write_schemas(minor: str, known: list[Case], folder: Path) -> dict[tuple[str, str], Any]:
    """Lay out the schemas of `minor` for kubeconform, and make validators of them."""
    validators = {}
    for api_version, kind in {(case.api_version, case.kind) for case in known}:
        schema = standalone(api_version, kind, minor)
        group, _, version = api_version.rpartition("/")
        suffix = "-".join(part for part in (group.split(".")[0], version) if part)
        path = folder / "schemas" / f"{minor}{kind.lower()}-{suffix}.json"
        path.write_text(json.dumps(schema))
        validators[api_version, kind] = Draft7Validator(schema)
    return validators


def ours(case: Case) -> bool:
    known = definitions(case.minor)
    name = name_of(case.api_version, case.kind, case.minor)
    return not defects(case.manifest, {"$ref": name}, known)


@needs("kubeconform")
def test_kubeconform_and_jsonschema_judge_as_we_do(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "manifests").mkdir()
    (tmp_path / "schemas").mkdir()
    everything = list(cases())
    assert len(everything) >= 300
    differing = {}
    valid = 0
    for minor in MINORS:
        known = [case for case in everything if case.minor == minor]
        validators = write_schemas(minor, known, tmp_path)
        for case, theirs in zip(known, judged_by_kubeconform(minor, known, tmp_path)):
            mine = ours(case)
            library = validators[case.api_version, case.kind].is_valid(case.manifest)
            valid += mine
            if not mine == theirs == library:
                differing[case.key] = f"we {mine}, kubeconform {theirs}, jsonschema {library}"
            if case.change == "unchanged":
                assert mine, case.key
    with capsys.disabled():
        print(f"\n{len(everything)} manifests judged alike, {valid} of them valid")
    assert differing.keys() == DIFFERENCES.keys(), differing
    assert valid > len(everything) / 10
