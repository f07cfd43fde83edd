"""What a container gets of the image's zig cache: on the engine that made the image, and on another."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from dockerbuild_lib.images.scripts import zig_cache
from dockerbuild_lib.images.scripts.zig_cache import FILE, files_of

LIBRARY_FILE = "libc/stdio.h"
RESULT = "o/1/c.s"


@pytest.fixture
def image(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An image with zig's library and its cache; no record yet."""
    for name in (f"zig-cache/{RESULT}", "zig-cache/z/3", "zig-cache/h/timestamp", f"lib/{LIBRARY_FILE}"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("" if name.endswith("timestamp") else name)
    monkeypatch.setattr(zig_cache, "IMAGE", str(tmp_path / "zig-cache"))
    monkeypatch.setattr(zig_cache, "LIBRARY", str(tmp_path / "lib"))
    return tmp_path


def add_record(image: Path, *, inode: int | None = None, size: int | None = None, flags: int = 1 << 2) -> bytes:
    """Write a record of a file of the library and of one of the cache, as zig does; return it."""
    status = (image / "lib" / LIBRARY_FILE).stat()
    size = status.st_size if size is None else size
    first = FILE.pack(size, status.st_ino if inode is None else inode, status.st_mtime_ns, b"1" * 16, flags)
    second = FILE.pack((image / "zig-cache" / RESULT).stat().st_size, 0, 0, b"2" * 16, 2 << 2)
    record = first + LIBRARY_FILE.encode() + b"\0" + second + RESULT.encode() + b"\0\0"
    (image / "zig-cache/h/abc").write_bytes(record)
    return record


def fill(image: Path) -> Path:
    own = image / "own"
    zig_cache.fill(str(own))
    return own


def test_results_are_links_that_zig_may_replace_and_its_parsed_sources_are_left_out(image: Path) -> None:
    add_record(image)
    own = fill(image)
    assert sorted(path.name for path in own.iterdir()) == ["h", "o"]
    assert not (own / "o/1").is_symlink()
    assert (own / RESULT).is_symlink()
    assert (own / RESULT).read_text() == f"zig-cache/{RESULT}"


def test_records_of_this_engine_are_copied_as_they_are(image: Path) -> None:
    record = add_record(image)
    copy = fill(image) / "h/abc"
    assert not copy.is_symlink()
    assert copy.read_bytes() == record


def test_records_of_another_engine_are_told_the_inodes_and_times_of_this_one(image: Path) -> None:
    record = add_record(image, inode=1)
    own = fill(image)
    adopted = (own / "h/abc").read_bytes()
    found = {file.path: file for file in files_of(adopted)}
    for path, file in ((LIBRARY_FILE, image / "lib" / LIBRARY_FILE), (RESULT, own / RESULT)):
        assert found[path].inode == file.stat().st_ino
        _, _, mtime, digest, _ = FILE.unpack_from(adopted, found[path].offset)
        assert mtime == file.stat().st_mtime_ns
        assert digest in record
    assert [file[1:4] for file in files_of(adopted)] == [file[1:4] for file in files_of(record)]
    assert (own / "h/timestamp").read_text() == ""


@pytest.mark.parametrize("odd", [{"size": 1}, {"flags": 1 << 2 | 1}, {"flags": 1 << 2 | 2}])
def test_zig_begins_without_a_cache_where_a_record_is_not_as_it_is_known(image: Path, odd: dict[str, int]) -> None:
    add_record(image, inode=1, **odd)
    assert not fill(image).exists()


def test_a_record_of_another_form_is_refused(image: Path) -> None:
    record = add_record(image, inode=1)
    (image / "zig-cache/h/abc").write_bytes(record + b"more")
    assert not fill(image).exists()


def test_an_image_without_zig_has_nothing_to_begin_with(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "zig-cache").mkdir()
    monkeypatch.setattr(zig_cache, "IMAGE", str(tmp_path / "zig-cache"))
    monkeypatch.setenv("ZIG_GLOBAL_CACHE_DIR", str(tmp_path / "own"))
    zig_cache.main([])
    assert not (tmp_path / "own").exists()


@pytest.mark.parametrize(
    ("command", "code", "told"),
    [
        (("sh", "-c", "echo $0; exit 3", "a b"), 3, "a b\n"),
        (("no-such-program",), 127, "no-such-program: No such file or directory\n"),
        (("/",), 126, "/: Permission denied\n"),
    ],
)
def test_the_command_takes_the_place_of_the_program(command: tuple[str, ...], code: int, told: str) -> None:
    program = (sys.executable, "-I", "-B", str(Path(zig_cache.__file__)), *command)
    done = subprocess.run(program, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout + done.stderr) == (code, told)
