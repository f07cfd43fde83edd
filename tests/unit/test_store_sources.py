"""Sources in the store: interned by their hash, and given out only with it."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from dockerbuild_lib.core.errors import HashMismatchError, NotInStoreError, StoreDamagedError, UsageError
from dockerbuild_lib.store.memory import MemoryStore
from dockerbuild_lib.store.package_file import read_package, write_package
from dockerbuild_lib.store.package_tree import FileMember
from dockerbuild_lib.store.protocol import Pin, Publication
from dockerbuild_lib.store.sources_packages import (
    InternedSources,
    fetch_interned,
    intern_file,
    interned,
    source_package,
)

PACKAGE = "infra/third_party/source/markupsafe"


@pytest.fixture
def store() -> MemoryStore:
    return MemoryStore()


def source(tmp_path: Path, content: str = "sdist") -> tuple[Path, str]:
    path = tmp_path / "download"
    path.write_text(content)
    return path, hashlib.sha256(content.encode()).hexdigest()


def intern(store: MemoryStore, tmp_path: Path, content: str = "sdist", version: str = "3.0.4") -> tuple[Pin, str]:
    path, sha256 = source(tmp_path, content)
    filename = f"markupsafe-{content}.tar.gz"
    pin = intern_file(store, package=PACKAGE, filename=filename, path=path, sha256=sha256, version=version)
    return pin, sha256


def test_an_interned_file_comes_back_by_its_hash(store: MemoryStore, tmp_path: Path) -> None:
    pin, sha256 = intern(store, tmp_path)
    assert interned(store, [sha256, "0" * 64]) == {sha256: pin}
    fetch_interned(store, sha256, tmp_path / "new" / "target")
    assert (tmp_path / "new" / "target").read_text() == "sdist"


def test_the_package_is_the_originals(store: MemoryStore, tmp_path: Path) -> None:
    pin, sha256 = intern(store, tmp_path)
    assert pin.package == PACKAGE
    assert store.tags(pin) == (f"sha256:{sha256}", "version:3.0.4")
    with store.opened(pin) as file:
        assert [member.name for member in read_package(file).members] == ["markupsafe-sdist.tar.gz"]


def test_files_of_one_version_share_its_tag(store: MemoryStore, tmp_path: Path) -> None:
    (first, _), (second, _) = intern(store, tmp_path, "a"), intern(store, tmp_path, "b")
    assert set(store.search(PACKAGE, ["version:3.0.4"])) == {first, second}
    assert store.refs(PACKAGE) == ()


def test_interning_again_changes_nothing(store: MemoryStore, tmp_path: Path) -> None:
    assert intern(store, tmp_path) == intern(store, tmp_path)
    assert len(store.instances(PACKAGE)) == 1


def test_another_hash_is_refused(store: MemoryStore, tmp_path: Path) -> None:
    path, _ = source(tmp_path)
    with pytest.raises(HashMismatchError, match="0000"):
        intern_file(store, package=PACKAGE, filename="f", path=path, sha256="0" * 64, version="1")
    assert store.packages() == ()


def test_a_version_that_is_no_tag_is_refused(store: MemoryStore, tmp_path: Path) -> None:
    with pytest.raises(UsageError):
        intern(store, tmp_path, version="1!2.0")


def test_what_is_not_interned_is_missing(store: MemoryStore, tmp_path: Path) -> None:
    with pytest.raises(NotInStoreError):
        fetch_interned(store, "0" * 64, tmp_path / "target")


def test_a_damaged_source_is_never_given_out(store: MemoryStore, tmp_path: Path) -> None:
    pin, sha256 = intern(store, tmp_path)
    content = store.instances_by_id[pin.instance_id]
    for damaged in (content.replace(b"sdist\x50", b"sdisT\x50"), content[:-30], b""):
        store.instances_by_id[pin.instance_id] = damaged
        with pytest.raises(StoreDamagedError):
            fetch_interned(store, sha256, tmp_path / "target")
        assert not (tmp_path / "target").exists()


@pytest.mark.parametrize("contents", [("other",), ("sdist", "second")])
def test_a_tag_that_lies_is_found(contents: tuple[str, ...], store: MemoryStore, tmp_path: Path) -> None:
    members = [FileMember(f"f{number}", tmp_path / content) for number, content in enumerate(contents)]
    for content in contents:
        (tmp_path / content).write_text(content)
    write_package(tmp_path / "package", PACKAGE, members)
    sha256 = hashlib.sha256(b"sdist").hexdigest()
    store.publish(Publication(PACKAGE, tmp_path / "package", (f"sha256:{sha256}",)))
    with pytest.raises(StoreDamagedError, match="an interned source has"):
        fetch_interned(store, sha256, tmp_path / "target")
    assert not (tmp_path / "target").exists()


def test_the_fetching_room_sees_sources_by_hash_alone(store: MemoryStore, tmp_path: Path) -> None:
    path, sha256 = source(tmp_path)
    sources = InternedSources(store)
    assert sources.interned([sha256]) == frozenset()
    sources.intern("libstdc++6", "12.2", "libstdc++6_12.2.orig.tar.xz", path, sha256)
    assert sources.interned([sha256, "0" * 64]) == {sha256}
    sources.fetch(sha256, tmp_path / "target")
    assert (tmp_path / "target").read_text() == "sdist"
    assert store.packages() == ("infra/third_party/source/libstdc__6",)


def test_a_source_that_was_found_damaged_is_fetched_anew(store: MemoryStore, tmp_path: Path) -> None:
    pin, sha256 = intern(store, tmp_path)
    store.instances_by_id[pin.instance_id] += b"rot"
    store.instances_by_id[pin.instance_id] = store.instances_by_id[pin.instance_id].replace(b"sdist\x50", b"sdisT\x50")
    sources = InternedSources(store)
    with pytest.raises(StoreDamagedError, match="run it again"):
        sources.fetch(sha256, tmp_path / "target")
    assert sources.interned([sha256]) == frozenset()
    assert [each.pin for each in store.quarantined()] == [pin]
    assert intern(store, tmp_path) == (pin, sha256)
    sources.fetch(sha256, tmp_path / "target")
    assert store.quarantined() == ()


def test_names_become_package_names() -> None:
    assert source_package("MarkupSafe") == PACKAGE
    assert source_package("zope.interface") == "infra/third_party/source/zope_interface"
