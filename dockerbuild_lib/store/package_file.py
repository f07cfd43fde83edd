"""A CIPD package file: write one, byte for byte as ``cipd pkg-build -compression-level 0`` does, and read any."""

from __future__ import annotations

import io
import itertools
import json
import stat
import struct
import zipfile
import zlib
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Literal, cast

from dockerbuild_lib.core.errors import DockerbuildError, StoreDamagedError, UsageError
from dockerbuild_lib.core.files import CHUNK, atomic_writer, translate_os_error, translated_os_errors
from dockerbuild_lib.store.names import check_package, instance_id_of
from dockerbuild_lib.store.package_container import EXECUTABLE_MODE, FILE_MODE, FLAG_UTF8, LINK_MODE, ContainerWriter
from dockerbuild_lib.store.package_tree import SERVICE_FOLDER, FileMember, Member, check_member_names

MANIFEST = f"{SERVICE_FOLDER}/manifest.json"
MAX_MANIFEST = 1 << 20
"""Bytes; a manifest has some tens, and it is read whole."""
MAX_LINK_TARGET = 4096
"""Bytes; what Linux takes as a path."""

InstallMode = Literal["copy", "symlink"]

_WRITTEN_FORMAT = "1.1"
_LEGACY_FORMAT = "1"  # its writable bits mean nothing
_WRITABLE = 0o200
_ENCRYPTED = 0x1
_LOCAL_HEADER = 30  # bytes of it that stand before the member's name
_ZIP_ERRORS = (
    *(zipfile.BadZipFile, zlib.error, struct.error, EOFError),
    *(ValueError, NotImplementedError, RuntimeError),
)


@dataclass(frozen=True)
class PackagedMember:
    """A file or link inside a package file."""

    name: str
    size: int
    """Bytes; of a link: the length of its target."""
    executable: bool
    writable: bool
    is_link: bool


@dataclass(frozen=True)
class PackageContents:
    """What a package file says of itself, and its members in their order."""

    package: str
    install_mode: str | None
    members: tuple[PackagedMember, ...]


def write_package(
    target: Path, package: str, members: Iterable[Member], *, install_mode: InstallMode | None = None
) -> str:
    """Write the package file *target*, whole or not at all, and return its instance id.

    The bytes depend on the arguments and on the members' bytes alone; nothing is held in memory.

    Raises:
        UsageError: *package* is not a package name.
        UnsafeArchiveError: the members' names are not those of a tree.
        NoSpaceError, PermissionDeniedError: *target* cannot be written.

    """
    listed = tuple(members)
    check_member_names(member.name for member in listed)
    manifest = _manifest(check_package(package), install_mode)
    with translated_os_errors(target), atomic_writer(target) as stream:
        writer = ContainerWriter(stream)
        for member in listed:
            _add(writer, member)
        writer.add(MANIFEST, FILE_MODE, io.BytesIO(manifest))
        return instance_id_of(writer.finish())


def _manifest(package: str, install_mode: InstallMode | None) -> bytes:
    fields = {"format_version": _WRITTEN_FORMAT, "package_name": package}
    if install_mode:
        fields["install_mode"] = install_mode
    return json.dumps(fields, indent=2).encode()


def _add(writer: ContainerWriter, member: Member) -> None:
    if isinstance(member, FileMember):
        with member.path.open("rb") as source:
            writer.add(member.name, EXECUTABLE_MODE if member.executable else FILE_MODE, source)
    else:
        writer.add(member.name, LINK_MODE, io.BytesIO(member.target.encode()))


def read_package(file: Path) -> PackageContents:
    """Return what the package file *file* holds, without reading its members.

    Raises:
        StoreDamagedError: it is no zip, has no manifest, or uses what no CIPD client writes.
        UnsafeArchiveError: a member's name would write outside of a folder.

    """
    with _opened(file) as archive:
        return _contents(archive)


def verify_package(file: Path) -> PackageContents:
    """Like :func:`read_package`, and read every member: its checksum and size must be right."""
    with _opened(file) as archive:
        contents = _contents(archive)
        for info in archive.infolist():
            with opened_member(archive, info) as stream:
                while stream.read(CHUNK):
                    pass
        return contents


@contextmanager
def opened_members(file: Path) -> Iterator[tuple[PackageContents, zipfile.ZipFile]]:
    """Yield a package's contents and the zip to read its members from; errors inside are translated."""
    with _opened(file) as archive:
        yield _contents(archive), archive


@contextmanager
def open_member(file: Path, name: str) -> Iterator[IO[bytes]]:
    """Yield a stream of the bytes of the member *name*."""
    with _opened(file) as archive, opened_member(archive, name) as stream:
        yield stream


