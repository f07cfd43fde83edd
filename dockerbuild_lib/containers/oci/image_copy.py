"""An image from one registry to another, whole: every platform's manifest, and every layer that is not there yet."""

from __future__ import annotations

import threading
from collections import defaultdict
from collections.abc import Callable, Collection
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import TypeVar

from dockerbuild_lib.containers.oci.blob_copy import copy_blob
from dockerbuild_lib.containers.oci.manifests import Descriptor, Manifest
from dockerbuild_lib.containers.oci.repository import Repository
from dockerbuild_lib.core.connections import CONNECTIONS
from dockerbuild_lib.core.errors import ImageFailedError
from dockerbuild_lib.core.events import ProgressLog

AT_A_TIME = 6
"""Layers of one image."""
MAX_MANIFESTS = 500
"""Of one image; a list of lists that has no end would have more."""

_Item = TypeVar("_Item")
_Result = TypeVar("_Result")


class SharedBlobs:
    """Which repository of a registry has which blob, as far as this process knows: one copy serves them all."""

    def __init__(self) -> None:
        self._holders: dict[str, str] = {}
        self._locks: defaultdict[str, threading.Lock] = defaultdict(threading.Lock)
        self._guard = threading.Lock()

    def being_copied(self, digest: str) -> threading.Lock:
        """Return what whoever copies that blob holds meanwhile."""
        with self._guard:
            return self._locks[digest]

    def note(self, digest: str, repository: Repository) -> None:
        """Take note that a repository has a blob."""
        self._holders.setdefault(digest, repository.name)

    def holder(self, digest: str) -> str | None:
        """Return the name of a repository that has it."""
        return self._holders.get(digest)


@dataclass(frozen=True)
class Survey:
    """What an image consists of, and which of its blobs the target lacks; manifests stand before what names them."""

    manifests: tuple[Manifest, ...]
    blobs: tuple[Descriptor, ...]
    missing: tuple[Descriptor, ...]
    tag: str
    """What the image is to be called there, too: registries take what has no tag for garbage."""
    is_complete: bool
    """Whether the target has all of it, under that tag."""

    @property
    def missing_bytes(self) -> int:
        """What must be copied."""
        return sum(blob.size for blob in self.missing)


@dataclass(frozen=True)
class ImageCopy:
    """Copies images from *source* to *target*."""

    source: Repository
    target: Repository
    shared: SharedBlobs = field(default_factory=SharedBlobs)

    def survey(self, digest: str, tag: str) -> Survey:
        """Look what copying an image would take, that is to be called *tag* there; nothing is changed.

        Raises:
            HashMismatchError, ImageFailedError: a manifest is not what its digest says, or none.
            DockerbuildError: what `RegistryConnection.request` raises, of either registry.

        """
        manifests = self._manifests(digest)
        blobs = tuple({blob.digest: blob for manifest in manifests for blob in manifest.blobs}.values())
        there = dict(zip(blobs, _at_a_time(lambda blob: self.target.has_blob(blob.digest), blobs), strict=True))
        for blob in blobs:
            if there[blob]:
                self.shared.note(blob.digest, self.target)
        missing = tuple(blob for blob in blobs if not there[blob])
        is_complete = not missing and self.target.digest_of(tag) == digest
        return Survey(manifests, blobs, missing, tag, is_complete)

    def _manifests(self, digest: str) -> tuple[Manifest, ...]:
        """Return all manifests that an image consists of, each once, those that are named before what names them."""
        found: dict[str, Manifest] = {}
        seen: set[str] = set()

        def visit(digest: str) -> None:
            if digest in seen:
                return
            if len(seen) == MAX_MANIFESTS:
                raise ImageFailedError(f"the image has more than {MAX_MANIFESTS} manifests", where=str(self.source))
            seen.add(digest)
            manifest = self._manifest(digest)
            for inner in manifest.manifests:
                visit(inner.digest)
            found[digest] = manifest

        visit(digest)
        return tuple(found.values())

    def _manifest(self, digest: str) -> Manifest:
        there = self.target.has_manifest(digest)
        return (self.target if there else self.source).manifest(digest)

    def copy(self, survey: Survey, log: ProgressLog) -> None:
        """Copy what is missing. The image's own manifest goes last: a registry that has it has the whole image.

        Raises:
            HashMismatchError: the source has other bytes than its manifests say; the target keeps none of them.
            DockerbuildError: what `RegistryConnection.request` raises, of either registry.

        """
        counter = _Counter(survey.missing_bytes, log)
        _at_a_time(lambda blob: self._bring(blob, counter, log), survey.missing)
        for manifest in survey.manifests:
            CONNECTIONS.require(str(self.target))
            self.target.put_manifest(manifest, manifest.digest)
        self.target.put_manifest(survey.manifests[-1], survey.tag)

    def _bring(self, blob: Descriptor, counter: _Counter, log: ProgressLog) -> None:
        with self.shared.being_copied(blob.digest):
            how = self._brought(blob, counter)
            self.shared.note(blob.digest, self.target)
        log(f"{blob.digest} {how}")

    def _brought(self, blob: Descriptor, counter: _Counter) -> str:
        holder = self._other_holder(blob)
        if holder is not None and self.target.mount_blob(blob.digest, holder):
            counter.advance(blob.size)
            return f"taken over from {holder}"
        copy_blob(self.source, self.target, blob, counter.advance)
        return f"copied, {blob.size} bytes"

    def _other_holder(self, blob: Descriptor) -> str | None:
        """Return a repository of the target's registry that has the blob."""
        if self.source.connection.registry == self.target.connection.registry:
            return self.source.name
        holder = self.shared.holder(blob.digest)
        return holder if holder != self.target.name else None


class _Counter:
    """Adds up what threads have done."""

    def __init__(self, total: int, log: ProgressLog) -> None:
        self._total = total
        self._log = log
        self._done = 0
        self._lock = threading.Lock()

    def advance(self, size: int) -> None:
        """Take note of so many bytes."""
        with self._lock:
            self._done += size
            self._log.progress(self._done, self._total)


def _at_a_time(work: Callable[[_Item], _Result], items: Collection[_Item]) -> list[_Result]:
    """Return the result for each item; after the first error nothing more is begun."""
    with ThreadPoolExecutor(AT_A_TIME, "layer") as pool:
        try:
            return list(pool.map(work, items))
        except BaseException:
            pool.shutdown(wait=True, cancel_futures=True)
            raise
