"""The messages of CIPD's services ``cipd.Repository`` and ``cipd.Storage``, as far as its client uses them.

The field numbers are those of ``cipd/api/cipd/v1/repo.proto`` and ``cas.proto`` in luci-go.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from typing import Annotated


class HashAlgo(IntEnum):
    """How an instance's digest was made."""

    SHA1 = 1
    SHA256 = 2


class RegistrationStatus(IntEnum):
    """What became of a registration."""

    REGISTERED = 1
    ALREADY_REGISTERED = 2
    NOT_UPLOADED = 3


class UploadStatus(IntEnum):
    """Where an upload stands."""

    UPLOADING = 1
    PUBLISHED = 3
    ERRORED = 4


class Role(IntEnum):
    """What a caller may do below a prefix."""

    READER = 1
    WRITER = 2


@dataclass(frozen=True)
class Empty:
    """Nothing."""


@dataclass(frozen=True)
class Timestamp:
    """A time since 1970, UTC."""

    seconds: Annotated[int, 1] = 0
    nanos: Annotated[int, 2] = 0


@dataclass(frozen=True)
class ObjectRef:
    """A package file by the hash of its bytes."""

    hash_algo: Annotated[int, 1] = 0
    hex_digest: Annotated[str, 2] = ""


@dataclass(frozen=True)
class Instance:
    """An instance of a package."""

    package: Annotated[str, 1] = ""
    instance: Annotated[ObjectRef | None, 2] = None
    registered_by: Annotated[str, 3] = ""
    registered_ts: Annotated[Timestamp | None, 4] = None
    attestations: Annotated[str, 5] = ""


@dataclass(frozen=True)
class ResolveVersionRequest:
    """Of ``ResolveVersion``, which answers with an Instance."""

    package: Annotated[str, 1] = ""
    version: Annotated[str, 2] = ""


@dataclass(frozen=True)
class GetInstanceURLRequest:
    """Of ``GetInstanceURL``."""

    package: Annotated[str, 1] = ""
    instance: Annotated[ObjectRef | None, 2] = None


@dataclass(frozen=True)
class ObjectURL:
    """Where to fetch a package file, without credentials."""

    signed_url: Annotated[str, 1] = ""


@dataclass(frozen=True)
class Ref:
    """A ref; also the request of ``CreateRef``, which answers with Empty."""

    name: Annotated[str, 1] = ""
    package: Annotated[str, 2] = ""
    instance: Annotated[ObjectRef | None, 3] = None
    modified_by: Annotated[str, 4] = ""
    modified_ts: Annotated[Timestamp | None, 5] = None


@dataclass(frozen=True)
class Tag:
    """A tag of an instance."""

    key: Annotated[str, 1] = ""
    value: Annotated[str, 2] = ""
    attached_by: Annotated[str, 3] = ""
    attached_ts: Annotated[Timestamp | None, 4] = None


@dataclass(frozen=True)
class AttachTagsRequest:
    """Of ``AttachTags``, which answers with Empty."""

    package: Annotated[str, 1] = ""
    instance: Annotated[ObjectRef | None, 2] = None
    tags: Annotated[tuple[Tag, ...], 3] = ()


@dataclass(frozen=True)
class InstanceMetadata:
    """Metadata of an instance."""

    key: Annotated[str, 1] = ""
    value: Annotated[bytes, 2] = b""
    content_type: Annotated[str, 3] = ""
    fingerprint: Annotated[str, 4] = ""
    attached_by: Annotated[str, 5] = ""
    attached_ts: Annotated[Timestamp | None, 6] = None


@dataclass(frozen=True)
class AttachMetadataRequest:
    """Of ``AttachMetadata``, which answers with Empty."""

    package: Annotated[str, 1] = ""
    instance: Annotated[ObjectRef | None, 2] = None
    metadata: Annotated[tuple[InstanceMetadata, ...], 3] = ()


@dataclass(frozen=True)
class DescribeInstanceRequest:
    """Of ``DescribeInstance``."""

    package: Annotated[str, 1] = ""
    instance: Annotated[ObjectRef | None, 2] = None
    describe_refs: Annotated[bool, 3] = False
    describe_tags: Annotated[bool, 4] = False
    describe_metadata: Annotated[bool, 6] = False


@dataclass(frozen=True)
class DescribeInstanceResponse:
    """What was asked for of an instance."""

    instance: Annotated[Instance | None, 1] = None
    refs: Annotated[tuple[Ref, ...], 2] = ()
    tags: Annotated[tuple[Tag, ...], 3] = ()
    metadata: Annotated[tuple[InstanceMetadata, ...], 5] = ()


@dataclass(frozen=True)
class ListInstancesRequest:
    """Of ``ListInstances``."""

    package: Annotated[str, 1] = ""
    page_size: Annotated[int, 20] = 0
    page_token: Annotated[str, 21] = ""


@dataclass(frozen=True)
class SearchInstancesRequest:
    """Of ``SearchInstances``."""

    package: Annotated[str, 1] = ""
    tags: Annotated[tuple[Tag, ...], 2] = ()
    page_size: Annotated[int, 20] = 0
    page_token: Annotated[str, 21] = ""


@dataclass(frozen=True)
class InstancesPage:
    """A page of instances: the answer of ``ListInstances`` and of ``SearchInstances``."""

    instances: Annotated[tuple[Instance, ...], 1] = ()
    next_page_token: Annotated[str, 20] = ""


@dataclass(frozen=True)
class ListRefsRequest:
    """Of ``ListRefs``."""

    package: Annotated[str, 1] = ""


@dataclass(frozen=True)
class ListRefsResponse:
    """The refs of a package."""

    refs: Annotated[tuple[Ref, ...], 1] = ()


@dataclass(frozen=True)
class ListPrefixRequest:
    """Of ``ListPrefix``."""

    prefix: Annotated[str, 1] = ""
    recursive: Annotated[bool, 2] = False


@dataclass(frozen=True)
class ListPrefixResponse:
    """What is below a prefix."""

    packages: Annotated[tuple[str, ...], 1] = ()
    prefixes: Annotated[tuple[str, ...], 2] = ()


@dataclass(frozen=True)
class PrefixRequest:
    """Of ``GetRolesInPrefix``."""

    prefix: Annotated[str, 1] = ""


@dataclass(frozen=True)
class RoleInPrefix:
    """A role that the caller has."""

    role: Annotated[int, 1] = 0


@dataclass(frozen=True)
class RolesInPrefixResponse:
    """All roles that the caller has."""

    roles: Annotated[tuple[RoleInPrefix, ...], 1] = ()


@dataclass(frozen=True)
class UploadOperation:
    """An upload, begun or finished."""

    operation_id: Annotated[str, 1] = ""
    upload_url: Annotated[str, 2] = ""
    status: Annotated[int, 3] = 0
    object: Annotated[ObjectRef | None, 4] = None
    error_message: Annotated[str, 5] = ""


@dataclass(frozen=True)
class RegisterInstanceResponse:
    """What became of ``RegisterInstance``, whose request is an Instance."""

    status: Annotated[int, 1] = 0
    instance: Annotated[Instance | None, 2] = None
    upload_op: Annotated[UploadOperation | None, 3] = None


@dataclass(frozen=True)
class FinishUploadRequest:
    """Of ``Storage.FinishUpload``, which answers with an UploadOperation."""

    upload_operation_id: Annotated[str, 1] = ""
    force_hash: Annotated[ObjectRef | None, 2] = None
