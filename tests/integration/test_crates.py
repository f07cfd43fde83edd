"""Crates of a source, by the real cargo: vendored, checked, the same from everywhere, built from without a network."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tarfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from dockerbuild_lib.catalog.load import load_catalog
from dockerbuild_lib.catalog.locks import CratesArchive, IndexFile
from dockerbuild_lib.core.errors import DockerbuildError, HashMismatchError, LockError, NetworkError, UnsafeArchiveError
from dockerbuild_lib.core.events import silent
from dockerbuild_lib.core.files import sha256_of
from dockerbuild_lib.core.machine import ensure_program
from dockerbuild_lib.sources.cargo_program import Cargo
from dockerbuild_lib.sources.crates_source import fetch_crates, pin_crates
from dockerbuild_lib.sources.outside import Origins, Outside
from dockerbuild_lib.sources.upstream import MachineUpstream
from tests.integration.test_errors import NOBODY, alone
from tests.support.crates import TINY_FILES, Registry, crate, serving_crates, write_source
from tests.support.local_server import status
from tests.support.locking import KeptSources
from tests.support.projects import TREE
from tests.support.sdists import member


@pytest.fixture(scope="module", autouse=True)
def _cargo() -> None:
    ensure_program("cargo", say=print)


@dataclass(frozen=True)
class Workshop:
    """Vendors the crates of sources, with a registry and a $CARGO_HOME of its own."""

    folder: Path
    registry: Registry

    def source(self, lock: str | None = "", **files: str) -> Path:
        text = self.registry.lock() if lock == "" else lock
        return write_source(self.folder / "demo-0.1.0.tar.gz", text, **files)

    def pin(self, source: Path) -> tuple[CratesArchive, Path]:
        return pin_crates(outside(source), "demo", "0.1.0", pinned(source), self.folder)


def outside(source: Path) -> Outside:
    return Outside(Path(), Origins(interning=lambda: KeptSources(source.parent)))


def pinned(source: Path) -> IndexFile:
    facts = {"distribution": "demo", "version": "0.1.0", "filename": source.name}
    return IndexFile(**facts, sha256=sha256_of(source), size=source.stat().st_size)


@pytest.fixture
def workshop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Workshop]:
    with serving_crates() as registry:
        monkeypatch.setenv("CARGO_HOME", str(registry.configure(tmp_path / "cargo")))
        monkeypatch.setenv("CARGO_NET_RETRY", "0")
        yield Workshop(tmp_path, registry)


def names(archive: Path) -> dict[str, int]:
    with tarfile.open(archive) as tar:
        return {member.name.removeprefix("demo-0.1.0-crates/"): member.mode for member in tar}


def test_the_archive_holds_the_crates_and_cargos_configuration(workshop: Workshop) -> None:
    pin, archive = workshop.pin(workshop.source())
    assert names(archive) == {
        ".cargo/config.toml": 0o644,
        "vendor/tiny-1.0.0/.cargo-checksum.json": 0o644,
        "vendor/tiny-1.0.0/Cargo.toml": 0o644,
        "vendor/tiny-1.0.0/src/lib.rs": 0o644,
        "vendor/tiny-1.0.0/tools/run.sh": 0o755,
    }
    assert (pin.sha256, pin.size) == (sha256_of(archive), archive.stat().st_size)
    assert pin.filename == "demo-0.1.0-crates.tar"


ELSEWHERE = """
import os, sys
from pathlib import Path
sys.path.insert(0, sys.argv[1])
os.umask(0o077)
from tests.integration.test_crates import pinned
from tests.support.locking import KeptSources
from dockerbuild_lib.sources.cargo_program import Cargo
from dockerbuild_lib.sources.crates_source import pin_crates
from dockerbuild_lib.sources.outside import Origins, Outside
source, program = Path(sys.argv[2]), sys.argv[3]
kept = KeptSources(source.parent)
outside = Outside(Path(), Origins(cargo=Cargo(program=lambda: program), interning=lambda: kept))
print(pin_crates(outside, "demo", "0.1.0", pinned(source), Path.cwd())[0].sha256)
"""


def test_it_is_the_same_from_another_path_user_umask_and_cargo_home(workshop: Workshop, tmp_path: Path) -> None:
    source = workshop.source()
    pin, _ = workshop.pin(source)
    folder = tmp_path / "another one" / "deeper"
    folder.mkdir(parents=True)
    home = workshop.registry.configure(folder / "cargo")
    environment = {
        **os.environ,
        "CARGO_HOME": str(home),
        "HOME": str(folder),
        "TMPDIR": str(folder),
        "TZ": "Asia/Tokyo",
    }
    environment["RUSTUP_HOME"] = os.environ.get("RUSTUP_HOME", str(Path.home() / ".rustup"))
    through = NOBODY if os.geteuid() == 0 else ()
    if through:
        for place in (folder, home):
            os.chown(place, 65534, 65534)
    done = subprocess.run(
        (*through, sys.executable, "-c", ELSEWHERE, str(TREE), str(source), ensure_program("cargo", say=print)),
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stdout.strip() == pin.sha256, done.stderr


def test_it_is_made_again_as_it_was_or_refused(workshop: Workshop, tmp_path: Path) -> None:
    source = workshop.source()
    pin, archive = workshop.pin(source)
    fetch_crates(outside(source), pin, tmp_path / "again.tar", silent)
    assert (tmp_path / "again.tar").read_bytes() == archive.read_bytes()
    with pytest.raises(HashMismatchError, match="but 0000"):
        fetch_crates(outside(source), pin.model_copy(update={"sha256": "0" * 64}), tmp_path / "other.tar", silent)
    assert not (tmp_path / "other.tar").exists()


def unpacked(archive: Path, source: Path, folder: Path) -> tuple[Path, dict[str, str]]:
    """Lay out a build, and return its folder and what its cargo must be told."""
    for file in (archive, source):
        with tarfile.open(file) as tar:
            tar.extractall(folder, filter="data")
    home = next(folder.glob("*-crates")) / ".cargo"
    return next(path for path in folder.iterdir() if not path.name.endswith("-crates")), {
        **os.environ,
        "CARGO_HOME": str(home),
        "CARGO_NET_OFFLINE": "true",
    }


def test_it_is_built_from_without_a_network(workshop: Workshop, tmp_path: Path) -> None:
    source = workshop.source()
    _, archive = workshop.pin(source)
    project, environment = unpacked(archive, source, tmp_path / "build")
    # Its manifest calls the registry by a name; what calls it by none needs no more than the archive.
    environment["CARGO_REGISTRIES_TEST_INDEX"] = workshop.registry.index
    command = (*alone("--net"), "cargo", "build", "--offline", "--locked")
    done = subprocess.run(command, cwd=project, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "Compiling demo v0.1.0" in done.stderr


def test_nothing_of_the_source_is_run_or_configures_cargo(workshop: Workshop, tmp_path: Path) -> None:
    spy = tmp_path / "spy.sh"
    spy.write_text(f"#!/bin/sh\ntouch {tmp_path}/ran\nexit 1\n")
    spy.chmod(0o755)
    files = {
        ".cargo/config.toml": f"""
            [build]
            rustc = "{spy}"
            rustc-wrapper = "{spy}"
            [registry]
            global-credential-providers = ["{spy}"]
            [registries.test]
            index = "sparse+http://127.0.0.1:9/"
            credential-provider = ["{spy}"]
            [alias]
            vendor = ["run"]
        """,
        "rust-toolchain.toml": f'[toolchain]\npath = "{tmp_path}"\n',
        "rust-toolchain": "nothing-of-this-name\n",
        "build.rs": f'fn main() {{ std::fs::write("{tmp_path}/ran", "").unwrap(); }}\n',
    }
    pin, _ = workshop.pin(workshop.source(**files))
    assert pin.sha256 == workshop.pin(workshop.source())[0].sha256
    assert not (tmp_path / "ran").exists()


def refused(workshop: Workshop, error: type[DockerbuildError], said: str, source: Path) -> None:
    with pytest.raises(error) as caught:
        workshop.pin(source)
    assert said in str(caught.value)
    assert not list(workshop.folder.glob("*-crates.tar"))


def test_without_a_cargo_lock_it_is_refused(workshop: Workshop) -> None:
    said = "demo-0.1.0.tar.gz: its crates are pinned by a Cargo.lock, and it has none"
    refused(workshop, LockError, said, workshop.source(None))
    lock = workshop.registry.lock()
    several = workshop.source(None, **{"a/Cargo.lock": lock, "b/Cargo.lock": lock})
    refused(workshop, LockError, "it has several (a/Cargo.lock, b/Cargo.lock)", several)


def test_a_cargo_lock_further_down_counts_where_it_is_the_only_one(workshop: Workshop) -> None:
    manifest = '[package]\nname = "demo"\nversion = "0.1.0"\nedition = "2021"\n'
    manifest += '[dependencies]\ntiny = { version = "1.0.0", registry = "test" }\n'
    files = {"rust/Cargo.lock": workshop.registry.lock(), "rust/Cargo.toml": manifest, "rust/src/lib.rs": ""}
    assert "vendor/tiny-1.0.0/src/lib.rs" in names(workshop.pin(workshop.source(None, **files))[1])


def test_a_cargo_lock_without_crates_is_refused(workshop: Workshop) -> None:
    lock = 'version = 3\n[[package]]\nname = "demo"\nversion = "0.1.0"\n'
    refused(workshop, LockError, "names no crates; remove 'crates'", workshop.source(lock))


def test_a_cargo_lock_that_does_not_fit_is_refused(workshop: Workshop) -> None:
    source = workshop.source(**{"Cargo.toml": '[package]\nname = "demo"\nversion = "0.2.0"\nedition = "2021"\n'})
    refused(workshop, LockError, "its Cargo.lock does not fit its Cargo.toml", source)


def test_a_git_repository_that_is_not_pinned_is_refused(workshop: Workshop) -> None:
    package = 'name = "x"\nversion = "1.0.0"\nsource = "git+https://git.example/x?branch=main"\n'
    said = "Cargo.lock of demo-0.1.0.tar.gz: the crate x 1.0.0 comes from a git repository that is not pinned"
    refused(workshop, LockError, said, workshop.source(workshop.registry.lock(package)))


def test_a_checksum_that_the_registry_does_not_have_is_refused(workshop: Workshop) -> None:
    source = workshop.source(workshop.registry.lock(checksum="0" * 64))
    refused(workshop, HashMismatchError, "unable to verify that `tiny v1.0.0", source)


def test_another_crate_than_the_registry_promised_is_refused(workshop: Workshop) -> None:
    other = crate("tiny-1.0.0", {**TINY_FILES, "src/lib.rs": "evil"})
    workshop.registry.publish("tiny", "1.0.0", crate("tiny-1.0.0", TINY_FILES), served=other)
    refused(workshop, HashMismatchError, "failed to verify the checksum of `tiny v1.0.0", workshop.source())


def test_another_crate_in_cargos_cache_is_refused(workshop: Workshop) -> None:
    source = workshop.source()
    workshop.pin(source)[1].unlink()
    (cached,) = workshop.folder.glob("cargo/registry/cache/*/tiny-1.0.0.crate")
    cached.write_bytes(crate("tiny-1.0.0", {**TINY_FILES, "src/lib.rs": "evil"}))
    refused(workshop, HashMismatchError, "the crate has not the sha256", source)


def test_a_registry_that_cannot_be_reached_is_the_networks_fault(workshop: Workshop) -> None:
    source = workshop.source()
    workshop.registry.server.answers["/crates/tiny/1.0.0/download"] = status(503)
    refused(workshop, NetworkError, "check the network and cargo's configuration", source)


@pytest.mark.parametrize(
    "hostile",
    [
        member("tiny-1.0.0/link", type=tarfile.SYMTYPE, linkname="/etc/passwd"),
        member("tiny-1.0.0/../../outside", b"x"),
        member("elsewhere/file", b"x"),
        member("tiny-1.0.0/pipe", type=tarfile.FIFOTYPE),
        member("tiny-1.0.0/src/lib.rs", b"twice"),
    ],
    ids=lambda hostile: hostile[0].name,
)
def test_a_hostile_crate_is_refused(workshop: Workshop, hostile: tuple[tarfile.TarInfo, bytes]) -> None:
    workshop.registry.publish("tiny", "1.0.0", crate("tiny-1.0.0", TINY_FILES, hostile))
    with pytest.raises((UnsafeArchiveError, LockError, NetworkError)):
        workshop.pin(workshop.source())
    assert not list(workshop.folder.glob("*-crates.tar"))
    assert not (workshop.folder / "outside").exists()


@dataclass(frozen=True)
class CargoWithGit(Cargo):
    """Vendors one crate as if it came from a repository: *link* is a symbolic link in it."""

    link: bool = False

    def vendor(self, manifest: Path, target: Path, where: str) -> str:
        assert manifest.is_file(), where
        (target / "x-1.0.0").mkdir(parents=True)
        (target / "x-1.0.0/Cargo.toml").write_text('[package]\nname = "x"\nversion = "1.0.0"\n')
        (target / "x-1.0.0/run.sh").touch(0o755)
        (target / "x-1.0.0/.cargo-checksum.json").write_text('{"files": {"Cargo.toml": "00"}, "package": null}')
        if self.link:
            (target / "x-1.0.0/link").symlink_to("/etc/passwd")
        return (
            '[source."git+https://git.example/x"]\ngit = "https://git.example/x"\nreplace-with = "vendored-sources"\n'
        )


def test_a_crate_of_a_pinned_repository_is_taken_as_cargo_has_it(tmp_path: Path) -> None:
    lock = f'[[package]]\nname = "x"\nversion = "1.0.0"\nsource = "git+https://git.example/x#{"1" * 40}"\n'
    source = write_source(tmp_path / "demo-0.1.0.tar.gz", lock)
    for link in (False, True):
        origins = Origins(cargo=CargoWithGit(link=link), interning=lambda: KeptSources(tmp_path))
        world = Outside(Path(), origins)
        if link:
            with pytest.raises(UnsafeArchiveError, match="'link' cannot be in a crate"):
                pin_crates(world, "demo", "0.1.0", pinned(source), tmp_path)
            continue
        _, archive = pin_crates(world, "demo", "0.1.0", pinned(source), tmp_path)
        assert names(archive) == {
            ".cargo/config.toml": 0o644,
            "vendor/x-1.0.0/.cargo-checksum.json": 0o644,
            "vendor/x-1.0.0/Cargo.toml": 0o644,
            "vendor/x-1.0.0/run.sh": 0o755,
        }
        with tarfile.open(archive) as tar:
            checksums = tar.extractfile("demo-0.1.0-crates/vendor/x-1.0.0/.cargo-checksum.json")
            assert checksums
            assert json.load(checksums) == {"files": {}, "package": None}


def test_cryptography_gets_past_its_dependencies_without_a_network(tmp_path: Path) -> None:
    lock = load_catalog(TREE / "config").locks.wheels["cryptography"].versions["50.0.2"]
    assert isinstance(lock.source, IndexFile)
    assert lock.crates
    machine = MachineUpstream(Outside(Path()))
    source, archive = tmp_path / lock.source.filename, tmp_path / lock.crates.filename
    machine.download(lock.source, source)
    MachineUpstream(outside(source)).download(lock.crates, archive)
    project, environment = unpacked(archive, source, tmp_path / "build")
    asked = (*alone("--net"), "cargo", "metadata", "--offline", "--locked", "--format-version=1")
    done = subprocess.run(asked, cwd=project, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    packages = {package["name"]: package["source"] for package in json.loads(done.stdout)["packages"]}
    assert packages["cryptography-rust"] is None
    assert packages["pyo3"]

    built = (*alone("--net"), "cargo", "build", "--offline", "--locked", "--jobs=1")
    with subprocess.Popen(
        built, cwd=project, env=environment, stderr=subprocess.PIPE, text=True, start_new_session=True
    ) as process:
        assert process.stderr
        began = next((line for line in process.stderr if "Compiling" in line or "error" in line), "nothing")
        os.killpg(process.pid, signal.SIGKILL)  # the compilers that it has started too
        process.stderr.read()
    assert "Compiling" in began
