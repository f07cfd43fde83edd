"""What the gate says, for tests that look at its words."""

from __future__ import annotations

from pathlib import Path

import pytest

from dockerbuild_lib.core.errors import WheelRefusedError
from dockerbuild_lib.wheels.gate import WheelExpectation, check_wheel


def refusal_lines(wheel: Path, expectation: WheelExpectation) -> list[str]:
    """Return the lines of the refusal, without the first; the wheel must be refused."""
    with pytest.raises(WheelRefusedError) as caught:
        check_wheel(wheel, expectation)
    assert caught.value.where == wheel.name
    return [line.strip() for line in caught.value.what.splitlines()[1:]]
