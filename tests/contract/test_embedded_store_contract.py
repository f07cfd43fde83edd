"""What every store with an index of its own does beyond the contract of all stores."""

from __future__ import annotations

from pathlib import Path

import pytest

from dockerbuild_lib.core.errors import StoreDamagedError, VersionConflictError, WheelRefusedError
from dockerbuild_lib.store.protocol import EmbeddedStore, Pin, Publication, PublishedWheel
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
