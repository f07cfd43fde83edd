"""From archives to wheels: what a container finds, what is refused before there is one, and patches that do not fit."""

from __future__ import annotations

import hashlib
import json
import stat
import tarfile
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from dockerbuild_lib.catalog.settings import ArchiveLimits
from dockerbuild_lib.sources.trees import SourceTrees
from tests.support.archives import (
    END,
    Item,
    folder,
    packed,
    raw_member,
    symlink,
    tar_member,
    write_archive,
    write_bytes,
)
from tests.support.local_server import LocalServer, file_body, serving
from tests.support.projects import Done, Project

RECIPE = "config/wheels/markupsafe.yaml"
ARM = ("--name=markupsafe", "--platform=linux-arm64")
LONG = "long-name-" * 20
SETUP = """\
import os
from setuptools import setup

def told(path):
    status = os.lstat(path)
    link = os.readlink(path) if os.path.islink(path) else ""
    return f"{path} {status.st_mode:o} {status.st_uid} {status.st_mtime:.0f} {link}".rstrip()

found = sorted(os.path.join(at, name)[2:] for at, folders, files in os.walk(".") for name in folders + files)
lines = [told(path) for path in found] + [str(os.path.samefile("two/b", "one/a"))]
if not os.path.exists("shape/tree.txt"):  # a backend may come more than once
    open("shape/tree.txt", "w").write("\\n".join(lines))
name = os.environ["SHAPE"]
setup(name=name, version="1.0", packages=["shape"], package_data={"shape": ["tree.txt"]})
"""
SHAPE = (
    Item("s-1/setup.py", SETUP.encode(), stat.S_IFREG | 0o600),
    Item("s-1/shape/__init__.py", b"", stat.S_IFREG | 0o664),
    folder("s-1/empty", 0o2777),
    Item("s-1/one/a", b"content", stat.S_IFREG | 0o777),
    symlink("s-1/two/link", "../one/a"),
    symlink("s-1/two/nowhere", "not/there"),
    Item(f"s-1/{LONG}/{LONG}"),
)
HARD_LINK = tarfile.TarInfo("s-1/two/b")
HARD_LINK.type, HARD_LINK.linkname = tarfile.LNKTYPE, "s-1/one/a"
OWNED = "1234 315532800"
EXPECTED = [
    f"empty 40755 {OWNED}",
    f"{LONG} 40755 {OWNED}",
    f"{LONG}/{LONG} 100644 {OWNED}",
    f"one 40755 {OWNED}",
    f"one/a 100755 {OWNED}",
    f"setup.py 100644 {OWNED}",
    f"shape 40755 {OWNED}",
    f"shape/__init__.py 100644 {OWNED}",
    f"two 40755 {OWNED}",
    f"two/b 100755 {OWNED}",
    f"two/link 120777 {OWNED} ../one/a",
    f"two/nowhere 120777 {OWNED} not/there",
]


def write_shapes(place: Path) -> tuple[Path, Path]:
    """Write the same tree as a tar with a hard link, and as a zip with a copy."""
    tar = place / "shapetar.tar.zst"
    write_bytes(tar, packed(tar, b"".join([*map(tar_member, SHAPE), raw_member(HARD_LINK), END])))
    copy = Item("s-1/two/b", b"content", stat.S_IFREG | 0o755)
    return tar, write_archive(place / "shapezip.zip", *SHAPE, copy)


def add_recipe(project: Project, name: str, server: LocalServer) -> None:
    """Put a recipe of a pure wheel from the server's archive into the catalogue."""
    source = f"{{type: archive, urls: ['{server.url}/{name}']}}"
    keys = f"kind: pure\n  source: {source}\n  trial: import shape\n  environment: {{SHAPE: {name}}}\n"
    (project.folder / f"config/wheels/{name}.yaml").write_text(f"{name}:\n  {keys}  versions: {{'1.0': {{}}}}\n")


@pytest.fixture
def server(tmp_path: Path) -> Iterator[LocalServer]:
    tar, zipped = write_shapes(tmp_path)
    with serving(shapetar=file_body(tar), shapezip=file_body(zipped)) as running:
        yield running


def record_of(wheel: Path) -> Any:  # noqa: ANN401 - JSON
    return json.loads((wheel.parent / "result.json").read_text())


