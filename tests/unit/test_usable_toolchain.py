"""What ``run`` remembers of the catalogue: as long as it is true, and without the catalogue's models."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from tests.support.projects import TREE, Project

FIND = """
import dataclasses, json, sys
from dockerbuild_lib.cli.session import open_session
from dockerbuild_lib.cli.usable_toolchain import find_toolchain, remembered_toolchain
known = remembered_toolchain(*sys.argv[1:])
models = {"pydantic", "jinja2", "dockerbuild_lib.catalog.catalog", "dockerbuild_lib.catalog.settings"}
heavy = sorted(models & set(sys.modules))
found = find_toolchain(open_session(), *sys.argv[1:])
print(json.dumps({"known": known == found, "nothing": known is None, "heavy": heavy, "key": found.key}))
"""
AMD = ("linux-amd64", "")


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """A project whose files are old enough for what comes from them to be remembered."""
    made = Project.checked_out(tmp_path_factory.mktemp("project"))
    found(made)  # where Python may write bytecode, it makes its folders now
    grow_old()
    found(made)
    return made


def grow_old() -> None:
    """Wait until what was just changed, and all before, is surely older than the next program."""
    time.sleep(2.5)


def found(project: Project, *question: str, **variables: str) -> dict[str, Any]:
    """Say what is remembered of a toolchain; then find it, as a run that remembers nothing does."""
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("INVOKE_DOCKERBUILD_")}
    done = subprocess.run(
        (sys.executable, "-c", FIND, *(question or AMD)),
        cwd=project.folder,
        env={**inherited, **variables},
        capture_output=True,
        check=False,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    told: dict[str, Any] = json.loads(done.stdout)
    return told


def test_what_is_remembered_is_the_same_and_needs_no_models(project: Project) -> None:
    told = found(project)
    assert (told["known"], told["heavy"]) == (True, [])


def test_each_toolchain_is_remembered_for_itself(project: Project) -> None:
    assert found(project, "linux-amd64", "gcc")["nothing"]
    assert found(project, "linux-amd64", "gcc")["known"]
    assert found(project)["known"]


@pytest.mark.parametrize(
    ("file", "old", "new"),
    [
        ("config/images.yaml", "    - nasm\n", "    - nasm\n    - gawk\n"),
        ("config/toolchains.yaml", 'glibc: "2.17"', 'glibc: "2.28"'),
        ("config/platforms.yaml", "toolchain: zig\n\nlinux-arm64", "toolchain: gcc\n\nlinux-arm64"),
        ("config/locks/tools.json", '"sha256": "', '"sha256": "'),
        ("dockerbuild_lib/images/dockerfile.py", '"""', '"""Now '),
        ("dockerbuild_lib/images/scripts/trim_python.py", '"""', '"""Now '),
        ("invoke.yaml", "# root: .dockerbuild", "root: .dockerbuild"),
    ],
)
def test_every_file_that_it_comes_from_is_looked_at(project: Project, file: str, old: str, new: str) -> None:
    path = project.folder / file
    before = path.read_text()
    assert old in before
    path.write_text(before.replace(old, new, 1) + "\n" * (old == new))
    try:
        told = found(project)
    finally:
        path.write_text(before)
    assert told["nothing"]
    assert found(project)["known"]  # as it was, byte for byte


@pytest.mark.parametrize("name", ["config/wheels/more.yaml", "config/patches/a.patch", "dockerbuild_lib/plan/more.py"])
def test_so_is_a_file_that_is_new(project: Project, name: str) -> None:
    path = project.folder / name
    path.parent.mkdir(exist_ok=True)
    path.touch()
    code = "import sys; from dockerbuild_lib.cli.usable_toolchain import remembered_toolchain as ask;"
    code += "sys.exit(ask('linux-amd64', '') is not None)"
    done = subprocess.run((sys.executable, "-c", code), cwd=project.folder, check=False)
    path.unlink()
    assert done.returncode == 0


def test_a_variable_counts_as_a_setting_of_the_file(project: Project) -> None:
    grow_old()
    assert found(project, INVOKE_DOCKERBUILD_LIMITS_PROCESSES="77")["nothing"]
    assert found(project)["nothing"]  # the last answer took its place
    assert found(project)["known"]


def test_it_lies_in_the_work_area_of_the_settings(project: Project, tmp_path: Path) -> None:
    grow_old()
    found(project)
    other = {"INVOKE_DOCKERBUILD_ROOT": str(tmp_path / "area")}
    assert found(project, **other)["nothing"]
    assert found(project, **other)["known"]
    assert (tmp_path / "area/run.remembered").exists()
    assert found(project)["known"]


def test_another_catalogue_has_answers_of_its_own(project: Project, tmp_path: Path) -> None:
    subprocess.run(("cp", "-r", str(project.folder / "config"), str(tmp_path / "config")), check=True)
    grow_old()
    other = {"INVOKE_DOCKERBUILD_CONFIG_DIR": str(tmp_path / "config"), "INVOKE_DOCKERBUILD_ROOT": str(tmp_path)}
    assert found(project, **other)["nothing"]
    assert found(project, **other)["known"]
    (tmp_path / "config/images.yaml").write_text((tmp_path / "config/images.yaml").read_text() + "\n")
    assert found(project, **other)["nothing"]


def test_what_a_hit_stands_on_imports_no_models() -> None:
    code = (
        "import sys, dockerbuild_lib.cli.program, dockerbuild_lib.cli.run, dockerbuild_lib.cli.usable_toolchain,"
        " dockerbuild_lib.containers.foreground, dockerbuild_lib.containers.work_places,"
        " dockerbuild_lib.wheels.variables;"
        "sys.exit(bool({'pydantic', 'jinja2', 'rich', 'dockerbuild_lib.catalog.base'} & set(sys.modules)))"
    )
    assert subprocess.run((sys.executable, "-c", code), cwd=TREE, check=False).returncode == 0
