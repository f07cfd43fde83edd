"""All that a wheel of the catalogue is called: package, tags and file names."""

from __future__ import annotations

from dataclasses import dataclass

from dockerbuild_lib.catalog.catalog import Catalog
from dockerbuild_lib.catalog.locks import IndexFile, VersionLock
from dockerbuild_lib.catalog.wheels import PureWheel, UniversalWheel
from dockerbuild_lib.core.errors import LockError, UsageError
from dockerbuild_lib.plan.naming import (
    Target,
    python_tags,
    targeted_filename,
    universal_filename,
    universal_package,
    version_text,
    wheel_package,
)


@dataclass(frozen=True)
class WheelNames:
    """All that one wheel is called."""

    package: str
    """Its CIPD package."""
    version_text: str
    """The value of the package's ``version:`` tag."""
    package_tags: tuple[str, ...]
    """Further tags of the package, by its platform."""
    filename: str
    """Its true name: that of the locked file, else the one with the tags that it may claim (PEP 425)."""
    packaged_filename: str
    """Its name inside the package."""

    @property
    def version_tag(self) -> str:
        """The tag that one instance of the package owns."""
        return f"version:{self.version_text}"

    @property
    def tags(self) -> tuple[str, ...]:
        """The package's tags that its names say, the version first."""
        return (self.version_tag, *self.package_tags)


def wheel_names(catalog: Catalog, distribution: str, version: str, target: Target | None) -> WheelNames:
    """Return what the wheel of a version is called; *target* says nothing of a wheel that is for all of them.

    Raises:
        UsageError: there is no such wheel, version or platform.
        LockError: the package index's universal wheel, whose name counts, is not locked.

    """
    recipe, version_recipe = catalog.wheel(distribution), catalog.version(distribution, version)
    spelling, text = recipe.spelling or distribution, version_text(version, version_recipe)
    if isinstance(recipe, UniversalWheel):
        filename = _locked_filename(catalog, distribution, version)
        return WheelNames(universal_package(spelling, python_tags(filename)), text, (), filename, filename)
    python_tag = version_recipe.python_tag or recipe.python_tag
    packaged = universal_filename(spelling, version, python_tag)
    if isinstance(recipe, PureWheel):
        return WheelNames(universal_package(spelling, python_tag), text, (), packaged, packaged)
    if target is None:
        raise UsageError(f"the wheel {distribution} is another one for each platform", where="target")
    platform = catalog.platform(target.platform)
    return WheelNames(
        package=wheel_package(spelling, platform, target),
        version_text=text,
        package_tags=platform.package_tags,
        filename=_filename(catalog, distribution, version, target),
        packaged_filename=packaged,
    )


def _locked_filename(catalog: Catalog, distribution: str, version: str) -> str:
    lock = _lock(catalog, distribution, version)
    if not isinstance(lock.source, IndexFile) or not lock.source.is_wheel:
        fix = f"run sources.lock --name={distribution}"
        raise LockError("the universal wheel is not locked", where=f"{distribution} {version}", fix=fix)
    return lock.source.filename


def _filename(catalog: Catalog, distribution: str, version: str, target: Target) -> str:
    locked = _lock(catalog, distribution, version).prebuilt.get(target.platform, {}).get(target.python)
    if locked:
        return locked.filename
    spelling = catalog.wheel(distribution).spelling or distribution
    revision = catalog.version(distribution, version).revision
    tags = catalog.tags_of(distribution, version, target.platform, target.python)
    return targeted_filename(spelling, version, revision, target, tags)


def _lock(catalog: Catalog, distribution: str, version: str) -> VersionLock:
    wheel = catalog.locks.wheels.get(distribution)
    return wheel.versions.get(version, VersionLock()) if wheel else VersionLock()
