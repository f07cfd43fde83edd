"""Protocol buffers for dataclasses: a message is a frozen dataclass whose annotations bear the field numbers.

    @dataclass(frozen=True)
    class ObjectRef:
        hash_algo: Annotated[int, 1] = 0
        hex_digest: Annotated[str, 2] = ""

Fields are ``str``, ``bytes``, ``int`` (any varint: int32, int64, enums), ``bool``, another message or None, and tuples
of these. The encoding is the business of google's runtime, which gets its descriptors made from the dataclasses.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import fields, is_dataclass
from functools import cache
from types import NoneType
from typing import Any, ClassVar, Protocol, TypeVar, get_args, get_origin, get_type_hints

from google.protobuf.descriptor_pb2 import DescriptorProto, FieldDescriptorProto, FileDescriptorProto
from google.protobuf.descriptor_pool import DescriptorPool
from google.protobuf.message import DecodeError
from google.protobuf.message import Message as WireMessage
from google.protobuf.message_factory import GetMessageClass

from dockerbuild_lib.core.errors import UsageError


class Message(Protocol):
    """A dataclass whose fields all have numbers and defaults."""

    __dataclass_fields__: ClassVar[dict[str, Any]]


AnyMessage = TypeVar("AnyMessage", bound=Message)

_SCALARS = {
    str: FieldDescriptorProto.TYPE_STRING,
    bytes: FieldDescriptorProto.TYPE_BYTES,
    int: FieldDescriptorProto.TYPE_INT64,
    bool: FieldDescriptorProto.TYPE_BOOL,
}


def encode(message: Message) -> bytes:
    """Return *message* in the binary encoding."""
    return _to_wire(message).SerializeToString()


def decode(kind: type[AnyMessage], body: bytes) -> AnyMessage:
    """Return the message of that *kind* that *body* encodes; fields that it does not know are passed over.

    Raises:
        UsageError: *body* is no such message.

    """
    try:
        wire = _wire_class(kind).FromString(body)
    except DecodeError as error:
        raise UsageError(f"the request is no {kind.__name__}: {error}") from None
    return _from_wire(kind, wire)


@cache
def _field_types(kind: type[Message]) -> dict[str, tuple[int, type[Any], bool]]:
    """Return field -> its number, the type of one value, and whether it is repeated."""
    hints = get_type_hints(kind, include_extras=True)
    return {field.name: _field_type(hints[field.name]) for field in fields(kind)}


def _field_type(hint: Any) -> tuple[int, type[Any], bool]:  # noqa: ANN401  # a type as typing represents it
    inner, number = get_args(hint)
    repeated = get_origin(inner) is tuple
    alternatives = [each for each in get_args(inner) or (inner,) if each not in (NoneType, Ellipsis)]
    return number, alternatives[0], repeated


@cache
def _wire_class(kind: type[Message]) -> type[WireMessage]:
    """Return the runtime's class for *kind*: the messages that it is made of are nested in it."""
    file = FileDescriptorProto(name=f"{kind.__name__}.proto", package="wire", syntax="proto3")
    file.message_type.extend(_descriptor(each) for each in _with_parts(kind))
    pool = DescriptorPool()
    pool.Add(file)
    return GetMessageClass(pool.FindMessageTypeByName(f"wire.{kind.__name__}"))


def _with_parts(kind: type[Message]) -> Iterator[type[Message]]:
    """Yield *kind* and every message that its fields hold, each once."""
    waiting, seen = [kind], {kind}
    while waiting:
        yield (current := waiting.pop())
        parts = {part for _, part, _ in _field_types(current).values() if is_dataclass(part)} - seen
        seen |= parts
        waiting += parts


def _descriptor(kind: type[Message]) -> DescriptorProto:
    descriptor = DescriptorProto(name=kind.__name__)
    for name, (number, of, repeated) in _field_types(kind).items():
        field = descriptor.field.add(name=name, number=number)
        field.label = FieldDescriptorProto.LABEL_REPEATED if repeated else FieldDescriptorProto.LABEL_OPTIONAL
        if is_dataclass(of):
            field.type, field.type_name = FieldDescriptorProto.TYPE_MESSAGE, f".wire.{of.__name__}"
        else:
            field.type = _SCALARS[of]
    return descriptor


def _to_wire(message: Message) -> WireMessage:
    return _wire_class(type(message))(**_plain(message))


def _plain(message: Message) -> dict[str, Any]:
    """Return what the runtime takes for the fields of *message*; None is a message that is absent."""
    return {name: _plain_value(getattr(message, name)) for name in _field_types(type(message))}


def _plain_value(value: Any) -> Any:  # noqa: ANN401  # of any field
    if isinstance(value, tuple):
        return [_plain_value(each) for each in value]
    return _plain(value) if is_dataclass(type(value)) else value


def _from_wire(kind: type[AnyMessage], wire: WireMessage) -> AnyMessage:
    return kind(**{name: _value(wire, name, of, repeated) for name, (_, of, repeated) in _field_types(kind).items()})


def _value(wire: WireMessage, name: str, of: type[Any], repeated: bool) -> Any:  # noqa: ANN401, FBT001  # of any field
    value = getattr(wire, name)
    if repeated:
        return tuple(_from_wire(of, each) for each in value) if is_dataclass(of) else tuple(value)
    if not is_dataclass(of):
        return value
    return _from_wire(of, value) if wire.HasField(name) else None
