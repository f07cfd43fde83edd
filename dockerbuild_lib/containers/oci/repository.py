"""One repository of a registry: its manifests and blobs, as the OCI Distribution Specification names what is asked."""

from __future__ import annotations

from collections.abc import Generator, Iterable
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any
from urllib.parse import urljoin

from dockerbuild_lib.containers.oci.connection import RegistryConnection
from dockerbuild_lib.containers.oci.manifests import IMAGES, INDEXES, MAX_MANIFEST, Manifest, is_digest, parse_manifest
from dockerbuild_lib.containers.oci.manifests import digest_of as digest_of_bytes
from dockerbuild_lib.core.errors import ImageFailedError
from dockerbuild_lib.core.http import RefusedError, translated, without_query
from dockerbuild_lib.core.retries import DEFAULT_POLICY, RetryPolicy, retried

if TYPE_CHECKING:
    import requests

READ_SIZE = 1 << 20
_ACCEPTED = ", ".join((*INDEXES, *IMAGES))
"""All of them: what is not named here some registries convert, and then its digest is another."""
_OK, _CREATED, _ACCEPTED_STATUS, _NO_CONTENT, _PARTIAL, _NOT_FOUND = 200, 201, 202, 204, 206, 404
_NO_BODY = {"Content-Length": "0"}


@dataclass(frozen=True)
class Upload:
    """A blob that is being sent: the address where the registry wants its bytes."""

    location: str


@dataclass(frozen=True)
class Repository:
    """The repository *name* of a registry. What may succeed when it is tried again is, unless a method says otherwise.

    Every method raises what `RegistryConnection.request` does.
    """

    connection: RegistryConnection
    name: str
    retries: RetryPolicy = DEFAULT_POLICY

    def __str__(self) -> str:
        """Return it as in references."""
        return f"{self.connection.registry}/{self.name}"

    def digest_of(self, tag: str) -> str | None:
        """Return the digest of what a tag names today; None: there is no such tag."""
        with self._head(f"manifests/{tag}") as answer:
            if answer.status_code == _NOT_FOUND:
                return None
            told = answer.headers.get("Docker-Content-Digest", "")
        return told if is_digest(told) else digest_of_bytes(self._content(tag)[0])

    def has_manifest(self, reference: str) -> bool:
        """Tell whether there is a manifest with this digest or tag."""
        with self._head(f"manifests/{reference}") as answer:
            return answer.status_code == _OK

    def manifest(self, digest: str) -> Manifest:
        """Return the manifest with this digest.

        Raises:
            HashMismatchError: the registry has another under that name.
            ImageFailedError: it is none that this project knows.

        """
        content, media_type = self._content(digest)
        return parse_manifest(content, media_type, digest, f"{self}@{digest}")

    def _content(self, reference: str) -> tuple[bytes, str]:
        def read() -> tuple[bytes, str]:
            with self._get(f"manifests/{reference}", Accept=_ACCEPTED) as answer, translated(without_query(answer.url)):
                self._refuse_absent(answer, reference)
                content = answer.raw.read(MAX_MANIFEST + 1) or b""
                return content, answer.headers.get("Content-Type", "").partition(";")[0].strip()

        content, media_type = retried(read, self.retries)
        if len(content) > MAX_MANIFEST:
            raise ImageFailedError(f"the manifest is larger than {MAX_MANIFEST} bytes", where=f"{self}: {reference}")
        return content, media_type

    def _refuse_absent(self, answer: requests.Response, name: str) -> None:
        if answer.status_code == _NOT_FOUND:
            raise RefusedError(f"the registry has no {name}", where=str(self), status=_NOT_FOUND)

    def put_manifest(self, manifest: Manifest, reference: str) -> None:
        """Store a manifest under a tag, or its digest; all that it refers to must be there."""
        options: dict[str, Any] = {"data": manifest.content, "headers": {"Content-Type": manifest.media_type}}
        retried(lambda: self._push("PUT", f"manifests/{reference}", _CREATED, **options), self.retries)

    def has_blob(self, digest: str) -> bool:
        """Tell whether the repository has a blob."""
        with self._head(f"blobs/{digest}") as answer:
            return answer.status_code == _OK

    def read_blob(self, digest: str, offset: int) -> Generator[bytes]:
        """Yield a blob's bytes from *offset* on, as they come; nothing is tried again."""
        wanted = {"Range": f"bytes={offset}-"} if offset else {}
        with self._get(f"blobs/{digest}", **wanted) as answer, translated(without_query(answer.url)):
            self._refuse_absent(answer, digest)
            # A registry that knows no ranges sends everything.
            unwanted = offset if answer.status_code == _OK else 0
            while chunk := answer.raw.read(min(READ_SIZE, unwanted) if unwanted else READ_SIZE):
                if unwanted:
                    unwanted -= len(chunk)
                else:
                    yield chunk

    def mount_blob(self, digest: str, other: str) -> bool:
        """Take over a blob that the repository *other* of the same registry has; tell whether that was done."""
        scope = f"{self._scope('pull,push')} repository:{other}:pull"
        answer = retried(lambda: self._start(scope, mount=digest, **{"from": other}), self.retries)
        if answer.status_code == _ACCEPTED_STATUS:  # it began an upload instead
            self.cancel(self._upload(answer))
        return answer.status_code == _CREATED

    def begin_upload(self) -> Upload:
        """Begin to send a blob."""
        return self._upload(retried(lambda: self._start(self._scope("pull,push")), self.retries))

    def send(self, upload: Upload, body: Iterable[bytes]) -> Upload:
        """Send the bytes of a blob; *body* has a length. Nothing is tried again."""
        headers = {"Content-Type": "application/octet-stream"}
        answer = self._push("PATCH", upload.location, _ACCEPTED_STATUS, data=body, headers=headers)
        return self._upload(answer)

    def finish(self, upload: Upload, digest: str) -> None:
        """Let what was sent be the blob with this digest."""
        self._push("PUT", upload.location, _CREATED, params={"digest": digest}, headers=_NO_BODY)

    def cancel(self, upload: Upload) -> None:
        """Drop what was sent."""
        self._push("DELETE", upload.location, _NO_CONTENT, _NOT_FOUND)

    def _upload(self, answer: requests.Response) -> Upload:
        return Upload(urljoin(answer.url, answer.headers.get("Location", "")))

    def _start(self, scope: str, **parameters: str) -> requests.Response:
        expected = (_CREATED, _ACCEPTED_STATUS)
        return self._push("POST", "blobs/uploads/", *expected, scope=scope, params=parameters, headers=_NO_BODY)

    def _push(self, method: str, path: str, *expected: int, scope: str = "", **options: Any) -> requests.Response:  # noqa: ANN401 - requests' own
        """Send what changes the repository; return the answer, whose body nobody needs."""
        scope = scope or self._scope("pull,push")
        with self.connection.request(method, self._path(path), scope, expected=expected, **options) as answer:
            return answer

    def _get(self, path: str, *, method: str = "GET", **headers: str) -> requests.Response:
        """Ask for something; it may be absent (404)."""
        expected, sent = (_OK, _PARTIAL, _NOT_FOUND), {name.replace("_", "-"): text for name, text in headers.items()}
        return self.connection.request(method, self._path(path), self._scope("pull"), expected=expected, headers=sent)

    def _head(self, path: str) -> requests.Response:
        return retried(partial(self._get, path, method="HEAD", Accept=_ACCEPTED), self.retries)

    def _path(self, path: str) -> str:
        return path if "://" in path else f"/v2/{self.name}/{path}"

    def _scope(self, actions: str) -> str:
        return f"repository:{self.name}:{actions}"
