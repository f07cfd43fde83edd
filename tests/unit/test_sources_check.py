"""Interned sources read again: whatever byte is damaged, the package and its file are named."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dockerbuild_lib.store.local import LocalStore
from dockerbuild_lib.store.memory import MemoryStore
from dockerbuild_lib.store.package_file import write_package
from dockerbuild_lib.store.package_tree import FileMember
from dockerbuild_lib.store.protocol import EmbeddedStore, Pin, Publication
from dockerbuild_lib.store.sources_check import PACKAGE_FILE, check_sources
from dockerbuild_lib.store.sources_packages import intern_file, source_package
from tests.support.store_samples import publication

PACKAGE = source_package("six")
FILE = "six-1.0.tar.gz"


def interned(store: EmbeddedStore, folder: Path, content: str = "sdist", filename: str = FILE) -> Pin:
    path = folder / "download"
    path.write_text(content)
    sha256 = hashlib.sha256(content.encode()).hexdigest()
    return intern_file(store, package=PACKAGE, filename=filename, path=path, sha256=sha256, version="1.0")


def published(store: EmbeddedStore, folder: Path, files: dict[str, str], *tags: str) -> Pin:
    """Publish a package that this project would not have made."""
    for name, content in files.items():
        (folder / name).write_text(content)
    write_package(folder / "package", PACKAGE, [FileMember(name, folder / name) for name in files])
    return store.publish(Publication(PACKAGE, folder / "package", tags)).pin


def test_whole_sources_have_no_damage_and_other_packages_are_not_read(tmp_path: Path) -> None:
    store = MemoryStore()
    wheel = store.publish(publication(tmp_path)).pin
    store.instances_by_id[wheel.instance_id] = b"damaged, but no source"
    pins = [interned(store, tmp_path, content) for content in ("a", "bb")]
    found = check_sources(store)
    assert (found.sources, found.damages) == (2, ())
    assert found.size == sum(len(store.instances_by_id[pin.instance_id]) for pin in pins)


def test_an_empty_store_has_nothing_to_check(tmp_path: Path) -> None:
    found = check_sources(LocalStore(tmp_path / "none"))
    assert (found.sources, found.size, found.damages) == (0, 0, ())


@pytest.fixture(scope="module")
def two(tmp_path_factory: pytest.TempPathFactory) -> tuple[MemoryStore, Pin, bytes]:
    """Return a store of two sources, one of them, and its bytes."""
    store, folder = MemoryStore(), tmp_path_factory.mktemp("two")
    pin = interned(store, folder)
    interned(store, folder, "other", "other-1.0.tar.gz")
    return store, pin, store.instances_by_id[pin.instance_id]


@settings(max_examples=50, deadline=None)
@given(place=st.floats(0, 1, exclude_max=True), flip=st.integers(1, 255))
def test_any_byte_that_differs_is_found(two: tuple[MemoryStore, Pin, bytes], place: float, flip: int) -> None:
    store, pin, whole = two
    content = bytearray(whole)
    content[int(place * len(content))] ^= flip
    store.instances_by_id[pin.instance_id] = bytes(content)
    (damage,) = check_sources(store).damages
    assert (damage.pin, damage.expected) == (pin, pin.instance_id)
    assert damage.actual != pin.instance_id


def test_the_damaged_file_is_named_as_long_as_the_package_can_be_read(tmp_path: Path) -> None:
    store = MemoryStore()
    pin = interned(store, tmp_path)
    content = store.instances_by_id[pin.instance_id]
    for damaged, file in ((content.replace(b"sdist\x50", b"sdisT\x50"), FILE), (content[:40], PACKAGE_FILE)):
        store.instances_by_id[pin.instance_id] = damaged
        assert [damage.file for damage in check_sources(store).damages] == [file]


def test_a_file_that_is_gone_is_damage(tmp_path: Path) -> None:
    with LocalStore(tmp_path / "store") as store:
        pin = interned(store, tmp_path)
        (tmp_path / "store/instances" / pin.instance_id).unlink()
        (damage,) = check_sources(store).damages
    assert (damage.pin, damage.file) == (pin, PACKAGE_FILE)
    assert "missing" in damage.actual


@pytest.mark.parametrize(
    ("files", "tags", "expected"),
    [
        ({"a": "x"}, ("sha256:" + "0" * 64,), "0" * 64),
        ({"a": "x"}, (), "a tag sha256:"),
        ({"a": "x", "b": "y"}, ("sha256:" + "0" * 64,), "one file"),
        ({}, (), "one file"),
    ],
)
def test_a_package_that_is_whole_but_no_source_is_damage(
    tmp_path: Path, files: dict[str, str], tags: tuple[str, ...], expected: str
) -> None:
    store = MemoryStore()
    pin = published(store, tmp_path, files, *tags)
    (damage,) = check_sources(store).damages
    assert (damage.pin, damage.expected) == (pin, expected)


def test_a_lying_tag_is_told_with_what_the_file_has(tmp_path: Path) -> None:
    store = MemoryStore()
    published(store, tmp_path, {"a": "x"}, "sha256:" + "0" * 64)
    (damage,) = check_sources(store).damages
    assert (damage.file, damage.actual) == ("a", hashlib.sha256(b"x").hexdigest())
