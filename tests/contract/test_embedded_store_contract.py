"""What every store with an index of its own does beyond the contract of all stores."""

from __future__ import annotations

import hashlib
import time
import zipfile
from dataclasses import replace
from pathlib import Path

import pytest

from dockerbuild_lib.core.errors import (
    NotInStoreError,
    StoreDamagedError,
    VersionConflictError,
    WheelRefusedError,
)
from dockerbuild_lib.core.files import sha256_of
from dockerbuild_lib.plan.naming import SOURCES
from dockerbuild_lib.store.keep import Garbage, Keep
from dockerbuild_lib.store.protocol import (
    Description,
    EmbeddedStore,
    Metadata,
    Pin,
    Publication,
    PublishedWheel,
    TagQuery,
)
from dockerbuild_lib.store.ref_check import WrongRef, wrong_refs
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
    with zipfile.ZipFile(wheel) as archive:
        metadata = hashlib.sha256(archive.read("markupsafe-3.0.4.dist-info/METADATA")).hexdigest()
    assert listed == PublishedWheel(
        filename=wheel.name,
        sha256=sha256_of(wheel),
        pin=pin,
        project="markupsafe",
        size=wheel.stat().st_size,
        requires_python=">=3.9",
        metadata_sha256=metadata,
        published_us=listed.published_us,
    )
    assert listed.published_us == pytest.approx(time.time() * 1e6, abs=600e6)


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


def test_a_wheel_is_yanked_for_a_reason_and_unyanked(embedded: EmbeddedStore, tmp_path: Path) -> None:
    wheels = [wheel_file(tmp_path / "w", version=version) for version in ("3.0.3", "3.0.4")]
    for wheel in wheels:
        package = package_file(tmp_path, wheel.name)
        embedded.publish(Publication(PACKAGE, package, (), f"version:{wheel.name.split('-')[1]}", wheel))
    for reason in ("breaks on <big> endian", "", None):
        embedded.yank([wheels[0].name], reason)
        assert [wheel.yanked for wheel in embedded.wheels()] == [reason, None]
    with pytest.raises(NotInStoreError, match=r"nothing-1-py3-none-any\.whl"):
        embedded.yank([wheels[1].name, "nothing-1-py3-none-any.whl"], "")
    assert [wheel.yanked for wheel in embedded.wheels()] == [None, None]


def test_publishing_a_yanked_wheel_again_leaves_it_yanked(embedded: EmbeddedStore, tmp_path: Path) -> None:
    wheel = wheel_file(tmp_path / "w")
    given = Publication(PACKAGE, package_file(tmp_path), (), "version:3.0.4", wheel)
    embedded.publish(given)
    embedded.yank([wheel.name], "broken")
    before = embedded.wheels()
    embedded.publish(given)
    assert embedded.wheels() == before


def test_refs_are_repaired(embedded: EmbeddedStore, tmp_path: Path) -> None:
    old = embedded.publish(publication(tmp_path, "1.9.0", "old")).pin
    new = embedded.publish(publication(tmp_path, "1.10.0", "new")).pin
    right = {ref.ref: ref.instance_id for ref in embedded.refs(PACKAGE)}
    assert wrong_refs(embedded) == ()
    embedded.set_refs(old, ["latest", "9.x", "canary", "1.10.x"])
    embedded.attach_tags(embedded.register(PACKAGE, package_file(tmp_path, "late")).pin, ["version:1.8.0"])
    late = embedded.resolve(PACKAGE, "version:1.8.0").instance_id
    assert wrong_refs(embedded) == (
        WrongRef(PACKAGE, "1.10.x", old.instance_id, new.instance_id, "1.10.0"),
        WrongRef(PACKAGE, "1.8.x", None, late, "1.8.0"),
        WrongRef(PACKAGE, "9.x", old.instance_id, None, None),
        WrongRef(PACKAGE, "latest", old.instance_id, new.instance_id, "1.10.0"),
    )
    assert wrong_refs(embedded, "infra/other") == ()
    embedded.repair_refs(PACKAGE)
    assert wrong_refs(embedded) == ()
    mine = {"canary": old.instance_id, "1.8.x": late}
    assert {ref.ref: ref.instance_id for ref in embedded.refs(PACKAGE)} == right | mine
    with pytest.raises(NotInStoreError):
        embedded.repair_refs("infra/none")


def test_packages_of_sources_have_no_refs_that_could_be_wrong(embedded: EmbeddedStore, tmp_path: Path) -> None:
    embedded.publish(publication(tmp_path, None, "x", "version:1.0", package=f"{SOURCES}/six"))
    assert wrong_refs(embedded) == ()


