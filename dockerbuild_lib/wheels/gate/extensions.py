"""Checks of extension modules: that they are there, that this Python finds them, and that it can start them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import PurePosixPath

from dockerbuild_lib.wheels.gate.expectation import WheelExpectation
from dockerbuild_lib.wheels.gate.subject import Subject, is_bundled
from dockerbuild_lib.wheels.wheel_members import shown

_FILE = re.compile(r"(?P<name>\w+)(\.(?P<tag>(cpython|abi|pypy|graalpy)[\w-]*))?\.so")


def extension_modules(subject: Subject) -> dict[str, str]:
    """Return the extension modules of the wheel: dotted name of the module -> member."""
    found = ((_module(subject, member), member) for member in subject.elves)
    return {module: member for module, member in found if module}


def extension_problems(subject: Subject) -> Iterator[str]:
    """Yield what is wrong with the wheel's set of extension modules, and with each of them."""
    present = extension_modules(subject)
    yield from set_problems(subject.expected, set(present))
    for module, member in present.items():
        for problem in (*_suffix_problems(subject, member), *_init_problems(subject, module, member)):
            yield f"{shown(member)}: {problem}"


def _module(subject: Subject, member: str) -> str | None:
    path = PurePosixPath(member)
    match = _FILE.fullmatch(path.name)
    folder = subject.folder(member)
    if match is None or is_bundled(folder) or subject.wheel.installed_path(member) is None:
        return None
    module = ".".join((*folder.parts, match["name"]))
    if match["tag"] or not path.name.startswith("lib") or module in subject.expected.extensions:
        return module
    # A plain libfoo.so is a library that the package opens itself, unless it can be imported.
    return module if init_symbol(match["name"]) in _defined(subject, member) else None


def set_problems(expectation: WheelExpectation, present: set[str]) -> Iterator[str]:
    """Yield what is wrong with a wheel's set of extension modules."""
    expected = set(expectation.extensions)
    if expectation.is_universal:
        return
    if not present and not expected:
        yield "it has no extension module at all: the build left its machine code out"
    for module in sorted(expected - present):
        yield f"it lacks the extension module {module}"
    for module in sorted(present - expected) if expected else ():
        yield f"it has the extension module {shown(module)}, which its recipe does not name"


def _suffix_problems(subject: Subject, member: str) -> Iterator[str]:
    match = _FILE.fullmatch(PurePosixPath(member).name)
    tag = match["tag"] if match else None
    architecture = subject.expected.architecture
    multiarch = architecture.multiarch if architecture else None
    own = f"cpython-{subject.expected.abi_tag.removeprefix('cp')}-{multiarch}"
    if tag not in (None, "abi3", own):
        yield f"its suffix .{shown(tag or '')}.so is not that of {subject.expected.python} ({own}, or abi3)"
    elif tag == own and any(wheel_tag.abi == "abi3" for wheel_tag in subject.wheel.tags):
        yield f"its suffix .{tag}.so binds it to one Python, but the wheel's tag says abi3"


def _init_problems(subject: Subject, module: str, member: str) -> Iterator[str]:
    symbol = init_symbol(module.rpartition(".")[2])
    if symbol not in _defined(subject, member):
        yield f"it does not export {shown(symbol)}, so it cannot be imported"


def _defined(subject: Subject, member: str) -> frozenset[str]:
    dynamic = subject.elves[member].dynamic
    return dynamic.defined if dynamic else frozenset()


def init_symbol(name: str) -> str:
    """Return the function that starts the extension module called *name* (PEP 489)."""
    if name.isascii():
        return f"PyInit_{name}"
    return "PyInitU_" + name.encode("punycode").decode("ascii").replace("-", "_")
