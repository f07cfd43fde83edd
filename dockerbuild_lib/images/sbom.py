"""A software bill of materials of an image: CycloneDX 1.6 in JSON (ECMA-424)."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from dockerbuild_lib.images.inspection import DebianPackage, ImageContents, PythonTool, UnpackedSource

if TYPE_CHECKING:
    from cyclonedx.model.component import Component
    from packageurl import PackageURL

_NAMESPACE = uuid.UUID("5b0d1a3c-6ac4-5a35-9c3e-5d6c1b0e6a11")
"""Of the serial numbers: the same image has the same."""


def sbom_json(contents: ImageContents) -> str:
    """Return the bill of *contents*; the same image always gives the same text, without the time of the day."""
    from cyclonedx.model.bom import Bom, BomMetaData  # noqa: PLC0415 - takes 0.2 s, and few tasks need it
    from cyclonedx.model.component import Component, ComponentType  # noqa: PLC0415
    from cyclonedx.output.json import JsonV1Dot6  # noqa: PLC0415

    image = Component(name=contents.platform, version=contents.key, type=ComponentType.CONTAINER, bom_ref="image")
    parts = [
        *(_component(package.name, package.version, _debian_url(package)) for package in contents.packages),
        *(_component(tool.name, tool.version, _python_url(tool)) for tool in contents.tools),
        *(_component(source.name, source.version, _source_url(source)) for source in contents.sources),
    ]
    bill = Bom(
        components=parts,
        metadata=BomMetaData(component=image, timestamp=datetime.fromtimestamp(0, UTC)),
        serial_number=uuid.uuid5(_NAMESPACE, f"{contents.key} {contents.base}"),
    )
    bill.register_dependency(image, parts)
    return JsonV1Dot6(bill).output_as_string(indent=2) + "\n"


def _component(name: str, version: str, url: PackageURL) -> Component:
    from cyclonedx.model.component import Component  # noqa: PLC0415

    return Component(name=name, version=version, purl=url, bom_ref=str(url))


def _debian_url(package: DebianPackage) -> PackageURL:
    from packageurl import PackageURL  # noqa: PLC0415

    qualifiers = {"arch": package.architecture} if package.architecture else {}
    return PackageURL("deb", "debian", package.name, package.version, qualifiers)


def _python_url(tool: PythonTool) -> PackageURL:
    from packageurl import PackageURL  # noqa: PLC0415

    return PackageURL("pypi", None, tool.name, tool.version)


def _source_url(source: UnpackedSource) -> PackageURL:
    from packageurl import PackageURL  # noqa: PLC0415

    return PackageURL("generic", None, source.name, source.version, {"checksum": f"sha256:{source.sha256}"})
