"""What an index must know of a wheel, read from the wheel itself, which must be what its file name says."""

from __future__ import annotations

import zipfile
import zlib
from dataclasses import dataclass
from email.parser import BytesHeaderParser
from pathlib import Path

from packaging.tags import parse_tag
from packaging.utils import InvalidWheelFilename, canonicalize_name, parse_wheel_filename
from packaging.version import InvalidVersion, Version

from dockerbuild_lib.core.errors import DockerbuildError, WheelRefusedError
from dockerbuild_lib.core.files import sha256_of, translated_os_errors

_ZIP_ERRORS = (zipfile.BadZipFile, zlib.error, EOFError, ValueError, NotImplementedError, RuntimeError, KeyError)


@dataclass(frozen=True)
class WheelFacts:
    """The facts of one wheel."""

    filename: str
    sha256: str
    size: int
    """Bytes."""
    project: str
    """The distribution's normalised name (PEP 503)."""
    version: Version
    requires_python: str | None
    metadata: bytes
    """Its METADATA file, for PEP 658."""


def read_wheel(wheel: Path) -> WheelFacts:
    """Return the facts of the file *wheel*.

    Raises:
        WheelRefusedError: it is no wheel, or its name, version or tags are not those of its file name.

    """
    try:
        name, version, _build, tags = parse_wheel_filename(wheel.name)
    except InvalidWheelFilename as error:
        raise WheelRefusedError(str(error), where=str(wheel)) from None
    metadata, declared = _read_members(wheel)
    headers = BytesHeaderParser().parsebytes(metadata)
    claimed = (canonicalize_name(headers.get("Name", "")), _version_or_none(headers.get("Version", "")))
    if claimed != (name, version):
        raise WheelRefusedError(f"its METADATA says {headers.get('Name')} {headers.get('Version')}", where=str(wheel))
    expanded = {str(tag) for line in declared for tag in parse_tag(line)}
    if expanded != {str(tag) for tag in tags}:
        raise WheelRefusedError(
            f"its WHEEL file has the tags {', '.join(sorted(declared))}", where=str(wheel), fix="index true names only"
        )
    with translated_os_errors(wheel):
        sha256, size = sha256_of(wheel), wheel.stat().st_size
    return WheelFacts(wheel.name, sha256, size, str(name), version, headers.get("Requires-Python"), metadata)


def _read_members(wheel: Path) -> tuple[bytes, tuple[str, ...]]:
    """Return the METADATA file and the tags of the WHEEL file."""
    try:
        with translated_os_errors(wheel), wheel.open("rb") as stream, zipfile.ZipFile(stream) as archive:
            metadata = archive.read(_dist_info(archive, "METADATA"))
            declared = BytesHeaderParser().parsebytes(archive.read(_dist_info(archive, "WHEEL"))).get_all("Tag", [])
            return metadata, tuple(declared)
    except DockerbuildError:
        raise
    except (*_ZIP_ERRORS, OSError) as error:
        raise WheelRefusedError(f"it cannot be read as a wheel: {error}", where=str(wheel)) from error


def _dist_info(archive: zipfile.ZipFile, name: str) -> str:
    """Return the member *name* of the one ``.dist-info`` folder at the top."""
    found = [path for path in archive.namelist() if path.endswith(f".dist-info/{name}") and path.count("/") == 1]
    if len(found) != 1:
        raise WheelRefusedError(f"it has {len(found)} files *.dist-info/{name}, not one", where=archive.filename)
    return found[0]


def _version_or_none(text: str) -> Version | None:
    try:
        return Version(text)
    except InvalidVersion:
        return None
