"""Wheels from every type of source, from locking to publishing: a git commit, a local folder, the index's own."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from dockerbuild_lib.catalog.load import load_catalog
from dockerbuild_lib.catalog.locks import LockedFile
from dockerbuild_lib.core.events import StepLog, silent
from dockerbuild_lib.sources.intern import SourceFetcher
from dockerbuild_lib.store.local import LocalStore
from dockerbuild_lib.store.sources_packages import InternedSources
from tests.integration.conftest import made_once, shared_folder
from tests.support.git_repositories import GitRepository
from tests.support.projects import PACKAGES, Project

PYPROJECT = '[build-system]\nrequires = ["setuptools"]\nbuild-backend = "setuptools.build_meta"\n'
EXTENSION = """\
#include <Python.h>
#include "answer.h"
static PyObject *answer(PyObject *self, PyObject *args) { return PyLong_FromLong(ANSWER); }
static PyMethodDef methods[] = {{"answer", answer, METH_NOARGS, NULL}, {NULL}};
static struct PyModuleDef module = {PyModuleDef_HEAD_INIT, "_NAME", NULL, -1, methods};
PyMODINIT_FUNC PyInit__NAME(void) { return PyModule_Create(&module); }
"""
TRIAL = "'import _NAME; assert _NAME.answer() == 42'"
ARM = "--platform=linux-arm64"


def extension(name: str, include: str = ".") -> dict[str, str | bytes]:
    """Return the files of a project with one extension module, which includes ``answer.h``."""
    module = f"Extension('_{name}', ['{name}.c'], include_dirs=['{include}'])"
    return {
        "pyproject.toml": f'[project]\nname = "{name}"\nversion = "1.0"\n{PYPROJECT}',
        "setup.py": f"from setuptools import Extension, setup\nsetup(ext_modules=[{module}])\n",
        f"{name}.c": EXTENSION.replace("_NAME", f"_{name}"),
    }


def recipe(project: Project, name: str, keys: str) -> None:
    """Put a recipe into the catalogue, in place of one that is there."""
    (project.folder / f"config/wheels/{name}.yaml").write_text(f"{name}:\n  {keys.strip()}\n")


def add_folder(project: Project, name: str, files: dict[str, str | bytes]) -> None:
    """Put a local project beside the catalogue."""
    for path, content in files.items():
        place = project.folder / name / path
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(content if isinstance(content, bytes) else content.encode())
    project.git("add", "--all")


def prepare(project: Project, repositories: Path) -> None:
    """Write recipes of every type, and the sources that they name."""
    GitRepository.made(repositories / "header", {"answer.h": "#define ANSWER 42\n"})
    below = {f"bindings/python/{path}": text for path, text in extension("fromgit", "header").items()}
    repository = GitRepository.made(repositories / "fromgit", below)
    repository.git("submodule", "--quiet", "add", "../header", "bindings/python/header")
    repository.commit({})
    repository.git("tag", "v1.0")
    source = f"{{type: git, repository: '{repository.address}', revision: 'v{{version}}', subfolder: bindings/python}}"
    trial = TRIAL.replace("_NAME", "_fromgit")
    recipe(project, "fromgit", f"source: {source}\n  trial: {trial}\n  versions: {{'1.0': {{}}}}")

    metadata = f'[project]\nname = "purely"\nversion = "2.0"\n{PYPROJECT}'
    add_folder(project, "packages/pure", {"pyproject.toml": metadata, "purely/__init__.py": ""})
    recipe(project, "purely", "kind: pure\n  source: {type: local, folder: ../packages/pure}\n  trial: import purely")

    wheel = "platforms: [linux-amd64, linux-arm64]\n  trial: import markupsafe._speedups\n  versions: {3.0.4: {}}"
    recipe(project, "markupsafe", f"kind: prebuilt\n  {wheel}")
    project.take_debians_python_only()


REPOSITORIES = "source-types-repositories"
NAMES = ("fromgit", "purely", "markupsafe")
WANTED = tuple(f"--name={name}" for name in NAMES)


@pytest.fixture(scope="session")
def published_once(with_images: Project, tmp_path_factory: pytest.TempPathFactory) -> Project:
    """A project that has locked, built and published a wheel from each type of source; to be looked at only."""
    assert with_images

    def make(folder: Path) -> None:
        project = Project.checked_out(folder)
        prepare(project, folder.with_name(REPOSITORIES))
        project.succeed("sources.lock", *WANTED)
        project.succeed("wheel.build", *WANTED, ARM, "--upload")

    return made_once(shared_folder(tmp_path_factory) / "source-types", make)


def lock(project: Project, name: str) -> Any:  # noqa: ANN401 - JSON
    """Return the versions of a wheel's lock."""
    return json.loads((project.folder / f"config/locks/wheels/{name}.json").read_text())["versions"]


def test_each_is_published_under_the_name_of_its_kind(published_once: Project) -> None:
    assert published_once.packages() == {
        f"{PACKAGES}/fromgit/linux-arm64_cp311_cp311": ["1.0"],
        f"{PACKAGES}/markupsafe/linux-arm64_cp311_cp311": ["3.0.4"],
        f"{PACKAGES}/purely-py3": ["2.0"],
    }
    (wheel,) = published_once.built("fromgit")
    assert wheel.name == "fromgit-1.0-cp311-cp311-manylinux2014_aarch64.manylinux_2_17_aarch64.whl"
    assert [wheel.name for wheel in published_once.built("purely")] == ["purely-2.0-py3-none-any.whl"]


