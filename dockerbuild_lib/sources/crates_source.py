"""The crates of a source, the packages that its Rust code needs, as one archive: so it is built without a network.

The archive holds ``vendor/<name>-<version>`` for each crate, and ``.cargo/config.toml``, which makes cargo take them
from there: unpack it anywhere, and let ``CARGO_HOME`` name that ``.cargo``. It is made from the files of the registry
whose sha256 Cargo.lock has, so it is the same whoever makes it, with whichever cargo.
"""

from __future__ import annotations

import io
import json
import tempfile
import tomllib
from collections.abc import Collection, Iterator, Mapping
from functools import partial
from pathlib import Path, PurePosixPath
from typing import BinaryIO

from dockerbuild_lib.catalog.locks import CratesArchive, LockedFile, SourceFile
from dockerbuild_lib.core.errors import HashMismatchError, LockError, UnsafeArchiveError
from dockerbuild_lib.core.events import StepLog
from dockerbuild_lib.core.files import sha256_of, translated_os_errors
from dockerbuild_lib.sources.cargo_files import CARGO_LOCK, CARGO_TOML, Crate, cargo_files, check_manifest, crates_of
from dockerbuild_lib.sources.cargo_program import Cargo
from dockerbuild_lib.sources.download import Received
from dockerbuild_lib.sources.outside import Outside
from dockerbuild_lib.sources.tree_archive import TreeEntry, TreeFile, write_tree_archive
from dockerbuild_lib.sources.trees import SourceTrees

VENDOR = "vendor"
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
    with tempfile.TemporaryDirectory(prefix="dockerbuild-crates-") as name:
        scratch = Path(name)
        files = cargo_files(outside.interning.fetch(source), outside.limits)
        folder, crates = _locked_crates(files, where)
        _write_manifests(files, scratch / "tree")
        vendored = scratch / VENDOR
        configuration = outside.cargo.vendor(scratch / "tree" / folder / CARGO_TOML, vendored, where)
        entries: list[TreeEntry] = [_configuration(configuration)]
        trees = SourceTrees(outside.limits, scratch)
        for crate in _checked(crates, vendored, where):
            place = vendored / crate.label if crate.sha256 is None else scratch / "crates" / crate.label
            if crate.sha256:
                trees.unpack(_file_of(outside.cargo, crate), place)
            entries += _entries(crate, place)
        return write_tree_archive(target, label, entries, where)


def _locked_crates(files: Mapping[str, bytes], where: str) -> tuple[str, tuple[Crate, ...]]:
    """Return the folder of the one Cargo.lock that counts (the top's, else the only one), and the crates in it."""
    locks = [path for path in files if PurePosixPath(path).name == CARGO_LOCK]
    if CARGO_LOCK in locks:
        locks = [CARGO_LOCK]
    if len(locks) != 1:
        found = f"has several ({', '.join(sorted(locks)[:5])})" if locks else "has none"
        fix = "take a source with one, or remove 'crates' from its recipe"
        raise LockError(f"its crates are pinned by a Cargo.lock, and it {found}", where=where, fix=fix)
    crates = crates_of(files[locks[0]], f"{locks[0]} of {where}")
    repositories = {crate.repository for crate in crates if crate.repository}
    for path, content in files.items():
        if PurePosixPath(path).name == CARGO_TOML:
            check_manifest(content, f"{path} of {where}", repositories)
    if not crates:
        raise LockError("its Cargo.lock names no crates", where=where, fix="remove 'crates' from its recipe")
    return str(PurePosixPath(locks[0]).parent), crates


def _write_manifests(files: Mapping[str, bytes], folder: Path) -> None:
    with translated_os_errors(folder):
        for path, content in files.items():
            place = folder / path
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_bytes(content)


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


def _entries(crate: Crate, folder: Path) -> Iterator[TreeEntry]:
    """Yield the files of a crate, which are in *folder*, and their checksum as cargo wants it."""
    place = f"{VENDOR}/{crate.label}"
    for file in sorted(folder.rglob("*")):
        if file.is_symlink() or not (file.is_file() or file.is_dir()):
            raise UnsafeArchiveError(f"its member {file.name!r} cannot be in a crate", where=crate.label)
        if file.is_file() and file.name != _CHECKSUMS:
            status = file.stat()
            path = f"{place}/{file.relative_to(folder).as_posix()}"
            yield TreeFile(path, status.st_size, bool(status.st_mode & 0o100), partial(_opened, file))
    yield _text(f"{place}/{_CHECKSUMS}", json.dumps({"files": {}, "package": crate.sha256}) + "\n")


def _opened(file: Path) -> BinaryIO:
    return file.open("rb")


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


def _text(path: str, text: str) -> TreeFile:
    content = text.encode()
    return TreeFile(path, len(content), executable=False, open=partial(io.BytesIO, content))
