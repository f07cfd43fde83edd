"""Which store a setting means."""

from __future__ import annotations

from pathlib import Path

from dockerbuild_lib.core.errors import CatalogError
from dockerbuild_lib.store.local import LocalStore
from dockerbuild_lib.store.protocol import Store


def open_store(place: str, setting: str) -> Store:
    """Return the store at *place*, a folder that exists, as the *setting* names it.

    A store that several machines use is never made by the way: a disk that is not mounted would be taken for an
    empty store, and what is meant for everybody written where nobody sees it.

    Raises:
        CatalogError: there is no such folder, or *place* is an address.

    """
    if "://" in place:
        raise CatalogError(f"{place} is an address", where=setting, fix="name a folder, such as one on a shared disk")
    folder = Path(place)
    if not folder.is_dir():
        raise CatalogError(f"{place} is no folder", where=setting, fix="mount its disk, or make the folder")
    return LocalStore(folder, shared=True)
