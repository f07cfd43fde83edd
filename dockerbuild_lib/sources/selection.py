"""Which file of a project is the one: its sdist, its universal wheel, or the wheel for the build machine."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from functools import cache

from packaging.tags import Tag, compatible_tags, cpython_tags
from packaging.utils import InvalidSdistFilename, InvalidWheelFilename, parse_sdist_filename, parse_wheel_filename
from packaging.version import Version

from dockerbuild_lib.catalog.architectures import BUILD_MACHINE
from dockerbuild_lib.catalog.platform_tags import accepted_tags
from dockerbuild_lib.catalog.python_names import abi_tag, interpreter_tag, release_of
from dockerbuild_lib.sources.index_page import IndexEntry

_BUILD_MACHINE_TAGS = (f"manylinux_2_36_{BUILD_MACHINE.machine}", f"linux_{BUILD_MACHINE.machine}")
"""Of the oldest suite that images are made from: what runs there runs on newer ones."""
_ANY = frozenset({"any"})


def find_sdist(files: Iterable[IndexEntry], version: str) -> IndexEntry | None:
    """Return the sdist of *version*; .tar.gz, which PEP 625 asks for, rather than .zip."""
    found = []
    for file in files:
        try:
            _, sdist_version = parse_sdist_filename(file.filename)
        except InvalidSdistFilename:
            continue
        if sdist_version == Version(version):
            found.append(file)
    return min(found, key=lambda file: not file.filename.endswith(".tar.gz"), default=None)


def find_universal_wheel(files: Iterable[IndexEntry], version: str) -> IndexEntry | None:
    """Return the wheel of *version* that runs on every platform under Python 3."""
    for file, tags in _wheels(files, version):
        if {tag.platform for tag in tags} == _ANY and any(tag.interpreter == "py3" for tag in tags):
            return file
    return None


def find_build_machine_wheel(files: Iterable[IndexEntry], version: str, python: str) -> IndexEntry | None:
    """Return the wheel of *version* that fits *python* (3.11) on the build machine best."""
    return _best(files, version, _ranks(python, _BUILD_MACHINE_TAGS, pure=True))


def find_platform_wheel(
    files: Iterable[IndexEntry], version: str, python: str, tags: tuple[str, ...]
) -> IndexEntry | None:
    """Return the wheel of *version* with machine code that fits *python* (3.11) on a platform with *tags* best."""
    return _best(files, version, _ranks(python, tags, pure=False))


def is_platform_wheel(filename: str, version: str, python: str, tags: tuple[str, ...]) -> bool:
    """Tell whether a file is one that :func:`find_platform_wheel` may return."""
    entry = IndexEntry(filename, "", None, None)
    return find_platform_wheel([entry], version, python, tags) is not None


def _best(files: Iterable[IndexEntry], version: str, ranks: Mapping[Tag, int]) -> IndexEntry | None:
    ranked = []
    for file, tags in _wheels(files, version):
        rank = min((ranks[tag] for tag in tags if tag in ranks), default=None)
        if rank is not None:
            ranked.append((rank, file.filename, file))
    return min(ranked)[2] if ranked else None


def _wheels(files: Iterable[IndexEntry], version: str) -> Iterator[tuple[IndexEntry, frozenset[Tag]]]:
    for file in files:
        try:
            _, wheel_version, _, tags = parse_wheel_filename(file.filename)
        except InvalidWheelFilename:
            continue
        if wheel_version == Version(version):
            yield file, tags


@cache
def _ranks(python: str, platform_tags: tuple[str, ...], *, pure: bool) -> dict[Tag, int]:
    """Return the tags of wheels that run under *python* where those of *platform_tags* do -> their rank, 0 the best.

    Those for any platform count only where *pure* ones do.
    """
    release = tuple(int(part) for part in release_of(python).split("."))
    platforms = accepted_tags(platform_tags)
    interpreter = interpreter_tag(python)
    tags = [*cpython_tags(release, abis=[abi_tag(python)], platforms=platforms)]
    if pure:
        tags += compatible_tags(release, interpreter, platforms)
    return {tag: rank for rank, tag in reversed(list(enumerate(tags)))}
