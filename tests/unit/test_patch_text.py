"""Patches as text: what they do is understood, and what nobody would do for them is refused."""

from __future__ import annotations

from pathlib import Path

import pytest

from dockerbuild_lib.catalog.patch_lines import PatchProblem
from dockerbuild_lib.catalog.patch_text import Action, parse_patch
from tests.support.catalogs import add_file, problems_of, write_catalog

GOOD = b"""\
Description: what this is for
 - a list, and a line of dashes
---
 src/a.py |    2 +-

diff --git a/src/a.py b/src/a.py
index 0123abc..4567def 100644
--- a/src/a.py
+++ b/src/a.py
@@ -1,3 +1,3 @@ def f():
 one
-two
+zwei
 three
@@ -9 +9,2 @@
 nine
+ten
"""
MAIL = (
    b"From 0123abc Mon Sep 17 00:00:00 2001\nSubject: [PATCH] x\n\n---\n a | 1 +\n\n--- a/a\n+++ b/a\n"
    b"@@ -1 +1,2 @@\n one\n+two\n-- \n2.39.5\n\n"
)
HUNK = b"@@ -1 +1 @@\n-a\n+b\n"
ZONE = (b"1970-01-01 00:00:00.000000000 +0000", b"1970-01-01 01:00:00 +0100")
NEW_FOLDER = (
    b"diff -ruN a/d/f b/d/f\n--- a/d/f\t1970-01-01 00:00:00.000000000 +0000\n+++ b/d/f\t2024-01-01 00:00:00.0 +0000\n"
)


def test_hunks_are_read_with_the_lines_that_they_are_for() -> None:
    (change,) = parse_patch(GOOD)
    assert (change.path, change.line, change.action) == ("src/a.py", 8, Action.CHANGE)
    assert [(hunk.line, hunk.skipped, hunk.old, hunk.new) for hunk in change.hunks] == [
        (10, 0, (b"one\n", b"two\n", b"three\n"), (b"one\n", b"zwei\n", b"three\n")),
        (15, 8, (b"nine\n",), (b"nine\n", b"ten\n")),
    ]


@pytest.mark.parametrize(
    ("text", "path", "action"),
    [
        (b"--- a/f\n+++ b/f\n" + HUNK, "f", Action.CHANGE),
        (b"--- x-1.0.orig/d/f\n+++ x-1.0/d/f\n" + HUNK, "d/f", Action.CHANGE),
        (b"--- a/f\t2024-01-01 10:00:00 +0100\n+++ b/f\t2024-01-02 10:00:00 +0100\n" + HUNK, "f", Action.CHANGE),
        (b"--- a/with blank\t\n+++ b/with blank\t\n" + HUNK, "with blank", Action.CHANGE),
        (b'--- "a/caf\\303\\251 \\"1\\""\n+++ "b/caf\\303\\251 \\"1\\""\n' + HUNK, 'café "1"', Action.CHANGE),
        (b'diff --git "a/\\303\\251" "b/\\303\\251"\nnew file mode 100644\n', "é", Action.CREATE),
        (b"--- a/f\r\n+++ b/f\r\n" + HUNK, "f", Action.CHANGE),
        (b"Index: f\n=====\n--- a/f\n+++ b/f\n" + HUNK, "f", Action.CHANGE),
        (b"--- /dev/null\n+++ b/d/f\n@@ -0,0 +1,2 @@\n+a\n+b\n", "d/f", Action.CREATE),
        (NEW_FOLDER + b"@@ -0,0 +1 @@\n+a\n", "d/f", Action.CREATE),
        (NEW_FOLDER.replace(*ZONE) + b"@@ -0,0 +1 @@\n+a\n", "d/f", Action.CREATE),
        (b"--- a/f\n+++ b/f\n@@ -0,0 +1 @@\n+a\n", "f", Action.CREATE),
        (b"--- a/f\n+++ /dev/null\n@@ -1,2 +0,0 @@\n-a\n-b\n", "f", Action.DELETE),
        (b"--- a/f\n+++ b/f\t1970-01-01 00:00:00.000000000 +0000\n@@ -1 +0,0 @@\n-a\n", "f", Action.DELETE),
        (b"--- a/f\n+++ b/f\n@@ -1 +0,0 @@\n-a\n", "f", Action.CHANGE),
        (b"--- a/f\n+++ b/f\t1970-01-01 00:00:01 +0000\n@@ -1 +0,0 @@\n-a\n", "f", Action.CHANGE),
        (b"diff --git a/d/init b/d/init\nnew file mode 100644\nindex 0..e69de29\n", "d/init", Action.CREATE),
        (b"diff --git a/a b c b/a b c\ndeleted file mode 100644\nindex e69de29..0\n", "a b c", Action.DELETE),
    ],
)
def test_what_is_done_with_a_file_is_understood(text: bytes, path: str, action: Action) -> None:
    (change,) = parse_patch(text)
    assert (change.path, change.action) == (path, action)


