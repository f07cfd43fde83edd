"""What is tried again, how often, and how long is waited between."""

from __future__ import annotations

import sys
from subprocess import run

import pytest

from dockerbuild_lib.core.errors import HashMismatchError, NetworkError
from dockerbuild_lib.core.retries import RetryPolicy, retried


class LaterError(NetworkError):
    def __init__(self, seconds: float) -> None:
        super().__init__("later")
        self.retry_after = seconds


class Flaky:
    def __init__(self, *errors: Exception) -> None:
        self.errors = list(errors)
        self.calls = 0

    def __call__(self) -> str:
        self.calls += 1
        if self.errors:
            raise self.errors.pop(0)
        return "done"


def test_the_waits_double_up_to_the_longest() -> None:
    waits: list[float] = []
    policy = RetryPolicy(attempts=6, first_wait=1, longest_wait=5, sleep=waits.append)
    flaky = Flaky(*[NetworkError("broken")] * 5)
    assert retried(flaky, policy) == "done"
    assert waits == [1, 2, 4, 5, 5]


def test_the_last_error_is_raised_itself() -> None:
    errors = [NetworkError(str(number)) for number in range(9)]
    with pytest.raises(NetworkError, match="3"):
        retried(Flaky(*errors), RetryPolicy(attempts=4, sleep=lambda _: None))


@pytest.mark.parametrize("error", [HashMismatchError("wrong"), ValueError("a bug"), KeyboardInterrupt()])
def test_what_is_not_transient_is_not_tried_again(error: Exception) -> None:
    flaky = Flaky(error)
    with pytest.raises(type(error)):
        retried(flaky, RetryPolicy(sleep=lambda _: None))
    assert flaky.calls == 1


def test_the_wait_that_was_asked_for_is_kept() -> None:
    waits: list[float] = []
    assert retried(Flaky(LaterError(12), LaterError(0)), RetryPolicy(sleep=waits.append)) == "done"
    assert waits == [12, 0]


def test_a_wait_that_is_too_long_ends_it() -> None:
    flaky = Flaky(LaterError(31))
    with pytest.raises(LaterError):
        retried(flaky, RetryPolicy(longest_wait=30, sleep=lambda _: None))
    assert flaky.calls == 1


def test_the_library_behind_it_is_imported_late() -> None:
    code = "import sys, dockerbuild_lib.core.retries; sys.exit('tenacity' in sys.modules)"
    assert run((sys.executable, "-c", code), check=False).returncode == 0
