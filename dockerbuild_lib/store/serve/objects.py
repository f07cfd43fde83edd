"""Between the store's records and the messages of the wire."""

from __future__ import annotations

import base64
import re

from dockerbuild_lib.core.errors import UsageError
from dockerbuild_lib.store import protocol
from dockerbuild_lib.store.names import check_package, instance_id_of
from dockerbuild_lib.store.serve import messages
from dockerbuild_lib.store.serve.messages import HashAlgo, ObjectRef, Timestamp

_SHA256 = re.compile(r"[0-9a-f]{64}")


def pin_of(package: str, instance: ObjectRef | None) -> protocol.Pin:
    """Return the instance that a request speaks of; raises UsageError when it names none."""
    if instance is None or instance.hash_algo != HashAlgo.SHA256 or _SHA256.fullmatch(instance.hex_digest) is None:
        raise UsageError("the request names no instance", fix="instances are named by the SHA256 of their file")
    return protocol.Pin(check_package(package), instance_id_of(bytes.fromhex(instance.hex_digest)))


def object_of(instance_id: str) -> ObjectRef:
    """Return the reference to the file of an instance."""
    return ObjectRef(HashAlgo.SHA256, base64.urlsafe_b64decode(instance_id)[:-1].hex())  # the last byte names the hash


def instance_of(instance: protocol.Instance) -> messages.Instance:
    """Return the message that describes a registered instance."""
    return messages.Instance(
        package=instance.pin.package,
        instance=object_of(instance.pin.instance_id),
        registered_by=instance.registered_by,
        registered_ts=Timestamp(instance.registered_ts),
    )


def ref_of(package: str, ref: protocol.Ref) -> messages.Ref:
    """Return the message that describes a ref."""
    return messages.Ref(ref.ref, package, object_of(ref.instance_id), ref.modified_by, Timestamp(ref.modified_ts))


def tag_of(tag: protocol.Tag) -> messages.Tag:
    """Return the message that describes a tag."""
    key, _, value = tag.tag.partition(":")
    return messages.Tag(key, value, tag.registered_by, Timestamp(tag.registered_ts))


def metadata_of(attached: protocol.AttachedMetadata) -> messages.InstanceMetadata:
    """Return the message that describes metadata."""
    given = attached.metadata
    return messages.InstanceMetadata(
        given.key,
        given.value,
        given.content_type,
        attached.fingerprint,
        attached.attached_by,
        Timestamp(attached.attached_ts),
    )
