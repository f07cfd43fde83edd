"""Ports of the loopback that nobody listens at."""

from __future__ import annotations

import socket


def free_port() -> int:
    """Return one; a server that begins at once gets it."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