def test_a_container_finds_the_tree_of_the_archive_whatever_it_was_packed_in(
    fresh: Project, server: LocalServer
) -> None:
    names = ("--name=shapetar", "--name=shapezip")
    for name in ("shapetar", "shapezip"):
        add_recipe(fresh, name, server)
    fresh.succeed("sources.lock", *names)
    fresh.succeed("wheel.build", *names)
    trees, records = {}, {}
    for name in ("shapetar", "shapezip"):
        (wheel,) = fresh.built(name)
        records[name] = record_of(wheel)["source_tree"]
        with zipfile.ZipFile(wheel) as opened:
            trees[name] = opened.read("shape/tree.txt").decode().split("\n")
    assert trees == {"shapetar": [*EXPECTED, "True"], "shapezip": [*EXPECTED, "False"]}
    assert records["shapetar"] == records["shapezip"]
    assert list((fresh.area / "tmp").iterdir()) == []


def refused(done: Done, code: int, *told: str) -> None:
    """See that a task ended with that code, told these things, and started no container."""
    assert done.code == code, done.stdout + done.stderr
    assert [text for text in told if text not in done.stderr] == [], done.stderr
    assert "Traceback" not in done.stderr
    assert done.containers() == []


def test_a_hostile_archive_is_refused_before_there_is_a_container(
    fresh: Project, server: LocalServer, tmp_path: Path
) -> None:
    add_recipe(fresh, "shapetar", server)
    fresh.succeed("sources.lock", "--name=shapetar")
    hostile = write_archive(tmp_path / "evil.tar.zst", *SHAPE, Item("s-1/../../evil"))
    server.answers["/shapetar"] = file_body(hostile)
    lock = fresh.folder / "config/locks/wheels/shapetar.json"
    before = lock.read_text()
    refused(fresh.run("sources.lock", "--name=shapetar", "--update"), 21, "its member 's-1/../../evil' is outside")
    assert lock.read_text() == before

    said = json.loads(before)  # as if somebody had locked it with another tool
    source = said["versions"]["1.0"]["source"]
    source |= {"sha256": hashlib.sha256(hostile.read_bytes()).hexdigest(), "size": hostile.stat().st_size}
    lock.write_text(json.dumps(said))
    refused(fresh.run("wheel.build", "--name=shapetar"), 21, "its member 's-1/../../evil' is outside")
    assert list((fresh.area / "tmp").iterdir()) == []
    assert list(tmp_path.rglob("evil")) == []


def test_the_limits_of_archives_can_be_set(built: Project) -> None:
    few = {"INVOKE_DOCKERBUILD_ARCHIVES_MEMBERS": "9"}
    told = ("markupsafe-3.0.4.tar.gz: it holds more than 9 members", "raise archives.members in invoke.yaml")
    refused(built.run("sources.lock", "--name=markupsafe", "--update", **few), 21, *told)
    built.edit(RECIPE, "  extensions", "  environment: {MARKUPSAFE_TESTED: here}\n  extensions")
    refused(built.run("wheel.build", *ARM, **few), 21, *told)


@pytest.fixture(scope="session")
def all_sources(built_once: Project) -> list[Path]:
    """Every sdist, Debian archive and wheel that building the catalogue took."""
    return sorted(path for path in built_once.area.glob("sources/*/*") if path.is_file())


def test_every_source_of_the_catalogue_is_harmless(all_sources: list[Path], tmp_path: Path) -> None:
    assert {"libffi_3.4.4.orig.tar.gz", "libyaml_0.2.5.orig.tar.gz", "brotli-1.2.1.tar.gz"} <= {
        source.name for source in all_sources
    }
    trees = SourceTrees(ArchiveLimits(), tmp_path / "scratch")
    for source in all_sources:
        ours, plain = tmp_path / f"{source.name}.ours", tmp_path / f"{source.name}.plain"
        trees.unpack(source, ours)
        if source.suffix == ".whl":
            with zipfile.ZipFile(source) as opened:
                opened.extractall(plain)  # noqa: S202 - the reference
        else:
            with tarfile.open(source) as tar:
                tar.extractall(plain, filter="data")
            (plain,) = plain.iterdir()
        assert contents(ours) == contents(plain), source.name