def test_several_files_and_mails_are_read() -> None:
    assert [change.path for change in parse_patch(MAIL + MAIL + GOOD)] == ["a", "a", "src/a.py"]


def test_a_new_program_is_one() -> None:
    text = b"diff --git a/f b/f\nnew file mode 100755\n--- /dev/null\n+++ b/f\n@@ -0,0 +1 @@\n+a\n"
    assert parse_patch(text)[0].executable
    assert not parse_patch(text.replace(b"755", b"644"))[0].executable


@pytest.mark.parametrize(
    ("hunk", "old", "new"),
    [
        (b"@@ -1 +1 @@\n-a\n\\ No newline at end of file\n+a\n", b"a", b"a\n"),
        (b"@@ -1 +1 @@\n-a\n+a\n\\ No newline at end of file\n", b"a\n", b"a"),
        (b"@@ -1,2 +1,2 @@\n-a\n+b\n c\n\\ No newline at end of file\n", b"a\nc", b"b\nc"),
        (b"@@ -1,3 +1,3 @@\n a\n\n-c\n+d\n", b"a\n\nc\n", b"a\n\nd\n"),
        (b"@@ -1 +1 @@\n-a\r\n+a\n", b"a\r\n", b"a\n"),
        (b"@@ -1 +1 @@\n-- a\n++ b\n", b"- a\n", b"+ b\n"),
        (b"@@ -1 +1 @@\n--- a/f\n+++ b/f\n", b"-- a/f\n", b"++ b/f\n"),
        (b"@@ -1 +1 @@\n-a\n+b", b"a\n", b"b\n"),
    ],
)
def test_lines_are_taken_to_the_letter(hunk: bytes, old: bytes, new: bytes) -> None:
    (change,) = parse_patch(b"--- a/f\n+++ b/f\n" + hunk)
    assert (b"".join(change.hunks[0].old), b"".join(change.hunks[0].new)) == (old, new)


