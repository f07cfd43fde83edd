"""One writer at a time, across processes: a lock that ends with its process, however that ends."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def exclusive_lock(file: Path, *, wait: bool = True) -> Iterator[None]:
    """Hold the lock *file* inside the block; wait for another process or thread that holds it.

    The file stays: removing it would let a waiter lock what nobody else sees.

    Raises:
        BlockingIOError: another one holds it, and *wait* is false.

    """
    file.parent.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(file, os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o666)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX if wait else fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield
    finally:
        os.close(descriptor)
