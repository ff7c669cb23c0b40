"""Addresses of loopback: blocks are exclusive, pools hand out late what was given back."""

from __future__ import annotations

import pytest

from tests.controlplane import addresses
from tests.controlplane.addresses import Block, Pool


def test_two_blocks_share_no_address() -> None:
    first, second = Block.reserve(), Block.reserve()
    assert not first.network.overlaps(second.network)
    first.release()
    second.release()


def test_a_block_is_free_again_after_its_release(monkeypatch: pytest.MonkeyPatch) -> None:
    one = Block.reserve()
    monkeypatch.setattr(addresses, "RANGE", one.network)
    with pytest.raises(RuntimeError, match="taken"):
        Block.reserve()
    one.release()
    again = Block.reserve()
    assert again.network == one.network
    again.release()


def test_the_control_plane_has_an_address_that_no_pod_gets() -> None:
    block = Block.reserve()
    pool = block.for_pods()
    assert block.control_plane not in {pool.take() for _ in range(4000)}
    block.release()


def test_an_address_that_was_given_back_is_the_last_to_be_taken() -> None:
    pool = Pool(["a", "b", "c"])
    pool.give_back(pool.take())
    assert [pool.take() for _ in range(3)] == ["b", "c", "a"]


def test_an_address_is_reused_on_command_as_soon_as_it_is_free() -> None:
    pool = Pool(["a", "b", "c"])
    taken = pool.take()
    pool.reuse(taken)
    assert pool.take() == "b"
    pool.give_back(taken)
    assert [pool.take(), pool.take()] == ["a", "c"]