def contents(root: Path) -> dict[str, str | bytes | None]:
    """Return path -> content, a link's target, None for a folder."""
    found: dict[str, str | bytes | None] = {}
    for path in root.rglob("*"):
        name = path.relative_to(root).as_posix()
        found[name] = str(path.readlink()) if path.is_symlink() else path.read_bytes() if path.is_file() else None
    return found


FIRST = """\
--- a/src/markupsafe/__init__.py
+++ b/src/markupsafe/__init__.py
@@ -1,3 +1,4 @@
+# patched by a test
 from __future__ import annotations
 
 import collections.abc as cabc
"""  # noqa: W293 - a patch's empty context lines are a space
BACKWARDS = """\
--- a/src/markupsafe/__init__.py
+++ b/src/markupsafe/__init__.py
@@ -1,4 +1,3 @@
-# patched by a test
 from __future__ import annotations
 
 import collections.abc as cabc
"""  # noqa: W293
UNFIT = {
    "fuzz": (FIRST.replace("import collections", "import somewhere"), 24, "expects 'import somewhere.abc as cabc"),
    "offset": (
        FIRST.replace("@@ -1,3", "@@ -2,3"),
        24,
        "is for line 2, and its lines are at line 1: offsets are not allowed",
    ),
    "backwards": (BACKWARDS, 24, "is done already, in the source or by a patch before it"),
    "no such file": (FIRST.replace("__init__", "none"), 24, "there is no file src/markupsafe/none.py"),
    "out of the tree": (FIRST.replace("src/", "../"), 3, "is outside of the source's folder"),
    "rename": (
        "diff --git a/setup.py b/s.py\nrename from setup.py\nrename to s.py\n",
        3,
        "it renames or copies a file",
    ),
    "mode": ("diff --git a/setup.py b/setup.py\nold mode 100644\nnew mode 100755\n", 3, "the mode of a file"),
    "binary": ("diff --git a/x b/x\nindex 1..2\nGIT binary patch\nliteral 1\nIcmZ\n", 3, "it changes a binary file"),
    "nothing": ("Description: to be written\n", 3, "it changes nothing"),
}


def test_a_patch_that_does_not_fit_is_told_before_there_is_a_container(built: Project) -> None:
    built.add_patch("markupsafe", "3.0.4", "01-unfit.patch", FIRST)
    patch = built.folder / "config/patches/markupsafe/3.0.4/01-unfit.patch"
    for kind, (text, code, why) in UNFIT.items():
        patch.write_text(text)
        done = built.run("wheel.build", *ARM)
        assert (kind, done.code) == (kind, code), done.stderr
        refused(done, code, "config/patches/markupsafe/3.0.4/01-unfit.patch:", why)
    assert len(built.built("markupsafe")) == 7  # those from before


def test_the_hash_of_the_patched_tree_is_recorded_and_shown(built: Project) -> None:
    (plain,) = [wheel for wheel in built.built("markupsafe") if "aarch64" in wheel.name]
    built.add_patch("markupsafe", "3.0.4", "01-first.patch", FIRST)
    built.succeed("wheel.build", *ARM)
    log = (built.latest_run() / "logs/build_markupsafe_3.0.4_linux-arm64-py3.11.log").read_text()
    built.succeed("wheel.build", *ARM, "--rebuild")
    trees = {record_of(wheel)["source_tree"] for wheel in built.built("markupsafe") if "aarch64" in wheel.name}
    unpatched = record_of(plain)["source_tree"]
    (patched,) = trees - {unpatched}
    assert "applied 01-first.patch" in log
    assert f"the source's tree has the sha256 {patched}" in log


def test_a_git_work_tree_around_it_does_not_matter(built: Project) -> None:
    assert (built.folder / ".git").is_dir()
    path = "src/markupsafe/__init__.py"
    built.add_patch("markupsafe", "3.0.4", "01-first.patch", f"diff --git a/{path} b/{path}\n{FIRST}")
    built.succeed("wheel.build", *ARM)
    newest = max(built.built("markupsafe"), key=lambda wheel: wheel.stat().st_mtime)
    with zipfile.ZipFile(newest) as opened:
        assert opened.read("markupsafe/__init__.py").startswith(b"# patched by a test\n")
