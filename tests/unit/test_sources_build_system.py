"""What an sdist declares to be built with."""

from __future__ import annotations

from pathlib import Path

import pytest

from dockerbuild_lib.core.errors import LockError
from dockerbuild_lib.sources.build_system import declared_requires
from tests.support.sdists import write_sdist


def declared(folder: Path, pyproject: str | None) -> tuple[str, ...]:
    return declared_requires(write_sdist(folder, "p", "1", pyproject))


def test_the_build_system_says_it(tmp_path: Path) -> None:
    text = """
        [project]
        name = "p"
        [build-system]
        requires = ["a>=1", "b; python_version < '3.13'"]
        build-backend = "a"
    """
    assert declared(tmp_path, text) == ("a>=1", "b; python_version < '3.13'")


@pytest.mark.parametrize("text", [None, "", '[project]\nname = "p"\n', "[tool.x]\n"])
def test_without_one_it_is_setuptools(tmp_path: Path, text: str | None) -> None:
    assert declared(tmp_path, text) == ("setuptools>=40.8.0", "wheel")


def test_it_may_need_nothing(tmp_path: Path) -> None:
    assert declared(tmp_path, "[build-system]\nrequires = []\n") == ()


WRONG = (
    "[build-system\n",
    "[build-system]\n",
    "[build-system]\nrequires = 3\n",
    "build-system = 'x'\n",
    "[build-system]\nrequires = ['-r /etc/passwd']\n",
    '[build-system]\nrequires = ["a\\n--index-url=x"]\n',
)


@pytest.mark.parametrize("text", WRONG)
def test_a_wrong_one_is_refused_by_name(tmp_path: Path, text: str) -> None:
    with pytest.raises(LockError, match=r"pyproject\.toml of p-1\.tar\.gz: its build-system cannot be read"):
        declared(tmp_path, text)
