"""Which ref points where: ``latest`` and the series ``3.x``, ``3.0.x``, computed from the versions of a package."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from packaging.version import Version

LATEST = "latest"
MAX_REF = 256
"""The longest ref that CIPD takes; a series whose name would be longer gets none."""

_SERIES = re.compile(r"[0-9]+(\.[0-9]+)*\.x")
_REVISED = re.compile(r"(?P<version>.+)\.(?P<label>[a-z]+)\.(?P<number>[0-9]{1,9})")


@dataclass(frozen=True, order=True)
class PublishedVersion:
    """The value of a ``version:`` tag, ordered as its users expect.

    After the PEP 440 version may come a revision, ``.dockerbuild.2``: the same version, made anew. The
    original writes such suffixes too, ``.chromium.4`` and ``.supported.2``.
    """

    version: Version
    revision: int = 0
    label: str = ""
    """The word before the revision's number; it only keeps the order total."""

    @property
    def is_prerelease(self) -> bool:
        """Tell whether it is an alpha, beta, release candidate or development version."""
        return self.version.is_prerelease


def parse_published_version(text: str) -> PublishedVersion | None:
    """Return the version in *text*, None when it is none: such versions can be asked for, but get no refs."""
    plain = _pep440(text)
    if plain is not None:
        return PublishedVersion(plain)
    match = _REVISED.fullmatch(text)
    revised = _pep440(match["version"]) if match else None
    if match is None or revised is None:
        return None
    return PublishedVersion(revised, int(match["number"]), match["label"])


def _pep440(text: str) -> Version | None:
    try:
        return Version(text)
    except ValueError:  # InvalidVersion is one; so is a number of thousands of digits
        return None


def refs_of(versions: Iterable[str]) -> Mapping[str, str]:
    """Return ref -> the version it points to, for the values of all ``version:`` tags of a package.

    Each ref takes the newest version of its series by PEP 440, and a pre-release only when the series has
    nothing else. A version of one component, ``306``, starts no series: 1.9 -> 1.x; 1.8.7 -> 1.x and 1.8.x.
    """
    texts = {parsed: text for text in sorted(versions) if (parsed := parse_published_version(text)) is not None}
    if not texts:
        return {}
    refs = {LATEST: texts[_newest(texts)]}
    for series in sorted({series for parsed in texts for series in _series_of(parsed.version)}):
        name = ".".join((*map(str, series), "x"))
        if len(name) <= MAX_REF:
            refs[name] = texts[_newest(parsed for parsed in texts if parsed.version.release[: len(series)] == series)]
    return refs


def is_computed_ref(ref: str) -> bool:
    """Tell whether *ref* is one of those that :func:`refs_of` gives, so that nobody else should set it."""
    return ref == LATEST or _SERIES.fullmatch(ref) is not None


def _series_of(version: Version) -> list[tuple[int, ...]]:
    return [version.release[:length] for length in range(1, len(version.release))]


def _newest(versions: Iterable[PublishedVersion]) -> PublishedVersion:
    """Return the newest final release, else the newest of all."""
    known = tuple(versions)
    return max((version for version in known if not version.is_prerelease), default=max(known))
