"""The stores that the contract is shown on. Another one is one more line here."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

from dockerbuild_lib.store.local import LocalStore
from dockerbuild_lib.store.memory import MemoryStore
from dockerbuild_lib.store.protocol import EmbeddedStore, Pin, Store


@contextmanager
def local_store(folder: Path) -> Iterator[EmbeddedStore]:
    """Yield a new store in *folder*."""
    with LocalStore(folder / "store") as store:
        yield store


@contextmanager
def memory_store(_folder: Path) -> Iterator[EmbeddedStore]:
    """Yield a new store in memory."""
    yield MemoryStore()


EMBEDDED_STORES: Mapping[str, Callable[[Path], AbstractContextManager[EmbeddedStore]]] = {
    "local": local_store,
    "memory": memory_store,
}
STORES: Mapping[str, Callable[[Path], AbstractContextManager[Store]]] = {**EMBEDDED_STORES}


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
