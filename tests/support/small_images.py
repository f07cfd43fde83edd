"""Small images that tests put into registries themselves, through nothing but HTTP."""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import random
import tarfile
from collections.abc import Sequence
from dataclasses import dataclass

import requests

from dockerbuild_lib.containers.oci.manifests import IMAGES, INDEXES
from tests.support.registries import PASSWORD, USER

_CONFIG = "application/vnd.oci.image.config.v1+json"
_LAYER = "application/vnd.oci.image.layer.v1.tar+gzip"


def digest_of(content: bytes) -> str:
    return f"sha256:{hashlib.sha256(content).hexdigest()}"


@dataclass(frozen=True)
class Uploader:
    """Puts things into one repository of the registry at *url*."""

    url: str
    repository: str
    ca: str | bool = True

    def _request(self, method: str, url: str, **options: object) -> requests.Response:
        answer = requests.request(method, url, auth=(USER, PASSWORD), verify=self.ca, timeout=60, **options)  # type: ignore[arg-type]
        assert answer.ok, answer.text
        return answer

    def blob(self, content: bytes) -> dict[str, object]:
        """Put a blob; return what a manifest says of it, its type left out."""
        begun = self._request("POST", f"{self.url}/v2/{self.repository}/blobs/uploads/")
        digest = digest_of(content)
        self._request("PUT", begun.headers["Location"], params={"digest": digest}, data=content)
        return {"digest": digest, "size": len(content)}

    def manifest(self, document: object, media_type: str, reference: str = "") -> dict[str, object]:
        """Put a manifest under a tag, or its digest; return what an index says of it."""
        content = json.dumps(document).encode()
        url = f"{self.url}/v2/{self.repository}/manifests/{reference or digest_of(content)}"
        self._request("PUT", url, data=content, headers={"Content-Type": media_type})
        return {"mediaType": media_type, "digest": digest_of(content), "size": len(content)}

    def image(self, layers: Sequence[bytes], tag: str = "", architecture: str = "amd64") -> dict[str, object]:
        """Put an image of these layers, each a tar; return what an index says of it."""
        config = {
            "architecture": architecture,
            "os": "linux",
            "config": {},
            "rootfs": {"type": "layers", "diff_ids": [digest_of(layer) for layer in layers]},
        }
        document = {
            "schemaVersion": 2,
            "mediaType": IMAGES[0],
            "config": {"mediaType": _CONFIG, **self.blob(json.dumps(config).encode())},
            "layers": [{"mediaType": _LAYER, **self.blob(gzip.compress(layer, 1, mtime=0))} for layer in layers],
        }
        return self.manifest(document, IMAGES[0], tag)

    def index(self, images: Sequence[dict[str, object]], tag: str) -> dict[str, object]:
        """Put a list of images; return what another would say of it."""
        return self.manifest({"schemaVersion": 2, "mediaType": INDEXES[0], "manifests": list(images)}, INDEXES[0], tag)


def layer(seed: int, size: int = 2000) -> bytes:
    """Return a tar with a file of *size* bytes that no compression makes smaller."""
    content = random.Random(seed).randbytes(size)  # noqa: S311 - no secret
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w") as tar:
        member = tarfile.TarInfo(f"file-{seed}")
        member.size = size
        tar.addfile(member, io.BytesIO(content))
    return stream.getvalue()
