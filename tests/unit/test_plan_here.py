"""What a plan makes of build requirements that the catalogue builds itself."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from dockerbuild_lib.catalog.catalog import Catalog
from dockerbuild_lib.catalog.load import load_catalog
from dockerbuild_lib.catalog.locks import CratesArchive, IndexFile, VersionLock, WheelLock
from dockerbuild_lib.core.errors import LockError
from dockerbuild_lib.plan.inventory import PackageVersion, Published
from dockerbuild_lib.plan.keys import ContentKey
from dockerbuild_lib.plan.make import make_plan
from dockerbuild_lib.plan.plan import Plan
from dockerbuild_lib.plan.products import Goal, LibraryWork, PythonWork, WheelWork
from dockerbuild_lib.plan.request import Request
from dockerbuild_lib.plan.steps import FetchWork
from dockerbuild_lib.sources.lock_files import lock_text
from tests.support.catalogs import add_file, write_catalog

CFFI = "cffi 2.1.1 linux-amd64-py3.11"
DEMO = "demo 1.0 linux-arm64-py3.11"


@dataclass
class World:
    """What is there: the engine has every image, the work area what is in *results*."""

    results: list[ContentKey] = field(default_factory=list)

    def interned(self, sha256s: Collection[str]) -> frozenset[str]:
        return frozenset(sha256s)

    def published(self, wanted: Collection[PackageVersion]) -> Mapping[PackageVersion, Published]:
        assert wanted
        return {}

    def built(self, goal: Goal) -> tuple[ContentKey, ...]:
        return tuple(key for key in self.results if key == goal.key)

    def library(self, work: LibraryWork) -> bool:
        return bool(work)

    def python(self, work: PythonWork) -> bool:
        return bool(work)

    def image(self, key: str) -> bool:
        return bool(key)

    def in_registry(self, platform: str, key: str) -> bool:
        return not (platform and key)


def pin(name: str, version: str, sha256: str = "a" * 64) -> IndexFile:
    return IndexFile(distribution=name, version=version, filename=f"{name}-{version}.tar.gz", sha256=sha256, size=1)


def config(folder: Path, *, cffi_environment: str = "{}", asked: str = "{cffi: here}", **lock: Any) -> Path:  # noqa: ANN401 - a lock's
    """Write a catalogue in which cffi is built here for the wheel demo, and their locks."""
    made = write_catalog(
        folder,
        wheels__six=None,
        wheels__cffi=f"cffi: {{trial: import cffi, environment: {cffi_environment}, versions: {{2.1.1: {{}}}}}}",
        wheels__demo=f"demo: {{trial: import demo, build-requires: {asked}, versions: {{'1.0': {{}}}}}}",
    )
    cffi = VersionLock(source=pin("cffi", "2.1.1"), build_requires={"3.11": (pin("setuptools", "84"),)})
    facts = {"build_requires": {"3.11": (pin("pycparser", "3", "b" * 64),)}, "recipe_requires": {"cffi": "here"}}
    demo = VersionLock(source=pin("demo", "1.0"), **facts | {"built_here": {"3.11": {"cffi": "2.1.1"}}} | lock)
    add_file(made, "locks/wheels/cffi.json", lock_text(WheelLock(versions={"2.1.1": cffi})))
    add_file(made, "locks/wheels/demo.json", lock_text(WheelLock(versions={"1.0": demo})))
    return made


def plan(
    made: Path,
    world: World | None = None,
    *,
    images: str = "one",
    **asked: Any,  # noqa: ANN401 - a request's
) -> Plan:
    def image_files(_catalog: Catalog, platform: str, _base: str) -> dict[str, str]:
        return {"Dockerfile": images if platform == "linux-amd64" else platform}

    request = Request(**{"names": ("demo",)} | asked)
    return make_plan(request, load_catalog(made), world or World(), image_files)


def goal(made: Plan, name: str = "demo") -> WheelWork:
    found = next(planned.goal for planned in made.goals if planned.goal.distribution == name)
    assert isinstance(found, WheelWork)
    return found


def test_it_is_built_checked_and_tried_once_and_then_built_with(tmp_path: Path) -> None:
    made = plan(config(tmp_path))
    steps = {step.id: step for step in made.to_do}
    kinds = ("build", "check", "trial", "package")
    assert [name for name in steps if "cffi" in name] == [f"{kind} {CFFI}" for kind in kinds]
    builds = [step for name, step in steps.items() if name.startswith("build demo")]
    assert len(builds) == 2
    assert all(f"package {CFFI}" in step.needs for step in builds)


def test_what_lies_in_the_work_area_is_not_built_again(tmp_path: Path) -> None:
    folder = config(tmp_path)
    (here,) = goal(plan(folder)).here
    made = plan(folder, World([here.key]))
    assert [step.id for step in made.to_do if "cffi" in step.id] == []
    (found,) = [planned for planned in made.steps if planned.step.id == f"package {CFFI}"]
    assert (found.status.value, found.why) == ("hit", "built; its wheel is in the work area")


@pytest.mark.parametrize("names", [("demo", "cffi"), ("cffi", "demo")])
def test_a_rebuild_of_both_builds_first_what_the_other_is_built_with(tmp_path: Path, names: tuple[str, ...]) -> None:
    folder = config(tmp_path)
    (here,) = goal(plan(folder)).here
    made = plan(folder, World([here.key]), names=names, rebuild=True)
    steps = {step.id: step for step in made.to_do}
    assert f"package {CFFI}" in steps[f"build {DEMO}"].needs


def test_a_change_of_its_recipe_changes_the_recipe_of_what_is_built_with_it(tmp_path: Path) -> None:
    first = goal(plan(config(tmp_path)))
    second = goal(plan(config(tmp_path, cffi_environment="{A: b}")))
    assert first.key.recipe != second.key.recipe
    assert first.key.environment == second.key.environment


def test_a_change_of_where_it_is_built_changes_the_environment_of_what_is_built_with_it(tmp_path: Path) -> None:
    folder = config(tmp_path)
    keys = [goal(plan(folder, images=text, platforms=("linux-arm64",))).key for text in ("one", "other")]
    assert keys[0].recipe == keys[1].recipe
    assert keys[0].environment != keys[1].environment


def test_crates_are_fetched_and_change_the_recipe(tmp_path: Path) -> None:
    source = pin("demo", "1.0")
    facts = {"name": "demo", "version": "1.0", "filename": "demo-1.0-crates.tar", "size": 1, "source": source}
    keys = set()
    for sha256 in ("c" * 64, "d" * 64):
        folder = config(tmp_path, crates=CratesArchive(**facts, sha256=sha256))
        (folder / "wheels/demo.yaml").write_text(
            "demo: {trial: import demo, crates: true, build-requires: {cffi: here}, versions: {'1.0': {}}}"
        )
        made = plan(folder)
        assert f"fetch demo-1.0-crates.tar {sha256[:12]}" in [planned.step.id for planned in made.steps]
        keys.add(goal(made).key.recipe)
    assert len(keys) == 2


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"built_here": {"3.11": {"cffi": "2.0.0"}}}, r"cffi 2\.0\.0: this version is not locked; run sources\.lock"),
        ({"asked": "{cffi: here}, crates: true"}, r"demo 1\.0: the archive of its crates is not locked"),
        ({"asked": "{}"}, r"demo 1\.0: its build environment for Python 3\.11 is not locked"),
        ({"asked": "{cffi: here, wheel: any}"}, r"demo 1\.0: its build environment for Python 3\.11 is not locked"),
    ],
)
def test_a_lock_of_another_recipe_is_not_built_from(tmp_path: Path, changed: dict[str, Any], said: str) -> None:
    with pytest.raises(LockError, match=said):
        plan(config(tmp_path, **changed))


def test_other_files_of_one_name_are_each_fetched_before_the_build_that_needs_them(tmp_path: Path) -> None:
    pins = {python: (pin("helper", "1", digit * 64),) for python, digit in (("3.11", "b"), ("3.12", "e"))}
    folder = config(tmp_path, build_requires=pins, built_here={python: {"cffi": "2.1.1"} for python in pins})
    add_file(folder, "pythons.yaml", '"3.11": {source: debian}\n"3.12": {source: debian}\n')
    locked = {python: (pin("setuptools", "84"),) for python in pins}
    cffi = VersionLock(source=pin("cffi", "2.1.1"), build_requires=locked)
    add_file(folder, "locks/wheels/cffi.json", lock_text(WheelLock(versions={"2.1.1": cffi})))
    steps = {planned.step.id: planned.step for planned in plan(folder, platforms=("linux-arm64",)).steps}
    fetched = {step.work.file.sha256[0]: name for name, step in steps.items() if isinstance(step.work, FetchWork)}
    for python, digit in (("3.11", "b"), ("3.12", "e")):
        assert fetched[digit] in steps[f"build demo 1.0 linux-arm64-py{python}"].needs
    assert fetched["b"] != fetched["e"]
