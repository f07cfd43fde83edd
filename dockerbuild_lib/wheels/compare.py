"""How two builds of one wheel differ, said so that the cause can be guessed.

A path in a ``.debug_str`` section, a date in a text file or an order of members each point to another cure.
"""

from __future__ import annotations

import io
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from dockerbuild_lib.core.files import sha256_of
from dockerbuild_lib.wheels.gate.elf import MAGIC
from dockerbuild_lib.wheels.wheel_members import Member, WheelArchive, open_archive, shown

_BLOCK = 1 << 16
_MAX_SECTIONS = 2000
_SHOWN_LINE = 100
_LISTED = 12


@dataclass(frozen=True)
class Difference:
    """One thing that is not the same in two wheels."""

    member: str | None
    """None: the archive as a whole."""
    what: str

    def __str__(self) -> str:
        return f"{self.member}: {self.what}" if self.member else self.what


def compare_wheels(a: Path, b: Path) -> tuple[Difference, ...]:
    """Return how the wheels differ, *a* spoken of as the first; nothing when their bytes are identical.

    Raises:
        WheelRefusedError: one of them is no archive that is safe to read.
        PermissionDeniedError: one of them may not be read.

    """
    with open_archive(a) as first, open_archive(b) as second:
        if sha256_of(a) == sha256_of(b):
            return ()
        found = tuple(Difference(shown(member), what) for member, what in _members(first, second))
        return found or (Difference(None, _layout(first, second)),)


def _members(first: WheelArchive, second: WheelArchive) -> Iterator[tuple[str, str]]:
    others = {member.name: member for member in second.members}
    for member in first.members:
        other = others.pop(member.name, None)
        if other is None:
            yield member.name, "only the first has it"
            continue
        for what in (*_attributes(member, other), *content_differences(first.read(member), second.read(other))):
            yield member.name, what
    for name in others:
        yield name, "only the second has it"


def _attributes(member: Member, other: Member) -> Iterator[str]:
    if member.mode != other.mode:
        yield f"mode {member.mode:o} and {other.mode:o}"
    if member.modified != other.modified:
        yield f"timestamp {_time(member)} and {_time(other)}"
    if member.size != other.size:
        yield f"size {member.size} and {other.size} bytes"


def _time(member: Member) -> str:
    year, month, day, hour, minute, second = member.modified
    return f"{year:04}-{month:02}-{day:02} {hour:02}:{minute:02}:{second:02}"


def content_differences(old: bytes, new: bytes) -> Iterator[str]:
    """Yield how two files' contents differ: by ELF section, else by line, else by offset; nothing when they do not."""
    if old == new:
        return
    if old.startswith(MAGIC) and new.startswith(MAGIC) and (sections := _different_sections(old, new)):
        more = f" and {len(sections) - _LISTED} more" if len(sections) > _LISTED else ""
        yield f"ELF sections {', '.join(sections[:_LISTED])}{more} differ; {_offset(old, new)}"
    elif (line := _different_line(old, new)) is not None:
        yield line
    else:
        yield _offset(old, new)


def _offset(old: bytes, new: bytes) -> str:
    start = next(place for place in range(0, len(old) + 1, _BLOCK) if _block(old, place) != _block(new, place))
    pairs = zip(_block(old, start), _block(new, start), strict=False)
    shared = min(len(_block(old, start)), len(_block(new, start)))
    return (
        f"first different at offset {start + next((n for n, pair in enumerate(pairs) if len({*pair}) > 1), shared):#x}"
    )


def _block(content: bytes, place: int) -> bytes:
    return content[place : place + _BLOCK]


def _different_line(old: bytes, new: bytes) -> str | None:
    """Return the first line that differs, when both are text."""
    if b"\0" in old or b"\0" in new:
        return None
    try:
        olds, news = old.decode().split("\n"), new.decode().split("\n")
    except UnicodeDecodeError:
        return None
    number = next((n for n, pair in enumerate(zip(olds, news, strict=False)) if pair[0] != pair[1]), None)
    if number is None:
        return f"one goes on after line {min(len(olds), len(news))}"
    lines = (shown(text[number], _SHOWN_LINE) for text in (olds, news))
    return f"line {number + 1}: " + " and ".join(f"{line!r}" for line in lines)


def _different_sections(old: bytes, new: bytes) -> list[str]:
    """Return the names of the sections that differ or that one of the files lacks; none when they cannot be read."""
    try:
        olds, news = _sections(old), _sections(new)
    except Exception:  # noqa: BLE001 - pyelftools raises whatever it meets; the offset still tells something
        return []
    return [shown(name) for name in dict.fromkeys((*olds, *news)) if olds.get(name) != news.get(name)]


def _sections(content: bytes) -> dict[str, bytes]:
    from elftools.elf.elffile import ELFFile  # noqa: PLC0415 - slow to import, and most tasks need no ELF

    elf = ELFFile(io.BytesIO(content))
    if elf["e_shnum"] > _MAX_SECTIONS:
        return {}
    sections, left = {"(ELF header)": content[: elf["e_ehsize"]]}, 4 * len(content)
    for section in elf.iter_sections():
        size = 0 if section["sh_type"] == "SHT_NOBITS" else section["sh_size"]
        left -= size
        if left < 0:  # sections that overlap: a file made to cost time
            return {}
        sections[section.name] = content[section["sh_offset"] : section["sh_offset"] + size]
    return sections


def _layout(first: WheelArchive, second: WheelArchive) -> str:
    if [member.name for member in first.members] != [member.name for member in second.members]:
        reason = "order of members"
    elif [member.layout for member in first.members] != [member.layout for member in second.members]:
        reason = "compression, extra fields or comments"
    else:
        reason = "headers"
    return f"same members, different archive layout ({reason})"
