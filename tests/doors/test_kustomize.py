"""Every door of every kustomize gives what the pipe gives: object for object, and in order."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest

from tests.doors.kustomize import (
    DOORS,
    EXAMPLES,
    Kustomize,
    Machine,
    names,
    objects,
    succeeded,
    without_functions,
)

OVERLAYS = ("staging", "production")

# By these kustomize keeps its books while it builds; none of them may come out.
TRACKING = re.compile(rb"(?:config\.kubernetes\.io|config\.k8s\.io)/[\w-]+")


@pytest.fixture(scope="module")
def plain_examples(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The examples without their transformers."""
    copy = tmp_path_factory.mktemp("plain") / "kustomize-plugin"
    shutil.copytree(EXAMPLES, copy)
    for found in copy.glob("*/*/kustomization.yaml"):
        if found.parent.name in OVERLAYS:
            without_functions(found)
    return copy


@pytest.mark.parametrize("overlay", OVERLAYS)
@pytest.mark.parametrize(("by", "door"), DOORS)
def test_the_example_builds_to_what_the_pipe_makes_of_it(
    by: Kustomize, door: str, overlay: str, machine: Machine, plain_examples: Path
) -> None:
    built = machine.door_of(by, door, EXAMPLES / door / overlay)
    piped = machine.pipe_of(by, plain_examples / door / overlay)
    assert objects(succeeded(built)) == objects(piped)
    assert b"eni-ip" in built.stdout


@pytest.mark.parametrize("overlay", OVERLAYS)
@pytest.mark.parametrize(("by", "door"), DOORS)
def test_names_hashes_and_references_are_those_of_the_plain_build(
    by: Kustomize, door: str, overlay: str, machine: Machine, plain_examples: Path
) -> None:
    built = succeeded(machine.door_of(by, door, EXAMPLES / door / overlay))
    plain = succeeded(machine.build(by, plain_examples / door / overlay))
    assert names(built) == names(plain)
    assert references_in(built) == references_in(plain)
    assert any(re.search(r"front-env-[a-z0-9]{10}$", name) for name in names(built))


@pytest.mark.parametrize("overlay", OVERLAYS)
@pytest.mark.parametrize(("by", "door"), DOORS)
def test_nothing_of_the_books_of_kustomize_comes_out(
    by: Kustomize, door: str, overlay: str, machine: Machine
) -> None:
    built = succeeded(machine.door_of(by, door, EXAMPLES / door / overlay))
    assert TRACKING.findall(built) == []


def references_in(stream: bytes) -> list[str]:
    """Every name of another object, in order."""
    keys = rb"(?:name|serviceName|serviceAccountName|secretName|claimName):"
    return [line.decode() for line in re.findall(rb"^[ -]*" + keys + rb".*$", stream, re.MULTILINE)]
