"""An image's contents as text."""

from __future__ import annotations

from dockerbuild_lib.images.inspection import ImageContents
from dockerbuild_lib.report.listing import Column, render_listing
from dockerbuild_lib.report.units import byte_size

_COLUMNS = (Column("PACKAGE"), Column("ARCHITECTURE"), Column("VERSION"))


def render_image(contents: ImageContents) -> str:
    """Return a line for each fact, then a table of the Debian packages."""
    facts = [
        ("platform", contents.platform),
        ("tag", contents.tag),
        ("content key", contents.key),
        ("size", byte_size(contents.size)),
        ("base", f"Debian {contents.suite}, {contents.base}"),
        *((f"Python {name}", version) for name, version in contents.pythons.items()),
        *((f"toolchain {name}", text) for name, text in contents.toolchains.items()),
        *((f"tool {tool.name}", tool.version) for tool in contents.tools),
        *((f"source {source.name}", f"{source.version}, in {source.folder}") for source in contents.sources),
    ]
    width = max(len(name) for name, _ in facts) + 2
    lines = "".join(f"{name + ':':<{width}}{text}\n" for name, text in facts)
    packages = [(package.name, package.architecture or "-", package.version) for package in contents.packages]
    return f"{lines}\n{render_listing(_COLUMNS, packages)}"
