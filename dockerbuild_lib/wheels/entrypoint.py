"""The files of an image, with the script that it prints: that sets the variables which builds see, known here only."""

from __future__ import annotations

from dockerbuild_lib.catalog.catalog import Catalog
from dockerbuild_lib.images import context
from dockerbuild_lib.images.entrypoint import entrypoint_files
from dockerbuild_lib.plan.products import Workshop
from dockerbuild_lib.wheels.foreground import foreground_environment, foreground_prefix


def image_files(catalog: Catalog, platform_name: str, base: str) -> dict[str, str]:
    """Return every text file of the build context of a platform's image, by its path there."""
    platform = catalog.image_platform(platform_name)
    toolchain = catalog.toolchains[platform.toolchain]
    workshop = Workshop(platform_name, platform, base, platform.toolchain, toolchain)
    before = foreground_prefix(toolchain.compiler)
    script = entrypoint_files(platform_name, foreground_environment(workshop), before)
    return context.context_files(catalog, platform_name, base) | {f"files{path}": text for path, text in script.items()}
