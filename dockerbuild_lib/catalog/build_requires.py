"""A recipe's own word on build requirements: a distribution, and which version of it, or that it is built here."""

from __future__ import annotations

from typing import Annotated

from pydantic import AfterValidator

from dockerbuild_lib.catalog.base import DistributionName

HERE = "here"
"""Built by this catalogue, for the build machine."""
ANY = "any"
"""Whatever version fits the others."""
_ADVICE = f"write {HERE!r}, {ANY!r}, or versions in quotes such as '>=3,<4'"


def requirement_text(distribution: str, tail: str) -> str:
    """Return the requirement (PEP 508) that a recipe means by *distribution*: *tail*."""
    return distribution if tail in (HERE, ANY) else f"{distribution} {tail}"


def _requirement_tail(tail: str) -> str:
    # Imported here: quick tasks do without it.
    from packaging.requirements import InvalidRequirement, Requirement  # noqa: PLC0415

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
