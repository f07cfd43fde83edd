"""Building a CPython for a platform, in its image: small, and all that it needs linked in.

It has no tests, no IDLE, no pip and no precompiled optimised modules: it builds wheels and tries them, and is no
Python to work with.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from dockerbuild_lib.catalog.architectures import BUILD_TRIPLE
from dockerbuild_lib.catalog.python_names import is_free_threaded
from dockerbuild_lib.containers.engine import Engine
from dockerbuild_lib.containers.worker import WORK, WORKER_ID, Limits
from dockerbuild_lib.core.command import Argument, Command
from dockerbuild_lib.core.events import StepLog
from dockerbuild_lib.core.files import atomic_writer, translated_os_errors
from dockerbuild_lib.images import layout
from dockerbuild_lib.images.layout import script
from dockerbuild_lib.plan.products import PythonWork
from dockerbuild_lib.sources.trees import SourceTrees
from dockerbuild_lib.wheels.build import worker_options
from dockerbuild_lib.wheels.environment import DEFAULT_CONDITIONS, LIBRARIES, SOURCE, compilers, plain_environment
from dockerbuild_lib.wheels.python_places import BUILD_MACHINE, PYTHON, build_interpreter

_ANSWERS = ("ac_cv_file__dev_ptmx=yes", "ac_cv_file__dev_ptc=no", "ac_cv_buggy_getaddrinfo=no")
"""What configure would find out by running programs of the target."""


@dataclass(frozen=True)
class PythonInputs:
    """The files that a build is given: tars of the libraries by name, and of the build machine's Python."""

    source: Path
    libraries: Mapping[str, Path]
    build_python: Path | None


@dataclass(frozen=True)
class PythonBuilder:
    """Builds Pythons in the engine's containers, within *limits*."""

    engine: Engine
    limits: Limits
    trees: SourceTrees

    def build(self, work: PythonWork, inputs: PythonInputs, target: Path, log: StepLog) -> None:
        """Build a Python from its source archive; *target* becomes a tar of its folder.

        Raises:
            UnsafeArchiveError: the source is damaged or hostile.
            BuildFailedError: a command failed.

        """
        with self.trees.packed(inputs.source, SOURCE.relative, WORKER_ID) as tree:
            log(f"the source's tree has the sha256 {tree.sha256}")
            with self.engine.worker(worker_options(work.workshop, self.limits)) as worker:
                worker.put_tree(tree.tar, WORK)
                tree.tar.close()  # as in a wheel's build
                worker.put({LIBRARIES / ".keep": b"", BUILD_MACHINE / ".keep": b""})
                tars = [(archive, LIBRARIES) for archive in inputs.libraries.values()]
                tars += [(inputs.build_python, BUILD_MACHINE)] if inputs.build_python else []
                for archive, folder in tars:
                    with archive.open("rb") as stream:
                        worker.put_tree(stream, folder)
                for command in _commands(work):
                    worker.run(command, log)
                chunks = worker.get_archive(PYTHON)
                with translated_os_errors(target), atomic_writer(target) as stream:
                    stream.writelines(chunks)


def _commands(work: PythonWork) -> tuple[Command, ...]:
    plain = plain_environment(DEFAULT_CONDITIONS)
    # zig makes an error of __DATE__, which SOURCE_DATE_EPOCH has fixed.
    named = compilers(work.workshop, (library.name for library in work.libraries))
    building = {**plain, **named, "CFLAGS": _with(named["CFLAGS"], "-Wno-error=date-time")}
    options = ("--without-ensurepip", "--disable-test-modules", "--with-computed-gotos")
    free_threaded = ("--disable-gil",) if is_free_threaded(work.name) else ()
    configure = ("./configure", ("--prefix=", PYTHON), *options, *free_threaded, *_cross(work))
    return (
        Command(script("prepare_build"), plain),
        Command(configure, building, SOURCE),
        Command(("sed", "--in-place", "s/ -o 1 -o 2 / /", "Makefile"), plain, SOURCE),  # modules are compiled once
        Command(("make", "--jobs=2"), building, SOURCE),
        Command(("make", "install", "COMPILEALL_OPTS=--invalidation-mode=unchecked-hash"), building, SOURCE),
        Command(script("trim_python", work.name, layout.compiler(work.workshop.toolchain_name, "strip")), plain),
    )


def _cross(work: PythonWork) -> tuple[Argument, ...]:
    """Return what configure must be told of a target that its programs do not run on."""
    if work.is_build_machine:
        return ()
    machines = (f"--build={BUILD_TRIPLE}", f"--host={work.workshop.platform.triple}")
    return (*machines, ("--with-build-python=", *build_interpreter(work.name, work.build_python)), *_ANSWERS)


def _with(flags: Argument, flag: str) -> Argument:
    return (*(flags if isinstance(flags, tuple) else (flags,)), f" {flag}")
