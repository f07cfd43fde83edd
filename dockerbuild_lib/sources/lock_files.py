"""The files of ``config/locks``, as sources.lock and mirror.lock write them."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

from dockerbuild_lib.catalog.base import Model
from dockerbuild_lib.core.files import write_atomic


@dataclass(frozen=True)
class LockFolder:
    """Where the locks of a catalogue are."""

    folder: Path

    @property
    def libraries(self) -> Path:
        """The lock of the libraries' sources."""
        return self.folder / "libraries.json"

    @property
    def pythons(self) -> Path:
        """The lock of the sources of Pythons."""
        return self.folder / "pythons.json"

    @property
    def images(self) -> Path:
        """The lock of the sources that are unpacked in images."""
        return self.folder / "images.json"

    @property
    def tools(self) -> Path:
        """The lock of the tools inside every image."""
        return self.folder / "tools.json"

    @property
    def bases(self) -> Path:
        """The lock of the images that bases start from."""
        return self.folder / "bases.json"

    def wheel(self, distribution: str) -> Path:
        """Return the lock of one wheel."""
        return self.folder / "wheels" / f"{distribution}.json"


def lock_text(lock: Model) -> str:
    """Return *lock* as its file has it: the same lock is always the same bytes."""
    return json.dumps(lock.model_dump(mode="json"), indent=2, sort_keys=True, ensure_ascii=False) + "\n"


def write_lock(file: Path, lock: Model) -> None:
    """Write *lock* to *file*, whole or not at all."""
    write_atomic(file, lock_text(lock))
