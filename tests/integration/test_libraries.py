"""Libraries: built for a target, published, and used from wherever they lie."""

from __future__ import annotations

import shutil
import zipfile
from pathlib import Path

import pytest

from dockerbuild_lib.core.files import sha256_of
from tests.support.projects import Project

NAMES = ("--name=bzip2", "--name=zlib", "--platform=linux-arm64")
PACKAGES = "infra/3pp/static_libs"


@pytest.fixture(scope="module")
def project(with_images: Project, tmp_path_factory: pytest.TempPathFactory) -> Project:
    """A project that has built and published two libraries."""
    assert with_images
    project = Project.checked_out(tmp_path_factory.mktemp("libraries") / "project")
    project.succeed("library.build", *NAMES, "--upload")
    return project


def tars(project: Project) -> dict[str, str]:
    """Return library -> the sha256 of its tar."""
    found = project.area.glob("libraries/*/linux-arm64/*.tar")
    return {path.parent.parent.name: sha256_of(path) for path in found}


def deployed(project: Project, name: str, version: str, folder: Path) -> Path:
    """Unpack a library's package into *folder*, and return that."""
    package, file = f"{PACKAGES}/{name}/linux-arm64", folder.with_suffix(".cipd")
    project.succeed("store.fetch", f"--package={package}", f"--version=version:{version}", f"--output={file}")
    with zipfile.ZipFile(file) as archive:
        archive.extractall(folder)  # this project's own package
    shutil.rmtree(folder / ".cipdpkg")
    return folder


def shell(project: Project, folder: Path, script: str) -> str:
    """Return what a script prints in the platform's toolchain, with *folder* as its own."""
    return project.succeed("run", "--platform=linux-arm64", f"--workdir={folder}", "--", "sh", "-c", script).stdout


def test_libraries_are_packages_with_versions_and_refs(project: Project) -> None:
    found = project.describe(f"{PACKAGES}/zlib/linux-arm64")
    tags = dict(tag["tag"].split(":") for tag in found["tags"])
    assert set(tags) == {"version", "git_revision", "content_key", "recipe_key"}
    assert tags["version"] == "1.2.13"
    assert {ref["ref"] for ref in found["refs"]} == {"latest", "1.x", "1.2.x"}


def test_a_library_finds_itself_wherever_it_lies(project: Project, tmp_path: Path) -> None:
    folder = deployed(project, "zlib", "1.2.13", tmp_path / "anywhere")
    assert {path.name for path in folder.rglob("*") if path.is_file()} == {"zconf.h", "zlib.h", "libz.a", "zlib.pc"}
    asked = "PKG_CONFIG_LIBDIR=anywhere/lib/pkgconfig pkg-config --variable=includedir zlib"
    assert shell(project, tmp_path, f'ls "$({asked})"').split() == ["zconf.h", "zlib.h"]


def test_libraries_are_position_independent_code_for_the_target(project: Project, tmp_path: Path) -> None:
    for name, version in (("bzip2", "1.0.8"), ("zlib", "1.2.13")):
        [archive] = deployed(project, name, version, tmp_path / name).glob("lib/*.a")
        whole = f"-Wl,--whole-archive {name}/lib/{archive.name} -Wl,--no-whole-archive"
        shell(project, tmp_path, f"$CC -shared -o {name}.so {whole}")  # lld takes code of no other kind
        header = (tmp_path / f"{name}.so").read_bytes()[:20]
        assert (header[:4], header[18]) == (b"\x7fELF", 183)  # EM_AARCH64


def test_what_is_there_is_not_built_again(project: Project) -> None:
    done = project.succeed("library.build", *NAMES, "--upload")
    assert done.containers() == []
    assert done.stdout.count("published as") == 2


def test_the_same_recipe_gives_the_same_bytes(project: Project) -> None:
    before = tars(project)
    project.succeed("library.build", *NAMES, "--rebuild", "--upload")
    assert tars(project) == before
    assert set(before) == {"bzip2", "zlib"}


def test_a_library_is_built_with_another(project: Project) -> None:
    project.succeed("library.build", "--name=freetype", "--platform=linux-arm64")
    assert set(tars(project)) == {"bzip2", "freetype", "zlib"}


def test_an_unknown_library_is_told(project: Project) -> None:
    done = project.run("library.build", "--name=zlip")
    assert done.code == 2
    assert "--name: unknown library 'zlip'; did you mean 'zlib'?" in done.stderr