def test_a_prebuilt_wheel_is_the_very_file_of_the_index(published_once: Project) -> None:
    (wheel,) = published_once.built("markupsafe")
    prebuilt = lock(published_once, "markupsafe")["3.0.4"]["prebuilt"]
    assert set(prebuilt) == {"linux-amd64", "linux-arm64"}
    assert prebuilt["linux-arm64"]["3.11"]["filename"] == wheel.name
    result = json.loads((wheel.parent / "result.json").read_text())
    assert prebuilt["linux-arm64"]["3.11"]["sha256"] == result["sha256"]


def test_every_source_is_interned(published_once: Project) -> None:
    listed = published_once.succeed("store.list", "--prefix=infra/third_party/source", "--json").json
    found = {(row["package"].rpartition("/")[2], row["version"]) for row in listed}
    assert {("fromgit", "1.0"), ("purely", "2.0"), ("markupsafe", "3.0.4")} <= found


def test_the_lock_says_what_was_asked_for_and_what_it_was(published_once: Project) -> None:
    repository = GitRepository(published_once.folder.with_name(REPOSITORIES) / "fromgit")
    source = lock(published_once, "fromgit")["1.0"]["source"]
    assert (source["revision"], source["commit"]) == ("v1.0", repository.head)
    assert (source["subfolder"], source["submodules"]) == ("bindings/python", True)
    assert list(lock(published_once, "purely")) == ["2.0"]


def test_a_second_run_and_a_second_lock_do_nothing(published_once: Project, tmp_path: Path) -> None:
    project = published_once.copied_to(tmp_path / "project")
    files = sorted((project.folder / "config/locks").rglob("*.json"))
    before = [file.stat().st_mtime_ns for file in files]
    assert project.succeed("sources.lock", *WANTED).stdout.strip() == "every lock is up to date"
    assert [file.stat().st_mtime_ns for file in files] == before
    done = project.succeed("wheel.build", *WANTED, ARM, "--upload")
    assert done.stdout.count("nothing to do, published as") == 3
    assert "warning" not in done.stderr


def test_an_edit_of_a_folder_is_told_until_it_is_locked(published_once: Project, tmp_path: Path) -> None:
    project = published_once.copied_to(tmp_path / "project")
    project.edit("packages/pure/pyproject.toml", "2.0", "2.1")
    told = project.succeed("wheel.build", "--name=purely", "--upload")
    assert "nothing to do" in told.stdout
    assert "the folder ../packages/pure has changed since it was locked; run sources.lock --name=purely" in told.stderr

    changes = project.succeed("sources.lock", "--name=purely").stdout.splitlines()
    assert [line.partition(":")[2].split()[:2] for line in changes if "source" in line] == [
        ["2.0", "source:"],
        ["2.1", "source:"],
    ]
    assert project.plan("--name=purely", "--upload")["build purely 2.1 universal"] == "to do"


class Nowhere:
    """An outside world that is not there."""

    def download(self, locked: LockedFile, target: Path, log: StepLog = silent) -> None:
        raise AssertionError(locked, target, log)


def test_from_the_store_every_source_comes_back_with_nothing_outside(published_once: Project, tmp_path: Path) -> None:
    fetcher = SourceFetcher(tmp_path, InternedSources(LocalStore(published_once.store)), Nowhere())
    locks = load_catalog(published_once.folder / "config").locks.wheels
    for source in (locks["fromgit"].versions["1.0"].source, locks["purely"].versions["2.0"].source):
        assert source
        assert fetcher.fetch(source).stat().st_size == source.size
    fetcher.fetch(locks["markupsafe"].versions["3.0.4"].prebuilt["linux-arm64"]["3.11"])


def test_a_moved_tag_is_taken_on_update_only_and_told(published_once: Project, tmp_path: Path) -> None:
    project = published_once.copied_to(tmp_path / "project")
    shutil.copytree(published_once.folder.with_name(REPOSITORIES), tmp_path / "moved")
    repository = GitRepository(tmp_path / "moved" / "fromgit")
    before = repository.head
    for file in ("config/wheels/fromgit.yaml", "config/locks/wheels/fromgit.json"):
        project.edit(file, published_once.folder.with_name(REPOSITORIES).as_uri(), (tmp_path / "moved").as_uri())
    repository.commit({"bindings/python/fromgit.c": "slipped in"})
    repository.git("tag", "--force", "v1.0")

    assert project.succeed("sources.lock", "--name=fromgit").stdout.strip() == "every lock is up to date"
    assert lock(project, "fromgit")["1.0"]["source"]["commit"] == before

    told = project.succeed("sources.lock", "--name=fromgit", "--update")
    assert f"v1.0 of {repository.address} moved from the commit {before} to {repository.head}" in told.stderr
    assert "fromgit: 1.0 source: fromgit-1.0.tar" in told.stdout
    assert lock(project, "fromgit")["1.0"]["source"]["commit"] == repository.head
