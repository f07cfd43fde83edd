"""Files that their authors took back (PEP 592): locked only where the catalogue says so."""

from __future__ import annotations

from collections.abc import Iterable

from packaging.requirements import Requirement
from packaging.specifiers import Specifier
from packaging.utils import canonicalize_name
from packaging.version import Version

from dockerbuild_lib.core.errors import LockError
from dockerbuild_lib.sources.index_page import IndexEntry


def refuse_yanked(entry: IndexEntry, fix: str) -> None:
    """Refuse a file that was yanked.

    Raises:
        LockError: it was; *fix* says what to do about it.

    """
    if entry.yanked is not None:
        why = f", and say: {entry.yanked}" if entry.yanked else ""
        raise LockError(f"its authors took it back (yanked){why}", where=entry.filename, fix=fix)


def is_named(requirements: Iterable[str], name: str, version: str) -> bool:
    """Tell whether one of *requirements* asks for this very version of the distribution *name*: ``==`` or ``===``."""
    return any(
        canonicalize_name(requirement.name) == name and any(_means(one, version) for one in requirement.specifier)
        for requirement in map(Requirement, requirements)
    )


def _means(specifier: Specifier, version: str) -> bool:
    exact = specifier.operator in ("==", "===") and not specifier.version.endswith(".*")
    return exact and Version(specifier.version) == Version(version)
