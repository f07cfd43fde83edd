"""Mach-O and PE files made by the tests, as small as loaders take them, right or wrong in one chosen way."""

from __future__ import annotations

import struct
from collections.abc import Sequence
from dataclasses import dataclass

CPUS = {"x86_64": (0x01000007, 3), "arm64": (0x0100000C, 0), "arm64e": (0x0100000C, 0x80000002), "i386": (7, 3)}
PE_MACHINES = {"386": 0x14C, "amd64": 0x8664, "arm64": 0xAA64}
BUNDLE, DYLIB, EXECUTABLE, OBJECT = 8, 6, 2, 1
_SECTION_ADDRESS = 0x1000


@dataclass(frozen=True)
class Mach:
    """A Mach-O file for one processor."""

    machine: str = "arm64"
    kind: int = BUNDLE
    macos: tuple[int, int] | None = (11, 0)
    old_command: bool = False
    """Say the version as linkers did until 2018: LC_VERSION_MIN_MACOSX."""
    platform: int = 1
    signed: bool = True
    libraries: Sequence[str] = ("/usr/lib/libSystem.B.dylib",)
    rpath: Sequence[str] = ()
    symbols: Sequence[tuple[str, int]] = (("_PyInit_fast", 0x0F), ("_PyModule_Create2", 0x01))

    def content(self) -> bytes:
        bits64 = self.machine != "i386"
        header_size, symbol = (32, "<IBBHQ") if bits64 else (28, "<IBBHI")
        commands = [_with_text(0xC, name, 24) for name in self.libraries]
        commands += [_with_text(0x8000001C, folder, 12) for folder in self.rpath]
        if self.macos:
            version = self.macos[0] << 16 | self.macos[1] << 8
            old, new = struct.pack("<4I", 0x24, 16, version, 0), (0x32, 24, self.platform, version, version, 0)
            commands.append(old if self.old_command else struct.pack("<6I", *new))
        if self.signed:
            commands.append(struct.pack("<4I", 0x1D, 16, 0, 0))
        texts, table = b"\0", b""
        for name, type_ in self.symbols:
            table += struct.pack(symbol, len(texts), type_, 1, 0, 0)
            texts += name.encode() + b"\0"
        place = header_size + sum(map(len, commands)) + 24
        commands.append(struct.pack("<6I", 2, 24, place, len(self.symbols), place + len(table), len(texts)))
        cpu, subtype = CPUS[self.machine]
        size = sum(map(len, commands))
        header = struct.pack(
            "<7I", 0xFEEDFACF if bits64 else 0xFEEDFACE, cpu, subtype, self.kind, len(commands), size, 0
        )
        return header.ljust(header_size, b"\0") + b"".join(commands) + table + texts


def _with_text(code: int, text: str, place: int) -> bytes:
    padded = text.encode() + b"\0" * (8 - len(text) % 8)
    return struct.pack("<3I", code, place + len(padded), place).ljust(place, b"\0") + padded


def fat(*machs: Mach) -> bytes:
    """Return one file with the code of several."""
    parts = [mach.content() for mach in machs]
    place = 8 + 20 * len(parts)
    entries, content = b"", b""
    for mach, part in zip(machs, parts, strict=True):
        entries += struct.pack(">5I", *CPUS[mach.machine], place + len(content), len(part), 0)
        content += part
    return struct.pack(">2I", 0xCAFEBABE, len(parts)) + entries + content


@dataclass(frozen=True)
class Pe:
    """A PE file with one section, which holds its tables."""

    machine: str = "amd64"
    dll: bool = True
    windows: tuple[int, int] = (6, 0)
    subsystem: tuple[int, int] = (6, 0)
    imports: Sequence[str] = ("python311.dll", "KERNEL32.dll")
    delayed: Sequence[str] = ()
    exports: Sequence[str] = ("PyInit_fast",)

    def content(self) -> bytes:
        wide = self.machine != "386"
        optional_size = 112 + 16 * 8 if wide else 96 + 16 * 8
        start = 0x40 + 4 + 20 + optional_size + 40
        section, directories = self._section()
        optional = bytearray(optional_size)
        struct.pack_into("<H", optional, 0, 0x20B if wide else 0x10B)
        struct.pack_into("<2H", optional, 40, *self.windows)
        struct.pack_into("<2H", optional, 48, *self.subsystem)
        struct.pack_into("<I", optional, 108 if wide else 92, 16)
        for number, (address, size) in directories.items():
            struct.pack_into("<2I", optional, (112 if wide else 96) + 8 * number, address, size)
        flags = 0x2022 if self.dll else 0x22
        dos = b"MZ".ljust(0x3C, b"\0") + struct.pack("<I", 0x40)
        coff = struct.pack("<2H3I2H", PE_MACHINES[self.machine], 1, 0, 0, 0, optional_size, flags)
        row = b".rdata\0\0" + struct.pack("<6I2HI", len(section), _SECTION_ADDRESS, len(section), start, 0, 0, 0, 0, 0)
        return dos + b"PE\0\0" + coff + bytes(optional) + row + section

    def _section(self) -> tuple[bytes, dict[int, tuple[int, int]]]:
        """Return the section: the tables first, then the texts that they point to."""
        sizes = {0: 40 + 4 * len(self.exports), 1: 20 * (len(self.imports) + 1), 13: 32 * (len(self.delayed) + 1)}
        places, end = {}, 0
        for number, size in sizes.items():
            places[number], end = (_SECTION_ADDRESS + end, size), end + size
        texts = bytearray()

        def text(name: str) -> int:
            address = _SECTION_ADDRESS + end + len(texts)
            texts.extend(name.encode() + b"\0")
            return address

        names = b"".join(struct.pack("<I", text(name)) for name in self.exports)
        exports = struct.pack("<10I", 0, 0, 0, 0, 1, 0, len(self.exports), 0, places[0][0] + 40, 0) + names
        imports = b"".join(struct.pack("<5I", 0, 0, 0, text(name), 0) for name in self.imports) + bytes(20)
        delayed = b"".join(struct.pack("<8I", 1, text(name), *([0] * 6)) for name in self.delayed) + bytes(32)
        return exports + imports + delayed + bytes(texts), places
