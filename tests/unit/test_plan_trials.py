"""What a plan makes of wheels that trials need beside their own."""

from __future__ import annotations

from pathlib import Path

import pytest

from dockerbuild_lib.catalog.locks import VersionLock, WheelLock
from dockerbuild_lib.core.errors import CatalogError
from dockerbuild_lib.sources.lock_files import lock_text
from tests.support.catalogs import add_file, write_catalog
from tests.unit.test_plan_here import World, goal, pin, plan

ARM64 = "linux-arm64-py3.11"


def config(folder: Path, *, needed: str = "[cffi, six]", cffi: str = "") -> Path:
    """Write a catalogue in which the trial of the wheel demo uses cffi and six."""
    made = write_catalog(
        folder,
        wheels__cffi=f"cffi: {{trial: import cffi, {cffi} versions: {{2.1.1: {{}}}}}}",
        wheels__demo=f"demo: {{trial: import demo, trial-requires: {needed}, versions: {{'1.0': {{}}}}}}",
    )
    wheel = pin("six", "1.17.0", "c" * 64).model_copy(update={"filename": "six-1.17.0-py2.py3-none-any.whl"})
    built = {"build_requires": {"3.11": (pin("setuptools", "84"),)}}
    locks = {
        "cffi": {"2.1.1": VersionLock(source=pin("cffi", "2.1.1"), **built)},
        "demo": {"1.0": VersionLock(source=pin("demo", "1.0", "b" * 64), **built)},
        "six": {"1.17.0": VersionLock(source=wheel)},
    }
    for name, versions in locks.items():
        add_file(made, f"locks/wheels/{name}.json", lock_text(WheelLock(versions=versions)))
    return made


def test_they_are_made_for_the_same_target_before_the_trial(tmp_path: Path) -> None:
    made = plan(config(tmp_path), platforms=("linux-arm64",))
    steps = {step.id: step for step in made.to_do}
    assert [name for name in steps if "cffi" in name] == [
        f"{kind} cffi 2.1.1 {ARM64}" for kind in ("build", "check", "trial", "package")
    ]
    needs = {f"check demo 1.0 {ARM64}", f"package cffi 2.1.1 {ARM64}", "package six 1.17.0 universal"}
    assert set(steps[f"trial demo 1.0 {ARM64}"].needs) == needs
    assert not any("cffi" in need for need in steps[f"build demo 1.0 {ARM64}"].needs)


def test_what_lies_in_the_work_area_is_not_made_again(tmp_path: Path) -> None:
    folder = config(tmp_path)
    there = [required.key for required in goal(plan(folder, platforms=("linux-arm64",))).trial_requires]
    made = plan(folder, World(there), platforms=("linux-arm64",))
    assert [step.id for step in made.to_do if "demo" not in step.id] == []


def test_they_do_not_change_what_is_built(tmp_path: Path) -> None:
    assert goal(plan(config(tmp_path))).key == goal(plan(config(tmp_path, needed="[]"))).key


def test_what_is_not_made_for_the_platform_is_told(tmp_path: Path) -> None:
    folder = config(tmp_path, cffi="platforms: [linux-amd64],")
    with pytest.raises(CatalogError) as caught:
        plan(folder, platforms=("linux-arm64",))
    what = "the trial needs cffi, which is not made for linux-arm64-py3.11"
    fix = "have cffi made for it, or skip it in 1.0"
    assert str(caught.value) == f"{folder}/wheels/demo.yaml: {what}; {fix}"
