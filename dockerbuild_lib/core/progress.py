"""How far a step has come: told often, and shown or written down as seldom as its reader bears."""

from __future__ import annotations

import time
from collections.abc import Callable

from dockerbuild_lib.core.events import Event, StepProgress

EACH_LINE_SECONDS = 10.0
"""Between two lines about one step, where each stays: in a CI system's log, in ``events.jsonl``."""


class ProgressThinner:
    """Passes on one :class:`StepProgress` of a step in *seconds*, the first after that time, and every other event."""

    def __init__(self, seconds: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._seconds = seconds
        self._clock = clock
        self._due: dict[str, float] = {}

    def passes(self, event: Event) -> bool:
        """Tell whether to pass *event* on."""
        if not isinstance(event, StepProgress):
            return True
        now = self._clock()
        if now < self._due.setdefault(event.step, now + self._seconds):
            return False
        self._due[event.step] = now + self._seconds
        return True
