"""Which store a setting means."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from dockerbuild_lib.catalog.settings_file import SERVICE_PATTERN, is_service
from dockerbuild_lib.core.errors import CatalogError
from dockerbuild_lib.store.local import LocalStore
from dockerbuild_lib.store.protocol import Store


def open_store(place: str, setting: str, service: Callable[[str], Store]) -> Store:
    """Return the store at *place*, as *setting* names it: a folder that exists, or what *service* makes of an address.

    A store that several machines use is never made by the way: a disk that is not mounted would be taken for an
    empty store, and what is meant for everybody written where nobody sees it.

    Raises:
        CatalogError: there is no such folder, or *place* is no address of a service.

    """
    if is_service(place):
        if SERVICE_PATTERN.fullmatch(place) is None:
            fix = "write https://HOST, perhaps with a port, and no path; or name a folder, such as one on a shared disk"
            raise CatalogError(f"{place} is no service", where=setting, fix=fix)
        return service(place.rstrip("/"))
    folder = Path(place)
    if not folder.is_dir():
        raise CatalogError(f"{place} is no folder", where=setting, fix="mount its disk, or make the folder")
    return LocalStore(folder, shared=True)
