"""What a recipe adds to an image: files of the catalogue, and sources that are unpacked in it."""

from __future__ import annotations

import io
import tarfile
from pathlib import Path

import pytest

from dockerbuild_lib.catalog.load import load_catalog
from dockerbuild_lib.catalog.locks import IndexFile, LibrariesLock, LocalArchive
from dockerbuild_lib.catalog.settings import ArchiveLimits
from dockerbuild_lib.core.errors import LockError
from dockerbuild_lib.images.additions import unpacked
from dockerbuild_lib.images.context import write_context
from dockerbuild_lib.plan.image_additions import AddedFile, Additions
from dockerbuild_lib.plan.steps import ImageWork
from dockerbuild_lib.plan.workshops import WorkshopMaker
from dockerbuild_lib.sources.lock_files import lock_text
from dockerbuild_lib.sources.trees import SourceTrees
from dockerbuild_lib.wheels.entrypoint import image_files
from tests.support.catalogs import add_file, problems_of, write_catalog
from tests.support.sdists import write_sdist

PLAIN = "debian: {suite: bookworm, base-packages: [gcc]}\n"
ADDING = """\
debian:
  suite: bookworm
  base-packages: [gcc]
  files:
    /etc/fleet/ca.pem: files/ca.pem
  sources:
    sdk: {version: "1.2", source: {type: local, folder: ../sdk}, folder: /opt/sdk}
"""
TOLD = "/opt/dockerbuild/sources.txt"


def image(
    folder: Path, recipe: str = ADDING, *, file: bytes = b"ca", mode: int = 0o644, sha256: str = "a" * 64
) -> ImageWork:
    """Return an image of a catalogue whose source is locked as *sha256*."""
    config = write_catalog(folder, images=recipe)
    add_file(config, "files/ca.pem", file)
    (config / "files/ca.pem").chmod(mode)
    pin = LocalArchive(name="sdk", version="1.2", filename="sdk-1.2.tar", sha256=sha256, size=1, folder="../sdk")
    add_file(config, "locks/images.json", lock_text(LibrariesLock(sources={"sdk": pin})))
    return WorkshopMaker(load_catalog(config), image_files).image("linux-arm64")


def test_they_are_copied_last_so_that_all_else_is_taken_from_the_cache(tmp_path: Path) -> None:
    (plain, adding) = (
        dict(image(tmp_path / name, text).files)["Dockerfile"] for name, text in [("a", PLAIN), ("b", ADDING)]
    )
    before, copies, after = adding.partition(
        f"COPY added/etc/fleet/ca.pem /etc/fleet/ca.pem\nCOPY added/opt/sdk /opt/sdk\nCOPY added{TOLD} {TOLD}\n\n"
    )
    assert copies
    assert before + after == plain
    assert "COPY" not in after


@pytest.mark.parametrize("changed", [{"file": b"other"}, {"mode": 0o755}, {"sha256": "b" * 64}])
def test_what_is_added_is_part_of_the_key(tmp_path: Path, changed: dict[str, object]) -> None:
    first = image(tmp_path / "first").key
    assert image(tmp_path / "same").key == first
    assert image(tmp_path / "other", **changed).key != first  # type: ignore[arg-type]


def test_a_source_must_be_locked_as_the_recipe_has_it(tmp_path: Path) -> None:
    for asked in ('version: "1.3"', 'version: "1.2"'):
        folder = "../sdk" if "1.3" in asked else "../other"
        recipe = ADDING.replace('version: "1.2"', asked).replace("../sdk", folder)
        with pytest.raises(
            LockError, match=r"the source sdk of an image is not locked; run sources\.lock --name=images"
        ):
            image(tmp_path / folder.strip("./"), recipe)


def test_the_context_has_them_at_their_places(tmp_path: Path) -> None:
    archive = write_sdist(tmp_path, "sdk", "1.2", "text = 1\n")
    pin = IndexFile(distribution="sdk", version="1.2", filename=archive.name, sha256="c" * 64, size=1)
    work = image(tmp_path)
    source = work.added.sources[0]
    added = Additions(
        (AddedFile("/etc/run", b"#!/bin/sh\n", executable=True), AddedFile("/etc/ca.pem", b"\xff", executable=False)),
        (type(source)("sdk", "1.2", "/opt/sdk", pin),),
    )
    stream = io.BytesIO()
    with unpacked(SourceTrees(ArchiveLimits(), tmp_path), {"/opt/sdk": archive}) as trees:
        write_context({"Dockerfile": "FROM x\n"}, None, stream, added, trees)
    stream.seek(0)
    with tarfile.open(fileobj=stream) as tar:
        modes = {member.name: member.mode for member in tar if member.name.startswith("added/")}
        told = tar.extractfile(f"added{TOLD}")
        assert told
        assert told.read().decode() == f"sdk\t1.2\t{'c' * 64}\t/opt/sdk\n"
    assert modes["added/etc/run"] == 0o755
    assert modes["added/etc/ca.pem"] == modes["added/opt/sdk/pyproject.toml"] == 0o644


