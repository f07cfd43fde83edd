"""What making images comes to, by what is there already."""

from __future__ import annotations

from pathlib import Path

import pytest

from dockerbuild_lib.catalog.catalog import Catalog
from dockerbuild_lib.catalog.load import load_catalog
from dockerbuild_lib.plan.make import Plan, plan_images
from dockerbuild_lib.plan.request import ImageRequest
from dockerbuild_lib.plan.steps import ImageWork, PullWork, PushWork
from tests.support.catalogs import write_catalog
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
