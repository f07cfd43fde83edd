"""The dynamic section of an ELF file, its strings, symbols and symbol versions.

pyelftools gives the structures; the walks are here, because its own trust the counts that they find.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from elftools.common.utils import struct_parse
from elftools.elf.elffile import ELFFile

from dockerbuild_lib.core.errors import WheelRefusedError
from dockerbuild_lib.wheels.gate.elf import Budget, Dynamic, NeededVersion, Segment, UndefinedSymbol

_MAX_NAME = 1 << 16
_NAME_STEP = 1024  # bytes of a name that cost as much as an entry
_MAX_LIBRARIES = 200
_DF_TEXTREL = 0x4
_VERSION_INDEX = 0x7FFF  # the other bit says "hidden"
_GLOBAL = ("STB_GLOBAL", "STB_WEAK", "STB_LOOS")  # STB_LOOS is STB_GNU_UNIQUE
_VISIBLE = ("STV_DEFAULT", "STV_PROTECTED")


@dataclass(frozen=True)
class _SymbolRow:
    name: str
    index: int
    weak: bool
    defined: bool
    exported: bool


class DynamicReader:
    """Reads one file's dynamic section; used once."""

    def __init__(self, elf: ELFFile, content: bytes, segments: tuple[Segment, ...], budget: Budget) -> None:
        self._elf = elf
        self._structs: Any = elf.structs
        self._content = content
        self._loaded = [segment for segment in segments if segment.kind == "PT_LOAD"]
        self._budget = budget
        self._tags: list[tuple[str, int]] = []
        self._strings = b""

    def read(self, dynamic: Segment) -> Dynamic:
        """Return what the section in the segment *dynamic* says."""
        self._tags = list(self._read_tags(dynamic))
        self._strings = self._read_strings()
        versions = dict(self._versions())
        symbols = list(self._symbols())
        rpath = [
            folder
            for tag in ("DT_RPATH", "DT_RUNPATH")
            for value in self._all(tag)
            for folder in self._string(value).split(":")
        ]
        needed = [self._string(value) for value in self._all("DT_NEEDED")]
        if max(len(rpath), len(needed)) > _MAX_LIBRARIES:
            raise WheelRefusedError(f"it names more than {_MAX_LIBRARIES} libraries or folders")
        return Dynamic(
            needed=tuple(needed),
            rpath=tuple(rpath),
            text_relocations=bool(self._all("DT_TEXTREL")) or bool((self._first("DT_FLAGS") or 0) & _DF_TEXTREL),
            versions=tuple(dict.fromkeys(versions.values())),
            undefined=tuple(self._undefined(symbols, versions)),
            defined=frozenset(symbol.name for symbol in symbols if symbol.exported),
        )

    def _parse(self, structure: Any, offset: int) -> Any:  # noqa: ANN401 - what pyelftools returns
        self._budget.spend()
        return struct_parse(structure, self._elf.stream, offset)

    def _read_tags(self, dynamic: Segment) -> Iterator[tuple[str, int]]:
        size = self._structs.Elf_Dyn.sizeof()
        for index in range(dynamic.size // size):
            entry = self._parse(self._structs.Elf_Dyn, dynamic.offset + index * size)
            if entry.d_tag == "DT_NULL":
                return
            yield str(entry.d_tag), entry.d_val
        raise WheelRefusedError("it is a damaged ELF file (its dynamic section has no end)")

    def _all(self, tag: str) -> list[int]:
        return [value for name, value in self._tags if name == tag]

    def _first(self, tag: str) -> int | None:
        return next(iter(self._all(tag)), None)

    def _offset(self, address: int) -> int:
        """Return where in the file the loader finds *address*."""
        for segment in self._loaded:
            if segment.address <= address < segment.address + segment.size:
                return address - segment.address + segment.offset
        raise WheelRefusedError(f"it is a damaged ELF file (address {address:#x} is in no segment)")

    def _table(self, tag: str) -> int | None:
        address = self._first(tag)
        return None if address is None else self._offset(address)

    def _read_strings(self) -> bytes:
        start = self._table("DT_STRTAB")
        return b"" if start is None else self._content[start : start + (self._first("DT_STRSZ") or 0)]

    def _string(self, offset: int) -> str:
        end = self._strings.find(b"\0", offset, offset + _MAX_NAME) if offset < len(self._strings) else -1
        if end < 0:
            raise WheelRefusedError(f"it is a damaged ELF file (string {offset:#x} has no end)")
        self._budget.spend((end - offset) // _NAME_STEP)
        return self._strings[offset:end].decode("utf-8", "backslashreplace")

    def _versions(self) -> Iterator[tuple[int, NeededVersion]]:
        """Yield the versions that other libraries must have, each under its index in DT_VERSYM.

        As the loader does, this follows the links and ignores the stated counts.
        """
        place = self._table("DT_VERNEED")
        for need in () if place is None else self._chain(self._structs.Elf_Verneed, place, "vn_next"):
            library = self._string(need.vn_file)
            for entry in self._chain(self._structs.Elf_Vernaux, need.place + need.vn_aux, "vna_next"):
                yield entry.vna_other & _VERSION_INDEX, NeededVersion(library, self._string(entry.vna_name))

    def _chain(self, structure: Any, place: int, link: str) -> Iterator[Any]:  # noqa: ANN401 - see _parse
        while True:
            entry = self._parse(structure, place)
            entry.place = place
            yield entry
            if not entry[link]:
                return
            place += entry[link]

    def _symbols(self) -> Iterator[_SymbolRow]:
        table, versions = self._table("DT_SYMTAB"), self._table("DT_VERSYM")
        count, size = (0, 0) if table is None else (self._symbol_count(), self._structs.Elf_Sym.sizeof())
        for number in range(1, count):  # the first is always empty
            symbol = self._parse(self._structs.Elf_Sym, (table or 0) + number * size)
            index = 0 if versions is None else self._parse(self._structs.Elf_half(""), versions + 2 * number)
            yield self._row(symbol, index & _VERSION_INDEX)

    def _row(self, symbol: Any, index: int) -> _SymbolRow:  # noqa: ANN401 - what pyelftools returns
        bind, defined = symbol.st_info.bind, symbol.st_shndx != "SHN_UNDEF"
        exported = defined and bind in _GLOBAL and symbol.st_other.visibility in _VISIBLE
        return _SymbolRow(self._string(symbol.st_name), index, bind == "STB_WEAK", defined, exported)

    def _undefined(self, symbols: list[_SymbolRow], versions: dict[int, NeededVersion]) -> Iterator[UndefinedSymbol]:
        for symbol in symbols:
            if not symbol.defined and symbol.name:
                yield UndefinedSymbol(symbol.name, symbol.weak, versions.get(symbol.index))

    def _symbol_count(self) -> int:
        """Return the number of dynamic symbols, which no entry states: the hash tables imply it.

        A GNU hash table without any defined symbol does not count the undefined ones; the section header does.
        """
        table = self._table("DT_HASH")
        if table is not None:
            return self._word(table + 4)
        table = self._table("DT_GNU_HASH")
        counted = 0 if table is None else self._count_by_gnu_hash(table)
        return counted or self._count_by_section()

    def _count_by_gnu_hash(self, table: int) -> int:
        buckets, first, bloom = (self._word(table + 4 * index) for index in range(3))
        start = table + 16 + bloom * (self._elf.elfclass // 8)
        last = max((self._word(start + 4 * index) for index in range(buckets)), default=0)
        if last < first:
            return 0
        while not self._word(start + 4 * (buckets + last - first)) & 1:
            last += 1
        return last + 1

    def _count_by_section(self) -> int:
        size, table = self._structs.Elf_Shdr.sizeof(), self._first("DT_SYMTAB")
        for index in range(self._elf["e_shnum"]):
            header = self._parse(self._structs.Elf_Shdr, self._elf["e_shoff"] + index * size)
            if header.sh_type == "SHT_DYNSYM" and header.sh_addr == table:
                return int(header.sh_size // self._structs.Elf_Sym.sizeof())
        return 0

    def _word(self, offset: int) -> int:
        return int(self._parse(self._structs.Elf_word(""), offset))
