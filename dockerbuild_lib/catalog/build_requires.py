"""A recipe's own word on build requirements: a distribution, and which version of it, or that it is built here."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Annotated

from pydantic import AfterValidator

from dockerbuild_lib.catalog.base import DistributionName

if TYPE_CHECKING:
    from packaging.requirements import Requirement

HERE = "here"
"""Built by this catalogue, for the build machine."""
ANY = "any"
"""Whatever version fits the others."""
_ADVICE = f"write {HERE!r}, {ANY!r}, or versions in quotes such as '>=3,<4'"


def requirement_text(distribution: str, tail: str) -> str:
    """Return the requirement (PEP 508) that a recipe means by *distribution*: *tail*."""
    return distribution if tail in (HERE, ANY) else f"{distribution} {tail}"


def merged(asked: Iterable[str], own: Mapping[str, str]) -> tuple[str, ...]:
    """Return what a build needs from the package index: what is *asked*, but the recipe's *own* word where it has one.

    *asked* are requirements (PEP 508), *own* is distribution -> what follows it.
    """
    kept = [str(requirement) for requirement, name in map(_named, asked) if name not in own]
    return (*kept, *own_requirements(own))


def own_requirements(own: Mapping[str, str]) -> tuple[str, ...]:
    """Return what a recipe's *own* word asks of the package index."""
    return tuple(requirement_text(name, tail) for name, tail in own.items() if tail != HERE)


def _named(text: str) -> tuple[Requirement, str]:
    from packaging.requirements import Requirement  # noqa: PLC0415 - quick tasks do without it
    from packaging.utils import canonicalize_name  # noqa: PLC0415

    requirement = Requirement(text)
    return requirement, canonicalize_name(requirement.name)


def _requirement_tail(tail: str) -> str:
    from packaging.requirements import InvalidRequirement, Requirement  # noqa: PLC0415 - as above

    try:
        requirement = Requirement(requirement_text("x", tail))
    except InvalidRequirement:
        raise ValueError(f"{tail!r} says no versions (PEP 508); {_ADVICE}") from None
    if requirement.url:
        raise ValueError(f"{tail!r} is an address, which cannot be locked; {_ADVICE}")
    if not tail.strip():
        raise ValueError(f"an empty text stands here; {_ADVICE}")
    return tail


RequirementTail = Annotated[str, AfterValidator(_requirement_tail)]
"""``here``, ``any``, or what follows the name in a requirement (PEP 508): ``>=3,<4``."""
BuildRequires = dict[DistributionName, RequirementTail]
