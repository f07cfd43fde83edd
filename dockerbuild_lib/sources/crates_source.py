"""The crates of a source, the packages that its Rust code needs, as one archive: so it is built without a network.

The archive holds ``vendor/<name>-<version>`` for each crate, and ``.cargo/config.toml``, which makes cargo take them
from there: unpack it anywhere, and let ``CARGO_HOME`` name that ``.cargo``. It is made from the files of the registry
whose sha256 Cargo.lock has, so it is the same whoever makes it, with whichever cargo.
"""

from __future__ import annotations

import gzip
import io
import json
import tarfile
import tempfile
import tomllib
import zlib
from collections.abc import Collection, Iterator, Mapping
from contextlib import ExitStack, closing, contextmanager
from functools import partial
from pathlib import Path, PurePosixPath
from typing import IO, BinaryIO

from dockerbuild_lib.catalog.locks import CratesArchive, LockedFile, SourceFile
from dockerbuild_lib.core.errors import HashMismatchError, LockError, UnsafeArchiveError
from dockerbuild_lib.core.events import StepLog
from dockerbuild_lib.core.files import CHUNK, sha256_of, translated_os_errors
from dockerbuild_lib.sources.archives import read_members
from dockerbuild_lib.sources.cargo_files import Crate, check_manifest, crates_of
from dockerbuild_lib.sources.cargo_program import Cargo
from dockerbuild_lib.sources.download import Received
from dockerbuild_lib.sources.outside import Outside
from dockerbuild_lib.sources.tree_archive import TreeEntry, TreeFile, write_tree_archive

LOCK, MANIFEST = "Cargo.lock", "Cargo.toml"
VENDOR = "vendor"
_LARGEST_CRATE = 2 << 30
"""Bytes of one crate, unpacked: registries take crates of some megabytes."""
_CHECKSUMS = ".cargo-checksum.json"


def pin_crates(
    outside: Outside, name: str, version: str, source: SourceFile, folder: Path
) -> tuple[CratesArchive, Path]:
    """Return the pin of the crates that the Cargo.lock of *source* names, and their archive in *folder*.

    Raises:
        LockError: there is no Cargo.lock, or it pins not everything.
        HashMismatchError: a crate is not the one that it names.
        NetworkError: a registry cannot be reached.
        ToolMissingError: there is no cargo.

    """
    label = f"{name}-{version}-crates"
    place = folder / f"{label}.tar"
    received = _make(outside, source, label, place)
    pin = CratesArchive(
        name=name, version=version, filename=place.name, sha256=received.sha256, size=received.size, source=source
    )
    return pin, place


def fetch_crates(outside: Outside, locked: CratesArchive, target: Path, _log: StepLog) -> None:
    """Make the archive of the locked crates again.

    Raises:
        HashMismatchError: it is another one.
        LockError, NetworkError, ToolMissingError: as :func:`pin_crates`.

    """
    received = _make(outside, locked.source, locked.filename.removesuffix(".tar"), target)
    if received.sha256 != locked.sha256:
        target.unlink()
        what = f"the crates make an archive with the sha256 {received.sha256}, but {locked.sha256} is locked"
        fix = f"find out who changed config/locks, or run sources.lock --name={locked.name} --update"
        raise HashMismatchError(what, where=locked.filename, fix=fix)


def _make(outside: Outside, source: LockedFile, label: str, target: Path) -> Received:
    where = source.filename
    with tempfile.TemporaryDirectory(prefix="dockerbuild-crates-") as name, ExitStack() as opened:
        scratch = Path(name)
        files = read_members(outside.fetch(source), _is_cargos)
        folder, crates = _locked_crates(files, where)
        _write_manifests(files, scratch / "tree")
        manifest = scratch / "tree" / folder / MANIFEST
        configuration = outside.cargo.vendor(manifest, scratch / VENDOR, where)
        entries: list[TreeEntry] = [_configuration(configuration)]
        for crate in _checked(crates, scratch / VENDOR, where):
            entries += _entries(outside.cargo, crate, scratch, opened)
        return write_tree_archive(target, label, entries, where)


def _is_cargos(path: str) -> bool:
    return PurePosixPath(path).name in (LOCK, MANIFEST) or path.endswith(".rs")


def _locked_crates(files: Mapping[str, bytes], where: str) -> tuple[str, tuple[Crate, ...]]:
    """Return the folder of the one Cargo.lock that counts (the top's, else the only one), and the crates in it."""
    locks = [path for path in files if PurePosixPath(path).name == LOCK]
    if LOCK in locks:
        locks = [LOCK]
    if len(locks) != 1:
        found = f"has several ({', '.join(sorted(locks)[:5])})" if locks else "has none"
        fix = "take a source with one, or remove 'crates' from its recipe"
        raise LockError(f"its crates are pinned by a Cargo.lock, and it {found}", where=where, fix=fix)
    crates = crates_of(files[locks[0]], f"{locks[0]} of {where}")
    repositories = {crate.repository for crate in crates if crate.repository}
    for path, content in files.items():
        if PurePosixPath(path).name == MANIFEST:
            check_manifest(content, f"{path} of {where}", repositories)
    if not crates:
        raise LockError("its Cargo.lock names no crates", where=where, fix="remove 'crates' from its recipe")
    return str(PurePosixPath(locks[0]).parent), crates


