"""Patches on trees: to the letter, or an error that names the patch, its line, the file and the hunk."""

from __future__ import annotations

import difflib
import os
import stat
import subprocess
import tarfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dockerbuild_lib.catalog.patch_text import parse_patch
from dockerbuild_lib.catalog.settings import ArchiveLimits
from dockerbuild_lib.core.errors import PatchFailedError
from dockerbuild_lib.sources.patch_apply import changed
from dockerbuild_lib.sources.trees import SourceTrees
from tests.support.archives import Item, folder, symlink, write_archive
from tests.support.sdists import member, write_tar

LINES = "".join(f"line {number}\n" for number in range(1, 21))
SECOND = """\
--- a/f
+++ b/f
@@ -1,4 +1,4 @@
 line 1
-line 2
+LINE 2
 line 3
 line 4
"""
TWELFTH = """\
@@ -11,3 +11,4 @@
 line 11
+between
 line 12
 line 13
"""
ITEMS = (
    Item("p/f", LINES.encode()),
    Item("p/program", b"#!/bin/sh\n", stat.S_IFREG | 0o755),
    Item("p/empty", b""),
    folder("p/d"),
    Item("p/d/g", b"one\ntwo"),
    symlink("p/l", "f"),
)


@pytest.fixture
def source(tmp_path: Path) -> Path:
    return write_archive(tmp_path / "p.tar.gz", *ITEMS)


def unpacked(source: Path, *patches: str) -> Path:
    """Return the folder of the tree with these patches, the first of them 01-a.patch."""
    target = source.parent / "unpacked"
    SourceTrees(ArchiveLimits(), source.parent).unpack(source, target, written(source.parent, *patches))
    return target


def written(place: Path, *patches: str) -> list[Path]:
    files = [place / f"{number:02}-{letter}.patch" for number, letter in zip(range(1, 10), "abcdefghi", strict=True)]
    for file, patch in zip(files, patches, strict=False):
        file.write_text(patch)
    return files[: len(patches)]


def said(source: Path, *patches: str) -> str:
    """Return the error that these patches end with; see that nothing is left."""
    with pytest.raises(PatchFailedError) as caught:
        unpacked(source, *patches)
    assert {path.suffix for path in source.parent.iterdir()} == {".gz", ".patch"}
    return str(caught.value).replace(f"{source.parent}/", "")


def tree_sha256(source: Path, *patches: str) -> str:
    files = written(source.parent, *patches)
    with SourceTrees(ArchiveLimits(), source.parent).packed(source, "src", 0, files) as tree:
        return tree.sha256


def test_a_patch_changes_its_lines_and_nothing_else(source: Path) -> None:
    tree = unpacked(source, SECOND + TWELFTH)
    expected = LINES.replace("line 2\n", "LINE 2\n", 1).replace("line 12\n", "between\nline 12\n")
    assert (tree / "f").read_text() == expected
    assert (tree / "program").stat().st_mode & 0o111
    assert (tree / "d/g").read_bytes() == b"one\ntwo"


def test_patches_follow_each_other(source: Path) -> None:
    again = SECOND.replace("-line 2", "-LINE 2").replace("+LINE 2", "+LiNe 2")
    assert (unpacked(source, SECOND, again) / "f").read_text() == LINES.replace("line 2\n", "LiNe 2\n", 1)


def test_files_are_created_changed_and_deleted(source: Path) -> None:
    tree = unpacked(
        source,
        "--- /dev/null\n+++ b/new/deep/f\n@@ -0,0 +1,2 @@\n+a\n+b\n\\ No newline at end of file\n"
        "diff --git a/new/init b/new/init\nnew file mode 100644\nindex 0..1\n"
        "diff --git a/tool b/tool\nnew file mode 100755\n--- /dev/null\n+++ b/tool\n@@ -0,0 +1 @@\n+#!/bin/sh\n"
        "--- a/d/g\n+++ /dev/null\n@@ -1,2 +0,0 @@\n-one\n-two\n\\ No newline at end of file\n"
        "diff --git a/empty b/empty\ndeleted file mode 100644\nindex 1..0\n"
        "diff --git a/program b/program\n--- a/program\n+++ b/program\n@@ -1 +1,2 @@\n #!/bin/sh\n+true\n",
        "--- a/new/deep/f\n+++ b/new/deep/f\n@@ -1,2 +1,2 @@\n-a\n+A\n b\n\\ No newline at end of file\n"
        "--- /dev/null\n+++ b/d/g\n@@ -0,0 +1 @@\n+back\n",
    )
    assert {path.relative_to(tree).as_posix(): path.read_text() for path in tree.rglob("*") if path.is_file()} == {
        "f": LINES,
        "l": LINES,
        "program": "#!/bin/sh\ntrue\n",
        "new/deep/f": "A\nb",
        "new/init": "",
        "tool": "#!/bin/sh\n",
        "d/g": "back\n",
    }
    programs = {path.name for path in tree.iterdir() if path.is_file() and path.stat().st_mode & 0o111}
    assert programs == {"program", "tool"}


