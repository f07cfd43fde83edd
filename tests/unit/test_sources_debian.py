"""Debian source packages: which file is locked, and where it is fetched from."""

from __future__ import annotations

import hashlib
from contextlib import nullcontext
from pathlib import Path

import pytest

from dockerbuild_lib.catalog.locks import DebianFile
from dockerbuild_lib.core.errors import HashMismatchError, LockError, NetworkError, ToolMissingError
from dockerbuild_lib.sources import debian
from dockerbuild_lib.sources.apt import AptConfiguration, list_file_name, read_apt_configuration
from dockerbuild_lib.sources.apt_entries import AptEntry
from dockerbuild_lib.sources.debian import (
    SourcePackage,
    debian_entries,
    debian_sources_list,
    download_debian_file,
    find_upstream_archives,
    upstream_archive,
)
from dockerbuild_lib.sources.http import HttpSettings
from tests.support.local_server import body, serving, status

ORIG = "a" * 64
OTHER = "b" * 64
CONTENT = b"an upstream archive"
LOCKED = DebianFile(
    path="pool/main/l/lib/lib_1.2.orig.tar.gz",
    version="1.2",
    filename="lib_1.2.orig.tar.gz",
    sha256=hashlib.sha256(CONTENT).hexdigest(),
    size=len(CONTENT),
)
PACKAGE = SourcePackage("lib", "1.2")


def showsrc(version: str = "1.2-3", archive: str = "lib_1.2.orig.tar.gz", sha256: str = ORIG, name: str = "lib") -> str:
    return (
        f"Package: {name}\nBinary: lib1\nVersion: {version}\nFiles:\n 0123 1 lib_1.dsc\nChecksums-Sha256:\n"
        f" {OTHER} 1 lib_1.2-3.dsc\n {sha256} 85 {archive}\n {OTHER} 2 lib_1.2-3.debian.tar.xz\n"
        f" {OTHER} 833 {archive}.asc\n {OTHER} 5 lib_1.2.orig-docs.tar.gz\n"
        "Directory: pool/main/l/lib\nSection: libs\n\n"
    )


@pytest.mark.parametrize("version", ["1.2-3", "1:1.2-3", "1.2", "1.2-3+deb12u1"])
def test_the_upstream_archive_is_found_by_its_upstream_version(version: str) -> None:
    assert upstream_archive(PACKAGE, showsrc(version)) == DebianFile(
        path="pool/main/l/lib/lib_1.2.orig.tar.gz", version="1.2", filename="lib_1.2.orig.tar.gz", sha256=ORIG, size=85
    )


def test_an_upstream_version_may_hold_hyphens() -> None:
    found = upstream_archive(SourcePackage("lib", "1.2-rc1"), showsrc("1.2-rc1-3", "lib_1.2-rc1.orig.tar.xz"))
    assert found.filename == "lib_1.2-rc1.orig.tar.xz"


@pytest.mark.parametrize("mark", [".dfsg", "+dfsg", "+dfsg1", "+ds", "~ds2.1"])
def test_a_mark_of_repacking_is_no_part_of_the_version(mark: str) -> None:
    found = upstream_archive(PACKAGE, showsrc(f"1:1.2{mark}-3", f"lib_1.2{mark}.orig.tar.gz"))
    assert (found.version, found.filename) == ("1.2", f"lib_1.2{mark}.orig.tar.gz")


def test_an_archive_that_lies_in_two_places_is_one() -> None:
    security = showsrc("1.2-3").replace("pool/main", "pool/updates/main")
    assert upstream_archive(PACKAGE, security + showsrc()).path == "pool/main/l/lib/lib_1.2.orig.tar.gz"


def test_several_revisions_of_one_upstream_version_share_its_archive() -> None:
    assert (
        upstream_archive(PACKAGE, showsrc() + showsrc("1.2-4") + showsrc("1.3-1", "lib_1.3.orig.tar.gz")).sha256 == ORIG
    )


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "Debian has no such source package"),
        (showsrc(name="another"), "Debian has no such source package"),
        (showsrc("1.3-1") + showsrc("1.10-1"), r"its version is 1\.10, 1\.3, not 1\.2"),
        (showsrc(archive="lib_1.2.tar.gz"), "no upstream archive"),
        (showsrc() + showsrc("1.2-4", sha256=OTHER), "more than one upstream archive"),
    ],
)
def test_what_is_not_there_is_told(text: str, said: str) -> None:
    with pytest.raises(LockError, match=said):
        upstream_archive(PACKAGE, text)


def configuration(*uris: str) -> AptConfiguration:
    entries = tuple(AptEntry(uri, "bookworm", ("main",)) for uri in uris)
    return AptConfiguration(Path("/dev/null"), Path("/dev/null"), entries, HttpSettings())


def test_the_first_repository_that_serves_it_is_taken(tmp_path: Path) -> None:
    with serving(**{f"b/{LOCKED.path}": body(CONTENT)}) as server:
        target = tmp_path / "file"
        download_debian_file(LOCKED, target, configuration(f"{server.url}/a/", f"{server.url}/b/", f"{server.url}/c/"))
    assert target.read_bytes() == CONTENT
    assert server.requests == [f"/a/{LOCKED.path}", f"/b/{LOCKED.path}"]


