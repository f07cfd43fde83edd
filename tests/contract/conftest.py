"""A new store of each kind for each test."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from dockerbuild_lib.store.protocol import EmbeddedStore, Store
from tests.support.stores import EMBEDDED_STORES, STORES


@pytest.fixture(params=STORES)
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Store]:
    """Yield a store, whichever one."""
    with STORES[request.param](tmp_path) as made:
        yield made


@pytest.fixture(params=EMBEDDED_STORES)
def embedded(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[EmbeddedStore]:
    """Yield a store with an index of its own."""
    with EMBEDDED_STORES[request.param](tmp_path) as made:
        yield made
