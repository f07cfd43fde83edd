"""The package index, the Debian mirror and the store of this very machine."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from dockerbuild_lib.catalog.locks import DebianFile, IndexFile
from dockerbuild_lib.catalog.sources import SdistSource
from dockerbuild_lib.core.errors import HashMismatchError, LockError, NetworkError, NotInStoreError
from dockerbuild_lib.core.files import sha256_of
from dockerbuild_lib.sources.apt import AptConfiguration, private_apt, read_apt_configuration
from dockerbuild_lib.sources.apt_entries import AptEntry
from dockerbuild_lib.sources.archives import top_folder
from dockerbuild_lib.sources.debian import (
    SourcePackage,
    debian_entries,
    debian_sources_list,
    download_debian_file,
    find_upstream_archives,
)
from dockerbuild_lib.sources.intern import SourceFetcher
from dockerbuild_lib.sources.outside import Origins, Outside
from dockerbuild_lib.sources.patching import read_member
from dockerbuild_lib.sources.pins import Pinner
from dockerbuild_lib.sources.upstream import MachineUpstream
from dockerbuild_lib.store.local import LocalStore
from dockerbuild_lib.store.sources_packages import InternedSources, fetch_interned

LIBYAML = SourcePackage("libyaml", "0.2.5")


@pytest.fixture(scope="module")
def libyaml() -> DebianFile:
    return find_upstream_archives([LIBYAML], ["bookworm"])[LIBYAML]


def machine_state() -> list[str]:
    """Return apt's own files on this machine with their times."""
    folders = (Path("/var/lib/apt"), Path("/var/cache/apt"))
    return sorted(f"{file} {file.stat().st_mtime_ns}" for folder in folders for file in folder.rglob("*"))


def test_an_sdist_is_locked_fetched_and_interned(tmp_path: Path) -> None:
    store = LocalStore(tmp_path / "store")
    fetcher = SourceFetcher(tmp_path / "work", InternedSources(store), MachineUpstream(Outside(Path())))
    locked = Pinner(Outside(Path(), Origins(interning=lambda: fetcher))).source(
        "markupsafe", "3.0.4", SdistSource(type="sdist")
    )
    assert (locked.filename, locked.size) == ("markupsafe-3.0.4.tar.gz", 153777)
    place = SourceFetcher(tmp_path / "work", InternedSources(store), Nowhere()).fetch(locked)
    assert top_folder(place) == "markupsafe-3.0.4"
    assert b"setuptools" in (read_member(place, "pyproject.toml") or b"")
    assert store.packages() == ("infra/third_party/source/markupsafe",)
    again = SourceFetcher(tmp_path / "elsewhere", InternedSources(store), Nowhere()).fetch(locked)
    assert again.read_bytes() == place.read_bytes()
    tags = store.tags(store.instances("infra/third_party/source/markupsafe")[0].pin)
    assert set(tags) == {f"sha256:{locked.sha256}", "version:3.0.4"}


class Nowhere:
    """An outside world that is not there."""

    def download(self, locked: object, target: Path, log: object = None) -> None:
        raise AssertionError(locked, target, log)


def test_a_wrong_hash_leaves_nothing_in_the_store(tmp_path: Path) -> None:
    wrong = IndexFile(
        distribution="markupsafe", version="3.0.4", filename="markupsafe-3.0.4.tar.gz", sha256="0" * 64, size=153777
    )
    store = LocalStore(tmp_path / "store")
    with pytest.raises(HashMismatchError, match="markupsafe"):
        SourceFetcher(tmp_path / "work", InternedSources(store), MachineUpstream(Outside(Path()))).fetch(wrong)
    assert store.packages() == ()
    with pytest.raises(NotInStoreError):
        fetch_interned(store, "0" * 64, tmp_path / "file")
    assert [file.name for file in (tmp_path / "work").rglob("*")] == [f"{'0' * 64}.lock"]


def test_build_requirements_are_resolved_to_wheels_of_the_build_machine() -> None:
    wheels = Pinner(Outside(Path())).build_wheels(["cython>=3,<4"], "3.11")
    assert [wheel.distribution for wheel in wheels] == ["cython"]
    assert wheels[0].filename.endswith("x86_64.whl")
    assert "cp311" in wheels[0].filename


