"""What every store does when one thing is added at a time: instances, tags, refs, metadata; and how it lists."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path

import pytest

from dockerbuild_lib.core.errors import NotInStoreError, StoreAmbiguousError, StoreDamagedError, UsageError
from dockerbuild_lib.store.protocol import Listing, Metadata, Pin, Store
from tests.support.store_samples import PACKAGE, package_file, publication

ABSENT_ID = "B7r75joOfFfFcq7fHCKAIrU34oeFAT174Bf8eHMajMUC"


@pytest.fixture
def register(store: Store, tmp_path: Path) -> Callable[..., Pin]:
    def registered(content: str = "x", package: str = PACKAGE) -> Pin:
        return store.register(package, package_file(tmp_path, content, package)).pin

    return registered


def test_an_instance_is_registered_alone(store: Store, tmp_path: Path) -> None:
    file = package_file(tmp_path)
    registered = store.register(PACKAGE, file)
    assert registered.is_new
    described = store.describe(PACKAGE, registered.pin.instance_id)
    assert described.instance.pin == registered.pin
    assert (described.tags, described.refs, described.metadata) == ((), (), ())
    store.fetch(registered.pin, tmp_path / "out")
    assert (tmp_path / "out").read_bytes() == file.read_bytes()


def test_registering_again_keeps_the_first(store: Store, tmp_path: Path) -> None:
    file = package_file(tmp_path)
    first = store.register(PACKAGE, file).pin
    before = store.describe(PACKAGE, first.instance_id)
    again = store.register(PACKAGE, file)
    assert (again.pin, again.is_new) == (first, False)
    assert store.describe(PACKAGE, first.instance_id) == before


def test_what_is_no_package_of_that_name_is_not_registered(store: Store, tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"no zip")
    with pytest.raises(StoreDamagedError):
        store.register(PACKAGE, tmp_path / "file")
    with pytest.raises(UsageError, match="of infra/other, not of"):
        store.register(PACKAGE, package_file(tmp_path, package="infra/other"))
    with pytest.raises(UsageError, match="no such package file"):
        store.register(PACKAGE, tmp_path / "missing")
    with pytest.raises(UsageError, match="package name"):
        store.register("Infra//Other", package_file(tmp_path))
    assert store.packages() == ()


def test_a_version_exists_or_not(store: Store, register: Callable[..., Pin]) -> None:
    assert not store.exists(PACKAGE, "latest")
    pins = [register(content) for content in "ab"]
    store.set_refs(pins[0], ["mine"])
    store.attach_tags(pins[0], ["k:one"])
    for version in (pins[0].instance_id, "mine", "k:one"):
        assert store.exists(PACKAGE, version)
    for version in (ABSENT_ID, "other", "k:other"):
        assert not store.exists(PACKAGE, version)
    store.attach_tags(pins[1], ["k:one"])
    with pytest.raises(StoreAmbiguousError):
        store.exists(PACKAGE, "k:one")
    with pytest.raises(UsageError):
        store.exists(PACKAGE, "No Version")


def test_tags_are_attached_once(store: Store, register: Callable[..., Pin]) -> None:
    pin = register()
    store.attach_tags(pin, ["k:1", "k:1"])
    before = store.describe(PACKAGE, pin.instance_id)
    store.attach_tags(pin, ["k:1"])
    assert store.describe(PACKAGE, pin.instance_id) == before
    assert store.tags(pin) == ("k:1",)
    assert store.resolve(PACKAGE, "k:1") == pin


def test_tags_are_listed_by_key_and_of_one_key_the_newest_first(store: Store, register: Callable[..., Pin]) -> None:
    pin = register()
    for tags in (["b:2", "b:1"], ["b:3"], ["a:9"], ["a-b:1"]):
        store.attach_tags(pin, tags)
    assert store.tags(pin) == ("a:9", "a-b:1", "b:3", "b:1", "b:2")
    assert store.tags_of([pin]) == {pin: store.tags(pin)}


def test_a_search_begins_with_the_last_that_got_the_first_tag(store: Store, register: Callable[..., Pin]) -> None:
    first, second, third = (register(content) for content in "abc")
    for pin in (second, third, first):
        store.attach_tags(pin, ["k:1"])
    for pin in (first, second):
        store.attach_tags(pin, ["m:1"])
    assert store.search(PACKAGE, ["k:1"]) == (first, third, second)
    assert store.search(PACKAGE, ["m:1", "k:1"]) == (second, first)
    assert store.search(PACKAGE, ["k:1", "m:1", "k:1"]) == (first, second)


def test_refs_are_made_and_moved(store: Store, register: Callable[..., Pin]) -> None:
    old, new = register("a"), register("b")
    store.set_refs(old, ["canary", "stable"])
    store.set_refs(new, ["canary"])
    assert store.resolve(PACKAGE, "canary") == new
    assert store.resolve(PACKAGE, "stable") == old
    before = store.refs(PACKAGE)
    assert [ref.ref for ref in before] == ["canary", "stable"]
    store.set_refs(old, ["stable"])
    store.set_refs(new, ["canary"])
    assert store.refs(PACKAGE) == before


def test_a_ref_stands_before_a_tag_and_an_id_before_both(store: Store, register: Callable[..., Pin]) -> None:
    pins = [register(content) for content in "ab"]
    store.attach_tags(pins[0], ["latest:x"])
    store.set_refs(pins[1], ["latest"])
    assert store.resolve(PACKAGE, "latest:x") == pins[0]
    assert store.resolve(PACKAGE, "latest") == pins[1]
    with pytest.raises(UsageError, match="instance id"):
        store.set_refs(pins[0], ["0" * 40])


def test_metadata_is_attached_once_under_its_fingerprint(store: Store, register: Callable[..., Pin]) -> None:
    pin = register()
    store.attach_metadata(pin, [Metadata("log", b"line\n"), Metadata("log", b"line\n", "text/html")])
    before = store.describe(PACKAGE, pin.instance_id)
    (attached,) = before.metadata
    assert attached.metadata == Metadata("log", b"line\n", "text/plain")
    assert attached.fingerprint == hashlib.sha256(b"log:line\n").hexdigest()[:32]
    assert attached.attached_ts > 1_600_000_000
    assert attached.attached_by
    store.attach_metadata(pin, [Metadata("log", b"line\n", "text/html")])
    assert store.describe(PACKAGE, pin.instance_id) == before


def test_metadata_is_listed_with_the_newest_first(store: Store, register: Callable[..., Pin]) -> None:
    pin = register()
    store.attach_metadata(pin, [Metadata("b", b"1"), Metadata("a", b"2")])
    store.attach_metadata(pin, [Metadata("b", b"\0"), Metadata("a", b"", 'text/x; charset="a b"')])
    listed = [attached.metadata for attached in store.describe(PACKAGE, pin.instance_id).metadata]
    assert listed == [
        Metadata("a", b"", 'text/x; charset="a b"'),
        Metadata("b", b"\0", "application/octet-stream"),
        Metadata("a", b"2", "text/plain"),
        Metadata("b", b"1", "text/plain"),
    ]


@pytest.mark.parametrize(
    "bad",
    [
        Metadata("Key", b""),
        Metadata("", b""),
        Metadata("a" * 401, b""),
        Metadata("luci-vsa", b""),
        Metadata("key", b"x" * (512 * 1024 + 1)),
        Metadata("key", b"", "text plain"),
        Metadata("key", b"", f"text/{'x' * 400}"),
    ],
    ids=["key", "no key", "long key", "reserved", "long value", "content type", "long content type"],
)
def test_bad_metadata_is_refused_with_all_that_comes_along(
    store: Store, register: Callable[..., Pin], bad: Metadata
) -> None:
    pin = register()
    with pytest.raises(UsageError):
        store.attach_metadata(pin, [Metadata("good", b""), bad])
    assert store.describe(PACKAGE, pin.instance_id).metadata == ()


def test_bad_tags_and_refs_are_refused_with_all_that_come_along(store: Store, register: Callable[..., Pin]) -> None:
    pin = register()
    with pytest.raises(UsageError):
        store.attach_tags(pin, ["good:1", "Bad"])
    with pytest.raises(UsageError):
        store.set_refs(pin, ["good", "1.2.X"])
    assert (store.tags(pin), store.refs(PACKAGE)) == ((), ())


def test_nothing_is_attached_to_what_is_not_there(store: Store, register: Callable[..., Pin]) -> None:
    def attach_to(pin: Pin) -> list[Callable[[], None]]:
        return [
            lambda: store.attach_tags(pin, ["k:1"]),
            lambda: store.set_refs(pin, ["latest"]),
            lambda: store.attach_metadata(pin, [Metadata("key", b"")]),
        ]

    for attach in attach_to(Pin(PACKAGE, ABSENT_ID)):
        with pytest.raises(NotInStoreError, match=f"no such package: {PACKAGE}"):
            attach()
    register()
    for attach in attach_to(Pin(PACKAGE, ABSENT_ID)):
        with pytest.raises(NotInStoreError, match="no such instance"):
            attach()
    assert store.refs(PACKAGE) == ()
    assert store.search(PACKAGE, ["k:1"]) == ()


def test_a_prefix_is_listed_like_a_folder(store: Store, register: Callable[..., Pin]) -> None:
    for package in ("a", "a/b", "a/c/d", "a/c/e/f", "ab"):
        register("x", package)
    assert store.listing() == Listing(("a", "ab"), ("a",))
    assert store.listing("a") == store.listing("a/") == Listing(("a/b",), ("a/c",))
    assert store.listing("a", recursive=True) == Listing(("a/b", "a/c/d", "a/c/e/f"), ("a/c", "a/c/e"))
    assert store.listing(recursive=True) == Listing(store.packages(), ("a", "a/c", "a/c/e"))
    assert store.listing("none") == Listing((), ())
    with pytest.raises(UsageError):
        store.listing("Bad//Prefix")


def test_a_part_of_the_store_may_be_verified(store: Store, register: Callable[..., Pin], tmp_path: Path) -> None:
    register("x", "a/b")
    store.publish(publication(tmp_path))
    assert store.verify("a") == ()
    assert store.verify("none") == ()
    with pytest.raises(UsageError):
        store.verify("Bad//Prefix")
