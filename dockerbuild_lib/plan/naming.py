"""Names of packages, tags and targets, as the users of the original tool know them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from packaging.utils import parse_wheel_filename

from dockerbuild_lib.catalog.foreign import AnyPlatform
from dockerbuild_lib.catalog.locks import DebianFile, IndexFile, LockedFile
from dockerbuild_lib.catalog.machines import Platform
from dockerbuild_lib.catalog.python_names import abi_tag, interpreter_tag, target_name
from dockerbuild_lib.catalog.wheels import VersionRecipe

WHEELS = "infra/python/wheels"
LIBRARIES = "infra/3pp/static_libs"
SOURCES = "infra/third_party/source"
PYTHONS = "infra/3pp/tools/cpython3"


@dataclass(frozen=True)
class Target:
    """Where a wheel will run: a platform of the catalogue and a Python (``3.11``)."""

    platform: str
    python: str

    @property
    def name(self) -> str:
        """The original's name of it: ``linux-arm64-py3.11``."""
        return target_name(self.platform, self.python)

    @property
    def python_tag(self) -> str:
        """PEP 425 Python tag of CPython: ``cp311``."""
        return interpreter_tag(self.python)

    @property
    def abi_tag(self) -> str:
        """PEP 425 ABI tag of CPython: ``cp311``, or ``cp313t``."""
        return abi_tag(self.python)


def package_path(name: str) -> str:
    """Return *name* as CIPD packages are called: lower case, no dots."""
    return name.lower().replace(".", "_")


def wheel_package(spelling: str, platform: AnyPlatform, target: Target) -> str:
    """Return the package of a wheel for one platform: ``infra/python/wheels/NAME/linux-arm64_cp311_cp311``."""
    return f"{WHEELS}/{package_path(spelling)}/{platform.cipd}_{target.python_tag}_{target.abi_tag}"


def python_package(platform: Platform) -> str:
    """Return the package of the CPythons that are built for a platform: ``infra/3pp/tools/cpython3/linux-arm64``."""
    return f"{PYTHONS}/{platform.cipd}"


def library_package(name: str, platform: Platform) -> str:
    """Return the package of a library for one platform: ``infra/3pp/static_libs/zlib/linux-arm64``."""
    return f"{LIBRARIES}/{name}/{platform.cipd}"


def python_tags(filename: str) -> str:
    """Return a wheel's Python tags as its file name compresses them (PEP 425): ``py2.py3``."""
    return ".".join(sorted({tag.interpreter for tag in parse_wheel_filename(filename)[3]}))


def universal_package(spelling: str, python_tags: str) -> str:
    """Return the package of a universal wheel: ``...-py2_py3`` or ``...-py3``, by its Python tags."""
    both, only_3 = universal_packages(spelling)
    return both if "py2" in python_tags.split(".") else only_3


def universal_packages(spelling: str) -> tuple[str, str]:
    """Return the packages that universal wheels may have: of Python 2 and 3, and of Python 3 only."""
    name = f"{WHEELS}/{package_path(spelling)}"
    return f"{name}-py2_py3", f"{name}-py3"


def source_name(file: LockedFile) -> str:
    """Return the name under which a source is interned: that of the distribution, package or library."""
    match file:
        case IndexFile():
            return file.distribution
        case DebianFile():
            return file.package
        case _:
            return file.name


def version_text(version: str, recipe: VersionRecipe) -> str:
    """Return the value of the ``version:`` tag: the version, and its suffix or revision when there is one."""
    if recipe.suffix:
        return f"{version}{recipe.suffix}"
    return revised(version, recipe.revision)


def revised(version: str, revision: int) -> str:
    """Return a version with its revision, when there is one: ``3.0.4.dockerbuild.2``."""
    return f"{version}.dockerbuild.{revision}" if revision else version


def universal_filename(spelling: str, version: str, python_tag: str) -> str:
    """Return the name of a universal wheel, which every wheel bears inside its package: that says the platform instead.

    So pip takes it on every machine that the package was deployed to, as the original's users expect.
    """
    return f"{_in_file_names(spelling)}-{version}-{python_tag}-none-any.whl"


def targeted_filename(spelling: str, version: str, revision: int, target: Target, platform_tags: Iterable[str]) -> str:
    """Return the true name of a wheel for one platform, its tag sets compressed (PEP 425).

    A revision is its build tag (PEP 427).
    """
    build = f"-{revision}" if revision else ""
    tags = f"{target.python_tag}-{target.abi_tag}-{'.'.join(platform_tags)}"
    return f"{_in_file_names(spelling)}-{version}{build}-{tags}.whl"


def _in_file_names(spelling: str) -> str:
    return spelling.replace("-", "_")
