"""Addresses in 127.0.0.0/8 that no other test run on this machine uses."""

from __future__ import annotations

import ipaddress
import random
import socket
from collections import deque
from collections.abc import Iterable
from itertools import islice

# Far from 127.0.0.1 and from what resolvers and others take at its beginning.
RANGE = ipaddress.IPv4Network("127.64.0.0/10")
BITS = 20
# Whoever holds this port of a block's first address has the block.  Above the range from which
# Linux chooses ports itself.
LOCK_PORT = 65535


class Block:
    """4,096 neighbouring addresses, ours until `release`, or until this process is dead.

    The lock is a bound socket: the kernel frees it, whatever becomes of us.
    """

    def __init__(self, network: ipaddress.IPv4Network, lock: socket.socket) -> None:
        self.network = network
        self._lock = lock

    @classmethod
    def reserve(cls) -> Block:
        blocks = list(RANGE.subnets(new_prefix=BITS))
        random.shuffle(blocks)
        for network in blocks:
            lock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
            try:
                lock.bind((str(network[0]), LOCK_PORT))
            except OSError:
                lock.close()
            else:
                return cls(network, lock)
        raise RuntimeError(f"every block of {RANGE} is taken")

    @property
    def control_plane(self) -> str:
        return str(self.network[1])

    def for_pods(self) -> Pool:
        return Pool(str(address) for address in islice(self.network, 16, None))

    def release(self) -> None:
        self._lock.close()


class Pool:
    """The addresses of a cluster's Pods.

    One that was given back is the last to be handed out again, as most networks do, unless
    somebody asks for its reuse.
    """

    def __init__(self, addresses: Iterable[str]) -> None:
        self._free = deque(addresses)
        self._wanted: list[str] = []

    def take(self) -> str:
        for address in self._wanted:
            if address in self._free:
                self._wanted.remove(address)
                self._free.remove(address)
                return address
        return self._free.popleft()

    def give_back(self, address: str) -> None:
        self._free.append(address)

    def reuse(self, address: str) -> None:
        """The first Pod to start once `address` is free gets it."""
        self._wanted.append(address)
