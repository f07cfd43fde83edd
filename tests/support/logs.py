"""A step's log for tests: it keeps what it is told."""

from __future__ import annotations


class KeptLog:
    """The lines, and how far the step has come: (bytes there, bytes in all)."""

    def __init__(self) -> None:
        self.lines: list[str] = []
        self.steps: list[tuple[int, int | None]] = []

    def __call__(self, line: str) -> None:
        self.lines.append(line)

    def progress(self, done: int, total: int | None) -> None:
        self.steps.append((done, total))
