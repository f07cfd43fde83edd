"""What the gate wants to know of one PE file: its headers, and the names in its import and export tables.

The structures are those of Microsoft's "PE Format".
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from dockerbuild_lib.wheels.gate.binary import Bounded
from dockerbuild_lib.wheels.gate.elf import Budget

MAGIC = b"MZ"
_SIGNATURE = b"PE\0\0"
_MACHINES = {0x14C: "386", 0x8664: "amd64", 0xAA64: "arm64"}
_DIRECTORIES = {0x10B: 92, 0x20B: 108}  # magic of the optional header -> where the number of its directories stands
_MAX_SECTIONS = 96
_MAX_LIBRARIES = 1000
_DLL = 0x2000  # IMAGE_FILE_DLL
_EXPORTS, _IMPORTS, _DELAYED_IMPORTS = 0, 1, 13
_INIT = b"PyInit"

Release = tuple[int, int]


@dataclass(frozen=True)
class PeFacts:
    """One PE file."""

    machine: str
    """``386``, ``amd64``, ``arm64``, or another."""
    is_dll: bool
    windows: Release
    """The oldest Windows that it says it runs on."""
    libraries: tuple[str, ...]
    """The DLLs that it imports from, at once or when they are needed."""
    inits: frozenset[str]
    """The functions that start extension modules, which it exports: ``PyInit_fast``."""


@dataclass(frozen=True)
class _Section:
    address: int
    size: int
    offset: int


@dataclass(frozen=True)
class _Image:
    file: Bounded
    sections: tuple[_Section, ...]
    directories: tuple[tuple[int, int], ...]

    def offset(self, address: int) -> int:
        """Return where in the file a relative virtual address lies."""
        for section in self.sections:
            if section.address <= address < section.address + section.size:
                return address - section.address + section.offset
        raise self.file.damaged(f"address {address:#x} is in no section")

    def directory(self, number: int) -> int | None:
        """Return the address of a table; None when there is none."""
        address, size = self.directories[number] if number < len(self.directories) else (0, 0)
        return address if address and size else None


def read_pe(content: bytes, budget: Budget) -> PeFacts:
    """Return the facts of the PE file with that *content*.

    Raises:
        WheelRefusedError: it is damaged, or the *budget* is spent.

    """
    file = Bounded.whole(content, "PE", budget)
    (start,) = file.unpack("<I", 0x3C)
    if not (file.starts_with(MAGIC, 0) and file.starts_with(_SIGNATURE, start)):
        raise file.damaged("its signature is missing")
    machine, sections, _, _, _, size, flags = file.unpack("<2H3I2H", start + 4)
    optional = file.part(start + 24, size)
    system = optional.unpack("<2H", 40)
    subsystem = optional.unpack("<2H", 48)
    image = _Image(file, tuple(_sections(file, start + 24 + size, sections)), tuple(_directories(optional)))
    return PeFacts(
        machine=_MACHINES.get(machine, f"machine {machine:#x}"),
        is_dll=bool(flags & _DLL),
        windows=max((system[0], system[1]), (subsystem[0], subsystem[1])),
        libraries=(*_imports(image, _IMPORTS, 20, 12), *_imports(image, _DELAYED_IMPORTS, 32, 4)),
        inits=frozenset(_inits(image)),
    )


def _directories(optional: Bounded) -> Iterator[tuple[int, int]]:
    (magic,) = optional.unpack("<H", 0)
    if magic not in _DIRECTORIES:
        raise optional.damaged(f"its optional header has the magic {magic:#x}")
    place = _DIRECTORIES[magic]
    for index in range(min(optional.unpack("<I", place)[0], 16)):
        address, size = optional.unpack("<2I", place + 4 + 8 * index)
        yield address, size


def _sections(file: Bounded, start: int, count: int) -> Iterator[_Section]:
    if count > _MAX_SECTIONS:
        raise file.damaged(f"it claims {count} sections")
    for row in file.rows("<8x6I2HI", start, count):
        yield _Section(address=row[1], size=row[2], offset=row[3])


def _imports(image: _Image, directory: int, entry_size: int, name_place: int) -> Iterator[str]:
    """Yield the names in a table of imports, which ends with an entry without one."""
    table = image.directory(directory)
    for index in range(_MAX_LIBRARIES if table is not None else 0):
        (address,) = image.file.unpack("<I", image.offset((table or 0) + index * entry_size) + name_place)
        if not address:
            return
        yield image.file.name(image.offset(address))
    if table is not None:
        raise image.file.damaged(f"it imports from more than {_MAX_LIBRARIES} libraries")


def _inits(image: _Image) -> Iterator[str]:
    table = image.directory(_EXPORTS)
    if table is None:
        return
    start = image.offset(table)
    (count,), (names,) = image.file.unpack("<I", start + 24), image.file.unpack("<I", start + 32)
    for (address,) in image.file.rows("<I", image.offset(names), count) if count else ():
        place = image.offset(address)
        if image.file.starts_with(_INIT, place):
            yield image.file.name(place)
