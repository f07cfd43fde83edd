"""Pseudo-terminals, seen from the side of who types."""

from __future__ import annotations

import os
import select
import time


def read_until(terminal: int, text: bytes, seconds: float = 60) -> bytes:
    """Return what a terminal shows up to *text*."""
    seen, deadline = b"", time.monotonic() + seconds
    while text not in seen:
        assert time.monotonic() < deadline, seen
        if select.select([terminal], [], [], 1)[0]:
            seen += os.read(terminal, 4096)
    return seen
