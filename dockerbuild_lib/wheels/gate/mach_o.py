"""What the gate wants to know of one Mach-O file: the load commands of each processor's code in it.

The structures are those of ``mach-o/loader.h``, ``mach-o/fat.h`` and ``mach-o/nlist.h``.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass

from dockerbuild_lib.catalog.mac_tags import MacRelease, same_release
from dockerbuild_lib.wheels.gate.binary import Bounded
from dockerbuild_lib.wheels.gate.elf import Budget

_THIN = {  # magic -> byte order, bytes of the header, layout of a symbol (nlist)
    b"\xcf\xfa\xed\xfe": ("<", 32, "<I2BHQ"),
    b"\xce\xfa\xed\xfe": ("<", 28, "<I2BHI"),
    b"\xfe\xed\xfa\xcf": (">", 32, ">I2BHQ"),
    b"\xfe\xed\xfa\xce": (">", 28, ">I2BHI"),
}
_FAT = {b"\xca\xfe\xba\xbe": ">5I", b"\xca\xfe\xba\xbf": ">2I2Q2I"}  # magic -> layout of an entry
MAGICS = frozenset((*_THIN, *_FAT))
_MAX_SLICES = 20
_MAX_COMMANDS = 4096
_MACHINES = {0x01000007: "x86_64", 0x0100000C: "arm64", 7: "i386", 18: "ppc", 0x01000012: "ppc64"}
_ARM64 = 0x0100000C
_ARM64E = 2  # CPU_SUBTYPE_ARM64E: code with pointer authentication, which other programs cannot load
_SUBTYPE = 0xFFFFFF  # the other bits are capabilities
_KINDS = {1: "MH_OBJECT", 2: "MH_EXECUTE", 6: "MH_DYLIB", 8: "MH_BUNDLE"}
_LIBRARY_COMMANDS = frozenset({0xC, 0x20, 0x80000018, 0x8000001F, 0x80000023})  # LC_[LAZY_|WEAK_|...]LOAD_DYLIB
_SYMTAB, _RPATH, _SIGNATURE, _MACOS_VERSION, _BUILD_VERSION = 0x2, 0x8000001C, 0x1D, 0x24, 0x32
_MACOS = 1  # PLATFORM_MACOS
_EXPORTED = 0x0F  # N_SECT | N_EXT: defined in the file, and for others to use
_INIT = b"_PyInit"


@dataclass(frozen=True)
class MachCode:
    """The code for one processor."""

    machine: str
    """``arm64``, ``x86_64``, or another."""
    kind: str
    """``MH_BUNDLE``, ``MH_DYLIB``, ``MH_EXECUTE``, or another."""
    macos: MacRelease | None
    """The oldest macOS that it says it runs on; None: it does not say, or is for another system."""
    signed: bool
    libraries: tuple[str, ...]
    rpath: tuple[str, ...]
    inits: frozenset[str]
    """The functions that start extension modules, which it exports: ``PyInit_fast``."""


def read_mach_o(content: bytes, budget: Budget) -> tuple[MachCode, ...]:
    """Return the code of every processor in the Mach-O file with that *content*.

    Raises:
        WheelRefusedError: it is damaged, or the *budget* is spent.

    """
    file = Bounded.whole(content, "Mach-O", budget)
    layout = _FAT.get(content[:4])
    slices = (file,) if layout is None else tuple(_slices(file, layout))
    found = tuple(_read_code(part) for part in slices)
    if len({code.machine for code in found}) != len(found):
        raise file.damaged("it has code of one processor twice")
    return found


def _slices(file: Bounded, layout: str) -> Iterator[Bounded]:
    (count,) = file.unpack(">I", 4)
    if not 0 < count <= _MAX_SLICES:
        raise file.damaged(f"it claims code of {count} processors")
    for index in range(count):
        cpu, _subtype, offset, size, *_ = file.unpack(layout, 8 + index * struct.calcsize(layout))
        part = file.part(offset, size)
        order, *_ = _format(part)
        if part.unpack(f"{order}I", 4) != (cpu,):
            raise file.damaged("its parts are not what its list of them says")
        yield part


def _format(part: Bounded) -> tuple[str, int, str]:
    for magic, found in _THIN.items():
        if part.starts_with(magic, 0):
            return found
    raise part.damaged("its magic is unknown")


def _read_code(part: Bounded) -> MachCode:
    order, header, symbol = _format(part)
    cpu, subtype, kind, count, size = part.unpack(f"{order}5I", 4)
    commands = tuple(_commands(part.part(header, size), order, count))
    machine = _MACHINES.get(cpu, f"processor {cpu:#x}")
    return MachCode(
        machine="arm64e" if cpu == _ARM64 and subtype & _SUBTYPE == _ARM64E else machine,
        kind=_KINDS.get(kind, f"kind {kind}"),
        macos=_macos(commands, order),
        signed=any(code == _SIGNATURE for code, _ in commands),
        libraries=tuple(_text(body, order) for code, body in commands if code in _LIBRARY_COMMANDS),
        rpath=tuple(_text(body, order) for code, body in commands if code == _RPATH),
        inits=frozenset(_inits(part, [body for code, body in commands if code == _SYMTAB], symbol)),
    )


def _commands(table: Bounded, order: str, count: int) -> Iterator[tuple[int, Bounded]]:
    if count > _MAX_COMMANDS:
        raise table.damaged(f"it claims {count} load commands")
    table.budget.spend(count)
    place = 0
    for _ in range(count):
        code, size = table.unpack(f"{order}2I", place)
        if size < struct.calcsize("2I"):
            raise table.damaged(f"a load command has {size} bytes")
        yield code, table.part(place, size)
        place += size


def _text(command: Bounded, order: str) -> str:
    return command.name(*command.unpack(f"{order}I", 8))


def _macos(commands: tuple[tuple[int, Bounded], ...], order: str) -> MacRelease | None:
    """Return the newest of the versions that it asks for; what it says of other systems does not matter on Macs."""
    releases = []
    for code, body in commands:
        if code == _MACOS_VERSION:
            releases.append(_release(*body.unpack(f"{order}I", 8)))
        elif code == _BUILD_VERSION:
            system, version = body.unpack(f"{order}2I", 8)
            releases += [_release(version)] if system == _MACOS else []
    return max(releases, default=None)


def _release(version: int) -> MacRelease:
    """Return a version that is packed as xxxx.yy.zz."""
    return same_release(version >> 16, version >> 8 & 0xFF)


def _inits(part: Bounded, tables: list[Bounded], layout: str) -> Iterator[str]:
    for table in tables:
        offset, count, text_offset, text_size = table.unpack(f"{layout[0]}4I", 8)
        texts = part.part(text_offset, text_size)
        for name, kind, *_ in part.rows(layout, offset, count):
            if kind == _EXPORTED and texts.starts_with(_INIT, name):
                yield texts.name(name).removeprefix("_")
