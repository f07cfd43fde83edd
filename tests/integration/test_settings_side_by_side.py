"""Two catalogues and two stores of one installation, told apart by variables."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.support.projects import PACKAGES, Project


def listed(project: Project, **variables: str) -> set[str]:
    """Return the packages of wheels in the store that the variables name."""
    rows = project.succeed("store.list", f"--prefix={PACKAGES}", "--json", **variables).json
    return {row["package"] for row in rows}


def other_catalog(project: Project, folder: Path) -> None:
    """Write a catalogue that has nothing but six to *folder*."""
    shutil.copytree(project.folder / "config", folder)
    for kind in ("wheels", "locks/wheels"):
        for file in (folder / kind).iterdir():
            if file.stem != "six":
                file.unlink()


def test_two_catalogues_with_a_store_each_do_not_meet(built: Project, tmp_path: Path) -> None:
    other_catalog(built, tmp_path / "other/config")
    other = {
        "INVOKE_DOCKERBUILD_CONFIG_DIR": str(tmp_path / "other/config"),
        "INVOKE_DOCKERBUILD_ROOT": str(tmp_path / "other/area"),
    }
    before = listed(built)
    assert [row["wheel"] for row in built.succeed("wheel.list", "--json", **other).json] == ["six"]

    built.succeed("wheel.build", "--upload", **other)

    assert listed(built, **other) == {f"{PACKAGES}/six-py2_py3"}
    assert listed(built) == before
    assert (tmp_path / "other/area/runs/latest/summary.json").exists()


def test_one_work_area_publishes_into_two_stores(built: Project, tmp_path: Path) -> None:
    runs = len(list((built.area / "runs").iterdir()))
    other = {"INVOKE_DOCKERBUILD_STORE": str(tmp_path / "other")}
    done = built.succeed("wheel.build", "--upload", **other)
    assert done.containers() == []  # all is built already
    assert listed(built, **other) == listed(built)
    assert len(list((built.area / "runs").iterdir())) == runs + 1


def test_a_setting_of_the_file_is_overridden_by_its_variable(built: Project) -> None:
    (built.folder / "invoke.yaml").write_text("dockerbuild:\n  store: elsewhere\n")
    assert listed(built) == set()
    assert listed(built, INVOKE_DOCKERBUILD_STORE=str(built.store)) != set()


@pytest.mark.parametrize(
    ("variable", "value", "told"),
    [
        ("INVOKE_DOCKERBUILD_JOBS", "0", "INVOKE_DOCKERBUILD_JOBS: "),
        ("INVOKE_DOCKERBUILD_JOBS", "many", "INVOKE_DOCKERBUILD_JOBS: "),
        ("INVOKE_DOCKERBUILD_LIMITS_MEMORY", "lots", "INVOKE_DOCKERBUILD_LIMITS_MEMORY: "),
        ("INVOKE_DOCKERBUILD_EXECUTOR", "magic", "INVOKE_DOCKERBUILD_EXECUTOR: "),
        ("INVOKE_DOCKERBUILD_STROE", "x", "did you mean 'INVOKE_DOCKERBUILD_STORE'?"),
        ("INVOKE_DOCKERBUILD_CONFIG_DIR", "nowhere", "nowhere"),
    ],
)
def test_a_bad_variable_is_refused(built_once: Project, variable: str, value: str, told: str) -> None:
    done = built_once.run("wheel.build", **{variable: value})
    assert done.code == 3, done.stderr
    assert told in done.stderr
    assert "Traceback" not in done.stderr
