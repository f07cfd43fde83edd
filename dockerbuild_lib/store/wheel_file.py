"""What an index must know of a wheel, read from the wheel itself, which must be what its file name says."""

from __future__ import annotations

import hashlib
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

    @property
    def metadata_sha256(self) -> str:
        """The sha256 of the METADATA file, in hexadecimal."""
        return hashlib.sha256(self.metadata).hexdigest()


def project_of(filename: str) -> str:
    """Return the normalised name (PEP 503) of the project that the wheel *filename* belongs to."""
    return str(parse_wheel_filename(filename)[0])


def read_wheel(wheel: Path) -> WheelFacts:
    """Read the whole file *wheel*, and return its facts.

    Raises:
        WheelRefusedError: it is no wheel, or its name, version or tags are not those of its file name.

    """
    if not wheel.is_file():
        raise WheelRefusedError("there is no such wheel", where=str(wheel))
    with translated_os_errors(wheel):
        return wheel_facts(wheel, sha256_of(wheel), wheel)


def wheel_facts(content: Path, sha256: str, wheel: Path) -> WheelFacts:
    """Return the facts of *wheel*, whose bytes are in the file *content* and have that *sha256*.

    Raises:
        WheelRefusedError: it is no wheel, or its name, version or tags are not those of its file name.

    """
    try:
        name, version, _build, tags = parse_wheel_filename(wheel.name)
    except InvalidWheelFilename as error:
        raise WheelRefusedError(str(error), where=str(wheel)) from None
    metadata, declared = _read_members(content, wheel)
    headers = BytesHeaderParser().parsebytes(metadata)
    claimed = (canonicalize_name(headers.get("Name", "")), _version_or_none(headers.get("Version", "")))
    if claimed != (name, version):
        raise WheelRefusedError(f"its METADATA says {headers.get('Name')} {headers.get('Version')}", where=str(wheel))
    expanded = {str(tag) for line in declared for tag in parse_tag(line)}
    if expanded != {str(tag) for tag in tags}:
        raise WheelRefusedError(
            f"its WHEEL file has the tags {', '.join(sorted(declared))}", where=str(wheel), fix="index true names only"
        )
    size = content.stat().st_size
    return WheelFacts(wheel.name, sha256, size, str(name), version, headers.get("Requires-Python"), metadata)


def _read_members(content: Path, wheel: Path) -> tuple[bytes, tuple[str, ...]]:
    """Return the METADATA file and the tags of the WHEEL file."""
    try:
        with translated_os_errors(wheel), content.open("rb") as stream, zipfile.ZipFile(stream) as archive:
            metadata = archive.read(_dist_info(archive, "METADATA", wheel))
            stated = archive.read(_dist_info(archive, "WHEEL", wheel))
            return metadata, tuple(BytesHeaderParser().parsebytes(stated).get_all("Tag", []))
    except DockerbuildError:
        raise
    except (*_ZIP_ERRORS, OSError) as error:
        raise WheelRefusedError(f"it cannot be read as a wheel: {error}", where=str(wheel)) from error


def _dist_info(archive: zipfile.ZipFile, name: str, wheel: Path) -> str:
    """Return the member *name* of the one ``.dist-info`` folder at the top."""
    found = [path for path in archive.namelist() if path.endswith(f".dist-info/{name}") and path.count("/") == 1]
    if len(found) != 1:
        raise WheelRefusedError(f"it has {len(found)} files *.dist-info/{name}, not one", where=str(wheel))
    return found[0]


def _version_or_none(text: str) -> Version | None:
    try:
        return Version(text)
    except InvalidVersion:
        return None
