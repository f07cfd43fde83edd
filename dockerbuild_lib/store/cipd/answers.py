"""The JSON of the ``cipd`` client, as the store's records."""

from __future__ import annotations

import base64
from typing import TypeVar

from pydantic import BaseModel, Field, TypeAdapter, ValidationError

from dockerbuild_lib.core.errors import ServiceFailedError
from dockerbuild_lib.store import protocol

_Shape = TypeVar("_Shape")


class _Pin(BaseModel):
    package: str
    instance_id: str

    def record(self) -> protocol.Pin:
        return protocol.Pin(self.package, self.instance_id)


class _Ref(BaseModel):
    ref: str
    instance_id: str
    modified_by: str
    modified_ts: int


class _Tag(BaseModel):
    tag: str
    registered_by: str
    registered_ts: int


class _Metadata(BaseModel):
    fingerprint: str
    key: str
    value: str = ""
    """Base64."""
    content_type: str = ""
    attached_by: str
    attached_ts: int

    def record(self) -> protocol.AttachedMetadata:
        given = protocol.Metadata(self.key, base64.b64decode(self.value), self.content_type)
        return protocol.AttachedMetadata(given, self.fingerprint, self.attached_by, self.attached_ts)


class _Instance(BaseModel):
    pin: _Pin
    registered_by: str
    registered_ts: int
    refs: tuple[str, ...] = ()

    def record(self) -> protocol.Instance:
        return protocol.Instance(self.pin.record(), self.registered_by, self.registered_ts)


class _Instances(BaseModel):
    instances: tuple[_Instance, ...]


class _Description(BaseModel):
    pin: _Pin
    registered_by: str
    registered_ts: int
    refs: tuple[_Ref, ...] = ()
    tags: tuple[_Tag, ...] = ()
    metadata: tuple[_Metadata, ...] = ()


class _Visited(BaseModel):
    pin: _Pin


class _Resolved(BaseModel):
    visited: tuple[_Visited] = Field(alias="")


_RESOLVED = TypeAdapter(_Resolved)
_SEARCHED = TypeAdapter(tuple[_Pin, ...] | None)
_LISTED = TypeAdapter(tuple[str, ...] | None)
_INSTANCES = TypeAdapter(_Instances)
_DESCRIPTION = TypeAdapter(_Description)


def resolved(result: object) -> protocol.Pin:
    """Return the instance that ``resolve`` found."""
    return _parsed(_RESOLVED, result).visited[0].pin.record()


def searched(result: object) -> tuple[protocol.Pin, ...]:
    """Return the instances that ``search`` found."""
    return tuple(pin.record() for pin in _parsed(_SEARCHED, result) or ())


def listed(result: object) -> tuple[str, ...]:
    """Return the packages, and the prefixes with a slash at their end, that ``ls`` found."""
    return _parsed(_LISTED, result) or ()


def instances(result: object) -> tuple[tuple[protocol.Instance, tuple[str, ...]], ...]:
    """Return what ``instances`` found: each with the refs that point to it."""
    return tuple((each.record(), each.refs) for each in _parsed(_INSTANCES, result).instances)


def described(result: object) -> protocol.Description:
    """Return what ``describe`` found."""
    found = _parsed(_DESCRIPTION, result)
    return protocol.Description(
        protocol.Instance(found.pin.record(), found.registered_by, found.registered_ts),
        tuple(protocol.Ref(**ref.model_dump()) for ref in found.refs),
        tuple(protocol.Tag(**tag.model_dump()) for tag in found.tags),
        tuple(each.record() for each in found.metadata),
    )


def _parsed(shape: TypeAdapter[_Shape], result: object) -> _Shape:
    try:
        return shape.validate_python(result)
    except ValidationError as error:
        problem = error.errors()[0]
        place = ".".join(map(str, problem["loc"]))
        raise ServiceFailedError(f"the cipd client's answer is not understood: {place}: {problem['msg']}") from None
