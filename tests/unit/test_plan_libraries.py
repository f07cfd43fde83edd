"""What building libraries comes to, and how one library's recipe reaches the others."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from pathlib import Path

import pytest

from dockerbuild_lib.catalog.catalog import Catalog
from dockerbuild_lib.catalog.load import load_catalog
from dockerbuild_lib.core.errors import LockError, UsageError, VersionConflictError
from dockerbuild_lib.plan.goals import GoalMaker
from dockerbuild_lib.plan.inventory import PackageVersion, Published
from dockerbuild_lib.plan.make import plan_libraries
from dockerbuild_lib.plan.plan import Plan
from dockerbuild_lib.plan.products import LibraryWork
from dockerbuild_lib.plan.request import LibraryRequest
from tests.support.catalogs import add_file, problems_of, write_catalog
from tests.support.worlds import World

LIBRARIES = """\
low: {version: 1.0.0, source: {type: debian, package: low}}
middle: {version: 2.0.0, source: {type: debian, package: middle}, libraries: [low]}
high: {version: 3.0.0, source: {type: debian, package: high}, libraries: [low, middle]}
"""
ARM = ("linux-arm64",)
PACKAGE = "infra/3pp/static_libs/low/linux-arm64"


def catalog_of(folder: Path, libraries: str = LIBRARIES) -> Catalog:
    config = write_catalog(folder, libraries=libraries)
    sources = {
        name: {
            "origin": "debian",
            "path": f"pool/main/{name}/{name}_{version}.orig.tar.gz",
            "version": version,
            "filename": f"{name}_{version}.orig.tar.gz",
            "sha256": digit * 64,
            "size": 1,
        }
        for name, version, digit in (("low", "1.0.0", "a"), ("middle", "2.0.0", "b"), ("high", "3.0.0", "c"))
    }
    add_file(config, "locks/libraries.json", json.dumps({"sources": sources}))
    return load_catalog(config)


@pytest.fixture
def catalog(tmp_path: Path) -> Catalog:
    return catalog_of(tmp_path)


class Shelf(World):
    """A world in which one version of the package PACKAGE is published."""

    def __init__(self, *recipe_keys: str) -> None:
        super().__init__(in_engine=True)
        self.there = Published("an-instance", frozenset(), frozenset(recipe_keys))

    def published(self, wanted: Collection[PackageVersion]) -> Mapping[PackageVersion, Published]:
        return {PackageVersion(PACKAGE, "1.0.0"): self.there} if PackageVersion(PACKAGE, "1.0.0") in wanted else {}


def rendered(_catalog: Catalog, platform: str, base: str) -> dict[str, str]:
    return {"Dockerfile": f"{platform} {base}"}


def planned(catalog: Catalog, request: LibraryRequest, world: World | None = None) -> Plan:
    return plan_libraries(request, catalog, world or World(in_engine=True), rendered)


def library(catalog: Catalog, name: str) -> LibraryWork:
    maker = GoalMaker(catalog, rendered)
    return maker.library(name, maker.workshop("linux-arm64"))


def needs(plan: Plan, step: str) -> set[str]:
    [found] = [planned.step for planned in plan.steps if planned.step.id == step]
    return set(found.needs)


def test_a_library_waits_for_all_that_it_is_built_with(catalog: Catalog) -> None:
    plan = planned(catalog, LibraryRequest(("high",), ARM))
    assert {"library low linux-arm64", "library middle linux-arm64"} <= needs(plan, "library high linux-arm64")
    assert "library low linux-arm64" in needs(plan, "library middle linux-arm64")
    order = [planned.step.id for planned in plan.steps if planned.step.id.startswith("library")]
    assert order == ["library low linux-arm64", "library middle linux-arm64", "library high linux-arm64"]


def test_libraries_come_as_a_linker_wants_them(catalog: Catalog) -> None:
    assert catalog.libraries_behind(["high"]) == ("high", "middle", "low")
    assert catalog.libraries_behind(["low", "high"]) == ("high", "middle", "low")


def test_a_changed_library_changes_what_is_built_with_it(catalog: Catalog, tmp_path: Path) -> None:
    changed = catalog_of(tmp_path / "changed", LIBRARIES.replace("package: low}", "package: low}, configure: [--more]"))
    for name in ("low", "middle", "high"):
        assert library(catalog, name).key.recipe != library(changed, name).key.recipe, name


@pytest.mark.parametrize(
    "part", ["build-system: cmake", "subfolder: in", "environment: {A: b}", "autoreconf: true", "revision: 1"]
)
def test_every_part_of_a_recipe_is_in_its_key(catalog: Catalog, tmp_path: Path, part: str) -> None:
    changed = catalog_of(tmp_path / "changed", LIBRARIES.replace("package: low}", f"package: low}}, {part}"))
    assert library(catalog, "low").key.recipe != library(changed, "low").key.recipe


def test_all_platforms_and_names_by_default_and_by_patterns(catalog: Catalog) -> None:
    def built(request: LibraryRequest) -> set[str]:
        return {p.step.id for p in planned(catalog, request).steps if isinstance(p.step.work, LibraryWork)}

    assert len(built(LibraryRequest())) == 6
    assert built(LibraryRequest(("l*",), ("*arm64",))) == {"library low linux-arm64"}


@pytest.mark.parametrize(
    ("request_", "said"),
    [
        (LibraryRequest(("lo",)), "--name: unknown library 'lo'; did you mean 'low'?"),
        (LibraryRequest(platforms=("linux-arm",)), "--platform: unknown platform 'linux-arm'"),
    ],
)
def test_an_unknown_name_is_told(catalog: Catalog, request_: LibraryRequest, said: str) -> None:
    with pytest.raises(UsageError) as caught:
        planned(catalog, request_)
    assert said in str(caught.value)


def test_a_library_without_a_pin_is_told(tmp_path: Path) -> None:
    catalog = catalog_of(tmp_path, LIBRARIES + "new: {version: 1.0.0, source: {type: debian, package: new}}\n")
    with pytest.raises(LockError, match=r"sources.lock --name=new"):
        planned(catalog, LibraryRequest(("new",), ARM))


def test_what_is_published_from_the_same_recipe_needs_nothing(catalog: Catalog) -> None:
    world = Shelf(library(catalog, "low").key.recipe)
    plan = planned(catalog, LibraryRequest(("low",), ARM, upload=True), world)
    assert [(p.step.id, p.status.value, p.why) for p in plan.steps] == [
        ("publish library low linux-arm64", "hit", "published as an-instance")
    ]


def test_a_version_from_another_recipe_is_never_replaced(catalog: Catalog) -> None:
    with pytest.raises(VersionConflictError, match="raise revision"):
        planned(catalog, LibraryRequest(("low",), ARM, upload=True), Shelf("another"))


def test_what_is_not_published_is_built_first(catalog: Catalog) -> None:
    plan = planned(catalog, LibraryRequest(("low",), ARM, upload=True))
    assert needs(plan, "publish library low linux-arm64") == {"library low linux-arm64"}


def test_names_of_a_library(catalog: Catalog, tmp_path: Path) -> None:
    assert (library(catalog, "low").package, library(catalog, "low").version_text) == (PACKAGE, "1.0.0")
    changed = catalog_of(tmp_path / "changed", LIBRARIES.replace("package: low}", "package: low}, revision: 2"))
    assert library(changed, "low").version_text == "1.0.0.dockerbuild.2"


def test_libraries_name_known_libraries_and_no_circle(tmp_path: Path) -> None:
    libraries = (
        "a: {version: 1.0.0, source: {type: debian, package: a}, libraries: [b, zlib]}\n"
        "b: {version: 1.0.0, source: {type: debian, package: b}, libraries: [a]}\n"
    )
    assert problems_of(write_catalog(tmp_path, libraries=libraries)) == [
        "config/libraries.yaml:1:69: 'a' would be built with itself; break the circle",
        "config/libraries.yaml:1:72: unknown library 'zlib'; known are: a, b",
        "config/libraries.yaml:2:69: 'b' would be built with itself; break the circle",
    ]