@contextmanager
def opened_member(archive: zipfile.ZipFile, member: zipfile.ZipInfo | str) -> Iterator[IO[bytes]]:
    """Yield a stream of a member's bytes; damage that reading them finds names the member."""
    name = member if isinstance(member, str) else member.filename
    try:
        with archive.open(member) as stream:
            yield stream
    except (*_ZIP_ERRORS, KeyError) as error:
        raise StoreDamagedError(f"the member {name!r} is damaged: {error}") from error


@contextmanager
def _opened(file: Path) -> Iterator[zipfile.ZipFile]:
    try:
        with file.open("rb") as stream, zipfile.ZipFile(stream) as archive:
            yield archive
    except DockerbuildError as error:
        error.where = error.where or str(file)
        raise
    except FileNotFoundError:
        raise StoreDamagedError("the package file is missing", where=str(file)) from None
    except OSError as error:
        raise _damaged_or_forbidden(error, file) from error
    except (*_ZIP_ERRORS, KeyError) as error:
        raise StoreDamagedError(f"the package file is damaged: {error}", where=str(file)) from error


def _damaged_or_forbidden(error: OSError, file: Path) -> Exception:
    translated = translate_os_error(error, file)
    if isinstance(translated, DockerbuildError):
        return translated
    return StoreDamagedError(f"the package file cannot be read: {error.strerror}", where=str(file))  # a senseless seek


def _contents(archive: zipfile.ZipFile) -> PackageContents:
    if not all(info.filename for info in archive.infolist()):
        raise StoreDamagedError("a member has no name")
    infos = [info for info in archive.infolist() if not info.is_dir()]
    for info in infos:
        _check_entry(info)
    if sum(info.filename == MANIFEST for info in infos) > 1:
        raise StoreDamagedError(f"it has more than one {MANIFEST}")
    _check_overlaps(archive.infolist())
    manifest = _read_manifest(archive)
    payload = [info for info in infos if not info.filename.startswith(f"{SERVICE_FOLDER}/")]
    check_member_names(info.filename for info in payload)
    keep_writable = manifest["format_version"] != _LEGACY_FORMAT
    members = tuple(_member(info, keep_writable=keep_writable) for info in payload)
    return PackageContents(manifest["package_name"], manifest.get("install_mode"), members)


def _check_entry(info: zipfile.ZipInfo) -> None:
    if info.filename != info.orig_filename:
        raise StoreDamagedError(f"the member name {info.orig_filename!r} has a NUL in it")
    if not info.flag_bits & FLAG_UTF8 and not info.filename.isascii():
        raise StoreDamagedError(f"the member name {info.filename!r} is not said to be UTF-8")
    if info.flag_bits & _ENCRYPTED or info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        raise StoreDamagedError(f"the member {info.filename!r} is encrypted or compressed in an unknown way")
    if stat.S_IFMT(info.external_attr >> 16) not in (stat.S_IFREG, stat.S_IFLNK, 0):
        raise StoreDamagedError(f"the member {info.filename!r} is neither a file nor a link")


def _check_overlaps(infos: Iterable[zipfile.ZipInfo]) -> None:
    """Refuse members that share bytes: a small file could so hold any number of large ones."""
    for info, following in itertools.pairwise(sorted(infos, key=lambda each: each.header_offset)):
        if info.header_offset + _LOCAL_HEADER + info.compress_size > following.header_offset:
            raise StoreDamagedError(f"the members {info.filename!r} and {following.filename!r} overlap")


def _read_manifest(archive: zipfile.ZipFile) -> dict[str, str]:
    """Return the manifest's fields, checked."""
    if MANIFEST not in archive.NameToInfo:
        raise StoreDamagedError(f"this is no CIPD package: it has no {MANIFEST}")
    if archive.getinfo(MANIFEST).file_size > MAX_MANIFEST:
        raise StoreDamagedError(f"{MANIFEST} has more than {MAX_MANIFEST} bytes")
    with opened_member(archive, MANIFEST) as stream:
        fields: object = json.load(stream)
    if not isinstance(fields, dict) or fields.get("format_version") not in (_LEGACY_FORMAT, _WRITTEN_FORMAT):
        raise StoreDamagedError(f"{MANIFEST} is of an unknown format")
    if not isinstance(fields.get("package_name"), str) or fields.get("install_mode") not in (None, "copy", "symlink"):
        raise StoreDamagedError(f"{MANIFEST} has no package name, or an unknown install mode")
    try:
        check_package(fields["package_name"])
    except UsageError as error:
        raise StoreDamagedError(f"{MANIFEST}: {error.what}") from None
    return cast("dict[str, str]", fields)


def _member(info: zipfile.ZipInfo, *, keep_writable: bool) -> PackagedMember:
    mode = info.external_attr >> 16
    return PackagedMember(
        name=info.filename,
        size=info.file_size,
        executable=bool(mode & 0o111),
        writable=keep_writable and bool(mode & _WRITABLE),
        is_link=stat.S_ISLNK(mode),
    )
