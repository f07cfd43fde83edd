"""What making images comes to, by what is there already."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from dockerbuild_lib.catalog.catalog import Catalog
from dockerbuild_lib.catalog.load import load_catalog
from dockerbuild_lib.core.errors import CatalogError, LockError
from dockerbuild_lib.plan.make import plan_images
from dockerbuild_lib.plan.plan import Plan
from dockerbuild_lib.plan.request import ImageRequest
from dockerbuild_lib.plan.steps import BaseWork, ImageWork, PullWork, PushWork
from dockerbuild_lib.wheels.entrypoint import image_files
from tests.support.catalogs import add_file, write_catalog
from tests.support.worlds import World

IMAGE, UPLOAD, BASE = "image linux-arm64", "upload image linux-arm64", "base bookworm"


@pytest.fixture
def catalog(tmp_path: Path) -> Catalog:
    return load_catalog(write_catalog(tmp_path))


def planned(catalog: Catalog, world: World, *, rebuild: bool = False, upload: bool = False) -> Plan:
    request = ImageRequest(("linux-arm64",), rebuild, upload)
    return plan_images(request, catalog, world, lambda _catalog, platform, base: {"Dockerfile": f"{platform} {base}"})


def statuses(plan: Plan) -> dict[str, str]:
    return {each.step.id: each.status.value for each in plan.steps}


def test_what_the_engine_holds_needs_nothing(catalog: Catalog) -> None:
    plan = planned(catalog, World(in_engine=True, uploaded=True))
    assert statuses(plan) == {IMAGE: "hit"}
    assert plan.to_do == ()


def test_what_the_registry_has_is_pulled_without_a_base(catalog: Catalog) -> None:
    [step] = planned(catalog, World(uploaded=True)).to_do
    assert isinstance(step.work, PullWork)
    assert step.needs == ()


def test_what_is_nowhere_is_made_on_its_base(catalog: Catalog) -> None:
    plan = planned(catalog, World())
    assert statuses(plan) == {BASE: "to do", IMAGE: "to do"}
    [image] = [step for step in plan.to_do if isinstance(step.work, ImageWork)]
    assert image.needs == (BASE,)


def test_a_rebuild_asks_no_registry(catalog: Catalog) -> None:
    plan = planned(catalog, World(in_engine=True, uploaded=True), rebuild=True, upload=True)
    assert statuses(plan) == {BASE: "to do", IMAGE: "to do", UPLOAD: "to do"}


def test_an_upload_waits_for_the_image(catalog: Catalog) -> None:
    *_, upload = planned(catalog, World(), upload=True).to_do
    assert isinstance(upload.work, PushWork)
    assert upload.needs == (IMAGE,)


def test_an_image_of_the_engine_is_uploaded_as_it_is(catalog: Catalog) -> None:
    plan = planned(catalog, World(in_engine=True), upload=True)
    assert statuses(plan) == {IMAGE: "hit", UPLOAD: "to do"}
    assert [step.needs for step in plan.to_do] == [()]


def test_what_the_registry_has_is_not_uploaded_again(catalog: Catalog) -> None:
    assert statuses(planned(catalog, World(in_engine=True, uploaded=True), upload=True)) == {
        IMAGE: "hit",
        UPLOAD: "hit",
    }


BASES = (
    "debian: {suite: bookworm, base-packages: [gcc], bases: {linux-arm64: dockcross/arm, linux-amd64: dockcross/amd}}\n"
)


def on_upstream(folder: Path, digit: str, toolchain: str = "gcc") -> Catalog:
    """Return a catalogue whose image starts from others', locked at a digest of that digit."""
    toolchains = f"zig: {{compiler: {toolchain}}}\n"
    config = write_catalog(folder, images=BASES, toolchains=toolchains)
    digests = {"dockcross/arm:latest": f"sha256:{digit * 64}"} if digit else {}
    add_file(config, "locks/bases.json", json.dumps({"digests": digests}))
    return load_catalog(config)


def test_a_base_on_upstream_s_image_is_known_by_its_digest(tmp_path: Path) -> None:
    plans = [planned(on_upstream(tmp_path / digit, digit), World()) for digit in ("a", "b")]
    bases = [next(step for step in plan.to_do if isinstance(step.work, BaseWork)) for plan in plans]
    assert {base.id for base in bases} == {"base dockcross/arm:latest"}
    assert len({base.key for base in bases}) == 2
    assert len({step.key for plan in plans for step in plan.to_do if isinstance(step.work, ImageWork)}) == 2


def test_a_base_on_upstream_s_image_must_be_locked(tmp_path: Path) -> None:
    with pytest.raises(LockError, match=r"dockcross/arm:latest: the base image is not locked; run mirror\.lock"):
        planned(on_upstream(tmp_path, ""), World())


def test_the_toolchain_of_a_base_is_in_the_images_that_have_one_only(tmp_path: Path, catalog: Catalog) -> None:
    ours = on_upstream(tmp_path / "own", "a", toolchain="base")
    assert any("dockerbuild/base/cc" in text for text in image_files(ours, "linux-arm64", "key").values())
    assert not any("dockerbuild/base/cc" in text for text in image_files(catalog, "linux-arm64", "key").values())
    with pytest.raises(CatalogError, match="the toolchain 'zig' is that of a base, and the platform's image has none"):
        load_catalog(write_catalog(tmp_path / "none", toolchains="zig: {compiler: base}\n"))
