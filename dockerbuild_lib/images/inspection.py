"""What is inside a platform's image, as it was made on its day: base, Debian packages, Pythons, toolchains, tools."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from dockerbuild_lib.catalog.catalog import Catalog
from dockerbuild_lib.containers.engine import Engine
from dockerbuild_lib.containers.image_store import base_layer, read_file
from dockerbuild_lib.core.errors import UsageError
from dockerbuild_lib.images import layout
from dockerbuild_lib.plan.steps import ImageWork


@dataclass(frozen=True)
class DebianPackage:
    """An installed package; *architecture* is empty where Debian has only one of it in the image."""

    name: str
    architecture: str
    version: str


@dataclass(frozen=True)
class PythonTool:
    """A Python distribution of the build machine's, pinned in the lock."""

    name: str
    version: str


@dataclass(frozen=True)
class UnpackedSource:
    """A source that was unpacked at the path *folder*, pinned in the lock; *filename* is its archive's."""

    name: str
    version: str
    filename: str
    sha256: str
    folder: str


@dataclass(frozen=True)
class ImageContents:
    """An image and what it holds; *size* in bytes, *base* the digest of the lowest layer."""

    platform: str
    tag: str
    key: str
    size: int
    suite: str
    base: str
    pythons: dict[str, str]
    """The catalogue's name (3.11) -> Debian's version of it. Those built from source are in no image."""
    toolchains: dict[str, str]
    tools: tuple[PythonTool, ...]
    packages: tuple[DebianPackage, ...]
    sources: tuple[UnpackedSource, ...] = ()


def inspect_image(engine: Engine, catalog: Catalog, work: ImageWork) -> ImageContents:
    """Look into the image of a platform.

    Raises:
        UsageError: the engine does not hold it.

    """
    found = engine.find_image(work.key)
    if found is None:
        fix = f"run image.generate --platform={work.platform_name}"
        raise UsageError(f"the engine does not hold the image of {work.platform_name}", where="--platform", fix=fix)
    tag = found.tags[0]
    packages = tuple(parse_packages(read_file(engine, tag, str(layout.PACKAGES)).decode()))
    versions = {package.name: package.version for package in packages}
    return ImageContents(
        platform=work.platform_name,
        tag=tag,
        key=work.key,
        size=found.size,
        suite=catalog.images[catalog.image_platform(work.platform_name).image].suite,
        base=base_layer(engine, tag),
        pythons={
            name: versions[f"python{name}-minimal"]
            for name in catalog.pythons
            if catalog.takes_debian(name, work.platform_name)
        },
        toolchains={
            name: _toolchain(catalog, work.platform_name, name)
            for name, toolchain in catalog.toolchains.items()
            if work.platform_name not in toolchain.skip
        },
        tools=tuple(PythonTool(wheel.distribution, wheel.version) for wheel in work.tools),
        packages=packages,
        sources=tuple(
            UnpackedSource(one.name, one.version, one.file.filename, one.file.sha256, one.folder)
            for one in work.added.sources
        ),
    )


def parse_packages(text: str) -> Iterator[DebianPackage]:
    """Yield the packages of ``dpkg-query --show``: a name, with ``:ARCH`` where there are several, a tab, a version."""
    for line in text.splitlines():
        name, _, version = line.partition("\t")
        plain, _, architecture = name.partition(":")
        yield DebianPackage(plain, architecture, version)


def _toolchain(catalog: Catalog, platform: str, name: str) -> str:
    toolchain = catalog.toolchains[name]
    glibc = toolchain.glibc_for(catalog.image_platform(platform))
    floor = f", glibc {glibc} or newer" if glibc else ""
    default = ", the platform's default" if catalog.image_platform(platform).toolchain == name else ""
    return f"{toolchain.compiler}{floor}{default}"
