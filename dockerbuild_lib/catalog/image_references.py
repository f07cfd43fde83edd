"""References to images in container registries, as ``docker pull`` takes them: ``[HOST[:PORT]/]PATH[:TAG]``.

The grammar is that of Docker's reference library, which the OCI distribution specification takes over; what names no
host is Docker Hub's, and one without a path of two parts is one of its official images.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Annotated

from pydantic import AfterValidator

HUB = "docker.io"
"""What Docker calls the registry of references that name none."""
DEFAULT_TAG = "latest"
_OFFICIAL = "library"
_MAX_NAME = 255
"""Characters of host and path together."""

_LABEL = r"[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?"
_HOST = re.compile(rf"(?:{_LABEL}(?:\.{_LABEL})*|\[[0-9A-Fa-f:]+\])(?::[0-9]{{1,5}})?")
_PART = r"[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*"
_PATH = re.compile(rf"{_PART}(?:/{_PART})*")
_TAG = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}")


@dataclass(frozen=True)
class ImageReference:
    """A tag of a repository of a registry (``HOST[:PORT]``)."""

    registry: str
    repository: str
    tag: str = DEFAULT_TAG

    @classmethod
    def parse(cls, text: str) -> ImageReference:
        """Read a reference.

        Raises:
            ValueError: it is none, or it has a digest: that is what ``mirror.lock`` is for.

        """
        if "@" in text:
            raise ValueError(f"{text!r} has a digest; name the tag, and mirror.lock pins its digest")
        registry, rest = _split(text)
        repository, colon, tag = rest.partition(":")
        reference = cls(registry, repository, tag if colon else DEFAULT_TAG)
        if not reference.is_valid:
            raise ValueError(f"{text!r} is no image; write one such as dockcross/linux-arm64-lts:latest")
        if registry == HUB and "/" not in repository:
            return cls(registry, f"{_OFFICIAL}/{repository}", reference.tag)
        return reference

    @property
    def is_valid(self) -> bool:
        """Whether each of its parts is what the grammar has there."""
        parts = ((_HOST, self.registry), (_PATH, self.repository), (_TAG, self.tag))
        fits = all(form.fullmatch(text) for form, text in parts)
        return fits and len(f"{self.registry}/{self.repository}") <= _MAX_NAME

    def __str__(self) -> str:
        """Return it as people write it, always with its tag."""
        official, _, name = self.repository.partition("/")
        path = name if official == _OFFICIAL and "/" not in name else self.repository
        is_plain = self.registry == HUB and _split(path) == (HUB, path)
        return f"{path if is_plain else f'{self.registry}/{self.repository}'}:{self.tag}"


def _split(text: str) -> tuple[str, str]:
    """Return the registry and the rest; what stands before the first slash is a host when it can be no folder."""
    first, slash, rest = text.partition("/")
    if slash and ("." in first or ":" in first or first == "localhost" or first != first.lower()):
        return (HUB if first == f"index.{HUB}" else first), rest
    return HUB, text


def _checked(text: str) -> str:
    ImageReference.parse(text)
    return text


ImageReferenceText = Annotated[str, AfterValidator(_checked)]
