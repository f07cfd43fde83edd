"""One hash of files and folders: whatever differs is noticed, and nothing else."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from dockerbuild_lib.core.fingerprint import fingerprint


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    folder = tmp_path / "tree"
    (folder / "below").mkdir(parents=True)
    (folder / "a").write_text("one")
    (folder / "below/b").write_text("two")
    (folder / "link").symlink_to("a")
    return folder


def digest(folder: Path) -> str:
    return fingerprint([folder], ["text"]).digest


def rewrite_in_secret(path: Path) -> None:
    """Change a file's bytes, and leave its size and its time as they were."""
    status = path.stat()
    path.write_text("eno")
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))


@pytest.mark.parametrize(
    "change",
    [
        lambda tree: rewrite_in_secret(tree / "a"),
        lambda tree: (tree / "below/c").touch(),
        lambda tree: (tree / "below/b").unlink(),
        lambda tree: (tree / "a").rename(tree / "c"),
        lambda tree: (tree / "empty").mkdir(),
        lambda tree: ((tree / "link").unlink(), (tree / "link").symlink_to("below/b")),
        lambda tree: ((tree / "link").unlink(), (tree / "link").symlink_to("nowhere")),
        lambda tree: ((tree / "a").write_text("on"), (tree / "below/b").write_text("etwo")),
    ],
)
def test_every_change_is_seen(tree: Path, change: Callable[[Path], object]) -> None:
    before = digest(tree)
    change(tree)
    assert digest(tree) != before


def test_the_same_bytes_give_the_same_digest_whenever_they_were_written(tree: Path) -> None:
    before = digest(tree)
    (tree / "a").write_text("other")
    (tree / "a").write_text("one")
    (tree / "__pycache__").mkdir()
    (tree / "__pycache__/a.pyc").touch()
    assert digest(tree) == before


def test_texts_and_missing_places_count(tmp_path: Path) -> None:
    place = tmp_path / "later"
    seen = {fingerprint([place], texts).digest for texts in ([], ["ab"], ["a", "b"], ["b", "a"])}
    place.touch()
    assert len(seen | {fingerprint([place], []).digest}) == 5


def test_links_that_lead_back_and_pipes_do_not_hold_it_up(tree: Path) -> None:
    (tree / "below/back").symlink_to("..")
    os.mkfifo(tree / "pipe")
    assert digest(tree) == digest(tree)


@pytest.mark.parametrize("change", [lambda tree: (tree / "below/b").touch(), lambda tree: (tree / "below/b").unlink()])
def test_the_time_of_the_last_change_cannot_be_set_back(tree: Path, change: Callable[[Path], object]) -> None:
    time.sleep(0.05)
    between = time.time()
    time.sleep(0.05)
    assert fingerprint([tree], []).changed_at < between
    change(tree)
    for path in (tree, tree / "a", tree / "below"):
        os.utime(path, (1, 1))
    assert fingerprint([tree], []).changed_at > between
