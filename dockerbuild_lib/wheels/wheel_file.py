"""A wheel as its file name, its metadata and its RECORD say it, found to agree with each other.

Specifications: "Binary distribution format" (PEP 427), "Platform compatibility tags" (PEP 425) and "Core metadata".
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from packaging.specifiers import InvalidSpecifier, SpecifierSet
from packaging.tags import Tag, parse_tag
from packaging.utils import InvalidWheelFilename, NormalizedName, canonicalize_name, parse_wheel_filename
from packaging.version import InvalidVersion, Version

from dockerbuild_lib.core.errors import WheelRefusedError
from dockerbuild_lib.core.files import sha256_of
from dockerbuild_lib.wheels.wheel_members import WheelArchive, open_archive, same_file_key, shown
from dockerbuild_lib.wheels.wheel_record import Fingerprint, fingerprint, record_problems

MAX_METADATA = 8 << 20
"""Bytes of WHEEL, METADATA or RECORD that are looked at; real ones have a few thousand."""
MAX_PROBLEMS = 60
MAX_TAGS = 200
"""Tags that one compressed tag may stand for; real ones stand for up to ten."""
_SCHEMES = ("purelib", "platlib", "headers", "scripts", "data")
_SITE_PACKAGES = ("purelib", "platlib")


@dataclass(frozen=True)
class WheelFile:
    """What a wheel says of itself."""

    path: Path
    distribution: NormalizedName
    version: Version
    tags: frozenset[Tag]
    purelib: bool
    requires_python: SpecifierSet
    members: Mapping[str, Fingerprint]
    """Every file of the archive, by its name there, in the archive's order."""
    size: int
    sha256: str

    def installed_path(self, member: str) -> PurePosixPath | None:
        """Return where *member* is installed below site-packages; None when it goes elsewhere."""
        top, *rest = member.split("/")
        if not top.endswith(".data"):
            return PurePosixPath(member)
        return PurePosixPath(*rest[1:]) if rest[:1] and rest[0] in _SITE_PACKAGES else None


@dataclass(frozen=True)
class _WheelMetadata:
    """The file WHEEL."""

    version: str
    purelib: bool
    tags: frozenset[Tag]


@dataclass(frozen=True)
class _CoreMetadata:
    """The file METADATA, as far as it matters; "" where it says nothing."""

    name: str
    version: str
    requires_python: str


def read_wheel(path: Path) -> WheelFile:
    """Return the wheel at *path*, whose name, WHEEL, METADATA and RECORD agree with each other and with its members.

    Raises:
        WheelRefusedError: they do not, or it is no wheel; a line for every reason.
        PermissionDeniedError: the file may not be read.

    """
    wheel, problems = inspect_wheel(path)
    if problems:
        raise refusal(path, problems)
    return wheel


def inspect_wheel(path: Path) -> tuple[WheelFile, tuple[str, ...]]:
    """Return the wheel at *path* with everything in it that does not agree, for callers with more to check.

    Raises:
        WheelRefusedError: it is so wrong that nothing more can be said of it.
        PermissionDeniedError: the file may not be read.

    """
    try:
        _tags("-".join(path.name.removesuffix(".whl").split("-")[-3:]))
        distribution, version, _, tags = parse_wheel_filename(path.name)
    except (InvalidWheelFilename, InvalidVersion, WheelRefusedError) as error:
        raise refusal(path, [f"its file name is not that of a wheel ({shown(str(error))})"]) from error
    try:
        with open_archive(path) as archive:
            return _inspect(path, archive, distribution, version, tags)
    except WheelRefusedError as error:
        raise refusal(path, error.what.splitlines()) from error


def refusal(path: Path, problems: list[str] | tuple[str, ...]) -> WheelRefusedError:
    """Return the error that names every one of *problems* on a line of its own."""
    lines = [*problems[:MAX_PROBLEMS]]
    if len(problems) > MAX_PROBLEMS:
        lines.append(f"and {len(problems) - MAX_PROBLEMS} more")
    return WheelRefusedError("the wheel is refused\n" + "\n".join(f"  {line}" for line in lines), where=path.name)


def _inspect(
    path: Path, archive: WheelArchive, distribution: NormalizedName, version: Version, tags: frozenset[Tag]
) -> tuple[WheelFile, tuple[str, ...]]:
    members = {member.name: fingerprint(archive.chunks(member)) for member in archive.members}
    dist_info, problems = _dist_info(members, distribution, version)
    stated = _read_wheel_metadata(_text(archive, f"{dist_info}/WHEEL"))
    metadata = _read_metadata(_text(archive, f"{dist_info}/METADATA"))
    requires_python, python_problems = _requires_python(metadata)
    wheel = WheelFile(
        path=path,
        distribution=distribution,
        version=version,
        tags=tags,
        purelib=stated.purelib,
        requires_python=requires_python,
        members=members,
        size=path.stat().st_size,
        sha256=sha256_of(path),
    )
    problems += [*_wheel_problems(stated, tags), *_metadata_problems(metadata, distribution, version)]
    problems += [*python_problems, *_install_problems(wheel, dist_info)]
    problems += record_problems(_bytes(archive, f"{dist_info}/RECORD"), dist_info, members)
    return wheel, tuple(problems)