def test_a_file_that_is_created_and_deleted_again_is_not_there(source: Path) -> None:
    create = "--- /dev/null\n+++ b/new/f\n@@ -0,0 +1 @@\n+a\n"
    delete = "--- a/new/f\n+++ /dev/null\n@@ -1 +0,0 @@\n-a\n"
    assert not (unpacked(source, create, delete) / "new").exists()


def test_lines_with_other_ends_are_left_as_they_are(tmp_path: Path) -> None:
    source = write_archive(tmp_path / "p.tar.gz", Item("p/f", b"a\r\nb\rc\nd\x0ce\x85\n"))
    tree = unpacked(source, "--- a/f\n+++ b/f\n@@ -2 +2 @@\n-b\rc\n+B\rC\n")
    assert (tree / "f").read_bytes() == b"a\r\nb\rc\nd\x0ce\x85\n".replace(b"b\rc", b"B\rC")


NEW = "--- /dev/null\n+++ b/{}\n@@ -0,0 +1 @@\n+a\n"
REVERSED = SECOND.replace("line 2", "swap").replace("LINE 2", "line 2").replace("swap", "LINE 2")
G = "@@ -0,0 +1,2 @@\n+one\n+two\n\\ No newline\n"
REFUSED = {
    "another line": (
        SECOND.replace("-line 2", "-line two"),
        3,
        "hunk 1 of f expects 'line two\\n' in line 2, where 'line 2\\n' is",
    ),
    "another context, as with fuzz": (
        SECOND.replace(" line 4", " line four"),
        3,
        "hunk 1 of f expects 'line four\\n' in line 4, where 'line 4\\n' is",
    ),
    "context that is missing, as with fuzz": (
        SECOND.replace(" line 1\n", "").replace("1,4", "1,3"),
        3,
        "hunk 1 of f is for line 1, and its lines are at line 2: offsets are not allowed",
    ),
    "an offset down": (
        SECOND.replace("@@ -1,4", "@@ -3,4"),
        3,
        "hunk 1 of f is for line 3, and its lines are at line 1: offsets are not allowed",
    ),
    "an offset up": (
        SECOND + TWELFTH.replace("@@ -11,", "@@ -9,"),
        9,
        "hunk 2 of f is for line 9, and its lines are at line 11: offsets are not allowed",
    ),
    "behind the end": (
        SECOND + TWELFTH.replace("@@ -11,", "@@ -99,").replace("line 1", "line x"),
        9,
        "hunk 2 of f expects 'line x1\\n' in line 99, where no line is",
    ),
    "an insertion behind the end": (
        "--- a/f\n+++ b/f\n@@ -99,0 +100 @@\n+x\n",
        3,
        "hunk 1 of f is for line 99, and there are 20 lines",
    ),
    "hunks that overlap": (
        SECOND + TWELFTH.replace("@@ -11,3", "@@ -4,3"),
        9,
        "hunk 2 of f begins inside of the one before it",
    ),
    "no newline at the end": (
        "--- a/f\n+++ b/f\n@@ -20 +20 @@\n-line 20\n\\ No newline\n+x\n",
        3,
        "hunk 1 of f expects 'line 20' in line 20, where 'line 20\\n' is",
    ),
    "applied already": (REVERSED, 1, "what it does with f is done already"),
    "created already": (f"--- /dev/null\n+++ b/d/g\n{G}", 1, "what it does with d/g is done already"),
    "deleted already": ("--- a/x\n+++ /dev/null\n@@ -1 +0,0 @@\n-a\n", 1, "what it does with x is done already"),
    "created over another file": (NEW.format("d/g"), 1, "it creates d/g, which is there already"),
    "no such file": (SECOND.replace("/f", "/none"), 1, "there is no file none"),
    "a folder": (SECOND.replace("/f", "/d"), 1, "d is a folder"),
    "a link": (SECOND.replace("/f", "/l"), 1, "l is a symbolic link"),
    "through a link": (SECOND.replace("/f", "/l/f"), 1, "there is no file l/f"),
    "created below a file": (NEW.format("f/x"), 1, "lies below 'p/f', which is a file"),
    "created through a link": (NEW.format("l/x"), 1, "lies below 'p/l', which is a symbolic link"),
    "created beside the same name": (NEW.format("F"), 1, "is 'p/f' too, where case or Unicode's normal forms"),
    "deleted in part": ("--- a/f\n+++ /dev/null\n@@ -1 +0,0 @@\n-line 1\n", 1, "it deletes f, which has more lines"),
    "rename": ("diff --git a/f b/g\nrename from f\nrename to g\n", 2, "it renames or copies a file"),
}


@pytest.mark.parametrize(("patch", "line", "why"), REFUSED.values(), ids=REFUSED)
def test_a_patch_that_does_not_fit_to_the_letter_is_refused(source: Path, patch: str, line: int, why: str) -> None:
    told = said(source, patch)
    assert told.startswith(f"01-a.patch:{line}: ")
    assert why in told


