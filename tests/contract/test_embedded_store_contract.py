"""What every store with an index of its own does beyond the contract of all stores."""

from __future__ import annotations

from pathlib import Path

import pytest

from dockerbuild_lib.core.errors import NotInStoreError, StoreDamagedError, VersionConflictError, WheelRefusedError
from dockerbuild_lib.store.keep import Garbage, Keep
from dockerbuild_lib.store.protocol import EmbeddedStore, Metadata, Pin, Publication, PublishedWheel, TagQuery
from tests.support.store_samples import PACKAGE, package_file, publication, wheel_file
from tests.support.stores import damage

ABSENT = Pin(PACKAGE, "B7r75joOfFfFcq7fHCKAIrU34oeFAT174Bf8eHMajMUC")


def test_an_empty_store_has_nothing(embedded: EmbeddedStore) -> None:
    assert embedded.pins_by_tag_anywhere(["version:1"]) == {}
    assert embedded.sizes([ABSENT]) == {}
    assert embedded.wheels() == ()


def test_tags_are_found_in_all_packages(embedded: EmbeddedStore, tmp_path: Path) -> None:
    pins = [
        embedded.publish(publication(tmp_path, None, "x", "all:yes", package=package)).pin for package in ("b/a", "a/b")
    ]
    assert embedded.pins_by_tag_anywhere(["all:yes", "no:where"]) == {"all:yes": tuple(pins)}


def test_sizes_are_those_of_the_package_files(embedded: EmbeddedStore, tmp_path: Path) -> None:
    given = [publication(tmp_path, None, content) for content in ("a", "bb")]
    pins = [embedded.publish(each).pin for each in given]
    sizes = {pin: each.file.stat().st_size for pin, each in zip(pins, given, strict=True)}
    assert embedded.sizes([*pins, ABSENT]) == sizes


def test_published_wheels_are_listed(embedded: EmbeddedStore, tmp_path: Path) -> None:
    wheel = wheel_file(tmp_path / "w")
    pin = embedded.publish(Publication(PACKAGE, package_file(tmp_path), (), "version:3.0.4", wheel)).pin
    (listed,) = embedded.wheels()
    assert listed == PublishedWheel(wheel.name, listed.sha256, pin)


def test_damage_is_named_never_fetched_and_healed_by_publishing_again(embedded: EmbeddedStore, tmp_path: Path) -> None:
    given = publication(tmp_path)
    pin = embedded.publish(given).pin
    embedded.publish(publication(tmp_path, "2.0", "other"))
    damage(embedded, pin)
    assert [each.pins for each in embedded.verify()] == [(pin,)]
    with pytest.raises(StoreDamagedError, match=pin.instance_id):
        embedded.fetch(pin, tmp_path / "out")
    assert not (tmp_path / "out").exists()
    embedded.publish(given)
    assert embedded.verify() == ()


def test_a_wheel_with_other_bytes_under_the_same_name_refuses_the_package(
    embedded: EmbeddedStore, tmp_path: Path
) -> None:
    embedded.publish(Publication(PACKAGE, package_file(tmp_path), (), "version:3.0.4", wheel_file(tmp_path / "w")))
    other = wheel_file(tmp_path / "other", code="answer = 43\n")
    with pytest.raises(VersionConflictError, match=r"raise `revision`"):
        embedded.publish(Publication("infra/other", package_file(tmp_path, package="infra/other"), (), None, other))
    assert embedded.packages() == (PACKAGE,)


def test_a_wheel_that_is_refused_refuses_the_package(embedded: EmbeddedStore, tmp_path: Path) -> None:
    universal = wheel_file(tmp_path / "w", tag="py2.py3-none-any", declared_tag="cp311-cp311-manylinux_2_17_aarch64")
    with pytest.raises(WheelRefusedError, match="manylinux_2_17_aarch64"):
        embedded.publish(Publication(PACKAGE, package_file(tmp_path), (), "version:3.0.4", universal))
    assert embedded.packages() == ()


def taken(garbage: Garbage) -> set[Pin]:
    return {each.pin for each in garbage.instances}


def test_garbage_is_what_no_ref_points_to(embedded: EmbeddedStore, tmp_path: Path) -> None:
    old = embedded.publish(publication(tmp_path, "1.0", "a", "k:1")).pin
    new = embedded.publish(publication(tmp_path, "1.0.dockerbuild.1", "b")).pin
    embedded.attach_metadata(old, [Metadata("log", b"x")])
    shown = embedded.gc(Keep(), delete=False)
    assert taken(shown) == {old}
    assert shown.size >= embedded.sizes([old])[old]
    assert embedded.exists(PACKAGE, "version:1.0")
    removed = embedded.gc(Keep(), delete=True)
    assert removed == shown
    assert removed.instances[0].tags == ("k:1", "version:1.0")
    assert [instance.pin for instance in embedded.instances(PACKAGE)] == [new]
    assert not embedded.exists(PACKAGE, "version:1.0")
    with pytest.raises(NotInStoreError):
        embedded.fetch(old, tmp_path / "out")
    assert embedded.verify() == ()
    assert embedded.gc(Keep(), delete=True) == Garbage(())


def test_what_is_to_be_kept_is_kept(embedded: EmbeddedStore, tmp_path: Path) -> None:
    pins = [embedded.publish(publication(tmp_path, None, content, f"k:{content}", "all:x")).pin for content in "ab"]
    other = embedded.publish(publication(tmp_path, None, "a", "k:a", package="infra/other")).pin
    for keep, gone in (
        (Keep(), {*pins, other}),
        (Keep(versions=frozenset({TagQuery(PACKAGE, "k:a")})), {pins[1], other}),
        (Keep(tags=frozenset({"k:a"})), {pins[1]}),
        (Keep(named=(("infra/*", None),)), set()),
        (Keep(named=(("infra/python/*", None),)), {other}),
        (Keep(named=(("infra/*", "k:b"), ("infra/other", other.instance_id))), {pins[0]}),
        (Keep(registered_since=1_600_000_000), set()),
    ):
        assert taken(embedded.gc(keep, delete=False)) == gone
    embedded.set_refs(pins[0], ["mine"])
    assert taken(embedded.gc(Keep(), delete=True)) == {pins[1], other}
    assert embedded.packages() == (PACKAGE,)


def test_what_was_removed_may_be_published_again(embedded: EmbeddedStore, tmp_path: Path) -> None:
    wheel = wheel_file(tmp_path / "w")
    given = Publication(PACKAGE, package_file(tmp_path, "a"), (), None, wheel)
    pin = embedded.publish(given).pin
    assert embedded.gc(Keep(), delete=True).instances[0].wheels == (wheel.name,)
    assert embedded.wheels() == ()
    other = Publication(
        PACKAGE, package_file(tmp_path, "b"), (), None, wheel_file(tmp_path / "v", code="answer = 43\n")
    )
    assert embedded.publish(other).is_new
    assert embedded.gc(Keep(), delete=True).instances
    assert (embedded.publish(given).is_new, embedded.resolve(PACKAGE, pin.instance_id)) == (True, pin)
