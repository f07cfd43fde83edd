"""Uploads: resumed, limited, checked before anything is published, and cleaned up."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dockerbuild_lib.core.errors import NotInStoreError
from dockerbuild_lib.store.names import instance_id_of_file
from dockerbuild_lib.store.serve import uploads as module
from dockerbuild_lib.store.serve.status import Code, RpcError
from dockerbuild_lib.store.serve.upload_endpoint import ContentRange, RefusedError, content_range
from dockerbuild_lib.store.serve.uploads import Finished, Uploads
from tests.support.store_samples import package_file


@pytest.fixture
def uploads(tmp_path: Path) -> Uploads:
    return Uploads(tmp_path / "store" / "uploads")


def test_an_upload_is_whole_when_its_bytes_have_its_name(uploads: Uploads, tmp_path: Path) -> None:
    package = package_file(tmp_path / "made")
    instance_id, content = instance_id_of_file(package), package.read_bytes()
    operation = uploads.begin(instance_id)
    for part in (content[:100], content[100:]):
        uploads.append(operation, part)
    assert uploads.received(operation) == len(content)
    assert uploads.whole(instance_id) is None
    for _ in range(2):  # the client asks again when it did not hear the answer
        assert uploads.finish(operation) == Finished(instance_id, None)
    whole = uploads.whole(instance_id)
    assert whole is not None
    assert whole.read_bytes() == content
    uploads.forget(instance_id)
    assert uploads.whole(instance_id) is None
    assert uploads.finish(operation) == Finished(instance_id, None)


def test_an_upload_is_known_to_the_next_server(uploads: Uploads, tmp_path: Path) -> None:
    operation = uploads.begin(instance_id_of_file(package_file(tmp_path / "made")))
    uploads.append(operation, b"abc")
    assert Uploads(tmp_path / "store" / "uploads").received(operation) == 3


def test_other_bytes_and_what_is_no_package_are_refused_and_removed(uploads: Uploads, tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"no zip")
    instance_id = instance_id_of_file(tmp_path / "file")
    for content, problem in ((b"other bytes", "has the instance id"), (b"no zip", "is no package")):
        operation = uploads.begin(instance_id)
        uploads.append(operation, content)
        finished = uploads.finish(operation)
        assert problem in (finished.problem or "")
        with pytest.raises(NotInStoreError):
            uploads.received(operation)
    assert uploads.whole(instance_id) is None


@pytest.mark.parametrize("operation", ["", "x", "../token", "a.b", f"{'a' * 44}.{'b' * 43}", f"{'0' * 40}.short"])
def test_names_of_no_upload_lead_nowhere(operation: str, uploads: Uploads) -> None:
    for use in (uploads.received, uploads.finish, lambda name: uploads.append(name, b"x")):
        with pytest.raises(NotInStoreError):
            use(operation)


def test_names_cannot_be_guessed_nor_listed_by_others(uploads: Uploads, tmp_path: Path) -> None:
    instance_id = instance_id_of_file(package_file(tmp_path / "made"))
    assert uploads.begin(instance_id) != uploads.begin(instance_id)
    folder = tmp_path / "store" / "uploads"
    assert folder.stat().st_mode & 0o777 == 0o700
    assert all(file.stat().st_mode & 0o777 == 0o600 for file in folder.iterdir())


def test_there_are_not_more_than_so_many(uploads: Uploads, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MAX_UPLOADS", 2)
    instance_id = instance_id_of_file(package_file(tmp_path / "made"))
    first, _ = uploads.begin(instance_id), uploads.begin(instance_id)
    with pytest.raises(RpcError) as caught:
        uploads.begin(instance_id)
    assert caught.value.code is Code.RESOURCE_EXHAUSTED
    uploads.finish(first)
    uploads.begin(instance_id)


def test_what_was_given_up_is_removed(uploads: Uploads, tmp_path: Path) -> None:
    instance_id = instance_id_of_file(package_file(tmp_path / "made"))
    old, new = uploads.begin(instance_id), uploads.begin(instance_id)
    long_ago = time.time() - module.EXPIRY - 1
    os.utime(tmp_path / "store" / "uploads" / f"{old}.part", (long_ago, long_ago))
    uploads.remove_expired()
    assert uploads.received(new) == 0
    with pytest.raises(NotInStoreError):
        uploads.received(old)


@given(st.integers(0, 2**34), st.integers(1, 2**22), st.integers(0, 2**20))
def test_ranges_of_bytes_are_understood(start: int, length: int, rest: int) -> None:
    total = start + length + rest
    if total <= module.MAX_PACKAGE:
        assert content_range(f"bytes {start}-{start + length - 1}/{total}") == ContentRange(
            start, start + length, total
        )
        assert content_range(f"bytes */{total}") == ContentRange(0, 0, total)


@pytest.mark.parametrize(
    "header",
    [
        "",
        "bytes",
        "bytes 0-1",
        "bytes 0-1/*",
        "bytes 5-4/10",
        "bytes 0-10/10",
        "bytes -5/10",
        "bytes 0-/10",
        "items 0-1/2",
        "bytes 0-1/2 ",
        "bytes 0-1/2\n",
        "bytes 0-1/\u0662",  # a digit, but not of ASCII
        "bytes 0-1/99999999999999999999",
        f"bytes */{module.MAX_PACKAGE + 1}",
    ],
)
def test_ranges_that_make_no_sense_are_refused(header: str) -> None:
    with pytest.raises(RefusedError):
        content_range(header)
