"""What a source declares that it needs to be built, read without running any of its code."""

from __future__ import annotations

import tomllib
from typing import Annotated

from packaging.requirements import InvalidRequirement, Requirement
from pydantic import BaseModel, Field, ValidationError

from dockerbuild_lib.core.errors import LockError

_WITHOUT_PYPROJECT = ("setuptools>=40.8.0", "wheel")
"""PEP 518 and pip: the build system of a project that names none."""


class _BuildSystem(BaseModel):
    requires: tuple[str, ...]


class _PyProject(BaseModel):
    build_system: Annotated[_BuildSystem | None, Field(alias="build-system")] = None


def declared_requires(content: bytes | None, where: str) -> tuple[str, ...]:
    """Return ``[build-system].requires`` of a pyproject.toml (PEP 518); the default's, where there is none (None).

    Raises:
        LockError: pyproject.toml is wrong; *where* says whose it is.

    """
    if content is None:
        return _WITHOUT_PYPROJECT
    try:
        project = _PyProject.model_validate(tomllib.loads(content.decode()))
        requires = project.build_system.requires if project.build_system else _WITHOUT_PYPROJECT
        for requirement in requires:
            Requirement(requirement)
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, ValidationError, InvalidRequirement) as error:
        what = f"its build-system cannot be read: {error}"
        raise LockError(what, where=f"pyproject.toml of {where}", fix="take another version, or patch it") from error
    return requires