def _dist_info(members: dict[str, Fingerprint], distribution: str, version: Version) -> tuple[str, list[str]]:
    tops = {name.partition("/")[0] for name in members if "/" in name}
    folders = sorted(top for top in tops if top.endswith(".dist-info"))
    if len(folders) != 1:
        raise WheelRefusedError(f"it has {len(folders)} .dist-info folders instead of one")
    stem = folders[0].removesuffix(".dist-info")
    if not _is_stem_of(stem, distribution, version):
        return folders[0], [f"{shown(folders[0])}: its name is not that of {distribution} {version}"]
    others = sorted(top for top in tops if top.endswith(".data") and top != f"{stem}.data")
    return folders[0], [f"{shown(top)}: it is not this wheel's .data folder" for top in others]


def _is_stem_of(stem: str, distribution: str, version: Version) -> bool:
    name, _, number = stem.rpartition("-")
    try:
        return canonicalize_name(name) == distribution and Version(number) == version
    except InvalidVersion:
        return False


def _bytes(archive: WheelArchive, name: str) -> bytes:
    member = next((member for member in archive.members if member.name == name), None)
    if member is None:
        raise WheelRefusedError(f"{shown(name)}: it is missing")
    if member.size > MAX_METADATA:
        raise WheelRefusedError(f"{shown(name)}: it has {member.size} bytes, more than the {MAX_METADATA} allowed")
    return archive.read(member)


def _text(archive: WheelArchive, name: str) -> str:
    try:
        return _bytes(archive, name).decode()
    except UnicodeDecodeError as error:
        raise WheelRefusedError(f"{shown(name)}: it is not UTF-8") from error


def _read_wheel_metadata(text: str) -> _WheelMetadata:
    """Read WHEEL, which has one ``Key: value`` on each line and no continuation lines."""
    pairs = [line.partition(":") for line in text.splitlines()]
    values = [(key.strip().lower(), value.strip()) for key, _, value in pairs]
    single = dict(values)
    tags = frozenset(tag for key, value in values if key == "tag" for tag in _tags(value))
    return _WheelMetadata(single.get("wheel-version", ""), single.get("root-is-purelib", "").lower() == "true", tags)


def _tags(text: str) -> frozenset[Tag]:
    """Expand one tag, possibly compressed: three short lists are bounded because their product is taken."""
    try:
        if math.prod(part.count(".") + 1 for part in text.split("-")) > MAX_TAGS:
            raise ValueError  # noqa: TRY301 - it is refused as any other text that is no tag
        return parse_tag(text)
    except ValueError as error:
        raise WheelRefusedError(f"WHEEL: {shown(text)!r} is not a tag (PEP 425)") from error


def _wheel_problems(stated: _WheelMetadata, tags: frozenset[Tag]) -> Iterator[str]:
    if stated.version.partition(".")[0] != "1":
        yield f"WHEEL: its Wheel-Version is {shown(stated.version) or 'missing'}; 1.x is known"
    if stated.tags != tags:
        listed = ", ".join(sorted(map(str, stated.tags))) or "nothing"
        yield f"WHEEL: its tags ({shown(listed)}) are not those of the file name ({', '.join(sorted(map(str, tags)))})"


def _read_metadata(text: str) -> _CoreMetadata:
    from packaging.metadata import parse_email  # noqa: PLC0415 - brings in the parsers of e-mail, slow to import

    try:
        raw = parse_email(text)[0]
    except Exception as error:  # the parser of e-mail raises whatever it meets on foreign input
        raise WheelRefusedError(f"METADATA: it cannot be read ({shown(str(error))})") from error
    return _CoreMetadata(raw.get("name", ""), raw.get("version", ""), raw.get("requires_python", ""))


def _metadata_problems(metadata: _CoreMetadata, distribution: str, version: Version) -> Iterator[str]:
    if canonicalize_name(metadata.name) != distribution:
        yield f"METADATA: its name {shown(metadata.name)!r} is not {distribution!r}, as in the file name"
    try:
        same = Version(metadata.version) == version
    except InvalidVersion:
        same = False
    if not same:
        yield f"METADATA: its version {shown(metadata.version)!r} is not {str(version)!r}, as in the file name"


def _requires_python(metadata: _CoreMetadata) -> tuple[SpecifierSet, list[str]]:
    text = metadata.requires_python
    try:
        return SpecifierSet(text), []
    except InvalidSpecifier:
        return SpecifierSet(), [f"METADATA: its Requires-Python {shown(text)!r} is not a version specifier (PEP 440)"]


def _install_problems(wheel: WheelFile, dist_info: str) -> Iterator[str]:
    """Find members of .data folders that no installer knows a place for, or that land on another member."""
    places = {same_file_key(name): name for name in wheel.members}
    data = dist_info.removesuffix(".dist-info") + ".data"
    for name in wheel.members:
        top, *rest = name.split("/")
        if top != data:
            continue
        if len(rest) <= 1 or rest[0] not in _SCHEMES:
            yield f"{shown(name)}: it is in no folder of .data that installers know"
        elif (target := wheel.installed_path(name)) and (other := places.get(same_file_key(str(target)))):
            yield f"{shown(name)}: it would be installed over {shown(other)}"
