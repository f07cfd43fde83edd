"""What a recipe says of names reaches the package, its tags and the key; what it does not say changes no key."""

from __future__ import annotations

from pathlib import Path

import pytest

from dockerbuild_lib.catalog.load import load_catalog
from dockerbuild_lib.catalog.locks import IndexFile, VersionLock, WheelLock
from dockerbuild_lib.execution.workbench import expectation_of
from dockerbuild_lib.plan.goals import GoalMaker
from dockerbuild_lib.plan.naming import Target
from dockerbuild_lib.plan.products import PrebuiltWork, WheelWork
from dockerbuild_lib.plan.request import Selection
from dockerbuild_lib.sources.lock_files import lock_text
from dockerbuild_lib.store.memory import MemoryStore
from dockerbuild_lib.store.package_file import read_package
from dockerbuild_lib.wheels.build import _allowed_tags
from dockerbuild_lib.wheels.packaging import Publisher, package_wheel
from dockerbuild_lib.wheels.results import SOURCE_TREE, WorkArea
from tests.support.catalogs import GOOD, add_file, write_catalog
from tests.support.store_samples import wheel_file

ARM64 = Target("linux-arm64", "3.11")
SDIST = IndexFile(distribution="demo", version="1.0", filename="demo-1.0.tar.gz", sha256="a" * 64, size=1)
WHEEL = IndexFile(
    distribution="demo", version="1.0", filename="demo-1.0-cp311-cp311-linux_aarch64.whl", sha256="b" * 64, size=1
)
LOCK = WheelLock(
    versions={
        "1.0": VersionLock(
            source=SDIST,
            build_requires={"3.11": ()},
            prebuilt={"linux-arm64": {"3.11": WHEEL}},
        )
    }
)
LINES = {"source": "trial: import demo", "prebuilt": "kind: prebuilt, trial: import demo", "pure": "kind: pure"}


def goal(folder: Path, kind: str, said: str = "", version: str = "", platform: str = "") -> WheelWork | PrebuiltWork:
    """Return the goal of a recipe of that *kind*, in which more is *said*, also of its version and platform."""
    folder.mkdir(exist_ok=True)
    platforms = GOOD["platforms.yaml"].replace("tags: [linux_aarch64]", f"tags: [linux_aarch64]{platform}")
    recipe = f"demo: {{{LINES[kind]}{said}, versions: {{'1.0': {{{version}}}}}}}\n"
    config = write_catalog(folder, wheels__demo=recipe, wheels__six=None, platforms=platforms)
    add_file(config, "locks/wheels/demo.json", lock_text(LOCK))
    maker = GoalMaker(load_catalog(config), lambda _catalog, _platform, _base: {})
    (made,) = maker.goals(Selection("demo", "1.0", (ARM64,)))
    assert isinstance(made, WheelWork | PrebuiltWork)
    return made


SAID = {
    "spelling": (", spelling: Demo", ""),
    "python tag": (", python-tag: py3", ""),
    "python tag of a version": ("", "python-tag: py3"),
    "suffix": ("", "suffix: .chromium.4"),
    "tags": ("", "tags: {linux-arm64: [manylinux_2_28_aarch64]}"),
}


@pytest.mark.parametrize("kind", ["source", "prebuilt"])
@pytest.mark.parametrize("said", SAID.values(), ids=SAID)
def test_what_is_said_of_names_is_in_the_key(kind: str, said: tuple[str, str], tmp_path: Path) -> None:
    keys = {goal(tmp_path / str(number), kind, *each).key for number, each in enumerate([("", ""), said])}
    assert len(keys) == 2


@pytest.mark.parametrize("kind", LINES)
def test_what_goes_without_saying_is_in_no_key(kind: str, tmp_path: Path) -> None:
    usual = "py3" if kind == "pure" else "py2.py3"
    said = [
        ("", ""),
        (f", python-tag: {usual}, spelling: demo", f"python-tag: {usual}"),
        ("", "tags: {linux-amd64: [manylinux_2_28_x86_64]}") if kind != "pure" else ("", ""),
    ]
    assert len({goal(tmp_path / str(number), kind, *each).key for number, each in enumerate(said)}) == 1


def test_a_platforms_tags_are_on_the_package_and_in_no_key(tmp_path: Path) -> None:
    plain = goal(tmp_path / "plain", "source")
    tagged = goal(tmp_path / "tagged", "source", platform=", package-tags: ['manylinux_version:x']")
    assert tagged.names.tags == ("version:1.0", "manylinux_version:x")
    assert tagged.key == plain.key


@pytest.mark.parametrize("kind", ["source", "prebuilt"])
def test_a_versions_own_tags_are_what_its_wheel_may_claim(kind: str, tmp_path: Path) -> None:
    made = goal(tmp_path, kind, version="tags: {linux-arm64: [manylinux_2_28_aarch64]}")
    assert "manylinux_2_28_aarch64" in expectation_of(made).platform_tags
    assert "linux_aarch64" not in expectation_of(made).platform_tags
    if isinstance(made, WheelWork):
        assert _allowed_tags(made) == ("aarch64", "manylinux_2_28_aarch64")
    else:
        assert made.glibc == "2.28"


def test_tags_of_one_python_are_what_its_wheels_may_claim(tmp_path: Path) -> None:
    made = goal(tmp_path, "source", platform=", python-platform-tags: {'3.11': [manylinux_2_31_aarch64]}")
    assert made.tags == ("manylinux_2_31_aarch64",)
    other = goal(tmp_path, "source", platform=", python-platform-tags: {'3.12': [manylinux_2_31_aarch64]}")
    assert other.tags == ("linux_aarch64",)


@pytest.mark.parametrize(
    ("kind", "tag", "package", "packaged"),
    [
        ("source", "cp311-cp311-linux_aarch64", "demo/linux-arm64_cp311_cp311", "Demo-1.0-py3-none-any.whl"),
        ("pure", "py3-none-any", "demo-py3", "Demo-1.0-py3-none-any.whl"),
    ],
)
def test_a_published_package_is_called_as_its_recipe_says(
    kind: str, tag: str, package: str, packaged: str, tmp_path: Path
) -> None:
    made = goal(
        tmp_path / "c", kind, ", spelling: Demo, python-tag: py3", "suffix: .chromium.4", ", package-tags: ['os:x']"
    )
    area = WorkArea(tmp_path / "area")
    (area.empty(area.staging(made)) / SOURCE_TREE).write_text("0" * 64)  # as its build leaves it
    result = package_wheel(made, wheel_file(tmp_path / "w", name="demo", version="1.0", tag=tag), area)
    store = MemoryStore()
    published = Publisher(store, "abc").publish(made, result)
    assert published.pin.package == f"infra/python/wheels/{package}"
    tags = {
        "version:1.0.chromium.4",
        "git_revision:abc",
        f"content_key:{made.key.full}",
        f"recipe_key:{made.key.recipe}",
    }
    assert set(store.tags(published.pin)) == tags | ({"os:x"} if kind == "source" else set())
    with store.opened(published.pin) as file:
        assert [member.name for member in read_package(file).members] == [packaged]
    assert [wheel.filename for wheel in store.wheels()] == [f"demo-1.0-{tag}.whl"]
    assert store.resolve(published.pin.package, "latest") == published.pin