def test_a_quarantined_instance_is_not_published_and_refs_move_on(embedded: EmbeddedStore, tmp_path: Path) -> None:
    old = embedded.publish(publication(tmp_path, "1.8.0", "old")).pin
    pin = embedded.publish(publication(tmp_path, "1.9.0", "new", "content_key:new")).pin
    embedded.set_refs(pin, ["canary"])
    embedded.quarantine(pin, "it rotted")
    (there,) = embedded.quarantined()
    assert (there.pin, there.problem) == (pin, "it rotted")
    assert not embedded.exists(PACKAGE, "version:1.9.0")
    assert not embedded.exists(PACKAGE, pin.instance_id)
    assert embedded.pins_by_tags([TagQuery(PACKAGE, "content_key:new")]) == {}
    assert embedded.pins_by_tag_anywhere(["content_key:new"]) == {}
    assert {ref.ref: ref.instance_id for ref in embedded.refs(PACKAGE)} == dict.fromkeys(
        ("latest", "1.x", "1.8.x"), old.instance_id
    )
    assert embedded.verify() == ()
    with pytest.raises(NotInStoreError):
        embedded.fetch(pin, tmp_path / "out")
    with pytest.raises(NotInStoreError):
        embedded.quarantine(pin, "again")


@pytest.mark.parametrize("how", ["publish", "register"])
def test_a_quarantined_instance_comes_back_with_all_that_it_had(
    how: str, embedded: EmbeddedStore, tmp_path: Path
) -> None:
    embedded.publish(publication(tmp_path, "1.8.0", "old"))
    wheel = wheel_file(tmp_path / "w", version="1.9.0")
    given = Publication(PACKAGE, package_file(tmp_path, "new"), ("content_key:new",), "version:1.9.0", wheel)
    pin = embedded.publish(given).pin
    embedded.attach_metadata(pin, [Metadata("sbom", b"\x00\xff", "application/octet-stream")])
    embedded.set_refs(pin, ["canary"])
    embedded.yank([wheel.name], "slow")
    before = (embedded.describe(PACKAGE, pin.instance_id), embedded.wheels())
    damage(embedded, pin)
    embedded.quarantine(pin, "it rotted")
    assert embedded.wheels() == ()
    if how == "publish":
        assert embedded.publish(given).is_new
    else:
        assert embedded.register(PACKAGE, given.file).is_new
    after = (embedded.describe(PACKAGE, pin.instance_id), embedded.wheels())
    assert _without_times_of_moved_refs(after[0]) == _without_times_of_moved_refs(before[0])
    assert after[1] == before[1]
    assert embedded.resolve(PACKAGE, "latest") == pin
    assert embedded.quarantined() == ()
    assert embedded.verify() == ()


def _without_times_of_moved_refs(description: Description) -> Description:
    refs = sorted((replace(ref, modified_ts=0) for ref in description.refs), key=lambda ref: ref.ref)
    return replace(description, refs=tuple(refs))


def test_the_version_of_a_lost_instance_may_be_made_anew_from_the_same_recipe_only(
    embedded: EmbeddedStore, tmp_path: Path
) -> None:
    lost = embedded.publish(publication(tmp_path, "1.0", "lost", "recipe_key:a")).pin
    embedded.quarantine(lost, "it rotted")
    with pytest.raises(VersionConflictError, match=f"{lost.instance_id}.*from another recipe"):
        embedded.publish(publication(tmp_path, "1.0", "other", "recipe_key:b"))
    anew = embedded.publish(publication(tmp_path, "1.0", "anew", "recipe_key:a")).pin
    assert embedded.resolve(PACKAGE, "version:1.0") == anew
    embedded.register(PACKAGE, package_file(tmp_path, "lost"))
    assert embedded.resolve(PACKAGE, "version:1.0") == embedded.resolve(PACKAGE, "latest") == anew
    assert embedded.tags(lost) == ("recipe_key:a",)


@pytest.mark.parametrize(
    ("recipe", "origin"),
    [("recipe_key:a", "from the same recipe in another environment"), ("recipe_key:b", "from another recipe")],
)
def test_the_loser_is_told_what_the_published_version_was_made_from(
    recipe: str, origin: str, embedded: EmbeddedStore, tmp_path: Path
) -> None:
    owner = embedded.publish(publication(tmp_path, "1.0", "x", "recipe_key:a", "content_key:1")).pin
    with pytest.raises(VersionConflictError, match=f"{owner.instance_id}.*{origin}; it stays as it is"):
        embedded.publish(publication(tmp_path, "1.0", "y", recipe, "content_key:2"))
    assert [instance.pin for instance in embedded.instances(PACKAGE)] == [owner]
