"""The build attributes of 32-bit ARM files: for which processors their code is (Addenda to the ABI, ARM IHI 0045).

The section is ``A``, then for each vendor a length, a name and sub-subsections; those with the tag 1 speak of the whole
file, as pairs of a tag and a value.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator

CPU_ARCH = 6
FP_ARCH = 10
_VENDOR = b"aeabi"
_WHOLE_FILE = 1
_STRINGS = (4, 5)  # CPU_raw_name, CPU_name
_COMPATIBILITY = 32  # a number, then a string; above it odd tags have strings
_LONGEST = 4096


def arm_attributes(section: bytes, *, little_endian: bool) -> dict[int, int]:
    """Return the numeric attributes of the whole file: tag -> value.

    Raises:
        ValueError: the section is damaged.

    """
    if not section.startswith(b"A") or len(section) > _LONGEST:
        raise ValueError("its ARM build attributes are damaged")
    length = struct.Struct("<I" if little_endian else ">I")
    found: dict[int, int] = {}
    for vendor in _blocks(section[1:], length, header=0):
        name, _, body = vendor.partition(b"\0")
        if name == _VENDOR:
            for block in _blocks(body, length, header=1):
                found |= dict(_pairs(block[1 + length.size :])) if block[0] == _WHOLE_FILE else {}
    return found


def _blocks(data: bytes, length: struct.Struct, *, header: int) -> Iterator[bytes]:
    """Yield blocks that begin with *header* bytes and the block's own length; without a header, what follows it."""
    while data:
        if len(data) < header + length.size:
            raise ValueError("its ARM build attributes are damaged")
        (size,) = length.unpack_from(data, header)
        if not header + length.size <= size <= len(data):
            raise ValueError("its ARM build attributes are damaged")
        yield data[0 if header else length.size : size]
        data = data[size:]


def _pairs(data: bytes) -> Iterator[tuple[int, int]]:
    while data:
        tag, data = _number(data)
        if tag in _STRINGS or (tag > _COMPATIBILITY and tag % 2):
            data = _after_string(data)
            continue
        value, data = _number(data)
        if tag == _COMPATIBILITY:
            data = _after_string(data)
        yield tag, value


def _number(data: bytes) -> tuple[int, bytes]:
    """Read a ULEB128 number; return it and what follows."""
    value = 0
    for index, byte in enumerate(data):
        value |= (byte & 0x7F) << (7 * index)
        if not byte & 0x80:
            return value, data[index + 1 :]
    raise ValueError("its ARM build attributes are damaged")


def _after_string(data: bytes) -> bytes:
    _, end, rest = data.partition(b"\0")
    if not end:
        raise ValueError("its ARM build attributes are damaged")
    return rest
