"""What an sdist asks for to be built, read without running any of its code."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Annotated

from packaging.requirements import InvalidRequirement, Requirement
from pydantic import BaseModel, Field, ValidationError

from dockerbuild_lib.catalog.settings import ArchiveLimits
from dockerbuild_lib.core.errors import LockError
from dockerbuild_lib.sources.archives import DEFAULT_LIMITS, read_member

_WITHOUT_PYPROJECT = ("setuptools>=40.8.0", "wheel")
"""PEP 518 and pip: the build system of a project that names none."""


class _BuildSystem(BaseModel):
    requires: tuple[str, ...]


class _PyProject(BaseModel):
    build_system: Annotated[_BuildSystem | None, Field(alias="build-system")] = None


def declared_requires(sdist: Path, limits: ArchiveLimits = DEFAULT_LIMITS) -> tuple[str, ...]:
    """Return ``[build-system].requires`` of the sdist's pyproject.toml (PEP 518), or the default's requirements.

    What the backend asks for beyond that (``get_requires_for_build_wheel``) is code, which is not run here: a
    recipe's ``build-requires`` adds it.

    Raises:
        LockError: pyproject.toml is wrong.
        UnsafeArchiveError: the sdist is damaged or hostile, or beyond *limits*.

    """
    content = read_member(sdist, "pyproject.toml", limits)
    if content is None:
        return _WITHOUT_PYPROJECT
    try:
        project = _PyProject.model_validate(tomllib.loads(content.decode()))
        requires = project.build_system.requires if project.build_system else _WITHOUT_PYPROJECT
        for requirement in requires:
            Requirement(requirement)
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, ValidationError, InvalidRequirement) as error:
        where = f"pyproject.toml of {sdist.name}"
        raise LockError(f"its build-system cannot be read: {error}", where=where, fix="take another version") from error
    return requires
