"""Checks of what a wheel calls itself: name, version, Python, ABI and platform."""

from __future__ import annotations

from collections.abc import Iterator

from packaging.tags import Tag
from packaging.version import Version

from dockerbuild_lib.wheels.gate.expectation import WheelExpectation
from dockerbuild_lib.wheels.wheel_file import WheelFile


def identity_problems(wheel: WheelFile, expected: WheelExpectation) -> Iterator[str]:
    """Yield where the wheel's name, version and tags are not those of its target and recipe."""
    if wheel.distribution != expected.distribution:
        yield f"it is a wheel of {wheel.distribution}, not of {expected.distribution}"
    if wheel.version != Version(expected.version):
        yield f"its version is {wheel.version}, not {expected.version}"
    yield from _python_problems(wheel, expected)
    yield from _universal_problems(wheel, expected) if expected.is_universal else _native_problems(wheel, expected)


def _python_problems(wheel: WheelFile, expected: WheelExpectation) -> Iterator[str]:
    """Look for one patch release that is allowed: the target names only its minor version."""
    releases = (f"3.{expected.python_minor}.0", f"3.{expected.python_minor}.999")
    if not any(wheel.requires_python.contains(release) for release in releases):
        yield f"METADATA: its Requires-Python {wheel.requires_python} excludes {expected.python}"


def _native_problems(wheel: WheelFile, expected: WheelExpectation) -> Iterator[str]:
    pure = [tag for tag in wheel.tags if tag.platform == "any"]
    if pure:
        yield f"its tag {pure[0]} is that of a pure wheel: the build fell back from its extension modules to Python"
        return
    if expected.foreign and not any(tag.platform in expected.platform_tags for tag in wheel.tags):
        listed = ", ".join(sorted({tag.platform for tag in wheel.tags}))
        yield f"none of its platform tags ({listed}) is one of the target's, whose best is {expected.platform_tags[0]}"
    for tag in sorted(wheel.tags, key=str):
        if not _is_python_of(tag, expected):
            yield f"its tag {tag} is not for {expected.python}"
        if not expected.foreign and tag.platform not in expected.platform_tags:
            yield f"its tag {tag} is not for this platform, whose tags are {', '.join(expected.platform_tags)}"
    if wheel.purelib:
        yield "WHEEL: it says Root-Is-Purelib, but the wheel is for one platform"


def _is_python_of(tag: Tag, expected: WheelExpectation) -> bool:
    if tag.abi == "abi3" and expected.abi is None:  # a Python without the global lock has another one
        return _minor(tag.interpreter, "cp3") in range(2, expected.python_minor + 1)
    return (tag.interpreter, tag.abi) == (expected.python, expected.abi_tag)


def _universal_problems(wheel: WheelFile, expected: WheelExpectation) -> Iterator[str]:
    if not any(_is_universal_for(tag, expected) for tag in wheel.tags):
        listed = ", ".join(sorted(map(str, wheel.tags)))
        yield f"none of its tags ({listed}) is that of a pure wheel for {expected.python}"
    tags = ".".join(sorted({tag.interpreter for tag in wheel.tags}))
    if expected.python_tags and tags != expected.python_tags:
        yield f"its Python tag is {tags}, but the recipe's python-tag says {expected.python_tags}"
    if not wheel.purelib:
        yield "WHEEL: it does not say Root-Is-Purelib, but the wheel is universal"


def _is_universal_for(tag: Tag, expected: WheelExpectation) -> bool:
    if (tag.abi, tag.platform) != ("none", "any"):
        return False
    minors = range(expected.python_minor + 1)
    return tag.interpreter in ("py3", expected.python) or _minor(tag.interpreter, "py3") in minors


def _minor(interpreter: str, prefix: str) -> int | None:
    digits = interpreter.removeprefix(prefix)
    return int(digits) if interpreter.startswith(prefix) and digits.isascii() and digits.isdigit() else None
