"""Debian's archive, at whichever mirror this machine's apt uses: upstream archives of its source packages."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from dockerbuild_lib.catalog.locks import DebianFile
from dockerbuild_lib.core.errors import LockError, NetworkError
from dockerbuild_lib.core.events import ProgressLog, silent
from dockerbuild_lib.core.http import RefusedError
from dockerbuild_lib.sources.apt import AptConfiguration, private_apt, read_apt_configuration
from dockerbuild_lib.sources.apt_entries import AptEntry, stanzas
from dockerbuild_lib.sources.download import Downloader, Expected

_ORIGINS = frozenset({"Debian"})
_COMPONENT = "main"
_REPACKED = re.compile(r"[.+~](?:dfsg|ds)(?:[0-9.]*[0-9])?$")
"""What Debian adds to the version of an archive that it took files out of (Developer's Reference, 6.7.8.2)."""
_CHECKSUM = re.compile(r"^(?P<sha256>[0-9a-f]{64})\s+(?P<size>[0-9]+)\s+(?P<name>\S+)$")


@dataclass(frozen=True)
class SourcePackage:
    """A Debian source package, by its name and upstream's version: no epoch, revision or mark of repacking."""

    name: str
    version: str
    suite: str | None = None
    """Where it is looked for; None: wherever others are."""


def debian_sources_list(suite: str) -> str:
    """Return the sources.list of *suite*, its updates and its security updates on this machine's mirror.

    Asks the mirror for the signed Release files, so as to leave foreign repositories out.

    Raises:
        ToolMissingError: there is no apt on this machine.
        LockError: apt knows no Debian mirror for the suite.
        NetworkError: the mirror cannot be reached, or its signature does not verify.

    """
    return "".join(f"{entry.line()}\n" for entry in debian_entries(read_apt_configuration(), suite))


def debian_entries(configuration: AptConfiguration, suite: str) -> tuple[AptEntry, ...]:
    """Return apt's entries of Debian's own repositories for *suite*, narrowed to the component main."""
    candidates = tuple(_candidates(configuration.entries, suite))
    if not candidates:
        raise _no_entry(suite)
    with private_apt(configuration, tuple(entry.line() for entry in candidates), indices=False) as apt:
        apt.update()
        entries = tuple(entry for entry in candidates if apt.origin(entry) in _ORIGINS)
    if not any(entry.suite == suite for entry in entries):
        raise _no_entry(suite)
    return entries


def _candidates(entries: Iterable[AptEntry], suite: str) -> Iterator[AptEntry]:
    wanted = (suite, f"{suite}-updates", f"{suite}-security")
    for entry in entries:
        if entry.suite in wanted and _COMPONENT in entry.components:
            yield AptEntry(entry.uri, entry.suite, (_COMPONENT,), entry.keyrings, entry.check_valid_until)


def _no_entry(suite: str) -> LockError:
    return LockError(
        f"apt on this machine has no Debian repository for the suite {suite}, component {_COMPONENT}",
        where="/etc/apt/sources.list.d",
        fix=f"add an entry `deb [signed-by=...] <your mirror> {suite} {_COMPONENT}`",
    )


def find_upstream_archives(packages: Iterable[SourcePackage], suites: Iterable[str]) -> dict[SourcePackage, DebianFile]:
    """Return the upstream archive (``.orig.tar.*``) of each source package, as the suites' signed indices have it.

    Raises:
        LockError: the suites do not have a package, or not in that version.
        ToolMissingError, NetworkError: as :func:`debian_sources_list`.

    """
    configuration, wanted, usual = read_apt_configuration(), tuple(packages), tuple(suites)
    needed = dict.fromkeys(suite for package in wanted for suite in ((package.suite,) if package.suite else usual))
    lines = tuple(entry.line("deb-src") for suite in needed for entry in debian_entries(configuration, suite))
    with private_apt(configuration, lines, indices=True) as apt:
        apt.update()
        return {package: upstream_archive(package, apt.source_stanzas(package.name)) for package in wanted}


def upstream_archive(package: SourcePackage, showsrc: str) -> DebianFile:
    """Return the upstream archive that the stanzas of ``apt-cache showsrc`` have for *package*."""
    described = [fields for fields in stanzas(showsrc) if fields.get("package") == package.name]
    here = sorted({upstream_version(fields.get("version", "")) for fields in described})
    fields = [fields for fields in described if upstream_version(fields.get("version", "")) == package.version]
    # Security updates have folders of their own: the same archive may lie in two places.
    found = {file for stanza in fields for file in _archives(package, stanza)}
    if len({file.sha256 for file in found}) == 1:
        return min(found, key=lambda file: file.path)
    where = f"source package {package.name}"
    if not described:
        raise LockError("Debian has no such source package", where=where, fix="check its name in the catalogue")
    if not fields:
        what, fix = f"its version is {', '.join(here)}, not {package.version}", "name that version in the catalogue"
        raise LockError(what, where=where, fix=fix)
    count = "no" if not found else "more than one"
    raise LockError(f"it has {count} upstream archive (.orig.tar.*)", where=where, fix="take another source")


def upstream_version(version: str) -> str:
    """Return upstream's version in a Debian version: ``[epoch:]upstream[+dfsg][-revision]`` (Debian Policy, 5.6.12)."""
    without_epoch = version.partition(":")[2] or version
    return _REPACKED.sub("", without_epoch.rpartition("-")[0] or without_epoch)


def _archives(package: SourcePackage, fields: dict[str, str]) -> Iterator[DebianFile]:
    # Further components are called .orig-NAME.tar, signatures .tar.gz.asc: neither is the archive.
    start = rf"{re.escape(package.name)}_{re.escape(package.version)}"
    archive = re.compile(rf"{start}({_REPACKED.pattern[:-1]})?\.orig\.tar\.(gz|bz2|xz|zst|lzma)")
    for line in fields.get("checksums-sha256", "").splitlines():
        match = _CHECKSUM.match(line.strip())
        if match and archive.fullmatch(match["name"]):
            yield DebianFile(
                path=f"{fields['directory']}/{match['name']}",
                version=package.version,
                filename=match["name"],
                sha256=match["sha256"],
                size=int(match["size"]),
            )


def download_debian_file(
    locked: DebianFile, target: Path, configuration: AptConfiguration | None = None, log: ProgressLog = silent
) -> None:
    """Fetch *locked* to *target* from the first of apt's repositories that serves it, telling *log* how far it is.

    Which repository it is does not matter: the sha256 decides.

    Raises:
        NetworkError: none serves it.
        HashMismatchError: one serves another file under that name.

    """
    configuration = configuration or read_apt_configuration()
    downloader = Downloader(configuration.http)
    uris = dict.fromkeys(entry.uri for entry in configuration.entries if _COMPONENT in entry.components)
    failures: list[NetworkError] = []
    for uri in uris:
        try:
            downloader.download(f"{uri}{locked.path}", target, Expected(locked.sha256, locked.size), log.progress)
        except NetworkError as error:
            failures.append(error)
        else:
            return
    raise _nobody_serves(locked, failures)


def _nobody_serves(locked: DebianFile, failures: list[NetworkError]) -> NetworkError:
    answers = ", ".join(str(error) for error in failures) or "apt has no entry with the component main"
    passing = next((error for error in failures if error.transient), None)
    if passing is not None:
        return passing
    return RefusedError(
        f"none of this machine's Debian repositories serves it ({answers})",
        where=locked.path,
        fix="lock the version that Debian has now with sources.lock --update, or add a repository that has it",
    )
