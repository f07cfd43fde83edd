"""A client of the store's server that speaks pRPC, and may do what the real one never does."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import requests

from dockerbuild_lib.store.names import instance_id_of_file
from dockerbuild_lib.store.serve import messages as m
from dockerbuild_lib.store.serve.objects import object_of
from dockerbuild_lib.store.serve.wire import Message, decode, encode

SECONDS = 60
Answer = TypeVar("Answer", bound=Message)


@dataclass(frozen=True)
class StoreClient:
    """Calls the server at *url*, with a token or without."""

    url: str
    token: str | None = None

    def call(self, name: str, body: bytes, **headers: str) -> requests.Response:
        """Make one call, such as ``Repository.ListPrefix``, with that body, and return what came of it."""
        sent = {"Content-Type": "application/prpc; encoding=binary", "Accept": "application/prpc; encoding=binary"}
        if self.token:
            sent["Authorization"] = f"Bearer {self.token}"
        address = f"{self.url}/prpc/cipd.{name.replace('.', '/')}"
        return requests.post(address, body, headers={**sent, **headers}, timeout=SECONDS)

    def ask(self, name: str, request: Message, kind: type[Answer]) -> Answer:
        """Make a call that must succeed, and return its answer."""
        response = self.call(name, encode(request))
        assert response.headers["X-Prpc-Grpc-Code"] == "0", response.text
        assert response.headers["Content-Type"] == "application/prpc; encoding=binary"
        return decode(kind, response.content)

    def roles(self, prefix: str) -> list[int]:
        answer = self.ask("Repository.GetRolesInPrefix", m.PrefixRequest(prefix), m.RolesInPrefixResponse)
        return [each.role for each in answer.roles]

    def register(self, package: str, instance_id: str) -> m.RegisterInstanceResponse:
        return self.ask(
            "Repository.RegisterInstance", m.Instance(package, object_of(instance_id)), m.RegisterInstanceResponse
        )

    def begin(self, package: str, file: Path) -> m.UploadOperation:
        """Begin to upload a file that the server does not have."""
        begun = self.register(package, instance_id_of_file(file)).upload_op
        assert begun is not None
        return begun

    def finish(self, operation: str) -> m.UploadOperation:
        return self.ask("Storage.FinishUpload", m.FinishUploadRequest(operation), m.UploadOperation)


def put(upload: m.UploadOperation, content: bytes, content_range: str) -> requests.Response:
    """Send bytes to an upload."""
    headers = {"Content-Range": f"bytes {content_range}"}
    return requests.put(upload.upload_url, content, headers=headers, timeout=SECONDS, allow_redirects=False)
