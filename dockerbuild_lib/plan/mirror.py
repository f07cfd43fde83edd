"""The mirror: the images that bases start from, and where each is kept in one's own registry."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass

from dockerbuild_lib.catalog.catalog import Catalog
from dockerbuild_lib.catalog.image_references import ImageReference
from dockerbuild_lib.core.errors import LockError
from dockerbuild_lib.plan.steps import MirrorWork, Step

_FOLDER = "mirror"
_MOST_OF_TAG = 100
_DIGEST_DIGITS = 12


@dataclass(frozen=True)
class UpstreamBase:
    """An image that the bases of *platforms* start from; *digest* (``sha256:...``) is its pin, None: it has none."""

    reference: ImageReference
    platforms: tuple[str, ...]
    digest: str | None


def upstream_bases(catalog: Catalog, platforms: Collection[str]) -> tuple[UpstreamBase, ...]:
    """Return what the bases of these platforms start from, in any image of the catalogue, each once."""
    users: dict[ImageReference, list[str]] = {}
    for image in catalog.images.values():
        for platform, text in image.bases.items():
            if platform in platforms:
                users.setdefault(ImageReference.parse(text), []).append(platform)
    return tuple(
        UpstreamBase(reference, tuple(dict.fromkeys(used)), catalog.locks.bases.digests.get(str(reference)))
        for reference, used in users.items()
    )


def locked_base(catalog: Catalog, text: str) -> MirrorWork:
    """Return the image with that reference, as it is locked.

    Raises:
        LockError: it is not.

    """
    reference = ImageReference.parse(text)
    digest = catalog.locks.bases.digests.get(str(reference))
    if digest is None:
        raise LockError("the base image is not locked", where=str(reference), fix="run mirror.lock")
    return MirrorWork(reference, digest)


@dataclass(frozen=True)
class MirrorPlace:
    """Where an image is kept: a repository of a registry (``HOST[:PORT]``), and its tag there."""

    registry: str
    repository: str
    tag: str

    def __str__(self) -> str:
        """Return it as a reference."""
        return f"{self.registry}/{self.repository}:{self.tag}"


def mirror_place(address: str, reference: ImageReference, digest: str) -> MirrorPlace:
    """Return where the image with this digest is kept in the registry at *address* (``HOST[:PORT][/PATH]``).

    Its tag says the digest too, so that it never moves: what an older lock pins keeps its tag, and so stays.
    """
    registry, _, path = address.partition("/")
    repository = "/".join(filter(None, (path.rstrip("/"), _FOLDER, reference.repository)))
    digits = digest.partition(":")[2][:_DIGEST_DIGITS]
    return MirrorPlace(registry, repository, f"{reference.tag[:_MOST_OF_TAG]}-{digits}")


def mirror_steps(works: Iterable[MirrorWork]) -> tuple[Step, ...]:
    """Return the steps that copy these images, side by side."""
    names = [(f"mirror {work.reference}", work) for work in works]
    return tuple(Step(name, name, work.digest, (), 60, work) for name, work in names)


def mirror_works(bases: Collection[UpstreamBase]) -> tuple[MirrorWork, ...]:
    """Return what mirroring these images takes.

    Raises:
        LockError: some have no pin.

    """
    unlocked = [str(base.reference) for base in bases if base.digest is None]
    if unlocked:
        raise LockError(f"base images are not locked: {', '.join(unlocked)}", fix="run mirror.lock")
    return tuple(MirrorWork(base.reference, base.digest) for base in bases if base.digest)
