"""Hostile members, in every format: refused by name, and nothing is written anywhere."""

from __future__ import annotations

import stat
from dataclasses import dataclass
from pathlib import Path

import pytest

from dockerbuild_lib.sources.archives.members import shown
from tests.support.archives import FORMATS, Item, folder, special, symlink, write_archive
from tests.support.refusals import World

OUTSIDE = "is outside of the archive's folder"
CONTROL = "has a name with control characters"
NOT_UTF8 = "has a name that is not UTF-8"
BACKSLASH = "has a name with a backslash"
TOO_LONG = "has a name that is too long"
LEADS_OUT = "is a link that leads out of the archive's folder"
TWICE = "comes twice"
SAME = "where case or Unicode's normal forms do not count"
SPECIAL_BITS = "setuid, setgid or sticky"


@dataclass(frozen=True)
class Case:
    """Members, the last of which is refused, and why."""

    why: str
    items: tuple[Item, ...]
    refused: int = -1


def named(name: str, why: str) -> Case:
    """Return an archive with a file of that name."""
    return Case(why, (Item(name),))


def linked(name: str, target: str, why: str = LEADS_OUT) -> Case:
    """Return an archive with a symbolic link."""
    return Case(why, (symlink(name, target),))


CASES = {
    "absolute": named("/etc/passwd", OUTSIDE),
    "absolute with two slashes": named("//etc/passwd", OUTSIDE),
    "absolute folder": Case(OUTSIDE, (folder("/etc/cron.d"),)),
    "parent": named("../etc/passwd", OUTSIDE),
    "parent of the place": named("p/../../etc/passwd", OUTSIDE),
    "parent behind the top": named("p/../x", OUTSIDE),
    "parent at the end": Case(OUTSIDE, (folder("p/sub/.."),)),
    "parent alone": Case(OUTSIDE, (folder(".."),)),
    "parent behind a dot": named("./../x", OUTSIDE),
    "parent folder": Case(OUTSIDE, (folder("p/../../etc"),)),
    "drive": named("C:/x", OUTSIDE),
    "drive without a slash": named("c:x", OUTSIDE),
    "backslash": named("p\\x", BACKSLASH),
    "parent by backslashes": named("p\\..\\..\\x", BACKSLASH),
    "share": named("\\\\server\\share\\x", BACKSLASH),
    "escape sequence": named("p/\x1b[2J", CONTROL),
    "newline": named("p/a\nb", CONTROL),
    "tab": named("p/a\tb", CONTROL),
    "carriage return": named("p/a\rb", CONTROL),
    "delete": named("p/a\x7fb", CONTROL),
    "NUL": named("p/a\0.txt", CONTROL),
    "control character of the second set": named("p/a\x9bb", CONTROL),
    "text that runs backwards": named("p/gpj\u202eexe.py", CONTROL),
    "line separator": named("p/a\u2028b", CONTROL),
    "Latin-1": named("p/caf\udce9", NOT_UTF8),
    "overlong UTF-8": named("p/\udcc0\udcaf", NOT_UTF8),
    "half a character": named("p/\udced\udca0\udc80", NOT_UTF8),
    "empty": named("", "has a name that is empty"),
    "long part": named("p/" + "a" * 256, TOO_LONG),
    "long part in bytes": named("p/" + "é" * 128, TOO_LONG),
    "long path": named("p/" + "a/" * 2100 + "a", TOO_LONG),
    "deep": named("p/" + "d/" * 200 + "f", "has a name that is too deep"),
    "link to an absolute path": linked("p/l", "/etc/passwd"),
    "link to the root": linked("p/l", "/"),
    "link out": linked("p/l", "../../etc/passwd"),
    "link out of a deeper folder": linked("p/a/b/l", "../../../../x"),
    "link that climbs behind a name": Case(LEADS_OUT, (folder("p/a"), symlink("p/l", "a/../x"))),
    "link through a link": Case(LEADS_OUT, (symlink("p/a/up", ".."), symlink("p/l", "a/up/../../etc"))),
    "chain of links": Case(
        LEADS_OUT, (symlink("p/a/b/one", "../.."), symlink("p/a/two", "b/one"), symlink("p/three", "a/two/.."))
    ),
    "link to a drive": linked("p/l", "C:/x"),
    "link by backslashes": linked("p/l", "..\\..\\x", "is a link to something with a name with a backslash"),
    "link to nothing": linked("p/l", "", "is a link to something with a name that is empty"),
    "link to NUL": linked("p/l", "a\0b", "is a link to something with a name with control characters"),
    "link to no UTF-8": linked("p/l", "\udce9", "is a link to something with a name that is not UTF-8"),
    "link to a long name": linked("p/l", "a" * 256, "is a link to something with a name that is too long"),
    "file through a link": Case("lies below 'p/l', which is a symbolic link", (symlink("p/l", "d"), Item("p/l/x"))),
    "file through a link to nowhere": Case(LEADS_OUT, (symlink("p/l", "/etc"), Item("p/l/passwd")), 0),
    "folder through a link": Case(
        "lies below 'p/l', which is a symbolic link", (folder("p/d"), symlink("p/l", "d"), folder("p/l/x"))
    ),
    "file deep below a link": Case("lies below 'p/l', which", (symlink("p/l", "."), Item("p/l/a/b/c"))),
    "file through a link of another case": Case("lies below 'p/l', which", (symlink("p/l", "d"), Item("p/L/x"))),
    "link in the place of a folder": Case(
        "is a symbolic link, and a folder as well", (Item("p/d/x"), symlink("p/d", "e"))
    ),
    "folder in the place of a link": Case(
        "is a folder, and a symbolic link as well", (symlink("p/d", "e"), folder("p/d"))
    ),
    "file in the place of a link": Case(TWICE, (symlink("p/l", "x"), Item("p/l"))),
    "link in the place of a file": Case(TWICE, (Item("p/l"), symlink("p/l", "x"))),
    "file below a file": Case("lies below 'p/f', which is a file", (Item("p/f"), Item("p/f/x"))),
    "file in the place of a folder": Case("is a file, and a folder as well", (Item("p/f/x"), Item("p/f"))),
    "folder in the place of a file": Case("is a folder, and a file as well", (Item("p/f"), folder("p/f"))),
    "twice": Case(TWICE, (Item("p/f", b"1"), Item("p/f", b"2"))),
    "twice, with the same bytes": Case(TWICE, (Item("p/f"), Item("p/f"))),
    "twice, behind a dot": Case(TWICE, (Item("p/f"), Item("./p/f"))),
    "twice, with more slashes": Case(TWICE, (Item("p/f"), Item("p//./f"))),
    "link twice": Case(TWICE, (symlink("p/l", "a"), symlink("p/l", "b"))),
    "case": Case(SAME, (Item("p/Makefile"), Item("p/makefile"))),
    "case of a folder": Case(SAME, (Item("p/Lib/a"), Item("p/lib/b"))),
    "case of the top": Case(SAME, (Item("p/a"), Item("P/b"))),
    "case beyond ASCII": Case(SAME, (Item("p/É"), Item("p/é"))),
    "case that changes the length": Case(SAME, (Item("p/straße"), Item("p/STRASSE"))),
    "Kelvin's sign": Case(SAME, (Item("p/k"), Item("p/\u212a"))),
    "normal forms": Case(SAME, (Item("p/caf\u00e9"), Item("p/cafe\u0301"))),
    "normal forms of a folder": Case(SAME, (Item("p/caf\u00e9/a"), Item("p/cafe\u0301/b"))),
    "setuid": Case(SPECIAL_BITS, (Item("p/f", mode=stat.S_IFREG | 0o4755),)),
    "setgid": Case(SPECIAL_BITS, (Item("p/f", mode=stat.S_IFREG | 0o2755),)),
    "sticky": Case(SPECIAL_BITS, (Item("p/f", mode=stat.S_IFREG | 0o1644),)),
    "setuid folder": Case(SPECIAL_BITS, (folder("p/d", 0o4755),)),
    "character device": Case("is a character device", (special("p/d", stat.S_IFCHR),)),
    "block device": Case("is a block device", (special("p/d", stat.S_IFBLK),)),
    "fifo": Case("is a named pipe", (special("p/d", stat.S_IFIFO),)),
    "fifo in the place of the top": Case("is a named pipe", (special("q", stat.S_IFIFO),)),
}
OF_TREES = {
    "link to the folder around": linked("p/l", ".."),
    "link out and back": linked("p/l", "../p/x"),
    "two tops": Case("is not below 'p'", (Item("q/x"),)),
    "file beside the top": Case("is a file, where the archive's one top folder must be", (Item("q"),)),
    "link in the place of the top": Case("is a symbolic link, where the archive's one top", (symlink("q", "p"),)),
}


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)


