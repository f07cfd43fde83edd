"""What locks sources in tests that have no engine: it keeps what it is given, and no backend asks for more."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import mkdtemp

from dockerbuild_lib.catalog.catalog import Catalog
from dockerbuild_lib.catalog.locks import IndexFile, LockedFile
from dockerbuild_lib.core.events import Emit, discard
from dockerbuild_lib.sources.backends import HereWheel, Subject
from dockerbuild_lib.sources.cooldown import Cooldown
from dockerbuild_lib.sources.lock import Locking, update_locks
from dockerbuild_lib.sources.lock_changes import LockChange
from dockerbuild_lib.sources.outside import Origins


@dataclass(frozen=True)
class KeptSources:
    """The sources that this machine has, in *folder*."""

    folder: Path

    def fetch(self, locked: LockedFile) -> Path:
        return self.folder / locked.filename

    def keep(self, locked: LockedFile, file: Path) -> None:
        self.fetch(locked).write_bytes(file.read_bytes())


class ModestBackends:
    """Build backends that ask for nothing more than pyproject.toml."""

    def wheel_requires(
        self, subject: Subject, python: str, build_requires: Sequence[IndexFile], here: Sequence[HereWheel]
    ) -> tuple[str, ...]:
        assert subject.source
        assert python
        assert build_requires
        assert not here
        return ()

    def build(self, catalog: Catalog, distribution: str, version: str, python: str) -> HereWheel:
        raise AssertionError(catalog, distribution, version, python)


def lock(
    catalog: Catalog,
    origins: Origins,
    *names: str,
    update: bool = False,
    cooldown: Cooldown | None = None,
    emit: Emit = discard,
) -> tuple[LockChange, ...]:
    """Lock what the catalogue names, from *origins*."""
    kept = KeptSources(Path(mkdtemp(prefix="kept-", dir=catalog.folder.parent)))
    keeping = replace(origins, interning=lambda: kept)
    return update_locks(catalog, names, Locking(lambda _: ModestBackends(), keeping, update, cooldown, emit))
