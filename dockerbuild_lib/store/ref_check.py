"""Refs that do not point where the versions of their package say, in any store."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from dockerbuild_lib.plan.naming import WHEELS
from dockerbuild_lib.plan.refs import is_computed_ref, refs_of
from dockerbuild_lib.store.names import version_of
from dockerbuild_lib.store.protocol import Store, TagQuery

WITH_REFS = WHEELS
"""The prefix of the packages that have computed refs; those of others are nobody's business here."""


@dataclass(frozen=True, order=True)
class WrongRef:
    """A computed ref (``latest``, ``3.x``) that is missing, points elsewhere, or should not be there."""

    package: str
    ref: str
    actual: str | None
    """The instance that it points to; None: it is missing."""
    expected: str | None
    """The instance that it should point to; None: it has no version to point to."""
    version: str | None
    """The version of the expected instance."""

    def __str__(self) -> str:
        """Say what is wrong, for people."""
        now = f"points to {self.actual}" if self.actual else "is missing"
        wanted = f"its versions say {self.expected} ({self.version})" if self.expected else "no version belongs to it"
        return f"{self.package}: {self.ref} {now}; {wanted}"


def wrong_refs(store: Store, prefix: str = WITH_REFS) -> tuple[WrongRef, ...]:
    """Return the refs of the packages below *prefix* that are not where the published versions say."""
    suspects = [package for package in store.packages(prefix) if _wrong_refs_of(store, package)]
    # A package that was just published in the middle of the look at it is right at the second one.
    return tuple(wrong for package in suspects for wrong in _wrong_refs_of(store, package))


def _wrong_refs_of(store: Store, package: str) -> list[WrongRef]:
    owners = _owners(store, package)
    expected = refs_of(owners)
    actual = {ref.ref: ref.instance_id for ref in store.refs(package) if is_computed_ref(ref.ref)}
    wrong = []
    for ref in sorted({*expected, *actual}):
        version = expected.get(ref)
        wanted = owners[version] if version else None
        if actual.get(ref) != wanted:
            wrong.append(WrongRef(package, ref, actual.get(ref), wanted, version))
    return wrong


def _owners(store: Store, package: str) -> Mapping[str, str]:
    """Return version -> the instance that got it first."""
    tags = store.tags_of([instance.pin for instance in store.instances(package)])
    versions = {tag for each in tags.values() for tag in each if version_of(tag) is not None}
    carriers = store.pins_by_tags([TagQuery(package, tag) for tag in sorted(versions)])
    return {str(version_of(query.tag)): pins[0].instance_id for query, pins in carriers.items()}
