"""How two CIPD packages differ, member by member, and inside of the wheels that they hold."""

from __future__ import annotations

import tempfile
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from dockerbuild_lib.core.errors import StoreDamagedError, WheelRefusedError
from dockerbuild_lib.core.files import copy_stream, sha256_of, translated_os_errors
from dockerbuild_lib.store.package_file import PackageContents, PackagedMember, opened_member, opened_members
from dockerbuild_lib.wheels.compare import Difference, compare_wheels, content_differences
from dockerbuild_lib.wheels.wheel_members import shown

MAX_COMPARED = 64 << 20
"""Bytes of a member that are looked into; of larger ones only the hashes are compared."""


@dataclass(frozen=True)
class _Package:
    file: Path
    contents: PackageContents
    archive: zipfile.ZipFile

    def extracted(self, member: PackagedMember, folder: Path) -> Path:
        """Return a copy of the member in *folder*, under its own last name, for a wheel's name means something."""
        folder.mkdir()
        copy = folder / member.name.rpartition("/")[2]
        try:
            with (
                translated_os_errors(copy),
                opened_member(self.archive, member.name) as source,
                copy.open("wb") as target,
            ):
                copy_stream(source, target)
        except StoreDamagedError as error:
            error.where = str(self.file)  # two packages are open
            raise
        return copy


def compare_packages(a: Path, b: Path) -> tuple[Difference, ...]:
    """Return how the package files differ, *a* spoken of as the first; nothing when their bytes are identical.

    Raises:
        StoreDamagedError: one of them is no package, or damaged.
        UnsafeArchiveError: one of them would write outside of a folder.

    """
    with opened_members(a) as first, opened_members(b) as second:
        if sha256_of(a) == sha256_of(b):
            return ()
        found = tuple(_differences(_Package(a, *first), _Package(b, *second)))
        return found or (Difference(None, "same members, different bytes of the package file"),)


def _differences(first: _Package, second: _Package) -> Iterator[Difference]:
    old, new = first.contents, second.contents
    if old.package != new.package:
        yield Difference(None, f"packages {old.package} and {new.package}")
    if old.install_mode != new.install_mode:
        yield Difference(None, f"install modes {old.install_mode or 'unset'} and {new.install_mode or 'unset'}")
    others = {member.name: member for member in new.members}
    pairs = [(member, others.pop(member.name)) for member in old.members if member.name in others]
    paired = {member.name for member, _other in pairs}
    left, right = [member for member in old.members if member.name not in paired], list(others.values())
    if _is_wheel(left) and _is_wheel(right):  # two versions of one wheel
        yield Difference(None, f"wheels {shown(left[0].name)} and {shown(right[0].name)}")
        pairs, left, right = [*pairs, (left[0], right[0])], [], []
    yield from (Difference(shown(member.name), "only the first has it") for member in left)
    yield from (Difference(shown(member.name), "only the second has it") for member in right)
    for member, other in pairs:
        yield from _member(first, member, second, other)


def _is_wheel(members: list[PackagedMember]) -> bool:
    return len(members) == 1 and members[0].name.endswith(".whl") and not members[0].is_link


def _member(first: _Package, member: PackagedMember, second: _Package, other: PackagedMember) -> Iterator[Difference]:
    name = shown(member.name)
    yield from (Difference(name, what) for what in _attributes(member, other))
    with _extracted_pair(first, member, second, other) as (old, new):
        if sha256_of(old) == sha256_of(new):
            return
        if member.name.endswith(".whl") and (inside := _inside_wheels(old, new)):
            yield from (Difference(f"{name}/{each.member}" if each.member else name, each.what) for each in inside)
        elif max(member.size, other.size) > MAX_COMPARED:
            yield Difference(name, f"sha256 {sha256_of(old)} and {sha256_of(new)}")
        else:
            yield from (Difference(name, what) for what in content_differences(old.read_bytes(), new.read_bytes()))


def _attributes(member: PackagedMember, other: PackagedMember) -> Iterator[str]:
    for attribute in ("is_link", "executable", "writable"):
        if getattr(member, attribute) != getattr(other, attribute):
            which = "first" if getattr(member, attribute) else "second"
            yield f"only that of the {which} is {'a link' if attribute == 'is_link' else attribute}"
    if member.size != other.size:
        yield f"size {member.size} and {other.size} bytes"


@contextmanager
def _extracted_pair(
    first: _Package, member: PackagedMember, second: _Package, other: PackagedMember
) -> Iterator[tuple[Path, Path]]:
    with tempfile.TemporaryDirectory(prefix="dockerbuild-diff.") as scratch:
        yield first.extracted(member, Path(scratch, "1")), second.extracted(other, Path(scratch, "2"))


def _inside_wheels(old: Path, new: Path) -> tuple[Difference, ...]:
    try:
        return compare_wheels(old, new)
    except WheelRefusedError:  # then they are files like all others
        return ()
