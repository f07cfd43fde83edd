"""The stores that the contract is shown on. Another one is one more line here."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

from dockerbuild_lib.store.cipd import client as driver
from dockerbuild_lib.store.cipd.store import CipdStore
from dockerbuild_lib.store.local import LocalStore
from dockerbuild_lib.store.memory import MemoryStore
from dockerbuild_lib.store.protocol import EmbeddedStore, Pin, Store
from tests.support.cipd_client import CipdClient, cipd_program
from tests.support.store_server import TOKEN, serving_store, token_file


@contextmanager
def local_store(folder: Path) -> Iterator[EmbeddedStore]:
    """Yield a new store in *folder*."""
    with LocalStore(folder / "store") as store:
        yield store


@contextmanager
def memory_store(_folder: Path) -> Iterator[EmbeddedStore]:
    """Yield a new store in memory."""
    yield MemoryStore()


@contextmanager
def cipd_store(folder: Path) -> Iterator[CipdStore]:
    """Yield a new store behind a server, reached by the real client."""
    (folder / "served").mkdir()
    with serving_store(folder / "served", token=token_file(folder)) as server:
        yield cipd_store_at(server.url, folder, TOKEN)


def cipd_store_at(url: str, folder: Path, token: str | None = None, *, seconds: float = 60.0) -> CipdStore:
    """Return the store of a service, which the real client asks with that token; its files are in *folder*."""
    client = CipdClient(cipd_program(), folder / "home", url, token)
    client.home.mkdir(exist_ok=True)
    return CipdStore(driver.CipdClient(str(client.program), url, client.environment(), seconds), folder / "cipd")


EMBEDDED_STORES: Mapping[str, Callable[[Path], AbstractContextManager[EmbeddedStore]]] = {
    "local": local_store,
    "memory": memory_store,
}
STORES: Mapping[str, Callable[[Path], AbstractContextManager[Store]]] = {**EMBEDDED_STORES, "cipd": cipd_store}


def damage(store: EmbeddedStore, pin: Pin) -> None:
    """Change the bytes of an instance behind the store's back."""
    if isinstance(store, MemoryStore):
        store.instances_by_id[pin.instance_id] += b"x"
    elif isinstance(store, LocalStore):
        damage_file(store.folder / "instances" / pin.instance_id)


def damage_file(path: Path) -> None:
    """Add a byte to a file that is not meant to change."""
    path.chmod(0o644)
    path.write_bytes(path.read_bytes() + b"x")
