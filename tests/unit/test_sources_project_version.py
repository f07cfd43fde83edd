"""The version that a folder's own metadata tells."""

from __future__ import annotations

from pathlib import Path

import pytest

from dockerbuild_lib.core.errors import LockError
from dockerbuild_lib.sources.project_version import project_version

STATIC = '[project]\nname = "x"\nversion = "1.2.0"\n'
DYNAMIC = '[project]\nname = "x"\ndynamic = ["version"]\n'
BUILD = '[build-system]\nrequires = ["setuptools"]\n'


def project(folder: Path, files: dict[str, str]) -> Path:
    for name, text in files.items():
        (folder / name).write_text(text)
    return folder


@pytest.mark.parametrize(
    ("files", "version"),
    [
        ({"pyproject.toml": STATIC}, "1.2.0"),
        ({"pyproject.toml": STATIC, "PKG-INFO": "Version: 9\n", "setup.cfg": "[metadata]\nversion = 8\n"}, "1.2.0"),
        ({"pyproject.toml": '[project]\nversion = "1.0-DEV"\n'}, "1.0.dev0"),
        ({"pyproject.toml": DYNAMIC, "PKG-INFO": "Name: x\nVersion: 2.0\n\nVersion: 3\n"}, "2.0"),
        ({"PKG-INFO": "Name: x\nVersion: 2.0+local.1\n"}, "2.0+local.1"),
        ({"setup.cfg": "[metadata]\nname = x\nversion = 3.1 \n"}, "3.1"),
        ({"pyproject.toml": BUILD, "setup.cfg": "[metadata]\nversion = 3.1\n[x]\ny = %(z)s\n"}, "3.1"),
    ],
)
def test_a_version_that_is_written(tmp_path: Path, files: dict[str, str], version: str) -> None:
    assert project_version(project(tmp_path, files)) == version


@pytest.mark.parametrize(
    ("files", "said"),
    [
        ({}, "its version is computed when it is built, or nowhere"),
        ({"pyproject.toml": DYNAMIC}, "its version is computed"),
        ({"pyproject.toml": DYNAMIC, "setup.cfg": "[metadata]\nversion = attr: x.__version__\n"}, "is computed"),
        ({"setup.cfg": "[metadata]\nversion = file: VERSION\n"}, "is computed"),
        ({"setup.cfg": "[options]\n"}, "is computed"),
        ({"setup.py": "setup(version='1')"}, "is computed"),
        ({"pyproject.toml": '[project]\nversion = "one"\n'}, "'one' is not a version"),
    ],
)
def test_a_version_that_cannot_be_read_is_told_with_the_fix(tmp_path: Path, files: dict[str, str], said: str) -> None:
    with pytest.raises(LockError, match=said) as caught:
        project_version(project(tmp_path, files))
    assert caught.value.where == str(tmp_path)
    assert caught.value.fix == 'write version = "..." under [project] in its pyproject.toml'


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("pyproject.toml", "[project"),
        ("pyproject.toml", "[project]\nversion = 1\n"),
        ("pyproject.toml", "project = 1\n"),
        ("setup.cfg", "version = 1\n"),
        ("setup.cfg", "[a]\n[a]\n"),
    ],
)
def test_a_file_that_is_damaged_is_told(tmp_path: Path, name: str, text: str) -> None:
    with pytest.raises(LockError, match="it cannot be read: ") as caught:
        project_version(project(tmp_path, {name: text}))
    assert caught.value.where == str(tmp_path / name)
    assert "\n" not in caught.value.what


def test_a_file_that_is_no_text_is_told(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_bytes(b"\xff")
    with pytest.raises(LockError, match="it cannot be read"):
        project_version(tmp_path)
