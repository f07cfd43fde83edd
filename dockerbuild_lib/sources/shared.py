"""The team's store of sources, asked before the world outside."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Protocol

from dockerbuild_lib.catalog.locks import LockedFile
from dockerbuild_lib.core.events import ProgressLog, silent
from dockerbuild_lib.plan.naming import source_name
from dockerbuild_lib.sources.upstream import Upstream


class SharedStore(Protocol):
    """What this room needs of the store that a team shares."""

    def fetch(self, name: str, sha256: str, target: Path) -> bool:
        """Write the source to *target*, whole and verified, and tell whether the store has it."""


class SharedFirst:
    """An upstream that is only asked for what the team's store does not have."""

    def __init__(self, shared: Callable[[], SharedStore], upstream: Upstream) -> None:
        """*shared* opens the team's store, which is not touched before a source is missing."""
        self._shared = shared
        self._upstream = upstream

    def download(self, locked: LockedFile, target: Path, log: ProgressLog = silent) -> None:
        """Fetch *locked* to *target* (see :class:`Upstream`).

        Raises:
            StoreDamagedError: what the team's store has under its sha256 is another file.

        """
        if self._shared().fetch(source_name(locked), locked.sha256, target):
            log("taken from the remote store")
        else:
            self._upstream.download(locked, target, log)
