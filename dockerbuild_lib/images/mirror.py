"""Upstream's images in one's own registry: copied there whole, by digest, with no engine."""

from __future__ import annotations

import os
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field

from dockerbuild_lib.catalog.image_references import ImageReference
from dockerbuild_lib.containers.oci.connection import RegistryConnection
from dockerbuild_lib.containers.oci.image_copy import ImageCopy, SharedBlobs, Survey
from dockerbuild_lib.containers.oci.repository import Repository
from dockerbuild_lib.core.errors import LockError
from dockerbuild_lib.core.events import ProgressLog
from dockerbuild_lib.core.http import RefusedError
from dockerbuild_lib.plan.mirror import MirrorPlace, mirror_place
from dockerbuild_lib.plan.steps import MirrorWork

_NOT_FOUND = 404


@dataclass(frozen=True)
class Mirror:
    """The mirror in the registry at *address* (``HOST[:PORT][/PATH]``). Threads may share it."""

    address: str
    environ: Mapping[str, str] = field(default_factory=lambda: os.environ)
    _shared: SharedBlobs = field(default_factory=SharedBlobs)
    _connections: dict[str, RegistryConnection] = field(default_factory=dict)
    _connecting: threading.Lock = field(default_factory=threading.Lock)

    def place(self, work: MirrorWork) -> MirrorPlace:
        """Return where an image is kept."""
        return mirror_place(self.address, work.reference, work.digest)

    def holds(self, work: MirrorWork) -> bool:
        """Tell whether the mirror has an image: it has one whole, or not at all."""
        return self._target(self.place(work)).has_manifest(work.digest)

    def digest_upstream(self, reference: ImageReference) -> str:
        """Return what upstream's tag is today.

        Raises:
            LockError: there is no such tag.
            DockerbuildError: what `RegistryConnection.request` raises.

        """
        digest = self._source(reference).digest_of(reference.tag)
        if digest is None:
            fix = "name one that there is in images.yaml"
            raise LockError("the registry has no such image", where=str(reference), fix=fix)
        return digest

    def survey(self, work: MirrorWork) -> Survey:
        """Look what mirroring an image would take.

        Raises:
            LockError: upstream no longer has what is locked.
            DockerbuildError: what `ImageCopy.survey` raises.

        """
        try:
            return self._copy(work).survey(work.digest, self.place(work).tag)
        except RefusedError as error:
            if error.status != _NOT_FOUND:
                raise
            raise self._gone(work) from error

    def bring(self, work: MirrorWork, log: ProgressLog) -> str:
        """Mirror an image; return what was done.

        Raises:
            LockError: upstream no longer has what is locked.
            DockerbuildError: what `ImageCopy.copy` raises.

        """
        survey = self.survey(work)
        if survey.is_complete:
            return "in the mirror already"
        try:
            self._copy(work).copy(survey, log)
        except RefusedError as error:
            if error.status != _NOT_FOUND:
                raise
            raise self._gone(work) from error
        return f"{len(survey.missing)} of {len(survey.blobs)} blobs, {survey.missing_bytes} bytes"

    def _gone(self, work: MirrorWork) -> LockError:
        fix = "mirror.sync --update takes what the tag is today"
        what = f"the registry no longer has what is locked ({work.digest}), or not all of it"
        return LockError(what, where=str(work.reference), fix=fix)

    def _copy(self, work: MirrorWork) -> ImageCopy:
        return ImageCopy(self._source(work.reference), self._target(self.place(work)), self._shared)

    def _source(self, reference: ImageReference) -> Repository:
        return Repository(self._connection(reference.registry), reference.repository)

    def _target(self, place: MirrorPlace) -> Repository:
        return Repository(self._connection(place.registry), place.repository)

    def _connection(self, registry: str) -> RegistryConnection:
        with self._connecting:
            return self._connections.setdefault(registry, RegistryConnection(registry, self.environ))
