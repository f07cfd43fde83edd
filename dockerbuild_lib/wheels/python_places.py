"""Where Pythons that were built from source lie in a container, and which interpreter runs what."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

from dockerbuild_lib.catalog.architectures import architecture_of
from dockerbuild_lib.catalog.python_names import FREE_THREADED, is_free_threaded
from dockerbuild_lib.containers.worker import WORK
from dockerbuild_lib.core.command import WorkPath
from dockerbuild_lib.images import layout
from dockerbuild_lib.plan.products import Pythons, PythonWork, WheelWork

Interpreter = tuple[str | WorkPath, ...]
"""The path of one, as an argument of a command."""
PYTHON = WorkPath("python")
"""The target's."""
BUILD_MACHINE = WorkPath("build-machine")
"""The folder of the build machine's, where that is not the target; the name of its own folder is the same."""


def build_interpreter(name: str, work: PythonWork | None) -> Interpreter:
    """Return the build machine's interpreter of a Python: in its own folder, or (None) Debian's in the image."""
    if work is None:
        return (f"{layout.BUILD_PYTHON}/python{name}",)
    return (BUILD_MACHINE / PYTHON.relative, f"/bin/python{name}")


def wheel_interpreter(wheel: WheelWork) -> Interpreter:
    """Return what runs a wheel's build."""
    if wheel.pythons.build is None or wheel.pythons.build != wheel.pythons.target:
        return build_interpreter(wheel.target.python, wheel.pythons.build)
    return build_machine_interpreter(wheel.target.python, wheel.pythons.build)


def build_machine_interpreter(name: str, work: PythonWork | None) -> Interpreter:
    """Return what runs a build for the build machine itself: there it is the target's Python too."""
    return (PYTHON, f"/bin/python{name}") if work else build_interpreter(name, None)


def target_interpreter(name: str, work: PythonWork | None) -> Interpreter:
    """Return the target's interpreter; where it is another machine, QEMU must run it."""
    return (f"{layout.TARGET_PYTHON}/python{name}",) if work is None else (PYTHON, f"/bin/python{name}")


def python_trees(pythons: Pythons, tars: Mapping[str, Path]) -> Iterator[tuple[Path, WorkPath]]:
    """Yield each Python's tar, out of *tars* by content key, and the folder that it is unpacked in."""
    if pythons.target:
        yield tars[pythons.target.key.full], WORK
    if pythons.build and pythons.build != pythons.target:
        yield tars[pythons.build.key.full], BUILD_MACHINE


def sysconfig_folder(name: str, work: PythonWork | None) -> Interpreter:
    """Return the folder below which a target's Python has that module; *work* is None where it comes from Debian."""
    return (f"/usr/lib/python{name}",) if work is None else (PYTHON, "/lib")


def sysconfig_module(name: str, work: PythonWork | None, triple: str) -> str:
    """Return the module that tells a Python's ``sysconfig`` variables, as CPython's configure calls it.

    *work* is None where the Python comes from Debian; *triple* is that of its platform.
    """
    flags = FREE_THREADED if is_free_threaded(name) else ""
    kernel = "linux_" if work else ""  # Debian leaves it out
    return f"_sysconfigdata_{flags}_{kernel}{architecture_of(triple).multiarch}"
