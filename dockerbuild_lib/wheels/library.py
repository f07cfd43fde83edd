"""Building a third-party library for a platform: static, position-independent, with its toolchain."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from dockerbuild_lib.containers.engine import Engine
from dockerbuild_lib.containers.worker import WORK, WORKER_ID, Limits
from dockerbuild_lib.core.events import StepLog
from dockerbuild_lib.core.files import atomic_writer, translated_os_errors
from dockerbuild_lib.plan.products import LibraryWork
from dockerbuild_lib.sources.trees import SourceTrees
from dockerbuild_lib.wheels.build import worker_options
from dockerbuild_lib.wheels.environment import LIBRARIES, SOURCE
from dockerbuild_lib.wheels.library_commands import library_commands


@dataclass(frozen=True)
class LibraryInputs:
    """The files that a library's build is given; *libraries* are tars of the folders of those that it needs."""

    source: Path
    libraries: tuple[Path, ...]


@dataclass(frozen=True)
class LibraryBuilder:
    """Builds libraries in the engine's containers, within *limits*."""

    engine: Engine
    limits: Limits
    trees: SourceTrees

    def build(self, work: LibraryWork, inputs: LibraryInputs, target: Path, log: StepLog) -> None:
        """Build a library from its source; *target* becomes a tar of its folder, named like the library.

        The tar says nothing of when and where it was built: the same files give the same bytes.

        Raises:
            UnsafeArchiveError: the source is damaged or hostile, or what was made of it is.
            BuildFailedError: a command failed.

        """
        with self.trees.packed(inputs.source, SOURCE.relative, WORKER_ID) as tree:
            log(f"the source's tree has the sha256 {tree.sha256}")
            with self.engine.worker(worker_options(work.workshop, self.limits)) as worker:
                worker.put_tree(tree.tar, WORK)
                tree.tar.close()  # as in a wheel's build
                worker.put({LIBRARIES / ".keep": b""})
                for archive in inputs.libraries:
                    with archive.open("rb") as library:
                        worker.put_tree(library, LIBRARIES)
                for command in library_commands(work):
                    worker.run(command, log)
                self._keep(worker.get_archive(LIBRARIES / work.name), work.name, target)

    def _keep(self, chunks: Iterable[bytes], name: str, target: Path) -> None:
        with tempfile.NamedTemporaryFile(dir=self.trees.scratch, suffix=".tar") as made:
            made.writelines(chunks)
            made.flush()
            with (
                self.trees.packed(Path(made.name), name, WORKER_ID) as tree,
                translated_os_errors(target),
                atomic_writer(target) as stream,
            ):
                shutil.copyfileobj(tree.tar, stream)
