"""Packages at the limits of plain zips, byte by byte beside the real client, with 4 GiB that lie on no disk."""

from __future__ import annotations

import fcntl
import os
import select
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, cast

import pytest

from dockerbuild_lib.core.files import CHUNK
from dockerbuild_lib.store.package_container import FILE_MODE, ContainerWriter, local_header
from dockerbuild_lib.store.package_file import MANIFEST, read_package
from dockerbuild_lib.store.package_tree import scan_tree
from tests.support.cipd_client import CipdClient, cipd_program

UINT32_MAX = 0xFFFF_FFFF
NAME = "a/b"
DESCRIPTOR = 16
PIPE = 1 << 20
"""Bytes; what a pipe may hold without any right."""
ZEROS = bytes(CHUNK)
SECONDS = 300
"""Far more than it takes, on a busy machine too."""


@pytest.fixture
def client(tmp_path: Path) -> CipdClient:
    (tmp_path / "home").mkdir()
    return CipdClient(cipd_program(), tmp_path / "home")


class ComparedFile:
    """Takes what we write, compares it with what the client writes, and keeps it in a file with holes for zeros."""

    def __init__(self, theirs: BinaryIO, ours: Path) -> None:
        self._theirs = theirs
        self._ours = ours.open("wb")

    def write(self, data: bytes) -> None:
        assert self._theirs.read(len(data)) == data
        if ZEROS.startswith(data):
            self._ours.seek(len(data), os.SEEK_CUR)
        else:
            self._ours.write(data)

    def finish(self) -> None:
        assert self._theirs.read(1) == b""
        self._ours.truncate()
        self._ours.close()


@contextmanager
def built_by_the_client(client: CipdClient, tree: Path, pipe: Path) -> Iterator[BinaryIO]:
    """Yield the package as the client writes it. Afterwards it would read it again, and is stopped."""
    os.mkfifo(pipe)
    descriptor = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    fcntl.fcntl(descriptor, fcntl.F_SETPIPE_SZ, PIPE)
    arguments = ("pkg-build", "-name", NAME, "-in", tree, "-out", pipe, "-compression-level", "0")
    with os.fdopen(descriptor, "rb", buffering=PIPE) as stream, client.started(*arguments) as process:
        wait_for_bytes(descriptor, process)
        os.set_blocking(descriptor, True)
        yield stream


def wait_for_bytes(descriptor: int, process: subprocess.Popen[bytes]) -> None:
    for _ in range(SECONDS):
        if select.select([descriptor], [], [], 1)[0]:
            return
        assert process.poll() is None, "the client ended without writing"
    pytest.fail("the client writes nothing")


def sparse_tree(folder: Path, **sizes: int) -> Path:
    folder.mkdir()
    for name, size in sizes.items():
        with (folder / name).open("wb") as stream:
            stream.truncate(size)
    return folder


TREES = {
    # The largest size that needs no ZIP64, and a member right behind it at the smallest offset that does.
    "offset": {"a": UINT32_MAX - len(local_header(b"a")) - DESCRIPTOR, "b": 1, "c": 0},
    # The smallest size that needs ZIP64.
    "size": {"a": 1, "b": UINT32_MAX, "c": 1},
}


@pytest.mark.parametrize("sizes", TREES.values(), ids=TREES)
def test_a_package_of_4_gib_has_the_bytes_of_the_client(
    sizes: dict[str, int], client: CipdClient, tmp_path: Path
) -> None:
    tree, ours = sparse_tree(tmp_path / "tree", **sizes), tmp_path / "ours"
    with built_by_the_client(client, tree, tmp_path / "pipe") as theirs:
        compared = ComparedFile(theirs, ours)
        write_streamed(compared, tree, tmp_path)
        compared.finish()
    assert [member.size for member in read_package(ours).members] == list(sizes.values())


def write_streamed(target: ComparedFile, tree: Path, scratch: Path) -> None:
    """Write the package of *tree* as ``write_package`` does, to what is no file."""
    (scratch / "manifest").write_bytes(b'{\n  "format_version": "1.1",\n  "package_name": "a/b"\n}')
    writer = ContainerWriter(cast("BinaryIO", target))
    for name, path in [
        *((member.name, tree / member.name) for member in scan_tree(tree)),
        (MANIFEST, scratch / "manifest"),
    ]:
        with path.open("rb") as source:
            writer.add(name, FILE_MODE, source)
    writer.finish()