def test_the_second_patch_is_named_when_it_is_the_one(source: Path) -> None:
    told = said(source, SECOND, SECOND)
    assert told.startswith("02-b.patch:1: 02-b.patch does not apply: what it does with f is done already, ")


@pytest.mark.parametrize("name", ["f", "other"])
def test_a_file_with_two_names_is_not_patched(tmp_path: Path, name: str) -> None:
    source = write_tar(
        tmp_path / "p.tar.gz",
        member("p/f", LINES.encode()),
        member("p/other", type=tarfile.LNKTYPE, linkname="p/f"),
    )
    assert "other and f are one file (a hard link)" in said(source, SECOND.replace("/f", f"/{name}"))


def test_a_patch_that_cannot_be_read_is_told(source: Path) -> None:
    with pytest.raises(FileNotFoundError):
        SourceTrees(ArchiveLimits(), source.parent).unpack(source, source.parent / "x", [source.parent / "none.patch"])


def test_the_hash_is_that_of_the_patched_tree(source: Path, tmp_path: Path) -> None:
    plain, patched = tree_sha256(source), tree_sha256(source, SECOND)
    assert tree_sha256(source, SECOND) == patched != plain
    assert tree_sha256(source, SECOND + TWELFTH) not in (plain, patched)
    (tmp_path / "other").mkdir()
    items = [Item("q/f", LINES.replace("line 2\n", "LINE 2\n", 1).encode()), *ITEMS[1:]]
    moved = [Item(item.name.replace("p/", "q/"), item.content, item.mode) for item in items]
    assert tree_sha256(write_archive(tmp_path / "other/q.zip", *moved)) == patched


def run(*command: str, folder: Path, **environment: str) -> str:
    done = subprocess.run(
        command, cwd=folder, capture_output=True, text=True, check=False, env={**os.environ, **environment}
    )
    return done.stdout


def test_a_git_work_tree_around_it_does_not_matter(tmp_path: Path) -> None:
    """In a folder of a work tree ``git apply`` passes over what is not below it, says nothing, and ends with 0."""
    run("git", "init", "--quiet", folder=tmp_path)
    area = tmp_path / "area"
    area.mkdir()
    (area / "f").write_text(LINES)
    patch = tmp_path / "01-a.patch"
    patch.write_text(f"diff --git a/f b/f\n{SECOND}")
    applied = subprocess.run(("git", "apply", str(patch)), cwd=area, capture_output=True, text=True, check=False)
    assert (applied.returncode, applied.stdout, applied.stderr) == (0, "", "")
    assert (area / "f").read_text() == LINES, "git has skipped it silently"

    source = write_archive(area / "p.tar.gz", *ITEMS)
    SourceTrees(ArchiveLimits(), area).unpack(source, area / "tree", [patch])

    assert (area / "tree/f").read_text() == LINES.replace("line 2\n", "LINE 2\n", 1)


CONTENTS = st.lists(st.sampled_from(["a\n", "b\n", "\n", "-- c\n", "+d\n", "\\ e\n", "@@ f\n", "g\r\n"]), max_size=25)


@settings(deadline=None, max_examples=300)
@given(old=CONTENTS, new=CONTENTS, context=st.integers(0, 3))
def test_any_difference_that_difflib_writes_is_made(old: list[str], new: list[str], context: int) -> None:
    lines = list(difflib.unified_diff(old, new, "a/f", "b/f", n=context))
    if not lines or (old and lines[2].startswith("@@ -0,0")):  # without context an insertion looks like a new file
        return
    text = "".join(lines).encode()
    (change,) = parse_patch(text)
    assert changed("".join(old).encode() if old else None, change) == "".join(new).encode()


@pytest.mark.parametrize("tool", ["diff", "git"])
def test_what_diff_and_git_write_is_done(tmp_path: Path, tool: str) -> None:
    before = {"f": LINES, "gone": "x\n", "d/deep": "a\nb", "empty gone": "", "with blank": "1\n"}
    after = {
        "f": LINES.replace("7", "seven"),
        "d/deep": "a\nb\n",
        "new": "y",
        "n/e/w": "z\n",
        "empty": "",
        "with blank": "2\n",
    }
    for name, files in (("a", before), ("b", after)):
        for file, content in files.items():
            (tmp_path / name / file).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / name / file).write_text(content)
    command = ("diff", "-ruN") if tool == "diff" else ("git", "diff", "--no-index", "--no-renames", "--no-prefix")
    patch = run(*command, "a", "b", folder=tmp_path, TZ="Asia/Kathmandu")
    source = write_archive(tmp_path / "p.tar.gz", *[Item(f"p/{name}", text.encode()) for name, text in before.items()])
    tree = unpacked(source, patch)
    found = {path.relative_to(tree).as_posix(): path.read_text() for path in tree.rglob("*") if path.is_file()}
    if tool == "diff":  # it has no words for a file that is empty
        after.pop("empty")
        after["empty gone"] = ""
    assert found == after
