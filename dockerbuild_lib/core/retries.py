"""Trying again what may succeed when it is simply tried again."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

from dockerbuild_lib.core.errors import DockerbuildError

if TYPE_CHECKING:
    from tenacity import RetryCallState

Result = TypeVar("Result")


@dataclass(frozen=True)
class RetryPolicy:
    """How often and how long: waits double from *first_wait* up to *longest_wait*, both in seconds."""

    attempts: int = 4
    first_wait: float = 0.5
    longest_wait: float = 30.0
    sleep: Callable[[float], None] = time.sleep


DEFAULT_POLICY = RetryPolicy()


def retried(operation: Callable[[], Result], policy: RetryPolicy = DEFAULT_POLICY) -> Result:
    """Call *operation* until it succeeds, fails for good, or the attempts are used up; then its last error is raised.

    Only a :class:`DockerbuildError` that says ``transient`` is tried again. Where such an error has a
    ``retry_after`` (seconds that the other side asked for), that is how long to wait; a wait longer than the
    policy's longest is not waited for, since coming back earlier than asked makes matters worse.
    """
    from tenacity import Retrying, retry_if_exception, stop_after_attempt  # noqa: PLC0415  # it costs 50 ms to import

    def wait(state: RetryCallState) -> float:
        asked = _retry_after(state.outcome.exception() if state.outcome else None)
        return asked if asked is not None else min(policy.first_wait * 2 ** (state.attempt_number - 1), longest)

    longest = policy.longest_wait
    retrying = Retrying(
        stop=stop_after_attempt(policy.attempts),
        retry=retry_if_exception(lambda error: _worth_it(error, longest)),
        wait=wait,
        sleep=policy.sleep,
        reraise=True,
    )
    return retrying(operation)


def _worth_it(error: BaseException, longest_wait: float) -> bool:
    if not isinstance(error, DockerbuildError) or not error.transient:
        return False
    return (_retry_after(error) or 0) <= longest_wait


def _retry_after(error: BaseException | None) -> float | None:
    return getattr(error, "retry_after", None)
