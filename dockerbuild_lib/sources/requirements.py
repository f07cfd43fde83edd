"""Requirements of builds (PEP 508): from pyproject.toml, from the backend, from the recipe; none of them is trusted."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from dockerbuild_lib.catalog.architectures import BUILD_MACHINE
from dockerbuild_lib.core.errors import LockError

if TYPE_CHECKING:
    from packaging.requirements import Requirement
    from packaging.specifiers import SpecifierSet


def parse_requirement(text: str) -> Requirement:
    """Return a requirement.

    Raises:
        LockError: it is none (PEP 508).

    """
    from packaging.requirements import InvalidRequirement, Requirement  # noqa: PLC0415 - quick tasks do without it

    try:
        return Requirement(text)
    except InvalidRequirement as error:
        raise LockError(f"{text!r} is no requirement (PEP 508): {error}", fix="correct it") from error


def index_requirement(text: str) -> Requirement:
    """Return a requirement that names a project of the package index.

    Raises:
        LockError: it is none, or an address.

    """
    parsed = parse_requirement(text)
    if parsed.url:
        fix = "the recipe's build-requires can name a release of the package index"
        raise LockError(f"the requirement {text!r} is an address, which cannot be locked", fix=fix)
    return parsed


def specifiers_of(asked: Iterable[str], distribution: str, python: str) -> Iterator[SpecifierSet]:
    """Yield which versions of a distribution are *asked* for under *python* (3.11) on the build machine."""
    environment = _markers(python)
    for requirement in map(parse_requirement, asked):
        applies = requirement.marker is None or requirement.marker.evaluate(environment)
        if _name(requirement.name) == distribution and applies:
            yield requirement.specifier


def _name(text: str) -> str:
    from packaging.utils import canonicalize_name  # noqa: PLC0415 - as above

    return canonicalize_name(parse_requirement(text).name)


def _markers(python: str) -> dict[str, str]:
    """Return the build machine's environment markers (PEP 508) for CPython *python*."""
    return {
        "implementation_name": "cpython",
        "implementation_version": f"{python}.0",
        "os_name": "posix",
        "platform_machine": BUILD_MACHINE.machine,
        "platform_python_implementation": "CPython",
        "platform_system": "Linux",
        "python_full_version": f"{python}.0",
        "python_version": python,
        "sys_platform": "linux",
    }


def parse_answer(content: bytes | None, where: str) -> tuple[str, ...]:
    """Return the requirements in a backend's answer, a JSON list; each in its usual form, sorted.

    Raises:
        LockError: the answer is another thing; *where* says whose it is.

    """
    try:
        answer = json.loads(content or b"")
    except (ValueError, RecursionError) as error:
        raise _unusable("it is no JSON", where) from error
    if not isinstance(answer, list) or not all(isinstance(text, str) for text in answer):
        raise _unusable("it is no list of requirements", where)
    try:
        return tuple(sorted({str(parse_requirement(text)) for text in answer}))
    except LockError as error:
        raise _unusable(error.what, where) from error


def _unusable(why: str, where: str) -> LockError:
    what = f"the answer of its build backend cannot be used: {why}"
    return LockError(what, where=where, fix="take another version, or patch it")
