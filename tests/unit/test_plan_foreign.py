"""What a plan makes of targets whose programs cannot be run here."""

from __future__ import annotations

from pathlib import Path

import pytest

from dockerbuild_lib.catalog.catalog import Catalog
from dockerbuild_lib.catalog.load import load_catalog
from dockerbuild_lib.catalog.locks import IndexFile, VersionLock, WheelLock
from dockerbuild_lib.core.errors import LockError, UsageError
from dockerbuild_lib.execution.workbench import expectation_of
from dockerbuild_lib.plan.goals import GoalMaker
from dockerbuild_lib.plan.make import make_plan
from dockerbuild_lib.plan.plan import Plan
from dockerbuild_lib.plan.products import ForeignWork, PrebuiltWork
from dockerbuild_lib.plan.request import Request
from dockerbuild_lib.plan.source_uses import needed_sources
from dockerbuild_lib.sources.lock_files import lock_text
from tests.support.catalogs import PLATFORMS, add_file, write_catalog
from tests.support.worlds import World

RECIPE = (
    "trial: import demo, prebuilt: [mac-*, windows-*, linux-amd64], extensions: [demo.fast], "
    "platform-extensions: {linux-amd64: [demo.slow]}"
)
TAGS = {"mac-arm64": "macosx_11_0_arm64", "windows-386": "win32", "linux-amd64": "manylinux1_x86_64"}


def wheel(tag: str) -> IndexFile:
    filename = f"demo-1.0-cp311-cp311-{tag}.whl"
    return IndexFile(distribution="demo", version="1.0", filename=filename, sha256="c" * 64, size=1)


def catalog(folder: Path, recipe: str = RECIPE, version: str = "", locked: tuple[str, ...] = tuple(TAGS)) -> Catalog:
    text = f"demo: {{{recipe}, versions: {{'1.0': {{{version}}}}}}}"
    config = write_catalog(folder, platforms=PLATFORMS, wheels__demo=text, wheels__six=None)
    prebuilt = {name: {"3.11": wheel(TAGS[name])} for name in locked}
    lock = WheelLock(versions={"1.0": VersionLock(prebuilt=prebuilt)})
    add_file(config, "locks/wheels/demo.json", lock_text(lock))
    return load_catalog(config)


def plan(made: Catalog, *platforms: str) -> Plan:
    request = Request(("demo",), platforms, upload=True)
    return make_plan(request, made, World(), lambda _catalog, _platform, _base: {})


def test_a_wheel_for_a_mac_is_checked_and_published_and_the_plan_says_that_it_is_not_tried(tmp_path: Path) -> None:
    made = plan(catalog(tmp_path), "mac-arm64")
    target = "demo 1.0 mac-arm64-py3.11"
    assert [planned.goal.package for planned in made.goals] == ["infra/python/wheels/demo/mac-arm64_cp311_cp311"]
    assert [(planned.step.id, planned.step.needs) for planned in made.steps] == [
        ("fetch demo-1.0-cp311-cp311-macosx_11_0_arm64.whl", ()),
        (f"check {target}", ("fetch demo-1.0-cp311-cp311-macosx_11_0_arm64.whl",)),
        (f"package {target}", (f"check {target}",)),
        (f"publish {target}", (f"package {target}",)),
    ]
    why = {planned.step.id: planned.why for planned in made.steps}
    assert why[f"package {target}"] == "after its check; not tried: programs for mac-arm64 do not run here"


def test_a_wheel_that_is_taken_for_linux_is_tried(tmp_path: Path) -> None:
    made = plan(catalog(tmp_path), "linux-amd64")
    goal = made.goals[0].goal
    assert isinstance(goal, PrebuiltWork)
    assert expectation_of(goal).extensions == ("demo.slow",)
    assert "trial demo 1.0 linux-amd64-py3.11" in [planned.step.id for planned in made.steps]


def test_the_key_of_a_wheel_is_that_of_its_file_however_its_recipe_says_it(tmp_path: Path) -> None:
    taken = plan(catalog(tmp_path / "a"), "mac-arm64")
    whole = "kind: prebuilt, trial: import demo, platforms: [mac-*]"
    prebuilt = plan(catalog(tmp_path / "b", whole, locked=("mac-arm64",)), "mac-arm64")
    assert taken.goals[0].goal.key == prebuilt.goals[0].goal.key


def test_the_gate_is_told_of_the_platform(tmp_path: Path) -> None:
    made = catalog(tmp_path, version="tags: {mac-arm64: [macosx_12_0_arm64]}")
    goal = plan(made, "mac-arm64").goals[0].goal
    assert isinstance(goal, ForeignWork)
    expectation = expectation_of(goal)
    assert expectation.foreign == made.platform("mac-arm64")
    assert not expectation.is_universal
    assert expectation.extensions == ("demo.fast",)
    assert expectation.platform_tags[:2] == ("macosx_12_0_arm64", "macosx_12_0_universal2")


def test_a_wheel_that_is_not_locked_is_told_and_listed(tmp_path: Path) -> None:
    made = catalog(tmp_path, locked=("mac-arm64",))
    with pytest.raises(LockError, match=r"demo 1\.0: the wheel for windows-386-py3\.11 is not locked"):
        plan(made, "windows-386")
    unlocked = [each.uses[0].detail for each in needed_sources(made) if each.file is None and each.name == "demo"]
    assert sorted(unlocked) == ["", "linux-amd64, Python 3.11", "windows-386, Python 3.11"]


NO_IMAGE = "it has no image to build in; name it under 'prebuilt' to take the package index's wheel"


@pytest.mark.parametrize(
    ("recipe", "version", "told"),
    [
        ("trial: a", "", f"mac-arm64: {NO_IMAGE}"),
        ("trial: a, prebuilt: [windows-*]", "skip: {linux-arm64: b}", f"mac-arm64: {NO_IMAGE}"),
        (RECIPE, "skip: {mac-arm64: nobody asked}", "mac-arm64: nobody asked"),
        ("kind: prebuilt, trial: a, platforms: [windows-*]", "", "its platforms are: windows-386"),
    ],
)
def test_a_wheel_that_is_not_made_for_a_mac_says_why(tmp_path: Path, recipe: str, version: str, told: str) -> None:
    with pytest.raises(UsageError) as caught:
        plan(catalog(tmp_path, recipe, version), "mac-arm64")
    assert str(caught.value) == f"--platform: demo 1.0 is not built for mac-arm64; {told}"


def test_nobody_gets_an_image_or_a_workshop_for_a_mac(tmp_path: Path) -> None:
    maker = GoalMaker(catalog(tmp_path), lambda _catalog, _platform, _base: {})
    for ask in (maker.base, maker.image, maker.workshop):
        with pytest.raises(UsageError, match="mac-arm64 has no image"):
            ask("mac-arm64")
