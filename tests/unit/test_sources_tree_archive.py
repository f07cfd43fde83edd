"""Archives of trees: the same files give the same bytes, and nothing hostile gets in."""

from __future__ import annotations

import io
import tarfile
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from random import Random
from typing import IO

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dockerbuild_lib.core.errors import LockError, UnsafeArchiveError
from dockerbuild_lib.sources.archives import top_folder
from dockerbuild_lib.sources.patching import read_member
from dockerbuild_lib.sources.tree_archive import TreeEntry, TreeFile, TreeLink, leads_out, write_tree_archive


def file(path: str, content: bytes = b"", *, executable: bool = False) -> TreeFile:
    def opened() -> AbstractContextManager[IO[bytes]]:
        return nullcontext(io.BytesIO(content))

    return TreeFile(path, len(content), executable, opened)


TREE: tuple[TreeEntry, ...] = (
    file("pyproject.toml", b"[project]\n"),
    file("src/a.c", b"int a;\n"),
    file("configure", b"#!/bin/sh\n", executable=True),
    file("empty"),
    file("d\u00e9j\u00e0/\u6e90.txt", b"not ASCII"),
    file("long/" + "x" * 150 + "/" + "y" * 150, b"longer than a ustar header holds"),
    TreeLink("src/link", "../configure"),
    TreeLink("long/link", "x" * 150 + "/" + "y" * 150),
)


def test_the_bytes_are_the_same_today_and_in_ten_years(tmp_path: Path) -> None:
    received = write_tree_archive(tmp_path / "a.tar", "a-1", TREE, "a")
    assert received.size == 20480
    assert received.sha256 == "0ca24a87c1031101faad6f77d24e77eb5df01b0681165db2e39f24cee09bb716"


def test_every_field_that_could_tell_more_is_fixed(tmp_path: Path) -> None:
    write_tree_archive(tmp_path / "a.tar", "a-1", TREE, "a")
    with tarfile.open(tmp_path / "a.tar") as archive:
        members = archive.getmembers()
    assert [member.name for member in members] == [
        "a-1/configure",
        "a-1/d\u00e9j\u00e0/\u6e90.txt",
        "a-1/empty",
        "a-1/long/link",
        f"a-1/long/{'x' * 150}/{'y' * 150}",
        "a-1/pyproject.toml",
        "a-1/src/a.c",
        "a-1/src/link",
    ]
    assert {(m.uid, m.gid, m.uname, m.gname, m.mtime) for m in members} == {(0, 0, "", "", 315532800)}
    assert {oct(m.mode) for m in members if m.isfile()} == {"0o644", "0o755"}
    assert [m.name for m in members if m.mode == 0o755] == ["a-1/configure"]


def test_what_is_written_can_be_read_as_an_sdist_is(tmp_path: Path) -> None:
    write_tree_archive(tmp_path / "a.tar", "a-1", TREE, "a")
    assert top_folder(tmp_path / "a.tar") == "a-1"
    assert read_member(tmp_path / "a.tar", "pyproject.toml") == b"[project]\n"


_PARTS = st.text(st.characters(codec="utf-8", exclude_categories=["C", "Z"], exclude_characters="/\\"), min_size=1)
_PATHS = st.lists(_PARTS.filter(lambda part: part.lower() not in {".", "..", ".git"}), min_size=1, max_size=3)


@settings(deadline=None)
@given(st.dictionaries(_PATHS.map("/".join), st.binary(max_size=600), min_size=1, max_size=8), st.randoms())
def test_the_order_of_the_files_does_not_matter(
    tmp_path_factory: pytest.TempPathFactory, files: dict[str, bytes], random: Random
) -> None:
    folder = tmp_path_factory.getbasetemp()
    paths = [path for path in files if not any(other.startswith(f"{path}/") for other in files)]
    entries = [file(path, files[path], executable=len(path) % 2 == 0) for path in paths]
    first = write_tree_archive(folder / "first.tar", "a-1", entries, "a")
    random.shuffle(entries)
    assert write_tree_archive(folder / "second.tar", "a-1", entries, "a") == first
    with tarfile.open(folder / "second.tar") as archive:
        for path in paths:
            content = archive.extractfile(f"a-1/{path}")
            assert content
            assert content.read() == files[path]


@pytest.mark.parametrize(
    ("entries", "said"),
    [
        ([], "there is no file in it"),
        ([file("a"), file("a")], "the same name twice"),
        ([file("../a")], r"'\.\./a' has a name that no tree"),
        ([file("a/../b")], "has a name that no tree"),
        ([file("/etc/passwd")], "has a name that no tree"),
        ([file("a//b")], "has a name that no tree"),
        ([file("./a")], "has a name that no tree"),
        ([file(".git/hooks/pre-commit")], "has a name that no tree"),
        ([file("sub/.GIT/config")], "has a name that no tree"),
        ([file("a\\b")], "cannot be written everywhere"),
        ([file("a\nb")], "cannot be written everywhere"),
        ([file("a\udcff")], "cannot be written everywhere"),
        ([TreeLink("a", "b"), file("a/b")], "'a/b' lies below a file or link"),
        ([TreeLink("a", "/etc")], "a link that leads out of it, to '/etc'"),
        ([TreeLink("a/b", "../../c")], "a link that leads out of it"),
        ([TreeLink("a", "")], "a link that leads out of it"),
    ],
)
def test_what_is_no_tree_of_files_is_refused_and_nothing_is_left(
    tmp_path: Path, entries: list[TreeEntry], said: str
) -> None:
    with pytest.raises(UnsafeArchiveError, match=said) as caught:
        write_tree_archive(tmp_path / "a.tar", "a-1", entries, "the tree")
    assert caught.value.where == "the tree"
    assert not list(tmp_path.iterdir())


def test_a_file_that_shrinks_while_it_is_read_is_told(tmp_path: Path) -> None:
    shrunk = TreeFile("a", 10, executable=False, open=file("a", b"short").open)
    with pytest.raises(LockError, match="changed while it was read"):
        write_tree_archive(tmp_path / "a.tar", "a-1", [shrunk], "a")
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("path", "target", "out"),
    [
        ("a", "b", False),
        ("a/b", "../c", False),
        ("a/b/c", "../../d/./e", False),
        ("a", "..", True),
        ("a", "b/../..", True),
        ("a/b", "../../c", True),
        ("a/b", "/c", True),
    ],
)
def test_a_link_leads_out_or_not(path: str, target: str, out: bool) -> None:  # noqa: FBT001 - expected
    assert leads_out(path, target) is out
