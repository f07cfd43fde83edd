"""The acyclic graph of a run's steps: what is ready, what waits for what, and how urgent each step is."""

from __future__ import annotations

import heapq
from collections.abc import Collection, Sequence
from graphlib import CycleError, TopologicalSorter
from typing import Generic, Protocol, TypeVar


class Schedulable(Protocol):
    """What the scheduler needs to know of a step; *weight* is the expected time in seconds."""

    @property
    def id(self) -> str:
        """The step's unique name."""

    @property
    def title(self) -> str:
        """What the step does, for people."""

    @property
    def needs(self) -> tuple[str, ...]:
        """The ids of the steps whose results this one takes."""

    @property
    def weight(self) -> float:
        """Expected seconds."""

    @property
    def lane(self) -> str:
        """The lane whose places it takes one of while it runs."""


S = TypeVar("S", bound=Schedulable)


class Graph(Generic[S]):
    """Hands out steps whose needs are done, the one with the longest path to the end of the run first.

    Raises ValueError when ids repeat, a need is unknown, or steps need each other in a circle.
    """

    def __init__(self, steps: Sequence[S]) -> None:
        self.steps: dict[str, S] = {step.id: step for step in steps}
        if len(self.steps) != len(steps):
            raise ValueError("two steps have the same id")
        self._missing = {step.id: set(step.needs) for step in steps}
        self._dependents = self._invert()
        self._urgency = self._longest_paths()
        self._position = {step.id: position for position, step in enumerate(steps)}
        self._ready: dict[str, list[tuple[float, int, str]]] = {step.lane: [] for step in steps}
        for step in steps:
            self._offer(step.id)

    @property
    def lanes(self) -> frozenset[str]:
        """The lanes of its steps."""
        return frozenset(self._ready)

    def take(self, lanes: Collection[str]) -> S | None:
        """Remove and return the most urgent ready step of these lanes; None when none is ready."""
        heaps = [self._ready[lane] for lane in lanes if self._ready.get(lane)]
        return self.steps[heapq.heappop(min(heaps, key=lambda heap: heap[0]))[2]] if heaps else None

    def complete(self, step: str) -> None:
        """Take note that *step* is done: what waited only for it becomes ready."""
        for dependent in self._dependents[step]:
            self._missing[dependent].discard(step)
            self._offer(dependent)

    def descendants(self, step: str) -> list[str]:
        """Return all steps that need *step*, directly or not, in the order of the plan."""
        found: set[str] = set()
        frontier = [step]
        while frontier:
            fresh = self._dependents[frontier.pop()] - found
            found |= fresh
            frontier.extend(fresh)
        return sorted(found, key=self._position.__getitem__)

    def _offer(self, step: str) -> None:
        if not self._missing[step]:
            heapq.heappush(self._ready[self.steps[step].lane], (-self._urgency[step], self._position[step], step))

    def _invert(self) -> dict[str, set[str]]:
        dependents: dict[str, set[str]] = {step: set() for step in self.steps}
        for step, needs in self._missing.items():
            for need in needs:
                if need not in dependents:
                    raise ValueError(f"step {step!r} needs {need!r}, which is not in the plan")
                dependents[need].add(step)
        return dependents

    def _longest_paths(self) -> dict[str, float]:
        """Return for each step the expected seconds from its start to the end of the longest chain behind it."""
        try:
            order = tuple(TopologicalSorter(self._dependents).static_order())  # dependents come first
        except CycleError as error:
            raise ValueError(f"steps need each other in a circle: {' -> '.join(error.args[1])}") from None
        longest: dict[str, float] = {}
        for step in order:
            behind = max((longest[dependent] for dependent in self._dependents[step]), default=0.0)
            longest[step] = self.steps[step].weight + behind
        return longest
