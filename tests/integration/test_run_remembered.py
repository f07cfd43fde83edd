"""What ``run`` remembers of the catalogue makes it quicker, and never wrong."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from dockerbuild_lib.core.errors import OfflineError
from tests.support.projects import Project

TRUE = ("run", "--platform=linux-amd64", "--", "true")
REMEMBERED = ".dockerbuild/run.remembered"
PROCESSES = ("sh", "-c", "cat /sys/fs/cgroup/pids.max /sys/fs/cgroup/pids/pids.max 2>/dev/null || true")


@pytest.fixture
def project(with_images: Project, tmp_path: Path) -> Project:
    """A project of one's own that remembers linux-amd64."""
    copy = with_images.copied_to(tmp_path / "project")
    copy.succeed(*TRUE)  # where Python may write bytecode, it makes its folders now
    time.sleep(2.5)
    copy.succeed(*TRUE)
    assert (copy.folder / REMEMBERED).exists()
    return copy


def models_of(project: Project, *arguments: str) -> set[str]:
    """Run a task, and return what it imported of the catalogue's models."""
    program = (sys.executable, "-X", "importtime", "-P", str(project.folder / "dockerbuild_lib/__main__.py"), "run")
    done = subprocess.run(
        (*program, *arguments), cwd=project.folder, stdin=subprocess.DEVNULL, capture_output=True, check=True, text=True
    )
    imported = {line.rpartition("|")[2].strip() for line in done.stderr.splitlines()}
    assert "docker" in imported
    return {"pydantic", "jinja2", "dockerbuild_lib.catalog.catalog"} & imported


def test_what_is_remembered_needs_no_models_and_is_the_same(project: Project) -> None:
    variables = project.succeed(*TRUE[:-1], "env").stdout.splitlines()
    assert models_of(project, *TRUE) == set()
    (project.folder / REMEMBERED).unlink()
    assert models_of(project, *TRUE) != set()
    anew = project.succeed(*TRUE[:-1], "env").stdout.splitlines()
    assert {line for line in variables if "HOSTNAME" not in line} == {line for line in anew if "HOSTNAME" not in line}


@pytest.mark.parametrize(
    ("file", "old", "new"),
    [
        ("config/images.yaml", "    - nasm\n", "    - nasm\n    - gawk\n"),
        ("config/toolchains.yaml", 'glibc: "2.17"', 'glibc: "2.28"'),
        ("dockerbuild_lib/images/scripts/trim_python.py", "import shutil\n", "import shutil  # copies\n"),
    ],
)
def test_a_recipe_that_changed_asks_for_another_image(project: Project, file: str, old: str, new: str) -> None:
    project.edit(file, old, new)
    done = project.run("run", "--offline", *TRUE[1:])  # so that none is made
    assert done.code == OfflineError.exit_code, done.stderr
    project.edit(file, new, old)
    project.succeed(*TRUE)


def test_a_catalogue_that_became_wrong_is_refused(project: Project) -> None:
    project.edit("config/platforms.yaml", "cipd: linux-amd64", "sipd: linux-amd64")
    done = project.run(*TRUE)
    assert done.code == 3
    assert "platforms.yaml" in done.stderr


def test_a_changed_setting_holds_at_once(project: Project) -> None:
    usual = project.succeed(*TRUE[:-1], *PROCESSES).stdout.split()
    (project.folder / "invoke.yaml").write_text("dockerbuild: {limits: {processes: 77}}\n")
    by_file = project.succeed(*TRUE[:-1], *PROCESSES).stdout.split()
    by_variable = project.succeed(*TRUE[:-1], *PROCESSES, INVOKE_DOCKERBUILD_LIMITS_PROCESSES="78").stdout.split()
    assert (usual[:1], by_file[:1], by_variable[:1]) == (["4096"], ["77"], ["78"])


@pytest.mark.parametrize(
    "damage",
    [
        lambda path: path.write_bytes(os.urandom(100)),
        lambda path: path.write_bytes(path.read_bytes()[:-20]),
        lambda path: path.write_bytes(path.read_bytes().replace(b"linux-amd64:", b"linux-arm64:")),
        lambda path: (path.unlink(), path.mkdir()),
    ],
)
def test_damage_costs_time_only(project: Project, damage: Callable[[Path], object]) -> None:
    damage(project.folder / REMEMBERED)
    done = project.succeed(*TRUE[:-1], "printenv", "CROSS_TRIPLE")
    assert (done.stdout, done.stderr) == ("x86_64-linux-gnu\n", "")