@pytest.mark.parametrize("suffix", FORMATS)
@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_a_hostile_member_is_refused_by_its_name(world: World, tmp_path: Path, case: Case, suffix: str) -> None:
    archive = write_archive(tmp_path / f"a.{suffix}", Item("p/harmless"), *case.items, Item("p/later"))
    said = world.refuses(archive)
    assert case.why in said
    name = case.items[case.refused].name
    is_zipped_folder = suffix in ("zip", "whl") and stat.S_ISDIR(case.items[case.refused].mode)
    assert shown(name + "/" if is_zipped_folder else name) in said


@pytest.mark.parametrize("suffix", [suffix for suffix in FORMATS if suffix != "whl"])
@pytest.mark.parametrize("case", OF_TREES.values(), ids=OF_TREES)
def test_a_source_has_one_top_folder(world: World, tmp_path: Path, case: Case, suffix: str) -> None:
    said = world.refuses(write_archive(tmp_path / f"a.{suffix}", Item("p/harmless"), *case.items))
    assert case.why in said
    assert shown(case.items[-1].name) in said


@pytest.mark.parametrize("suffix", [suffix for suffix in FORMATS if suffix != "whl"])
def test_an_archive_without_a_member_is_refused(world: World, tmp_path: Path, suffix: str) -> None:
    assert "holds nothing" in world.refuses(write_archive(tmp_path / f"a.{suffix}"))


def test_at_least_sixty_kinds_of_members_are_tried() -> None:
    assert len(CASES) >= 60
