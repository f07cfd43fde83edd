"""Names of packages, tags and targets, as the users of the original tool know them."""

from __future__ import annotations

from dataclasses import dataclass

from packaging.utils import parse_wheel_filename

from dockerbuild_lib.catalog.machines import Platform
from dockerbuild_lib.catalog.wheels import VersionRecipe

WHEELS = "infra/python/wheels"
SOURCES = "infra/third_party/source"


@dataclass(frozen=True)
class Target:
    """Where a wheel will run: a platform of the catalogue and a Python (``3.11``)."""

    platform: str
    python: str

    @property
    def name(self) -> str:
        """The original's name of it: ``linux-arm64-py3.11``."""
        return f"{self.platform}-py{self.python}"

    @property
    def python_tag(self) -> str:
        """PEP 425 Python and ABI tag of CPython: ``cp311``."""
        return "cp" + self.python.replace(".", "")


def package_path(name: str) -> str:
    """Return *name* as CIPD packages are called: lower case, no dots."""
    return name.lower().replace(".", "_")


def wheel_package(distribution: str, platform: Platform, target: Target) -> str:
    """Return the package of a wheel for one platform: ``infra/python/wheels/NAME/linux-arm64_cp311_cp311``."""
    tag = target.python_tag
    return f"{WHEELS}/{package_path(distribution)}/{platform.cipd}_{tag}_{tag}"


def python_tags(filename: str) -> str:
    """Return a wheel's Python tags as its file name compresses them (PEP 425): ``py2.py3``."""
    return ".".join(sorted({tag.interpreter for tag in parse_wheel_filename(filename)[3]}))


def universal_package(distribution: str, python_tags: str) -> str:
    """Return the package of a universal wheel: ``...-py2_py3`` or ``...-py3``, by its Python tags."""
    both, only_3 = universal_packages(distribution)
    return both if "py2" in python_tags.split(".") else only_3


def universal_packages(distribution: str) -> tuple[str, str]:
    """Return the packages that universal wheels may have: of Python 2 and 3, and of Python 3 only."""
    name = f"{WHEELS}/{package_path(distribution)}"
    return f"{name}-py2_py3", f"{name}-py3"


def version_text(version: str, recipe: VersionRecipe) -> str:
    """Return the value of the ``version:`` tag: the version, and the revision when there is one."""
    return f"{version}.dockerbuild.{recipe.revision}" if recipe.revision else version


def universal_filename(distribution: str, version: str) -> str:
    """Return the name that a wheel bears inside its package: the package's name says the platform instead.

    So pip takes it on every machine that the package was deployed to, as the original's users expect.
    """
    return f"{distribution.replace('-', '_')}-{version}-py2.py3-none-any.whl"
