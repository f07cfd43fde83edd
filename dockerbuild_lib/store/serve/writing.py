"""The calls of ``cipd.Repository`` and ``cipd.Storage`` that write."""

from __future__ import annotations

import threading
from collections.abc import Callable

from dockerbuild_lib.core.errors import NotInStoreError, StoreDamagedError
from dockerbuild_lib.store import protocol
from dockerbuild_lib.store.protocol import Pin, Store
from dockerbuild_lib.store.serve import messages
from dockerbuild_lib.store.serve.messages import (
    AttachMetadataRequest,
    AttachTagsRequest,
    Empty,
    FinishUploadRequest,
    RegisterInstanceResponse,
    RegistrationStatus,
    UploadOperation,
    UploadStatus,
)
from dockerbuild_lib.store.serve.objects import instance_of, object_of, pin_of
from dockerbuild_lib.store.serve.reading import Call
from dockerbuild_lib.store.serve.status import Code, RpcError
from dockerbuild_lib.store.serve.uploads import Uploads


class Writing:
    """Takes uploads, tags, refs and metadata into a store; *say* tells the server's operator of each."""

    def __init__(self, store: Store, uploads: Uploads, say: Callable[[str], None]) -> None:
        self._store = store
        self._uploads = uploads
        self._say = say
        self._registering = threading.Lock()

    def register_instance(self, request: messages.Instance, call: Call) -> RegisterInstanceResponse:
        """Register what was uploaded, or say where to upload it."""
        if request.attestations:
            raise RpcError(Code.UNIMPLEMENTED, "this server keeps no attestations")
        pin = pin_of(request.package, request.instance)
        with self._registering:
            if file := self._uploads.whole(pin.instance_id):
                is_new = self._store.register(pin.package, file).is_new
                self._uploads.forget(pin.instance_id)
                self._say(f"{'registered' if is_new else 'healed'} {pin}")
                status = RegistrationStatus.REGISTERED if is_new else RegistrationStatus.ALREADY_REGISTERED
                return self._registered(pin, status)
            if self._has_file(pin):
                return self._registered(pin, RegistrationStatus.ALREADY_REGISTERED)
        return self._upload(pin, call)

    def _has_file(self, pin: Pin) -> bool:
        """Tell whether the instance is there, file and all; one whose file is lost may be uploaded again."""
        try:
            with self._store.opened(pin):
                return True
        except (NotInStoreError, StoreDamagedError):
            return False

    def _registered(self, pin: Pin, status: RegistrationStatus) -> RegisterInstanceResponse:
        return RegisterInstanceResponse(
            status, instance=instance_of(self._store.describe(pin.package, pin.instance_id).instance)
        )

    def _upload(self, pin: Pin, call: Call) -> RegisterInstanceResponse:
        operation = self._uploads.begin(pin.instance_id)
        url = f"{call.base_url}/upload/{operation}"
        begun = UploadOperation(operation, url, UploadStatus.UPLOADING, object_of(pin.instance_id))
        return RegisterInstanceResponse(RegistrationStatus.NOT_UPLOADED, upload_op=begun)

    def finish_upload(self, request: FinishUploadRequest, _call: Call) -> UploadOperation:
        """Check an upload at once: the caller need not ask again."""
        if request.force_hash is not None:
            raise RpcError(Code.PERMISSION_DENIED, "the hash of an upload is never taken on trust")
        finished = self._uploads.finish(request.upload_operation_id)
        status = UploadStatus.ERRORED if finished.problem else UploadStatus.PUBLISHED
        return UploadOperation(
            operation_id=request.upload_operation_id,
            status=status,
            object=object_of(finished.instance_id),
            error_message=finished.problem or "",
        )

    def create_ref(self, request: messages.Ref, _call: Call) -> Empty:
        """Make or move a ref."""
        pin = pin_of(request.package, request.instance)
        self._store.set_refs(pin, [request.name])
        self._say(f"ref {request.name} -> {pin}")
        return Empty()

    def attach_tags(self, request: AttachTagsRequest, _call: Call) -> Empty:
        """Attach tags to an instance."""
        pin = pin_of(request.package, request.instance)
        tags = [f"{tag.key}:{tag.value}" for tag in request.tags]
        self._store.attach_tags(pin, tags)
        self._say(f"tagged {pin}: {', '.join(tags)}")
        return Empty()

    def attach_metadata(self, request: AttachMetadataRequest, _call: Call) -> Empty:
        """Attach metadata to an instance."""
        pin = pin_of(request.package, request.instance)
        given = [protocol.Metadata(each.key, each.value, each.content_type) for each in request.metadata]
        self._store.attach_metadata(pin, given)
        self._say(f"metadata of {pin}: {', '.join(each.key for each in given)}")
        return Empty()
