"""What is mirrored, and where; and what a catalogue may say of it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dockerbuild_lib.catalog.image_references import ImageReference
from dockerbuild_lib.catalog.load import load_catalog
from dockerbuild_lib.core.errors import CatalogError, LockError
from dockerbuild_lib.images.mirror_lock import lock_bases
from dockerbuild_lib.plan.mirror import mirror_place, mirror_works, upstream_bases
from tests.support.catalogs import add_file, problems_of, write_catalog

DIGESTS = {"dockcross/arm:latest": f"sha256:{'a' * 64}", "registry.example/amd:1": f"sha256:{'b' * 64}"}
BASES = "bases: {linux-arm64: dockcross/arm, linux-amd64: 'registry.example/amd:1'}"
IMAGES = f"debian: {{suite: bookworm, base-packages: [gcc], {BASES}}}\n"
BOTH = ("linux-arm64", "linux-amd64")


def test_bases_are_found_by_their_platforms_with_their_pins(tmp_path: Path) -> None:
    config = write_catalog(tmp_path, images=IMAGES)
    add_file(
        config, "locks/bases.json", json.dumps({"digests": {"dockcross/arm:latest": DIGESTS["dockcross/arm:latest"]}})
    )
    catalog = load_catalog(config)
    [arm] = upstream_bases(catalog, ["linux-arm64"])
    assert (str(arm.reference), arm.platforms, arm.digest) == ("dockcross/arm:latest", BOTH[:1], f"sha256:{'a' * 64}")
    assert [str(base.reference) for base in upstream_bases(catalog, BOTH)] == list(DIGESTS)
    with pytest.raises(LockError, match=r"not locked: registry\.example/amd:1; run mirror\.lock"):
        mirror_works(upstream_bases(catalog, BOTH))


def test_only_what_is_not_locked_is_asked_for_until_it_is_renewed(tmp_path: Path) -> None:
    config = write_catalog(tmp_path, images=IMAGES)
    asked: list[str] = []

    def digest_of(reference: ImageReference) -> str:
        asked.append(str(reference))
        return DIGESTS[str(reference)]

    def locked(*platforms: str, update: bool = False) -> list[str]:
        catalog = load_catalog(config)
        changes = lock_bases(catalog, upstream_bases(catalog, platforms), digest_of, update=update)
        return [change.pin for change in changes]

    assert locked("linux-arm64") == ["dockcross/arm:latest"]
    assert locked(*BOTH) == ["registry.example/amd:1"]
    assert locked(*BOTH) == []
    assert asked == list(DIGESTS)
    assert locked(*BOTH, update=True) == []
    assert asked == [*DIGESTS, *DIGESTS]

    add_file(config, "images.yaml", "debian: {suite: bookworm, base-packages: [gcc]}\n")
    assert locked() == list(DIGESTS)  # what nothing names any more is dropped
    assert json.loads((config / "locks/bases.json").read_text()) == {"digests": {}}


@given(
    st.from_regex(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}", fullmatch=True),
    st.text("0123456789abcdef", min_size=64, max_size=64),
)
def test_a_place_in_the_mirror_is_a_reference_that_docker_takes(tag: str, sha256: str) -> None:
    reference = ImageReference("registry.example:5000", "team/base", tag)
    place = mirror_place("127.0.0.1:5000/wheels", reference, f"sha256:{sha256}")
    parsed = ImageReference.parse(str(place))
    assert (parsed.registry, parsed.repository, parsed.tag) == (place.registry, place.repository, place.tag)
    assert place.repository == "wheels/mirror/team/base"
    assert mirror_place("127.0.0.1:5000", reference, f"sha256:{sha256}").repository == "mirror/team/base"


def test_an_image_with_bases_has_one_for_each_platform_and_no_other(tmp_path: Path) -> None:
    images = "debian:\n  suite: bookworm\n  base-packages: [gcc]\n  bases:\n    linux-arm46: dockcross/arm\n"
    told = "add one to its bases in config/images.yaml, or name another image"
    assert [line.replace(f"{tmp_path}/", "") for line in problems_of(write_catalog(tmp_path, images=images))] == [
        "config/images.yaml:5:5: unknown platform 'linux-arm46'; did you mean 'linux-arm64'?",
        f"config/platforms.yaml:1:91: the image 'debian' has no base for linux-arm64; {told}",
        f"config/platforms.yaml:2:89: the image 'debian' has no base for linux-amd64; {told}",
    ]


def test_a_base_is_named_by_a_tag(tmp_path: Path) -> None:
    pinned = f"base@{DIGESTS['dockcross/arm:latest']}"
    images = (
        f"debian: {{suite: bookworm, base-packages: [gcc], bases: {{linux-arm64: '{pinned}', linux-amd64: Base}}}}\n"
    )
    found = problems_of(write_catalog(tmp_path, images=images))
    assert any("has a digest; name the tag, and mirror.lock pins its digest" in line for line in found)
    assert any("'Base' is no image; write one such as dockcross/linux-arm64-lts:latest" in line for line in found)


def test_a_damaged_lock_says_what_makes_it_again(tmp_path: Path) -> None:
    config = write_catalog(tmp_path, images=IMAGES)
    add_file(config, "locks/bases.json", '{"digests": {"dockcross/arm:latest": "latest"}}')
    with pytest.raises(CatalogError, match=r"bases\.json:1:38: .*remove it and run mirror\.lock"):
        load_catalog(config)
