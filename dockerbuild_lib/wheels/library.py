"""Building a third-party library for a platform: static, position-independent, with its toolchain."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from dockerbuild_lib.catalog.architectures import BUILD_TRIPLE
from dockerbuild_lib.containers.engine import Engine
from dockerbuild_lib.containers.worker import WORK, WORKER_ID, Limits
from dockerbuild_lib.core.command import Argument, Command
from dockerbuild_lib.core.events import StepLog
from dockerbuild_lib.core.files import atomic_writer, translated_os_errors
from dockerbuild_lib.plan.steps import LibraryWork
from dockerbuild_lib.sources.trees import SourceTrees
from dockerbuild_lib.wheels.build import script, worker_options
from dockerbuild_lib.wheels.environment import DEFAULT_CONDITIONS, LIBRARIES, SOURCE, compilers, plain_environment


@dataclass(frozen=True)
class LibraryBuilder:
    """Builds libraries in the engine's containers, within *limits*."""

    engine: Engine
    limits: Limits
    trees: SourceTrees

    def build(self, work: LibraryWork, source: Path, target: Path, log: StepLog) -> None:
        """Build a library from its source archive; *target* becomes a tar of its folder, named like the library.

        Raises:
            UnsafeArchiveError: the source is damaged or hostile.
            BuildFailedError: a command failed.

        """
        with self.trees.packed(source, SOURCE.relative, WORKER_ID) as tree:
            log(f"the source's tree has the sha256 {tree.sha256}")
            with self.engine.worker(worker_options(work.workshop, self.limits)) as worker:
                worker.put_tree(tree.tar, WORK)
                tree.tar.close()  # as in a wheel's build
                worker.put({LIBRARIES / ".keep": b""})
                for command in _commands(work):
                    worker.run(command, log)
                chunks = worker.get_archive(LIBRARIES / work.name)
                with translated_os_errors(target), atomic_writer(target) as stream:
                    stream.writelines(chunks)


def _commands(work: LibraryWork) -> tuple[Command, ...]:
    plain = plain_environment(DEFAULT_CONDITIONS)
    building = {**plain, **compilers(work.workshop, ())}
    prefix: Argument = ("--prefix=", LIBRARIES / work.name)
    libdir: Argument = ("--libdir=", LIBRARIES / work.name / "lib")
    machines = (f"--build={BUILD_TRIPLE}", f"--host={work.workshop.platform.triple}")
    kinds = ("--disable-shared", "--enable-static", "--with-pic")
    standard = (libdir, *machines, *kinds) if work.library.autoconf else ()
    remade = (Command(("autoreconf", "--force", "--install"), plain, SOURCE),) if work.library.autoreconf else ()
    return (
        Command(script("prepare_build"), plain),
        *remade,
        Command(("./configure", prefix, *standard, *work.library.configure), building, SOURCE),
        Command(("make", "--jobs=2"), building, SOURCE),
        Command(("make", "install"), building, SOURCE),
    )