def test_a_debian_source_is_locked_and_fetched(tmp_path: Path, libyaml: DebianFile) -> None:
    assert libyaml.path == "pool/main/liby/libyaml/libyaml_0.2.5.orig.tar.gz"
    download_debian_file(libyaml, tmp_path / libyaml.filename)
    assert sha256_of(tmp_path / libyaml.filename) == libyaml.sha256
    assert top_folder(tmp_path / libyaml.filename) == "libyaml-0.2.5"


def test_a_debian_source_in_another_version_is_told() -> None:
    with pytest.raises(LockError, match=r"its version is 0\.2\.5, not 0\.2\.4"):
        find_upstream_archives([SourcePackage("libyaml", "0.2.4")], ["bookworm"])


def test_apts_own_files_are_not_touched(libyaml: DebianFile) -> None:
    before = machine_state()
    assert find_upstream_archives([LIBYAML], ["bookworm"])[LIBYAML] == libyaml
    assert machine_state() == before


def test_the_sources_list_has_the_suite_its_updates_and_its_security() -> None:
    lines = debian_sources_list("bookworm").splitlines()
    assert {line.split()[-2] for line in lines} == {"bookworm", "bookworm-updates", "bookworm-security"}
    assert all(line.startswith("deb [signed-by=") and line.endswith(" main") for line in lines)


def with_foreign_repository(folder: Path) -> AptConfiguration:
    """Return the machine's configuration with a repository that calls its suite as Debian does, and signs nothing."""
    release = folder / "dists" / "bookworm" / "Release"
    release.parent.mkdir(parents=True)
    release.write_text(
        "Origin: Somebody\nSuite: bookworm\nCodename: bookworm\nComponents: main\nArchitectures: amd64\n"
    )
    for parent in release.relative_to(folder).parents:
        (folder / parent).chmod(0o755)
    machine = read_apt_configuration()
    foreign = AptEntry(f"file://{folder}/", "bookworm", ("main",))
    return AptConfiguration(machine.main, machine.parts, (foreign, *machine.entries), machine.http)


def test_a_repository_that_is_not_signed_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(NetworkError, match="is not signed"):
        debian_entries(with_foreign_repository(tmp_path), "bookworm")


def test_what_debian_did_not_make_is_left_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "first.conf").write_text('Acquire::AllowInsecureRepositories "true";')
    monkeypatch.setenv("APT_CONFIG", str(tmp_path / "first.conf"))
    both = with_foreign_repository(tmp_path)
    assert len(both.entries) > 3
    assert [entry.uri for entry in debian_entries(both, "bookworm") if entry.uri.startswith("file:")] == []
    assert {entry.suite for entry in debian_entries(both, "bookworm")} >= {"bookworm", "bookworm-security"}


def test_hooks_of_the_machines_apt_do_not_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "parts").mkdir()
    hooks = ("Pre-Invoke", "Post-Invoke", "Post-Invoke-Success")
    lines = [f'APT::Update::{hook} {{ "touch {tmp_path}/ran"; }};' for hook in hooks]
    (tmp_path / "parts" / "hook.conf").write_text("\n".join(lines))
    (tmp_path / "first.conf").write_text(f'Dir::Etc::parts "{tmp_path}/parts";')
    monkeypatch.setenv("APT_CONFIG", str(tmp_path / "first.conf"))
    machine = read_apt_configuration()
    assert machine.parts == tmp_path / "parts"
    entries = tuple(entry.line() for entry in machine.entries if entry.suite == "bookworm")
    with private_apt(machine, entries, indices=False) as apt:
        apt.update()
    assert not (tmp_path / "ran").exists()


_AS_NOBODY = """
import os
from dockerbuild_lib.sources.debian import debian_sources_list
if os.geteuid() == 0:
    os.setgroups([])
    os.setgid(65534)
    os.setuid(65534)
print(debian_sources_list("bookworm"), end="")
"""


def test_it_works_without_root() -> None:
    done = subprocess.run((sys.executable, "-c", _AS_NOBODY), capture_output=True, text=True, check=False)
    assert done.stdout == debian_sources_list("bookworm"), done.stderr
