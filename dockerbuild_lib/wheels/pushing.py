"""Published wheels brought to another package index: what it lacks is uploaded, what it has is compared."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

from dockerbuild_lib.core.errors import StoreDamagedError, VersionConflictError
from dockerbuild_lib.core.files import sha256_of, translated_os_errors
from dockerbuild_lib.sources.index_page import IndexEntry
from dockerbuild_lib.store.protocol import PublishedWheel
from dockerbuild_lib.wheels.remote_index import RemoteIndex


class Pusher:
    """Brings wheels to *index*; *place_of* says where the store has a wheel, *say* is told what becomes of each."""

    def __init__(self, index: RemoteIndex, place_of: Callable[[str], Path], say: Callable[[str], None]) -> None:
        self._index = index
        self._place_of = place_of
        self._say = say
        self._conflicts: list[str] = []

    def push(self, wheels: Iterable[PublishedWheel]) -> None:
        """Upload the *wheels* that the index lacks; those that are yanked stay here.

        Raises:
            VersionConflictError: the index has some of these names with other bytes; all others are uploaded.
            StoreDamagedError: a wheel of the store is not what was published.
            AccessRefusedError, NetworkError: the index cannot be read or written.

        """
        there: dict[str, Mapping[str, IndexEntry]] = {}
        for wheel in wheels:
            if wheel.yanked is not None:
                self._say(f"{wheel.filename}: yanked, so it stays here")
                continue
            if wheel.project not in there:
                there[wheel.project] = self._index.files_of(wheel.project)
            self._push(wheel, there[wheel.project].get(wheel.filename))
        if self._conflicts:
            raise VersionConflictError(
                f"the index has other bytes under {', '.join(self._conflicts)}",
                where=self._index.url,
                fix="publish them under a new revision, or remove them there",
            )

    def _push(self, wheel: PublishedWheel, there: IndexEntry | None) -> None:
        path = self._checked(wheel)
        if there is None and self._index.upload(path):
            self._say(f"{wheel.filename}: uploaded")
            return
        if there is None:  # somebody was quicker, or the pages do not show everything
            there = self._index.files_of(wheel.project).get(wheel.filename)
        if there is not None and self._index.sha256_of(there) == wheel.sha256:
            self._say(f"{wheel.filename}: there already")
        else:
            self._say(f"{wheel.filename}: there already, {'with other bytes' if there else 'but on no page'}")
            self._conflicts.append(wheel.filename)

    def _checked(self, wheel: PublishedWheel) -> Path:
        path = self._place_of(wheel.filename)
        with translated_os_errors(path):
            if not path.is_file() or sha256_of(path) != wheel.sha256:
                raise StoreDamagedError(
                    "the wheel is not what was published", where=str(path), fix="store.rebuild-index makes it again"
                )
        return path
