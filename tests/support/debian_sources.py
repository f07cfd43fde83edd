"""Sources of real software, from the Debian mirror that this machine's apt uses."""

from __future__ import annotations

import tarfile
from collections.abc import Iterable
from pathlib import Path

from packaging.version import Version

from dockerbuild_lib.catalog.locks import DebianFile
from dockerbuild_lib.sources.apt import PrivateApt, private_apt, read_apt_configuration
from dockerbuild_lib.sources.apt_entries import stanzas
from dockerbuild_lib.sources.debian import (
    SourcePackage,
    debian_entries,
    download_debian_file,
    upstream_archive,
    upstream_version,
)

SUITE = "bookworm"


def unpack_sources(packages: Iterable[str], folder: Path) -> dict[str, str]:
    """Unpack upstream's archive of each source package into *folder*, under its name; return their versions."""
    configuration = read_apt_configuration()
    lines = tuple(entry.line("deb-src") for entry in debian_entries(configuration, SUITE))
    with private_apt(configuration, lines, indices=True) as apt:
        apt.update()
        archives = {package: _archive(apt, package) for package in packages}
    for package, archive in archives.items():
        place = folder / archive.filename
        download_debian_file(archive, place, configuration)
        with tarfile.open(place) as tar:
            tar.extractall(folder, filter="data")  # without owners: `run` may write to none but its user's own files
            (folder / tar.getnames()[0].partition("/")[0]).rename(folder / package)
    return {package: archive.version for package, archive in archives.items()}


def _archive(apt: PrivateApt, package: str) -> DebianFile:
    """Return the archive of the newest version of upstream's that the suite has."""
    showsrc = apt.source_stanzas(package)
    there = {upstream_version(fields["version"]) for fields in stanzas(showsrc)}
    return upstream_archive(SourcePackage(package, max(there, key=Version)), showsrc)
