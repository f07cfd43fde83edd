"""The version that a project's own metadata tells, read without running any of its code."""

from __future__ import annotations

import configparser
import tomllib
from collections.abc import Iterator
from email.parser import HeaderParser
from pathlib import Path

from packaging.version import InvalidVersion, Version
from pydantic import BaseModel, ValidationError

from dockerbuild_lib.core.errors import LockError
from dockerbuild_lib.core.files import translated_os_errors

_COMPUTED = ("attr:", "file:")
"""setuptools: values that it makes when it builds."""
_FIX = 'write version = "..." under [project] in its pyproject.toml'


class _Project(BaseModel):
    version: str | None = None


class _PyProject(BaseModel):
    project: _Project | None = None


def project_version(folder: Path) -> str:
    """Return the version of the project in *folder*, normalised (PEP 440).

    It is taken from ``[project].version`` of pyproject.toml (PEP 621), from PKG-INFO, which an unpacked sdist has, or
    from ``[metadata].version`` of setup.cfg.

    Raises:
        LockError: none of them tells it; a build would have to run to compute it.

    """
    with translated_os_errors(folder):
        told = next((version for version in _told(folder) if version is not None), None)
    if told is None:
        what = "its version is computed when it is built, or nowhere: it cannot be read"
        raise LockError(what, where=str(folder), fix=_FIX)
    try:
        return str(Version(told))
    except InvalidVersion as error:
        raise LockError(f"{told!r} is not a version (PEP 440)", where=str(folder), fix=_FIX) from error


def _told(folder: Path) -> Iterator[str | None]:
    for name, read in (("pyproject.toml", _pyproject), ("PKG-INFO", _pkg_info), ("setup.cfg", _setup_cfg)):
        path = folder / name
        try:
            yield read(path.read_text(encoding="utf-8"))
        except FileNotFoundError:
            continue
        except (tomllib.TOMLDecodeError, UnicodeDecodeError, ValidationError, configparser.Error) as error:
            why = " ".join(str(error).split())
            raise LockError(f"it cannot be read: {why}", where=str(path), fix="correct the file") from error


def _pyproject(text: str) -> str | None:
    project = _PyProject.model_validate(tomllib.loads(text)).project
    return project.version if project else None


def _pkg_info(text: str) -> str | None:
    version: str | None = HeaderParser().parsestr(text).get("Version")
    return version


def _setup_cfg(text: str) -> str | None:
    settings = configparser.ConfigParser(interpolation=None)
    settings.read_string(text)
    version = settings.get("metadata", "version", fallback="").strip()
    return None if not version or version.startswith(_COMPUTED) else version
