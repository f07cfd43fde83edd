"""The gate: what every wheel must be before it is tried, packaged or published.

It runs on the host and only parses: the container that built the wheel ran foreign code.
"""

from dockerbuild_lib.wheels.gate.check import check_wheel
from dockerbuild_lib.wheels.gate.expectation import WheelExpectation, WheelFacts

__all__ = ["WheelExpectation", "WheelFacts", "check_wheel"]
