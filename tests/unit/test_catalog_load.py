"""Loading a catalogue as a whole, and what it answers."""

from __future__ import annotations

import dataclasses
import errno
import os
import subprocess
import sys
from pathlib import Path

import pytest

from dockerbuild_lib.catalog.load import load_catalog
from dockerbuild_lib.catalog.problems import Position, Problem
from dockerbuild_lib.catalog.wheels import SourceWheel
from dockerbuild_lib.core.errors import CatalogError, UsageError
from tests.support.catalogs import GOOD, problems_of, write_catalog

PROJECT = Path(__file__).parents[2]

_CFFI = """\
cffi:
  libraries: [libffi]
  toolchain: gcc
  environment: {A: wheel, B: wheel}
  trial: import cffi
  versions:
    2.0.0: {default: false, environment: {B: version, C: version}}
    2.1.1: {skip: {linux-arm64: why}}
"""


def test_the_catalogue_of_this_project_is_right() -> None:
    catalog = load_catalog(PROJECT / "config")
    assert {"linux-amd64", "linux-arm64"} <= catalog.platforms.keys()
    assert {"markupsafe", "cffi", "pyyaml", "brotli", "psutil"} <= catalog.wheels.keys()


def test_a_catalogue_is_loaded_into_frozen_models(tmp_path: Path) -> None:
    config = write_catalog(tmp_path, wheels__cffi=_CFFI)
    catalog = load_catalog(config)
    assert catalog.folder == config
    assert list(catalog.wheels) == ["cffi", "six"]
    cffi = catalog.wheel("cffi")
    assert isinstance(cffi, SourceWheel)
    assert cffi.libraries == ("libffi",)
    assert catalog.libraries["libffi"].version == "3.4.4"
    with pytest.raises(TypeError):
        catalog.wheels["x"] = cffi  # type: ignore[index]  # the mapping is read-only, which is shown
    with pytest.raises(dataclasses.FrozenInstanceError):
        catalog.folder = tmp_path  # type: ignore[misc]  # frozen, which is shown


def test_a_catalogue_answers_what_the_plan_asks(tmp_path: Path) -> None:
    catalog = load_catalog(write_catalog(tmp_path, wheels__cffi=_CFFI))
    assert catalog.default_versions("cffi") == ["2.1.1"]
    assert catalog.default_pythons() == ["3.11"]
    assert catalog.platforms_of("cffi", "2.0.0") == ["linux-arm64", "linux-amd64"]
    assert catalog.platforms_of("cffi", "2.1.1") == ["linux-amd64"]
    assert catalog.platforms_of("six", "1.17.0") == ["linux-arm64", "linux-amd64"]
    assert catalog.toolchain_of("cffi", "linux-arm64").compiler == "gcc"
    assert catalog.toolchain_of("six", "linux-arm64").compiler == "zig"
    assert catalog.environment_of("cffi", "2.0.0") == {"A": "wheel", "B": "version", "C": "version"}
    assert catalog.environment_of("six", "1.17.0") == {}


@pytest.mark.parametrize(
    ("ask", "said"),
    [
        (lambda catalog: catalog.wheel("cfi"), "unknown wheel 'cfi'; did you mean 'cffi'?"),
        (lambda catalog: catalog.version("cffi", "3"), "unknown version of cffi '3'; known are: 2.0.0, 2.1.1"),
        (lambda catalog: catalog.platform("linux-arm"), "unknown platform 'linux-arm'; did you mean 'linux-arm64'?"),
        (lambda catalog: catalog.python("3.8"), "unknown Python '3.8'; known are: 3.11"),
    ],
)
def test_an_unknown_name_is_the_users_mistake(tmp_path: Path, ask: object, said: str) -> None:
    catalog = load_catalog(write_catalog(tmp_path, wheels__cffi=_CFFI))
    assert callable(ask)
    with pytest.raises(UsageError) as caught:
        ask(catalog)
    assert str(caught.value) == said


def test_all_problems_of_all_files_come_at_once_and_sorted(tmp_path: Path) -> None:
    config = write_catalog(
        tmp_path,
        images="debian: {suite: bookworm, base-packages: gcc}\n",
        pythons="3.11: {source: debian}\n",
        wheels__b="b:\n  versions: {x: {}}\n  trial: ''\n",
        wheels__a="a: [\n",
    )
    assert problems_of(config) == [
        "config/images.yaml:1:42: a single value stands here, where a list belongs; write a list: [gcc]",
        "config/pythons.yaml:1:1: 3.11 is read as a number; quote it",
        "config/wheels/a.yaml:2:1: a value is missing here; write it, or close the list or mapping",
        "config/wheels/b.yaml:2:14: 'x' is not a version (PEP 440)",
        "config/wheels/b.yaml:3:10: an empty text stands here; write one",
    ]


