"""What Cargo.lock and Cargo.toml may name."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dockerbuild_lib.core.errors import LockError, UnsafeArchiveError
from dockerbuild_lib.sources import cargo_files as module
from dockerbuild_lib.sources.archives import DEFAULT_LIMITS
from dockerbuild_lib.sources.cargo_files import Crate, cargo_files, check_manifest, crates_of
from tests.support.sdists import member, write_tar

SHA256, COMMIT = "a" * 64, "1" * 40
REGISTRY = "registry+https://index.example/crates"


def package(name: str = "tiny", version: str = "1.0.0", **fields: str) -> str:
    lines = {"name": name, "version": version, **fields}
    return "[[package]]\n" + "".join(f'{key} = "{value}"\n' for key, value in lines.items())


def crates(*packages: str) -> tuple[Crate, ...]:
    return crates_of(b"version = 4\n" + "\n".join(packages).encode(), "Cargo.lock of x-1.tar.gz")


def test_what_comes_from_outside_is_told_with_its_checksum() -> None:
    own = package("own", "0.1.0")
    registry = package(source=REGISTRY, checksum=SHA256)
    sparse = package("other_one", "1.0.0-rc.1+x", source="sparse+https://index.example/", checksum=SHA256)
    assert crates(own, registry, sparse) == (
        Crate("tiny", "1.0.0", SHA256),
        Crate("other_one", "1.0.0-rc.1+x", SHA256),
    )


@pytest.mark.parametrize("query", ["", "?rev=1234", "?branch=main", "?tag=v1.0"])
def test_a_repository_is_pinned_by_its_commit(query: str) -> None:
    found = crates(package(source=f"git+https://git.example/tiny.git{query}#{COMMIT}"))
    assert found == (Crate("tiny", "1.0.0", None, "https://git.example/tiny.git"),)


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"source": REGISTRY}, "the crate tiny 1.0.0 has no checksum in it"),
        ({"source": "git+https://git.example/tiny"}, "is not pinned to a commit over https"),
        ({"source": "git+https://git.example/tiny?branch=main"}, "is not pinned to a commit over https"),
        ({"source": "git+https://git.example/tiny#main"}, "is not pinned to a commit over https"),
        ({"source": f"git+https://git.example/tiny#{COMMIT[:7]}"}, "is not pinned to a commit over https"),
        ({"source": f"git+http://git.example/tiny#{COMMIT}"}, "is not pinned to a commit over https"),
        ({"source": f"git+ssh://git@git.example/tiny#{COMMIT}"}, "is not pinned to a commit over https"),
        ({"source": f"git+file:///etc#{COMMIT}"}, "is not pinned to a commit over https"),
        ({"source": f"git+https://user@git.example/tiny#{COMMIT}"}, "is not pinned to a commit over https"),
        ({"source": "local-registry+file:///etc"}, "comes from what cannot be pinned"),
        ({"source": "directory+file:///etc"}, "comes from what cannot be pinned"),
        ({"source": REGISTRY, "checksum": "abc"}, "it cannot be read"),
        ({"source": REGISTRY, "checksum": SHA256, "name": "../tiny"}, "it cannot be read"),
        ({"source": REGISTRY, "checksum": SHA256, "version": "1/../.."}, "it cannot be read"),
    ],
)
def test_what_is_not_pinned_is_refused_by_name(fields: dict[str, str], said: str) -> None:
    with pytest.raises(LockError) as caught:
        crates(package(**{"name": "tiny", "version": "1.0.0"} | fields))
    assert str(caught.value).startswith("Cargo.lock of x-1.tar.gz: ")
    assert said in str(caught.value)


def test_a_patch_that_nothing_uses_must_be_pinned_too() -> None:
    with pytest.raises(LockError, match="is not pinned to a commit"):
        crates(package(source="git+ssh://git.example/x").replace("[[package]]", "[[patch.unused]]"))


ALLOWED = ("https://git.example/tiny",)


@pytest.mark.parametrize(
    "manifest",
    [
        "",
        "[dependencies]\ntiny = '1'\n",
        "[dependencies]\ntiny = {git = 'https://git.example/tiny', rev = '1234'}\n",
        "[dependencies]\ntiny = {git = 'https://git.example/tiny/'}\n",
        "[package.metadata.x]\ngit = 'https://other.example/x'\n",
        "[package]\nrepository = 'https://other.example/x'\n",
    ],
)
def test_a_manifest_may_name_what_is_locked(manifest: str) -> None:
    check_manifest(manifest.encode(), "Cargo.toml of x", ALLOWED)


@pytest.mark.parametrize(
    "manifest",
    [
        "[dependencies]\ntiny = {git = 'ssh://git.example/tiny'}\n",
        "[target.'cfg(windows)'.build-dependencies]\nx = {git = 'https://other.example/x'}\n",
        "[workspace.dependencies.x]\ngit = 'file:///etc'\n",
        "[patch.crates-io]\nx = {git = 'https://other.example/x'}\n",
        "[dependencies]\nx = {version = '1', registry-index = 'https://other.example/x'}\n",
        "[[dependencies.x]]\ngit = 'https://other.example/x'\n",
    ],
)
def test_a_manifest_may_not_name_other_repositories(manifest: str) -> None:
    with pytest.raises(LockError, match=r"Cargo\.toml of x: it names \S+, which Cargo\.lock does not pin"):
        check_manifest(manifest.encode(), "Cargo.toml of x", ALLOWED)


@given(st.binary() | st.text().map(str.encode))
def test_whatever_stands_there_is_read_or_refused(content: bytes) -> None:
    with suppress(LockError):
        crates_of(content, "x")
    with suppress(LockError):
        check_manifest(content, "x", ())


@pytest.mark.parametrize("content", [b"a = " + b"[" * 5000, b"\xff", b"a = 1\na = 2"])
def test_what_is_no_toml_is_refused(content: bytes) -> None:
    with pytest.raises(LockError, match="it cannot be read"):
        crates_of(content, "x")
    with pytest.raises(LockError, match="it cannot be read"):
        check_manifest(content, "x", ())


def test_of_a_source_cargo_sees_manifests_and_that_there_are_rust_files(tmp_path: Path) -> None:
    files = {
        "Cargo.toml": "a",
        "Cargo.lock": "b",
        "x/Cargo.toml": "c",
        "src/lib.rs": "fn",
        "build.rs": "fn",
        "x.py": "d",
    }
    files |= {".cargo/config.toml": "[build]", "rust-toolchain.toml": "[toolchain]", "MyCargo.toml": "e"}
    source = write_tar(tmp_path / "x-1.tar.gz", *(member(f"x-1/{path}", text.encode()) for path, text in files.items()))
    found = {"Cargo.toml": b"a", "Cargo.lock": b"b", "x/Cargo.toml": b"c", "src/lib.rs": b"", "build.rs": b""}
    assert cargo_files(source, DEFAULT_LIMITS) == found


def test_manifests_that_are_too_large_together_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    members = (member(f"x-1/{number}/Cargo.toml", b"[x]" * 9) for number in range(9))
    source = write_tar(tmp_path / "x-1.tar.gz", *members)
    assert len(cargo_files(source, DEFAULT_LIMITS)) == 9
    monkeypatch.setattr(module, "_MOST", 27 * 8)
    with pytest.raises(UnsafeArchiveError, match=r"x-1\.tar\.gz: its Cargo\.toml and Cargo\.lock files are too large"):
        cargo_files(source, DEFAULT_LIMITS)