def _write_manifests(files: Mapping[str, bytes], folder: Path) -> None:
    """Write what cargo must see of the source: its manifests. Rust files count by their names only."""
    with translated_os_errors(folder):
        for path, content in files.items():
            place = folder / path
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_bytes(b"" if path.endswith(".rs") else content)


def _checked(crates: Collection[Crate], vendored: Path, where: str) -> tuple[Crate, ...]:
    """Return *crates*, each once, when cargo vendored exactly these."""
    wanted = {crate.label: crate for crate in crates}
    there = {folder.name for folder in vendored.iterdir()} if vendored.is_dir() else set()
    if odd := sorted(wanted.keys() ^ there):
        raise LockError(f"cargo's crates and Cargo.lock differ: {', '.join(odd[:5])}", where=where, fix="report it")
    return tuple(wanted.values())


def _configuration(printed: str) -> TreeFile:
    """Return the file that makes cargo take the crates from the archive: what cargo says, with our folder in it."""
    sources = tomllib.loads(printed)["source"]
    lines = []
    for name, values in sorted(sources.items()):
        lines.append(f"[source.{json.dumps(name)}]")
        own = {**values, "directory": VENDOR} if "directory" in values else values
        lines += [f"{key} = {json.dumps(value)}" for key, value in sorted(own.items())]
    return _text(".cargo/config.toml", "\n".join(lines) + "\n")


def _entries(cargo: Cargo, crate: Crate, scratch: Path, opened: ExitStack) -> Iterator[TreeEntry]:
    """Yield the files of a crate, and their checksum as cargo wants it; what they are read from stays *opened*."""
    place = f"{VENDOR}/{crate.label}"
    if crate.sha256 is None:
        yield from _vendored(scratch / VENDOR / crate.label, place)
    else:
        archive = scratch / f"{crate.label}.tar"
        _decompress(_file_of(cargo, crate), archive, crate)
        yield from _unpacked(opened.enter_context(closing(tarfile.open(archive))), place, crate)  # noqa: SIM115
    yield _text(f"{place}/{_CHECKSUMS}", json.dumps({"files": {}, "package": crate.sha256}) + "\n")


def _file_of(cargo: Cargo, crate: Crate) -> Path:
    """Return the crate's file, with the sha256 of Cargo.lock: whoever served it, and whatever cargo made of it."""
    files = list(cargo.downloaded(f"{crate.label}.crate"))
    for file in files:
        if sha256_of(file) == crate.sha256:
            return file
    if files:
        what = f"the crate has not the sha256 {crate.sha256}, which Cargo.lock names"
        raise HashMismatchError(what, where=str(files[0]), fix="remove the file, and find out who changed it")
    fix = "let cargo's configuration name a registry; from a folder its crates have no file with a checksum"
    raise LockError(f"cargo has no file of the crate {crate.label}", fix=fix)


def _decompress(file: Path, target: Path, crate: Crate) -> None:
    """Write a crate's plain tar to *target*, so that its files can be read in any order."""
    size = 0
    try:
        with gzip.open(file) as source, target.open("wb") as plain:
            while chunk := source.read(CHUNK):
                size += len(chunk)
                if size > _LARGEST_CRATE:
                    raise UnsafeArchiveError("the crate holds too much, as an archive bomb does", where=crate.label)
                plain.write(chunk)
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise UnsafeArchiveError(f"the crate is damaged: {error}", where=crate.label) from error


def _unpacked(archive: tarfile.TarFile, place: str, crate: Crate) -> Iterator[TreeFile]:
    try:
        for member in archive:
            top, _, path = member.name.partition("/")
            if member.isdir() or path == _CHECKSUMS:
                continue
            if top != crate.label or not member.isreg():
                raise UnsafeArchiveError(f"its member {member.name!r} cannot be in a crate", where=crate.label)
            executable = bool(member.mode & 0o100)
            yield TreeFile(f"{place}/{path}", member.size, executable, partial(_member, archive, member))
    except tarfile.TarError as error:
        raise UnsafeArchiveError(f"the crate is damaged: {error}", where=crate.label) from error


@contextmanager
def _member(archive: tarfile.TarFile, member: tarfile.TarInfo) -> Iterator[IO[bytes]]:
    stream = archive.extractfile(member)
    assert stream  # noqa: S101 - a regular file has one
    yield stream


def _vendored(folder: Path, place: str) -> Iterator[TreeFile]:
    """Yield the files of a crate from a git repository, as cargo took them out of its commit."""
    for file in sorted(folder.rglob("*")):
        if file.is_symlink() or not (file.is_file() or file.is_dir()):
            raise UnsafeArchiveError(f"its member {file.name!r} cannot be in a crate", where=folder.name)
        if file.is_file() and file.name != _CHECKSUMS:
            status = file.stat()
            path = f"{place}/{file.relative_to(folder).as_posix()}"
            yield TreeFile(path, status.st_size, bool(status.st_mode & 0o100), partial(_opened, file))


def _opened(file: Path) -> BinaryIO:
    return file.open("rb")


def _text(path: str, text: str) -> TreeFile:
    content = text.encode()
    return TreeFile(path, len(content), executable=False, open=partial(io.BytesIO, content))
