"""What a control plane could have left behind on this machine."""

from __future__ import annotations

import ipaddress
import struct
from pathlib import Path

LISTENING = "0A"


def leftovers(directory: Path, network: ipaddress.IPv4Network) -> list[str]:
    """Its files, its processes, and its open ports."""
    files = [str(directory)] if directory.exists() else []
    return files + processes(str(directory)) + ports(network)


def processes(word: str) -> list[str]:
    """Command lines that have this word."""
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            line = path.read_bytes().replace(b"\0", b" ").decode("utf-8", "replace")
        except OSError:
            continue  # it has ended meanwhile
        if word in line:
            found.append(line)
    return found


def ports(network: ipaddress.IPv4Network) -> list[str]:
    """Where somebody listens at an address of the network."""
    found = []
    for line in Path("/proc/net/tcp").read_text("ascii").splitlines()[1:]:
        _, local, _, state = line.split()[:4]
        raw, port = local.split(":")
        address = ipaddress.IPv4Address(struct.pack("=I", int(raw, 16)))
        if state == LISTENING and address in network:
            found.append(f"{address}:{int(port, 16)}")
    return found
