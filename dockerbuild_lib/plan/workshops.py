"""What stands behind wheels: the images that they are built in, the libraries and the Pythons."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property

from dockerbuild_lib.catalog.architectures import architecture_of
from dockerbuild_lib.catalog.catalog import Catalog
from dockerbuild_lib.core.errors import CatalogError, LockError
from dockerbuild_lib.plan import keys
from dockerbuild_lib.plan.image_additions import additions
from dockerbuild_lib.plan.mirror import locked_base
from dockerbuild_lib.plan.naming import Target
from dockerbuild_lib.plan.products import (
    LibraryWork,
    Pythons,
    PythonWork,
    Workshop,
)
from dockerbuild_lib.plan.steps import BaseWork, ImageWork

ImageFiles = Callable[[Catalog, str, str], Mapping[str, str]]
"""Renders the build context of a platform's image: (catalogue, platform, base key) -> path -> text."""


@dataclass(frozen=True)
class WorkshopMaker:
    """Works out images, libraries and Pythons; what several wheels share is worked out once."""

    catalog: Catalog
    image_files: ImageFiles

    @cached_property
    def _images(self) -> dict[str, ImageWork]:
        return {}

    def base(self, platform: str) -> BaseWork:
        """Return the base image of a platform.

        Raises:
            LockError: what it starts from has no pin.

        """
        recipe = self.catalog.images[self.catalog.image_platform(platform).image]
        if platform not in recipe.bases:
            return BaseWork(recipe, keys.base_key(recipe))
        upstream = locked_base(self.catalog, recipe.bases[platform])
        return BaseWork(recipe, keys.base_key(recipe, upstream.digest), upstream)

    def image(self, platform: str) -> ImageWork:
        """Return the image of a platform.

        Raises:
            LockError: its tools, its sources, or what its base starts from have no pins.
            CatalogError: a file that is added to it cannot be read.

        """
        if platform not in self._images:
            base = self.base(platform)
            files = self.image_files(self.catalog, platform, base.key)
            tools = self.catalog.locks.tools.wheels
            if base.recipe.tools and not tools:
                raise LockError("the Python tools of the images are not locked", fix="run sources.lock")
            added = additions(self.catalog, base.recipe)
            key = keys.image_key(base.key, files, tools, added.identity)
            self._images[platform] = ImageWork(platform, base.key, key, tuple(sorted(files.items())), tools, added)
        return self._images[platform]

    def library(self, name: str, workshop: Workshop) -> LibraryWork:
        """Return a library, built in *workshop*.

        Raises:
            LockError: its source has no pin.

        """
        library = self.catalog.libraries[name]
        source = self.catalog.locks.libraries.sources.get(name)
        if source is None or not library.source.is_pinned_by(library.version, source):
            what = f"the source that the library {name} names is not locked"
            raise LockError(what, fix=f"run sources.lock --name={name}")
        libraries = self.libraries(library.libraries, workshop)
        recipe_key = keys.library_recipe_key(library, source, {needed.name: needed.key.recipe for needed in libraries})
        key = keys.ContentKey(recipe_key, self.environment_key(workshop, None))
        return LibraryWork(name, library, source, workshop, libraries, key)

    def libraries(self, names: Iterable[str], workshop: Workshop) -> tuple[LibraryWork, ...]:
        """Return these libraries and all that they are built with, as linkers want them."""
        return tuple(self.library(name, workshop) for name in self.catalog.libraries_behind(names))

    def pythons(self, target: Target) -> Pythons:
        """Return the Pythons that a target takes from source."""
        of_target = self.python(target.python, target.platform)
        return Pythons(of_target, self._python_of_build_machine(target.python))

    def _python_of_build_machine(self, name: str) -> PythonWork | None:
        if self.catalog.python(name).source == "debian":
            return None  # every base has it, also where no platform is that of the build machine
        return self.python(name, self.catalog.build_platform)

    def python(self, name: str, platform: str) -> PythonWork | None:
        """Return a Python for a platform; None: its image has Debian's.

        Raises:
            CatalogError: it comes from Debian only, which has no such port.
            LockError: its source, or that of a library in it, has no pin.

        """
        if self.catalog.takes_debian(name, platform):
            return None
        upstream = self.catalog.python(name).upstream
        if upstream is None:
            what = f"Python {name} for {platform} comes from Debian, whose suite has no such port"
            raise CatalogError(what, where=str(self.catalog.folder / "pythons.yaml"), fix="write an upstream for it")
        source = self.catalog.locks.pythons.sources.get(name)
        if source is None or not upstream.source.is_pinned_by(upstream.version, source):
            raise LockError(f"the source of Python {name} is not locked", fix="run sources.lock --name=pythons")
        workshop = self.workshop(platform)
        is_own = architecture_of(workshop.platform.triple).is_build_machine
        build = None if is_own else self._python_of_build_machine(name)
        libraries = self.libraries(upstream.libraries, workshop)
        recipe = keys.python_recipe_key(upstream, source, {library.name: library.key.recipe for library in libraries})
        environment = self.environment_key(workshop, None, pythons=Pythons(build=build))
        key = keys.ContentKey(recipe, environment)
        return PythonWork(name, upstream.version, source, libraries, build, workshop, key)

    def workshop(self, platform_name: str, toolchain: str | None = None) -> Workshop:
        """Return where things are built for a platform: with *toolchain*, by default its own.

        Raises:
            LockError: the Python tools of its image, or what its base starts from, have no pins.
            CatalogError: its image has no such toolchain.

        """
        platform = self.catalog.image_platform(platform_name)
        toolchain = toolchain or platform.toolchain
        if platform_name in self.catalog.toolchains[toolchain].skip:
            reason = self.catalog.toolchains[toolchain].skip[platform_name]
            raise CatalogError(f"the toolchain {toolchain} cannot build for {platform_name}: {reason}")
        if not self.catalog.has_toolchain(platform_name, toolchain):
            what = f"the toolchain {toolchain!r} is that of a base, and {platform_name} has none"
            raise CatalogError(what, fix="name another toolchain, or give the platform an image with bases")
        image = self.image(platform_name).key
        return Workshop(platform_name, platform, image, toolchain, self.catalog.toolchains[toolchain])

    def environment_key(
        self, workshop: Workshop, python: str | None, here: Iterable[str] = (), pythons: Pythons | None = None
    ) -> str:
        """Return the environment half of the key of what is built in *workshop*, for a target's *python* (3.11)."""
        built = [work.key.full for work in pythons.works] if pythons else []
        name, toolchain = workshop.toolchain_name, workshop.toolchain
        return keys.environment_key(workshop.image, name, toolchain, python, here=here, pythons=built)
