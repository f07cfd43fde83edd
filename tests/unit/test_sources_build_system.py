"""What a source declares to be built with."""

from __future__ import annotations

import pytest

from dockerbuild_lib.core.errors import LockError
from dockerbuild_lib.sources.build_system import declared_requires


def declared(pyproject: str | None) -> tuple[str, ...]:
    return declared_requires(None if pyproject is None else pyproject.encode(), "p 1")


def test_the_build_system_says_it() -> None:
    text = """
        [project]
        name = "p"
        [build-system]
        requires = ["a>=1", "b; python_version < '3.13'"]
        build-backend = "a"
    """
    assert declared(text) == ("a>=1", "b; python_version < '3.13'")


@pytest.mark.parametrize("text", [None, "", '[project]\nname = "p"\n', "[tool.x]\n"])
def test_without_one_it_is_setuptools(text: str | None) -> None:
    assert declared(text) == ("setuptools>=40.8.0", "wheel")


def test_it_may_need_nothing() -> None:
    assert declared("[build-system]\nrequires = []\n") == ()


WRONG = (
    "[build-system\n",
    "[build-system]\n",
    "[build-system]\nrequires = 3\n",
    "build-system = 'x'\n",
    "[build-system]\nrequires = ['-r /etc/passwd']\n",
    '[build-system]\nrequires = ["a\\n--index-url=x"]\n',
)


@pytest.mark.parametrize("text", WRONG)
def test_a_wrong_one_is_refused_by_name(text: str) -> None:
    with pytest.raises(LockError, match=r"pyproject\.toml of p 1: its build-system cannot be read"):
        declared(text)
