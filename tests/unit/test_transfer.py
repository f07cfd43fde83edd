"""What comes out of a container."""

from __future__ import annotations

import io
import tarfile
from collections.abc import Iterator

import pytest

from dockerbuild_lib.containers.transfer import read_file
from dockerbuild_lib.core.errors import BuildFailedError
from tests.support.sdists import member


def archived(*members: tuple[tarfile.TarInfo, bytes], size: int = 100) -> Iterator[bytes]:
    """Yield a tar of *members* in chunks, as the engine sends it."""
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w") as tar:
        for info, content in members:
            tar.addfile(info, io.BytesIO(content))
    whole = stream.getvalue()
    yield from (whole[start : start + size] for start in range(0, len(whole), size))


@pytest.mark.parametrize("content", [b"", b"[]", b"x" * 1000])
def test_a_file_is_read(content: bytes) -> None:
    assert read_file(archived(member("answer.json", content)), 1000) == content


def test_a_file_that_is_too_large_is_refused_by_its_size() -> None:
    with pytest.raises(BuildFailedError, match=r"the build left answer\.json with 1001 bytes, more than 1000"):
        read_file(archived(member("answer.json", b"x" * 1001)), 1000)


@pytest.mark.parametrize("kind", [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.DIRTYPE, tarfile.FIFOTYPE, tarfile.CHRTYPE])
def test_what_is_no_regular_file_is_refused(kind: bytes) -> None:
    info, content = member("answer.json", type=kind, linkname="/etc/passwd")
    with pytest.raises(BuildFailedError, match="no regular file"):
        read_file(archived((info, content)), 1000)


@pytest.mark.parametrize("chunks", [[], [b"\0" * 1024], [b"x" * 512]])
def test_a_damaged_archive_is_refused(chunks: list[bytes]) -> None:
    with pytest.raises(BuildFailedError):
        read_file(chunks, 1000)
