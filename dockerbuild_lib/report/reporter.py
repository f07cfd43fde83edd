"""Which view of a run is shown: live on a terminal, plain lines elsewhere."""

from __future__ import annotations

import os
from collections.abc import Mapping
from types import TracebackType
from typing import Protocol, Self, TextIO

from dockerbuild_lib.core.events import Event
from dockerbuild_lib.report.plain import PlainReporter
from dockerbuild_lib.report.streams import is_terminal


class Reporter(Protocol):
    """Shows a run while it lasts: a context manager, called with each event, from any thread."""

    def __call__(self, event: Event) -> None:
        """Show *event*."""

    def __enter__(self) -> Self:
        """Begin to show."""

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Leave the terminal as it was found."""


def reporter_for(stream: TextIO, *, total: int, environ: Mapping[str, str] = os.environ) -> Reporter:
    """Return the reporter for a run of *total* steps on *stream* (standard error).

    It is the live view on a terminal, and plain lines when *stream* is none, ``TERM`` is ``dumb`` or ``NO_COLOR``
    is set.
    """
    if not is_terminal(stream, environ):
        return PlainReporter(stream, total=total)
    from dockerbuild_lib.report.live import LiveReporter  # noqa: PLC0415 - rich costs 0.1 s

    return LiveReporter(stream, total=total)