HEAD = b"--- a/f\n+++ b/f\n"
GIT = b"diff --git a/f b/f\n"
REFUSED = {
    "nothing": (b"", 1, "there is no unified diff in it"),
    "prose": (b"fix it\n", 1, "there is no unified diff in it"),
    "context diff": (b"*** a/f\n--- b/f\n***************\n*** 1 ****\n! a\n--- 1 ----\n! b\n", 3, "a context diff"),
    "normal diff": (b"1c1\n< a\n---\n> b\n", 1, "there is no unified diff in it"),
    "names alone": (HEAD, 1, "names a file, and changes nothing in it"),
    "names alone, then a file": (HEAD + HEAD + HUNK, 1, "names a file, and changes nothing in it"),
    "hunk without names": (HUNK, 1, "no file names in front of it"),
    "new name alone": (b"+++ b/f\n" + HUNK, 1, "without the old one's"),
    "old name alone": (b"--- a/f\n" + HUNK, 2, "no file names in front of it"),
    "old name alone, by git": (GIT + b"--- a/f\n" + HUNK, 2, "without the new one's"),
    "nothing in it, by git": (GIT + b"index 1..2 100644\n" + GIT, 1, "changes nothing in it"),
    "mode": (GIT + b"old mode 100644\nnew mode 100755\n", 2, "it changes the mode of a file"),
    "mode beside a change": (GIT + b"old mode 100644\nnew mode 100755\nindex 1..2\n" + HEAD + HUNK, 2, "the mode"),
    "rename": (
        b"diff --git a/f b/g\nsimilarity index 100%\nrename from f\nrename to g\n",
        2,
        "renames or copies a file",
    ),
    "rename without similarity": (b"diff --git a/f b/g\nrename from f\nrename to g\n", 2, "renames or copies a file"),
    "copy": (b"diff --git a/f b/g\ncopy from f\ncopy to g\n", 2, "renames or copies a file"),
    "rename behind a change": (GIT + HEAD + HUNK + b"diff --git a/f b/g\nrename from f\n", 8, "renames or copies"),
    "binary by git": (GIT + b"index 1..2 100644\nGIT binary patch\nliteral 1\nIcmZ\n", 3, "changes a binary file"),
    "binary, not shown": (GIT + b"index 1..2 100644\nBinary files a/f and b/f differ\n", 3, "changes a binary file"),
    "binary by diff": (HEAD + HUNK + b"Binary files a/g and b/g differ\n", 6, "changes a binary file"),
    "only in": (HEAD + HUNK + b"Only in b/src: g\n", 6, "in one of the two folders only"),
    "link": (GIT + b"new file mode 120000\n--- /dev/null\n+++ b/f\n@@ -0,0 +1 @@\n+x\n", 2, "makes or removes a link"),
    "submodule": (GIT + b"new file mode 160000\n", 2, "makes or removes a link"),
    "link removed": (GIT + b"deleted file mode 120000\n", 2, "makes or removes a link"),
    "parent": (b"--- a/../f\n+++ b/../f\n" + HUNK, 1, "a/../f is outside of the source's folder"),
    "parent behind a folder": (b"--- a/d/../../f\n+++ b/d/../../f\n" + HUNK, 1, "is outside"),
    "parent in the first folder": (b"--- ../../f\n+++ ../../f\n" + HUNK, 1, "is outside"),
    "absolute": (b"--- /etc/passwd\n+++ /etc/passwd\n" + HUNK, 1, "is outside"),
    "new file outside": (b"--- /dev/null\n+++ b/../f\n@@ -0,0 +1 @@\n+a\n", 1, "is outside"),
    "empty file outside": (b"diff --git a/../f b/../f\nnew file mode 100644\n", 1, "is outside"),
    "doubled slash": (b"--- a//etc/f\n+++ b//etc/f\n" + HUNK, 1, "is outside"),
    "no folder": (b"--- f.orig\n+++ f\n" + HUNK, 1, "no leading folder to be left out (-p1)"),
    "two files": (b"--- a/f\n+++ b/g\n" + HUNK, 1, "names two files, f and g"),
    "two files, by git": (
        b"diff --git a/empty b/empty\ndeleted file mode 100644\n" + HEAD + HUNK,
        1,
        "names two files",
    ),
    "quoted name outside": (b'--- "a/\\056./f"\n+++ "b/\\056./f"\n' + HUNK, 1, "is outside"),
    "no file": (b"--- /dev/null\n+++ /dev/null\n@@ -0,0 +1 @@\n+a\n", 1, "it names no file"),
    "header of a hunk": (HEAD + b"@@ -1,x +1 @@\n-a\n+b\n", 3, "the header of a hunk cannot be read"),
    "combined diff": (HEAD + b"@@@ -1 -1 +1 @@@\n--a\n++b\n", 3, "the header of a hunk cannot be read"),
    "hunk at line 0": (HEAD + b"@@ -0 +1 @@\n-a\n+b\n", 3, "begins at line 0"),
    "hunk that changes nothing": (HEAD + b"@@ -1 +1 @@\n a\n", 3, "a hunk changes nothing"),
    "line taken away and put back": (HEAD + b"@@ -1 +1 @@\n-a\n+a\n", 3, "a hunk changes nothing"),
    "cut off": (HEAD + b"@@ -1,3 +1,3 @@\n a\n-b\n+c\n", 3, "a hunk is cut off"),
    "too few lines counted": (HEAD + b"@@ -1 +1 @@\n-a\n+b\n+c\n", 6, "belongs to no hunk"),
    "context that is not counted": (HEAD + b"@@ -1 +1 @@\n-a\n+b\n c\n", 6, "belongs to no hunk"),
    "too many lines of one side": (HEAD + b"@@ -1,2 +1 @@\n-a\n+b\n+c\n", 6, "no line of the hunk"),
    "hunk behind text": (HEAD + HUNK + b"\nmore\n@@ -9 +9 @@\n-a\n+b\n", 8, "no file names in front of it"),
    "damaged blanks": (HEAD + b"@@ -1,2 +1,2 @@\n-a\n+b\n\tc\n", 6, "no line of the hunk"),
    "wrapped line": (HEAD + b"@@ -1,2 +1,2 @@\n-a\n+b which is\nlong\n c\n", 6, "no line of the hunk"),
    "created and changed": (b"--- /dev/null\n+++ b/f\n" + HUNK, 1, "creates a file, and yet changes lines of it"),
    "deleted and left": (b"--- a/f\n+++ /dev/null\n" + HUNK, 1, "deletes a file, and yet leaves lines of it"),
    "created twice": (HEAD + b"@@ -0,0 +1 @@\n+a\n@@ -5 +5 @@\n-a\n+b\n", 1, "creates a file, and yet changes"),
}


@pytest.mark.parametrize(("text", "line", "why"), REFUSED.values(), ids=REFUSED)
def test_what_would_be_done_in_part_or_not_at_all_is_refused(text: bytes, line: int, why: str) -> None:
    with pytest.raises(PatchProblem) as caught:
        parse_patch(text)
    assert why in caught.value.what
    assert caught.value.line == line
    assert caught.value.fix


def test_problems_of_patches_are_problems_of_the_catalogue(tmp_path: Path) -> None:
    wheel = "x: {trial: a, versions: {1.0.0: {patches: [01-a.patch, 02-b.patch]}}}"
    config = write_catalog(tmp_path, wheels__x=wheel)
    add_file(config, "patches/x/1.0.0/01-a.patch", b"--- a/../f\n+++ b/../f\n" + HUNK)
    add_file(config, "patches/x/1.0.0/02-b.patch", GIT + b"old mode 100644\nnew mode 100755\n")
    fix = "write it with `diff -ruN`, or with `git diff --no-renames`"
    assert problems_of(config) == [
        f"config/patches/x/1.0.0/01-a.patch:1:1: the name a/../f is outside of the source's folder; {fix}",
        f"config/patches/x/1.0.0/02-b.patch:2:1: it changes the mode of a file; {fix}",
    ]
