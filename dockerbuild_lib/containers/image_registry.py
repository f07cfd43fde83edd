"""Images in a container registry, under their content keys; the engine carries them there and back.

Credentials and certificates are the engine's and its user's own: what ``docker login`` and
``/etc/docker/certs.d`` know.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import cast

from dockerbuild_lib.containers.engine import KEY_LABEL, Engine
from dockerbuild_lib.containers.errors import translated_engine_errors
from dockerbuild_lib.core.connections import CONNECTIONS
from dockerbuild_lib.core.errors import AccessRefusedError, DockerbuildError, ImageFailedError, NetworkError
from dockerbuild_lib.core.events import StepLog

_BUILD_MACHINE = "linux/amd64"
_ABSENT = ("manifest unknown", "name unknown", "not found")
_DENIED = ("unauthorized", "no basic auth credentials", "authentication required", "denied", "forbidden")


@dataclass(frozen=True)
class ImageRegistry:
    """The images of platforms in the registry at *address* (``HOST[:PORT][/PATH]``), one repository for each."""

    engine: Engine
    address: str

    def reference(self, platform: str, key: str) -> str:
        """Return what an image is called there: its tag is its whole content key."""
        return f"{self.address}/{platform}:{key}"

    def holds(self, platform: str, key: str) -> bool:
        """Ask whether the registry has the image.

        Raises:
            AccessRefusedError: it wants other credentials.
            NetworkError: it cannot be reached.

        """
        import docker.errors  # noqa: PLC0415 - the SDK takes 0.3 s to import

        CONNECTIONS.require(self.address, missing=f"the engine lacks the image of {platform}")
        client = self.engine.client
        try:
            client.api.inspect_distribution(self.reference(platform, key))  # type: ignore[no-untyped-call]
        except docker.errors.APIError as error:
            if any(sign in str(error).lower() for sign in _ABSENT):
                return False
            raise self._refusal(str(error.explanation or error)) from error
        return True

    def push(self, tag: str, platform: str, key: str, log: StepLog) -> str:
        """Upload the engine's image *tag* as the one with this key; return its reference in the registry.

        Raises:
            AccessRefusedError, NetworkError: as for `holds`.
            ImageFailedError: the registry refused it.

        """
        reference = self.reference(platform, key)
        CONNECTIONS.require(self.address)
        repository, _, version = reference.rpartition(":")
        api = self.engine.client.api
        with translated_engine_errors():
            api.tag(tag, repository, version)
        try:
            with translated_engine_errors():
                answers = api.push(repository, tag=version, stream=True, decode=True)
                self._follow(cast("Iterator[Mapping[str, str]]", answers), log)
        finally:
            with translated_engine_errors():
                api.remove_image(reference)  # the name only: the image has its own
        return reference

    def pull(self, tag: str, platform: str, key: str, log: StepLog) -> str:
        """Download the image with this key, and call it *tag*; return its reference in the registry.

        Raises:
            AccessRefusedError, NetworkError: as for `holds`.
            ImageFailedError: what the registry has under that name is another image.

        """
        import docker.errors  # noqa: PLC0415 - the SDK takes 0.3 s to import

        reference = self.reference(platform, key)
        CONNECTIONS.require(self.address)
        repository, _, version = reference.rpartition(":")
        api = self.engine.client.api
        try:
            answers = api.pull(repository, tag=version, stream=True, decode=True)
            self._follow(cast("Iterator[Mapping[str, str]]", answers), log)
        except docker.errors.APIError as error:
            raise self._refusal(str(error.explanation or error)) from error
        with translated_engine_errors():
            try:
                self._check(reference, key)
                local, _, local_version = tag.rpartition(":")
                api.tag(reference, local, local_version)
            finally:
                api.remove_image(reference)
        return reference

    def pull_digest(self, repository: str, digest: str, tag: str, log: StepLog) -> None:
        """Download an image of the build machine's kind by its digest, and call it *tag*.

        *repository* is as a whole in the registry, the address's own path included. The digest may be of a list of
        images for several machines.

        Raises:
            AccessRefusedError, NetworkError: as for `holds`.
            ImageFailedError: the registry does not have it.

        """
        import docker.errors  # noqa: PLC0415 - the SDK takes 0.3 s to import

        CONNECTIONS.require(self.address)
        name = f"{self.address.partition('/')[0]}/{repository}"
        reference, api = f"{name}@{digest}", self.engine.client.api
        try:
            answers = api.pull(name, tag=digest, platform=_BUILD_MACHINE, stream=True, decode=True)
            self._follow(cast("Iterator[Mapping[str, str]]", answers), log)
        except docker.errors.APIError as error:
            if any(sign in str(error).lower() for sign in _ABSENT):
                fix = "copy it there with mirror.sync --upload"
                raise ImageFailedError("the mirror does not have this image", where=reference, fix=fix) from error
            raise self._refusal(str(error.explanation or error)) from error
        local, _, version = tag.rpartition(":")
        with translated_engine_errors():
            api.tag(reference, local, version)  # by its digest: the engine has no other under that name
            api.remove_image(reference)  # the name only

    def _check(self, reference: str, key: str) -> None:
        labels = self.engine.client.images.get(reference).labels
        if labels.get(KEY_LABEL) != key:
            what = f"the image there is labelled with another content key ({labels.get(KEY_LABEL, 'none')})"
            fix = "remove it from the registry, then upload it again with image.generate --upload"
            raise ImageFailedError(what, where=reference, fix=fix)

    def _follow(self, answers: Iterator[Mapping[str, str]], log: StepLog) -> None:
        """Log what is done with each layer, and raise what went wrong: the SDK leaves errors in the stream."""
        for answer in answers:
            if "error" in answer:
                raise self._refusal(answer["error"])
            if "status" in answer and not answer.get("progressDetail") and not answer.get("progress"):
                log(f"{answer.get('id', '')} {answer['status']}".strip())

    def _refusal(self, said: str) -> DockerbuildError:
        lowered = said.lower()
        if any(sign in lowered for sign in _DENIED):
            host = self.address.partition("/")[0]
            fix = f"log in with an account that may (docker login {host})"
            return AccessRefusedError(f"the registry refuses these credentials: {said}", where=self.address, fix=fix)
        if "no space left" in lowered:
            return ImageFailedError(f"the registry or the engine has no space left: {said}", where=self.address)
        fix = "check that the registry runs and is reached, or leave `registry` out of invoke.yaml"
        return NetworkError(f"the registry does not answer as it should: {said}", where=self.address, fix=fix)
