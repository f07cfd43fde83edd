"""What a source declares to be built with."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from dockerbuild_lib.catalog.load import load_catalog
from dockerbuild_lib.catalog.locks import IndexFile
from dockerbuild_lib.catalog.settings import ArchiveLimits
from dockerbuild_lib.catalog.wheels import PureWheel, VersionRecipe
from dockerbuild_lib.core.errors import LockError, PatchFailedError, UnsafeArchiveError
from dockerbuild_lib.sources.backends import Subject
from dockerbuild_lib.sources.build_system import declared_requires
from dockerbuild_lib.sources.outside import Origins, Outside
from dockerbuild_lib.sources.pins import Pinner
from tests.support.catalogs import write_catalog
from tests.support.locking import KeptSources
from tests.support.sdists import write_sdist


def declared(pyproject: str | None) -> tuple[str, ...]:
    return declared_requires(None if pyproject is None else pyproject.encode(), "p 1")


def test_the_build_system_says_it() -> None:
    text = """
        [project]
        name = "p"
        [build-system]
        requires = ["a>=1", "b; python_version < '3.13'"]
        build-backend = "a"
    """
    assert declared(text) == ("a>=1", "b; python_version < '3.13'")


@pytest.mark.parametrize("text", [None, "", '[project]\nname = "p"\n', "[tool.x]\n"])
def test_without_one_it_is_setuptools(text: str | None) -> None:
    assert declared(text) == ("setuptools>=40.8.0", "wheel")


def test_it_may_need_nothing() -> None:
    assert declared("[build-system]\nrequires = []\n") == ()


WRONG = (
    "[build-system\n",
    "[build-system]\n",
    "[build-system]\nrequires = 3\n",
    "build-system = 'x'\n",
    "[build-system]\nrequires = ['-r /etc/passwd']\n",
    '[build-system]\nrequires = ["a\\n--index-url=x"]\n',
)


@pytest.mark.parametrize("text", WRONG)
def test_a_wrong_one_is_refused_by_name(text: str) -> None:
    with pytest.raises(LockError, match=r"pyproject\.toml of p 1: its build-system cannot be read"):
        declared(text)


PATCH = """\
--- a/pyproject.toml
+++ b/pyproject.toml
@@ -1,2 +1,2 @@
 [build-system]
-requires = []
+requires = ["flit-core<4"]
"""


def read(folder: Path, *patches: str, limits: ArchiveLimits | None = None) -> tuple[str, ...]:
    """Return what an sdist in *folder* is read to declare, with patches of the catalogue beside it."""
    sdist = write_sdist(folder, "p", "1", "[build-system]\nrequires = []\n")
    source = IndexFile(distribution="p", version="1", filename=sdist.name, sha256="a" * 64, size=1)
    recipe = PureWheel(kind="pure", versions={"1": VersionRecipe(patches=patches)})
    origins = Origins(interning=lambda: KeptSources(folder), limits=limits or ArchiveLimits())
    catalog = replace(load_catalog(write_catalog(folder)), folder=folder)
    return Pinner(Outside(folder, origins)).declared_requires(catalog, Subject("p", "1", recipe, source))


def test_it_is_read_in_the_source_as_patches_leave_it(tmp_path: Path) -> None:
    patch = tmp_path / "patches/p/1/01-system.patch"
    patch.parent.mkdir(parents=True)
    patch.write_text(PATCH)
    assert read(tmp_path) == ()
    assert read(tmp_path, patch.name) == ("flit-core<4",)
    patch.write_text(PATCH.replace("= []", "= [1]"))
    with pytest.raises(PatchFailedError, match=r"01-system\.patch does not apply"):
        read(tmp_path, patch.name)


def test_a_source_beyond_the_limits_is_not_read(tmp_path: Path) -> None:
    with pytest.raises(UnsafeArchiveError, match=r"p-1\.tar\.gz"):
        read(tmp_path, limits=ArchiveLimits(members=1))
