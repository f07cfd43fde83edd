"""What every store does, shown on each of them through the protocol alone."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from dockerbuild_lib.core.errors import (
    NotInStoreError,
    StoreAmbiguousError,
    StoreDamagedError,
    UsageError,
    VersionConflictError,
)
from dockerbuild_lib.store.names import instance_id_of_file
from dockerbuild_lib.store.protocol import Pin, Publication, Store, TagQuery
from tests.support.store_samples import PACKAGE, package_file, publication, wheel_file

ABSENT_ID = "B7r75joOfFfFcq7fHCKAIrU34oeFAT174Bf8eHMajMUC"


def test_a_published_version_resolves_by_id_ref_and_tag(store: Store, tmp_path: Path) -> None:
    published = store.publish(publication(tmp_path, "3.0.4", "x", "git_revision:abc"))
    assert published.is_new
    assert set(published.moved_refs) == {"latest", "3.x", "3.0.x"}
    for version in (published.pin.instance_id, "latest", "3.x", "3.0.x", "version:3.0.4", "git_revision:abc"):
        assert store.resolve(PACKAGE, version) == published.pin


def test_what_is_missing_is_named_as_cipd_names_it(store: Store, tmp_path: Path) -> None:
    store.publish(publication(tmp_path))
    for version, message in (
        ("oldest", "no such ref: oldest"),
        ("version:9", "no such tag: version:9"),
        (ABSENT_ID, f"no such instance: {ABSENT_ID}"),
    ):
        with pytest.raises(NotInStoreError, match=message):
            store.resolve(PACKAGE, version)
        with pytest.raises(NotInStoreError, match="no such package: other/package"):
            store.resolve("other/package", version)


def test_an_empty_store_has_nothing(store: Store, tmp_path: Path) -> None:
    assert store.packages() == ()
    assert store.search(PACKAGE, ["version:1"]) == ()
    assert store.pins_by_tags([TagQuery(PACKAGE, "version:1")]) == {}
    assert store.tags_of([Pin(PACKAGE, ABSENT_ID)]) == {}
    assert store.verify() == ()
    for ask in (store.instances, store.refs, lambda name: store.describe(name, "latest")):
        with pytest.raises(NotInStoreError, match="no such package"):
            ask(PACKAGE)
    for pin in (Pin(PACKAGE, ABSENT_ID),):
        with pytest.raises(NotInStoreError):
            store.fetch(pin, tmp_path / "out")
        with pytest.raises(NotInStoreError):
            store.tags(pin)


def test_a_tag_of_two_instances_is_ambiguous(store: Store, tmp_path: Path) -> None:
    pins = [store.publish(publication(tmp_path, None, content, "built_by:me")).pin for content in "ab"]
    with pytest.raises(StoreAmbiguousError, match="more than one instance has it") as caught:
        store.resolve(PACKAGE, "built_by:me")
    assert all(pin.instance_id in str(caught.value) for pin in pins)


def test_a_description_has_tags_refs_and_times(store: Store, tmp_path: Path) -> None:
    store.publish(publication(tmp_path, "3.0.4", "x", "git_revision:abc", "content_key:123"))
    described = store.describe(PACKAGE, "latest")
    assert described.instance.registered_ts > 1_600_000_000
    assert described.instance.registered_by.startswith("user:")
    assert [tag.tag for tag in described.tags] == ["content_key:123", "git_revision:abc", "version:3.0.4"]
    assert {ref.ref for ref in described.refs} == {"latest", "3.x", "3.0.x"}
    assert all(ref.instance_id == described.instance.pin.instance_id for ref in described.refs)
    assert store.tags(described.instance.pin) == tuple(tag.tag for tag in described.tags)
    assert store.refs(PACKAGE) == described.refs


def test_publishing_again_changes_nothing(store: Store, tmp_path: Path) -> None:
    given = publication(tmp_path)
    first = store.publish(given)
    before = store.describe(PACKAGE, "latest")
    again = store.publish(given)
    assert again.pin == first.pin
    assert not again.is_new
    assert again.moved_refs == ()
    assert str(first) == f"{first.pin}, refs moved: latest, 3.x, 3.0.x"
    assert str(again) == f"{first.pin} was there already, refs moved: none"
    assert store.describe(PACKAGE, "latest") == before
    assert len(store.instances(PACKAGE)) == 1


def test_publishing_again_may_add_tags(store: Store, tmp_path: Path) -> None:
    store.publish(publication(tmp_path, None, "x"))
    pin = store.publish(publication(tmp_path, "1.0", "x", "more:tags")).pin
    assert set(store.tags(pin)) == {"more:tags", "version:1.0"}
    assert store.resolve(PACKAGE, "latest") == pin


def test_another_instance_of_a_version_is_refused(store: Store, tmp_path: Path) -> None:
    owner = store.publish(publication(tmp_path, "3.0.4", "x", "content_key:owner")).pin
    other = publication(tmp_path, "3.0.4", "y", "content_key:other")
    with pytest.raises(VersionConflictError) as caught:
        store.publish(other)
    message = str(caught.value)
    for part in (PACKAGE, "version:3.0.4", owner.instance_id, "content_key:owner", "raise `revision`"):
        assert part in message
    assert [instance.pin for instance in store.instances(PACKAGE)] == [owner]
    assert store.resolve(PACKAGE, "latest") == owner


def test_other_packages_may_have_the_same_version(store: Store, tmp_path: Path) -> None:
    store.publish(publication(tmp_path, "3.0.4", "x"))
    store.publish(publication(tmp_path, "3.0.4", "y", package="infra/other"))
    assert store.packages() == ("infra/other", PACKAGE)


def test_refs_move_to_the_newest_and_only_to_it(store: Store, tmp_path: Path) -> None:
    old = store.publish(publication(tmp_path, "1.9.0", "a")).pin
    new = store.publish(publication(tmp_path, "1.10.0", "b"))
    assert set(new.moved_refs) == {"latest", "1.x", "1.10.x"}
    late = store.publish(publication(tmp_path, "1.8.5", "c"))
    assert set(late.moved_refs) == {"1.8.x"}
    assert store.resolve(PACKAGE, "latest") == new.pin
    assert store.resolve(PACKAGE, "1.9.x") == old
    revised = store.publish(publication(tmp_path, "1.10.0.dockerbuild.1", "d"))
    assert store.resolve(PACKAGE, "latest") == store.resolve(PACKAGE, "1.10.x") == revised.pin


def test_without_a_unique_tag_there_are_no_refs(store: Store, tmp_path: Path) -> None:
    assert store.publish(publication(tmp_path, None, "x", "version:1.0")).moved_refs == ()
    assert store.refs(PACKAGE) == ()


def test_instances_are_listed_with_the_newest_first(store: Store, tmp_path: Path) -> None:
    pins = [store.publish(publication(tmp_path, f"{number}.0", str(number))).pin for number in range(5)]
    assert [instance.pin for instance in store.instances(PACKAGE)] == pins[::-1]


def test_packages_are_listed_below_a_prefix(store: Store, tmp_path: Path) -> None:
    names = ("a", "a/b", "a/b/c", "a/b.c", "a0", "ab", "b/a", "_")
    for name in names:
        store.publish(publication(tmp_path, None, "x", package=name))
    assert store.packages() == tuple(sorted(names))
    assert store.packages("a") == store.packages("a/") == ("a/b", "a/b.c", "a/b/c")
    assert store.packages("a/b") == ("a/b/c",)
    assert store.packages("none") == ()


def test_a_search_takes_all_tags(store: Store, tmp_path: Path) -> None:
    first = store.publish(publication(tmp_path, None, "a", "k:1", "m:1")).pin
    second = store.publish(publication(tmp_path, None, "b", "k:1", "m:2")).pin
    assert store.search(PACKAGE, ["k:1"]) == (second, first)
    assert store.search(PACKAGE, ["k:1", "m:1"]) == (first,)
    assert store.search(PACKAGE, ["m:1", "m:2"]) == ()
    assert store.search(PACKAGE, []) == ()


def test_many_questions_are_answered_at_once(store: Store, tmp_path: Path) -> None:
    pins = {
        version: store.publish(publication(tmp_path, version, version, f"content_key:{version}", "all:yes")).pin
        for version in ("1.0", "2.0", "3.0")
    }
    queries = [TagQuery(PACKAGE, f"version:{version}") for version in (*pins, "4.0", "1.0")]
    assert store.pins_by_tags(queries) == {
        TagQuery(PACKAGE, f"version:{version}"): (pin,) for version, pin in pins.items()
    }
    assert store.pins_by_tags([TagQuery(PACKAGE, "all:yes")])[TagQuery(PACKAGE, "all:yes")] == tuple(pins.values())
    assert store.pins_by_tags([TagQuery("other", "all:yes")]) == {}
    assert {pin: set(tags) for pin, tags in store.tags_of(pins.values()).items()} == {
        pin: {f"version:{version}", f"content_key:{version}", "all:yes"} for version, pin in pins.items()
    }


def test_a_fetched_package_is_the_published_one(store: Store, tmp_path: Path) -> None:
    given = publication(tmp_path)
    pin = store.publish(given).pin
    store.fetch(pin, tmp_path / "new" / "out")
    assert (tmp_path / "new" / "out").read_bytes() == given.file.read_bytes()
    with store.opened(pin) as file:
        assert instance_id_of_file(file) == pin.instance_id


def test_a_package_of_another_name_is_refused(store: Store, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="of infra/other, not of"):
        store.publish(Publication(PACKAGE, package_file(tmp_path, package="infra/other")))
    assert store.packages() == ()


def test_a_file_that_is_no_package_is_refused(store: Store, tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"no zip")
    with pytest.raises(StoreDamagedError):
        store.publish(Publication(PACKAGE, tmp_path / "file"))
    with pytest.raises(UsageError, match="no such package file"):
        store.publish(Publication(PACKAGE, tmp_path / "missing"))
    assert store.packages() == ()


@pytest.mark.parametrize(
    ("tags", "unique"), [(("BAD:x",), None), (("ok:x",), "content_key:x"), ((), "version:"), ((), "version:1!2")]
)
def test_bad_tags_are_refused(store: Store, tags: tuple[str, ...], unique: str | None, tmp_path: Path) -> None:
    with pytest.raises(UsageError):
        store.publish(Publication(PACKAGE, package_file(tmp_path), tags, unique))
    assert store.packages() == ()


def test_bad_names_are_refused_in_questions(store: Store) -> None:
    for ask in (store.instances, store.refs, lambda name: store.resolve(name, "latest"), store.packages):
        with pytest.raises(UsageError):
            ask("Bad//Name")
    with pytest.raises(UsageError):
        store.resolve("good", "Bad Version")
    with pytest.raises(UsageError):
        store.pins_by_tags([TagQuery("good", "bad")])


def test_a_wheel_is_published_with_its_package(store: Store, tmp_path: Path) -> None:
    wheel = wheel_file(tmp_path / "w")
    given = Publication(PACKAGE, package_file(tmp_path), (), "version:3.0.4", wheel)
    store.publish(given)
    store.publish(given)
    assert store.resolve(PACKAGE, "latest")


def test_threads_may_share_a_store(store: Store, tmp_path: Path) -> None:
    failures: list[Exception] = []

    def work(number: int) -> None:
        try:
            for version in ("1.0", "2.0", "3.0"):
                given = publication(
                    tmp_path / f"{number}-{version}", version, f"{number}{version}", package=f"p/{number}"
                )
                store.publish(given)
                store.resolve(f"p/{number}", "latest")
        except Exception as error:  # noqa: BLE001  # carried to the test's own thread
            failures.append(error)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    assert store.packages() == tuple(f"p/{number}" for number in range(4))
    assert store.verify() == ()
