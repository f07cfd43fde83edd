"""Whether this process may connect to anything but the Docker engine. Every room asks here before it does."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache

from dockerbuild_lib.core.errors import OfflineError

Judge = Callable[[], str | None]
"""Says what forbids connections (``--offline``); None: nothing does."""


def _nothing() -> None:
    return None


class Connections:
    """The one answer for the whole process, since it is the process that must stay silent."""

    def __init__(self) -> None:
        self._forbidden_by: Judge = _nothing

    @contextmanager
    def judged_by(self, judge: Judge) -> Iterator[None]:
        """Let *judge* decide inside the block; it is asked once, by the first who wants to connect."""
        before, self._forbidden_by = self._forbidden_by, cache(judge)
        try:
            yield
        finally:
            self._forbidden_by = before

    def end(self, by: str) -> None:
        """Forbid connections for the rest of the block; what is being received breaks off with its next piece."""
        self._forbidden_by = lambda: by

    def require(self, where: str, *, missing: str | None = None, fix: str | None = None) -> None:
        """Return when connections are allowed; *missing* says for want of what there would be one, to *where*.

        Raises:
            OfflineError: they are forbidden.

        """
        by = self._forbidden_by()
        if by is not None:
            told = f"connections are forbidden ({by})"
            what = f"{missing}, and {told}" if missing else told
            raise OfflineError(what, where=where, fix=fix or "run it again where they are allowed")


CONNECTIONS = Connections()