def test_a_single_problem_fills_the_fields_of_the_error(tmp_path: Path) -> None:
    config = write_catalog(tmp_path, pythons="3.10: {source: debian}\n")
    with pytest.raises(CatalogError) as caught:
        load_catalog(config)
    error = caught.value
    assert (error.where, error.what, error.fix) == (
        f"{config}/pythons.yaml:1:1",
        "3.10 is read as the number 3.1",
        "quote it",
    )
    assert error.exit_code == 3


def test_paths_are_shown_from_the_current_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    config = write_catalog(tmp_path, pythons="[]")
    monkeypatch.chdir(tmp_path)
    with pytest.raises(CatalogError, match=r"^config/pythons\.yaml:1:1: "):
        load_catalog(config)


def test_a_missing_folder_is_one_problem(tmp_path: Path) -> None:
    assert problems_of(tmp_path / "conf") == ["conf: there is no such folder; set config_dir in invoke.yaml"]


def test_a_file_in_place_of_the_folder_is_one_problem(tmp_path: Path) -> None:
    (tmp_path / "config").write_text("")
    assert problems_of(tmp_path / "config") == [
        "config: cannot be read: Not a directory; set config_dir in invoke.yaml"
    ]


def test_files_that_may_not_be_looked_at_are_problems(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    config = write_catalog(tmp_path)

    def refuse(*_args: object, **_options: object) -> None:
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))

    monkeypatch.setattr(Path, "lstat", refuse)
    monkeypatch.setattr(Path, "read_bytes", refuse)
    assert problems_of(config)[0] == "config/images.yaml: cannot be read: Permission denied"


def test_problems_are_shown_when_the_current_folder_is_gone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    config = write_catalog(tmp_path, pythons="[]")
    (tmp_path / "gone").mkdir()
    monkeypatch.chdir(tmp_path / "gone")
    (tmp_path / "gone").rmdir()
    assert problems_of(config)[0].startswith("config/pythons.yaml:1:1: ")


def test_only_libraries_and_wheels_may_be_missing(tmp_path: Path) -> None:
    catalog = load_catalog(write_catalog(tmp_path, libraries=None, wheels__six=None))
    assert not catalog.libraries
    assert not catalog.wheels
    (tmp_path / "empty").mkdir()
    assert [line.partition(":")[0] for line in problems_of(tmp_path / "empty")] == [
        f"empty/{name}.yaml" for name in ("images", "platforms", "pythons", "toolchains")
    ]


def test_files_that_would_be_ignored_are_refused(tmp_path: Path) -> None:
    config = write_catalog(tmp_path, platform="a: b", wheels__x=None)
    (config / "wheels" / "x.yml").write_text("x: {}")
    (config / "wheels" / ".#six.yaml").write_text("an editor's")
    assert problems_of(config) == [
        "config/platform.yaml: this file is no part of the catalogue; did you mean 'platforms.yaml'?",
        "config/wheels/x.yml: this file is not read; name it x.yaml",
    ]


def test_a_wheels_name_is_normalised(tmp_path: Path) -> None:
    recipe = "{kind: universal, versions: {1.0.0: {}}}"
    found = problems_of(write_catalog(tmp_path, wheels__Foo_Bar=f"Foo_Bar: {recipe}"))
    assert found == [
        "config/wheels/Foo_Bar.yaml:1:1: 'Foo_Bar' is not a normalised distribution name (PEP 503); write 'foo-bar'"
    ]


def test_wheels_that_is_no_folder_is_a_problem(tmp_path: Path) -> None:
    config = write_catalog(tmp_path, wheels__six=None)
    (config / "wheels").write_text("")
    assert problems_of(config) == ["config/wheels: cannot be read: Not a directory"]


def test_names_from_files_break_no_line_and_change_no_terminal(tmp_path: Path) -> None:
    wheel = 'x: {trial: a, platforms: [q], versions: {"1\\n\\e[31m2": {patches: [01-a.patch]}}}'
    platforms = '"p\\n\\e[31mq": {triple: x86_64-linux-gnu, cipd: a, tags: [a], image: debian, toolchain: zig}'
    found = problems_of(write_catalog(tmp_path, wheels__x=wheel, platforms=platforms))
    assert [line.partition(":")[0] for line in found] == ["config/platforms.yaml"] + ["config/wheels/x.yaml"] * 3
    assert not any("\x1b" in line for line in found)


def test_a_problem_without_a_place_is_shown_without_one() -> None:
    assert str(Problem("a.yaml", None, "what")) == "a.yaml: what"
    assert str(Problem("a.yaml", Position(2, 3), "what", "fix")) == "a.yaml:2:3: what; fix"


def test_the_helpers_catalogue_has_every_kind_of_file() -> None:
    assert {name for name in GOOD if "/" not in name} == {path.name for path in (PROJECT / "config").glob("*.yaml")}


def test_importing_the_rooms_name_does_not_import_pydantic() -> None:
    code = "import sys, dockerbuild_lib.catalog; sys.exit('pydantic' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], cwd=PROJECT, check=False).returncode == 0