def adding(files: str = "{}", sources: str = "{}") -> str:
    return f"debian: {{suite: bookworm, base-packages: [gcc], files: {files}, sources: {sources}}}\n"


@pytest.mark.parametrize(
    ("path", "said"),
    [
        ("etc/ca.pem", "is no absolute path of an image"),
        ("/etc/../ca.pem", "is no absolute path of an image"),
        ("/etc//ca.pem", "is no absolute path of an image"),
        ("/etc/a b", "is no absolute path of an image"),
        ("/work/ca.pem", "lies in /work, which is not the recipe's"),
        ("/opt/dockerbuild", "lies in /opt/dockerbuild, which is not the recipe's"),
        ("/proc/self", "lies in /proc, which is not the recipe's"),
    ],
)
def test_a_path_that_is_not_the_recipes_is_refused(tmp_path: Path, path: str, said: str) -> None:
    source = f'{{version: "1", source: {{type: local, folder: ../sdk}}, folder: "{path}"}}'
    for recipe in (adding(files=f'{{"{path}": ca.pem}}'), adding(sources=f"{{sdk: {source}}}")):
        config = write_catalog(tmp_path, images=recipe)
        add_file(config, "ca.pem", b"")
        (problem,) = problems_of(config)
        assert problem.startswith("config/images.yaml:1:")
        assert f"'{path}' {said}" in problem


def test_a_file_that_is_not_there_is_told_with_its_place(tmp_path: Path) -> None:
    config = write_catalog(
        tmp_path, images="debian:\n  suite: b\n  base-packages: [gcc]\n  files:\n    /etc/ca: files/ca\n"
    )
    assert problems_of(config) == ["config/images.yaml:5:14: there is no file config/files/ca; add it"]


def test_images_share_a_source_only_as_it_is(tmp_path: Path) -> None:
    def text(version: str, folder: str) -> str:
        source = f'{{version: "{version}", source: {{type: local, folder: ../sdk}}, folder: {folder}}}'
        return f"{{suite: bookworm, base-packages: [gcc], sources: {{sdk: {source}}}}}"

    images = f"debian: {text('1', '/opt/a')}\nother: {text('1', '/opt/b')}\nthird: {text('2', '/opt/a')}\n"
    what = "another image names a source 'sdk' of another version or place; give one another name"
    assert problems_of(write_catalog(tmp_path, images=images)) == [f"config/images.yaml:3:58: {what}"]


def test_nothing_is_written_over_a_source(tmp_path: Path) -> None:
    images = """\
debian:
  suite: bookworm
  base-packages: [gcc]
  files:
    /opt/a/ca.pem: ca.pem
    /opt/abc: ca.pem
  sources:
    one: {version: "1", source: {type: local, folder: ../one}, folder: /opt/a}
    two: {version: "1", source: {type: local, folder: ../two}, folder: /opt/b}
    three: {version: "1", source: {type: local, folder: ../three}, folder: /opt/b}
"""
    config = write_catalog(tmp_path, images=images)
    add_file(config, "ca.pem", b"")
    fix = "give one of them another place"
    assert problems_of(config) == [
        f"config/images.yaml:5:5: '/opt/a/ca.pem' lies in /opt/a, where a source is unpacked; {fix}",
        f"config/images.yaml:9:72: '/opt/b' lies in /opt/b, where a source is unpacked; {fix}",
        f"config/images.yaml:10:76: '/opt/b' lies in /opt/b, where a source is unpacked; {fix}",
    ]


def test_a_source_has_a_name_that_locks_can_hold(tmp_path: Path) -> None:
    source = '{version: "1", source: {type: local, folder: ../sdk}, folder: /opt/sdk}'
    (problem,) = problems_of(write_catalog(tmp_path, images=adding(sources=f"{{My SDK: {source}}}")))
    assert problem.startswith("config/images.yaml:1:")
    assert "My SDK" in problem