def test_a_repository_without_the_component_is_not_asked(tmp_path: Path) -> None:
    with serving() as server:
        entry = AptEntry(f"{server.url}/", "stable", ("extra",))
        here = AptConfiguration(Path("/dev/null"), Path("/dev/null"), (entry,), HttpSettings())
        with pytest.raises(NetworkError, match="no entry with the component main"):
            download_debian_file(LOCKED, tmp_path / "file", here)
    assert server.requests == []


def test_nobody_serving_it_is_told_with_every_answer(tmp_path: Path) -> None:
    with serving(**{f"b/{LOCKED.path}": status(403)}) as server:
        with pytest.raises(NetworkError, match=r"404.*403") as caught:
            download_debian_file(LOCKED, tmp_path / "file", configuration(f"{server.url}/a/", f"{server.url}/b/"))
        assert not caught.value.transient
    assert not list(tmp_path.iterdir())


def test_another_file_under_that_name_stops_it(tmp_path: Path) -> None:
    with serving(**{f"a/{LOCKED.path}": body(CONTENT[::-1])}) as server, pytest.raises(HashMismatchError):
        download_debian_file(LOCKED, tmp_path / "file", configuration(f"{server.url}/a/"))
    assert not list(tmp_path.iterdir())


def test_a_machine_without_apt_says_so(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(ToolMissingError, match="apt-config is not installed"):
        debian_sources_list("bookworm")


def test_a_suite_that_apt_does_not_know_says_so() -> None:
    with pytest.raises(LockError, match="no Debian repository for the suite trixie"):
        debian_entries(configuration("http://127.0.0.1:1/debian/"), "trixie")


def test_apts_configuration_is_read(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "sources.list").write_text("deb http://mirror.example/debian bookworm main\n")
    (tmp_path / "first.conf").write_text(
        f'Dir::Etc::sourcelist "{tmp_path}/sources.list";\nDir::Etc::sourceparts "/dev/null";\n'
        'Acquire::http::Proxy "http://proxy.example:3128";\nAcquire::https::Proxy "DIRECT";\n'
    )
    monkeypatch.setenv("APT_CONFIG", str(tmp_path / "first.conf"))
    found = read_apt_configuration()
    assert found.entries == (AptEntry("http://mirror.example/debian/", "bookworm", ("main",)),)
    assert found.http.proxies == (("http", "http://proxy.example:3128"),)


@pytest.mark.parametrize(
    ("uri", "name"),
    [
        ("http://deb.example/debian/dists/b/InRelease", "deb.example_debian_dists_b_InRelease"),
        ("http://me:secret@deb.example/a_b/~c", "deb.example_a%5fb_%7ec"),
        ("file:///srv/mirror/x", "_srv_mirror_x"),
    ],
)
def test_apts_names_of_lists(uri: str, name: str) -> None:
    assert list_file_name(uri) == name


@pytest.mark.parametrize("version", ["1.2.dfsg-3", "1.2+dfsg1-3", "1:1.2+ds-1"])
def test_what_debian_repacked_is_found_by_its_upstream_version(version: str) -> None:
    upstream = version.partition(":")[2] or version
    archive = f"lib_{upstream.rpartition('-')[0]}.orig.tar.bz2"
    found = upstream_archive(PACKAGE, showsrc(version, archive))
    assert (found.version, found.filename) == ("1.2", archive)


def test_a_longer_version_is_another_one() -> None:
    with pytest.raises(LockError, match=r"its version is 1\.2\.1, not 1\.2"):
        upstream_archive(PACKAGE, showsrc("1.2.1-3", "lib_1.2.1.orig.tar.gz"))


def test_the_same_archive_in_two_pools_is_one() -> None:
    security = showsrc().replace("pool/main", "pool/updates/main")
    assert upstream_archive(PACKAGE, security + showsrc()).path == "pool/main/l/lib/lib_1.2.orig.tar.gz"


class FakeApt:
    """apt with one source package."""

    def update(self) -> None:
        """Nothing is fetched."""

    def source_stanzas(self, _name: str) -> str:
        return showsrc()


@pytest.mark.parametrize(
    ("packages", "asked"),
    [
        ([PACKAGE], ["bookworm"]),
        ([SourcePackage("lib", "1.2", "trixie")], ["trixie"]),
        ([PACKAGE, SourcePackage("lib", "1.2", "trixie")], ["bookworm", "trixie"]),
    ],
)
def test_only_the_suites_that_are_needed_are_asked(
    monkeypatch: pytest.MonkeyPatch, packages: list[SourcePackage], asked: list[str]
) -> None:
    suites: list[str] = []

    def entries(_configuration: AptConfiguration, suite: str) -> tuple[AptEntry, ...]:
        suites.append(suite)
        return (AptEntry("https://a.example/", suite, ("main",)),)

    monkeypatch.setattr(debian, "debian_entries", entries)
    monkeypatch.setattr(debian, "private_apt", lambda *_, **__: nullcontext(FakeApt()))
    found = find_upstream_archives(packages, ["bookworm"])
    assert suites == asked
    assert {file.sha256 for file in found.values()} == {ORIG}
