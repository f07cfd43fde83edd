"""Which of the two stores, this installation's and the one that a team shares, has which source."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from dockerbuild_lib.cli.session import Session

if TYPE_CHECKING:
    from dockerbuild_lib.catalog.locks import LockedFile
    from dockerbuild_lib.store.protocol import Pin


@dataclass(frozen=True)
class SourcePlaces:
    """Sources by sha256, and the package that has each."""

    files: Mapping[str, LockedFile]
    here: Mapping[str, Pin]
    there: Mapping[str, Pin]
    """In the remote store; empty where there is none."""

    @property
    def only_here(self) -> list[str]:
        """Those that the remote store lacks."""
        return [sha256 for sha256 in self.files if sha256 in self.here and sha256 not in self.there]

    @property
    def nowhere(self) -> list[str]:
        """Those that neither store has."""
        return [sha256 for sha256 in self.files if sha256 not in self.here and sha256 not in self.there]


def find_places(session: Session, files: Mapping[str, LockedFile]) -> SourcePlaces:
    """Ask both stores for sources, given by their sha256: one question to each."""
    from dockerbuild_lib.plan.naming import source_name  # noqa: PLC0415
    from dockerbuild_lib.store.sources_packages import interned, source_package  # noqa: PLC0415

    here = interned(session.local_store, files)
    if session.settings.remote_store is None:
        return SourcePlaces(files, here, {})
    packages = {
        sha256: here[sha256].package if sha256 in here else source_package(source_name(file))
        for sha256, file in files.items()
    }
    return SourcePlaces(files, here, session.shared_sources.pins(packages))
