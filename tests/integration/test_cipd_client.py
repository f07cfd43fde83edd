"""Package files and the embedded store against the real client: what it writes, takes and deploys."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from dockerbuild_lib.store.local import LocalStore
from dockerbuild_lib.store.package_file import InstallMode, verify_package, write_package
from dockerbuild_lib.store.package_tree import FileMember, scan_tree
from dockerbuild_lib.store.package_unpack import unpack_package
from dockerbuild_lib.store.protocol import Pin, Publication
from tests.support.cipd_client import CipdClient, cipd_program

WHEEL = "MarkupSafe-3.0.4-py2.py3-none-any.whl"
NAME = "infra/python/wheels/markupsafe/linux-arm64_cp311_cp311"


@pytest.fixture(scope="session")
def program() -> Path:
    return cipd_program()


@pytest.fixture
def client(program: Path, tmp_path: Path) -> CipdClient:
    home = tmp_path / "home"
    home.mkdir()
    return CipdClient(program, home)


def nothing(_tree: Path) -> None:
    pass


def one_wheel(tree: Path) -> None:
    (tree / WHEEL).write_bytes(bytes(range(256)) * 12_345)


def order_of_names(tree: Path) -> None:
    (tree / "a").mkdir()
    for name in ("a/b", "a.txt", "a-b", "B", "_", "a/B"):
        (tree / name).write_text(name)


def modes(tree: Path) -> None:
    for mode in (0o400, 0o444, 0o644, 0o666, 0o755, 0o777, 0o410, 0o401, 0o4755):
        (tree / f"mode{mode:o}").write_text("x")
        (tree / f"mode{mode:o}").chmod(mode)


def links(tree: Path) -> None:
    (tree / "folder").mkdir()
    (tree / "folder" / "file").write_text("x")
    (tree / ".cipd").mkdir()
    (tree / ".cipd" / "state").write_text("state")
    (tree / "relative").symlink_to("folder/file")
    (tree / "folder" / "up").symlink_to("../relative")
    (tree / "to-folder").symlink_to("folder")
    (tree / "to-root").symlink_to(".")
    (tree / "dangling").symlink_to("missing/./file")
    (tree / "outside").symlink_to("/usr/bin/env")
    (tree / "folder" / "inside").symlink_to(tree.resolve() / "relative")
    (tree / "folder" / "state").symlink_to("../.cipd/state")


def strange_names(tree: Path) -> None:
    for name in (
        "ünïcödé",
        "名前",
        "🐍.py",
        "tilde~",
        "back\\slash",
        "with space",
        "quote'\"",
        "new\nline",
        "\x7f",
        "&<>",
    ):
        (tree / name).write_text(name)


def things_that_are_no_files(tree: Path) -> None:
    os.mkfifo(tree / "pipe")
    (tree / "empty folder").mkdir()
    (tree / "empty file").touch()


def more_members_than_a_plain_zip_takes(tree: Path) -> None:
    for number in range(65536):
        (tree / f"{number:05}").touch()


TREES = (
    nothing,
    one_wheel,
    order_of_names,
    modes,
    links,
    strange_names,
    things_that_are_no_files,
    more_members_than_a_plain_zip_takes,
)


@pytest.mark.parametrize("make", TREES, ids=lambda make: str(make.__name__))
def test_a_package_has_the_bytes_of_the_client(
    make: Callable[[Path], None], client: CipdClient, tmp_path: Path
) -> None:
    tree, theirs, ours = tmp_path / "tree", tmp_path / "theirs", tmp_path / "ours"
    tree.mkdir()
    make(tree)
    built = client.run("pkg-build", "-name", NAME, "-in", tree, "-out", theirs, "-compression-level", "0")
    instance_id = write_package(ours, NAME, scan_tree(tree))
    assert ours.read_bytes() == theirs.read_bytes()
    assert built == {"package": NAME, "instance_id": instance_id}


@pytest.mark.parametrize("mode", ["copy", "symlink"])
def test_an_install_mode_has_the_bytes_of_the_client(mode: InstallMode, client: CipdClient, tmp_path: Path) -> None:
    tree, theirs, ours = tmp_path / "tree", tmp_path / "theirs", tmp_path / "ours"
    tree.mkdir()
    arguments = ("-name", NAME, "-in", tree, "-out", theirs, "-compression-level", "0", "-install-mode", mode)
    client.run("pkg-build", *arguments)
    write_package(ours, NAME, scan_tree(tree), install_mode=mode)
    assert ours.read_bytes() == theirs.read_bytes()


def test_the_client_inspects_and_deploys_our_package(client: CipdClient, tmp_path: Path) -> None:
    tree, file, site = tmp_path / "tree", tmp_path / "package", tmp_path / "site"
    tree.mkdir()
    strange_names(tree)
    modes(tree)
    instance_id = write_package(file, NAME, scan_tree(tree))
    assert client.run("pkg-inspect", file) == {"package": NAME, "instance_id": instance_id}
    client.run("pkg-deploy", file, "-root", site)
    for original in tree.iterdir():
        deployed = site / original.name
        assert deployed.read_bytes() == original.read_bytes()
        assert os.access(deployed, os.X_OK) == bool(original.stat().st_mode & 0o111)


@pytest.mark.parametrize("level", ["0", "1", "5", "9"])
def test_we_verify_and_unpack_the_clients_packages(level: str, client: CipdClient, tmp_path: Path) -> None:
    tree, file, unpacked = tmp_path / "tree", tmp_path / "package", tmp_path / "unpacked"
    tree.mkdir()
    order_of_names(tree)
    strange_names(tree)
    (tree / "long").write_text("compressible " * 10_000)
    (tree / "a" / "link").symlink_to("../long")
    options = ("-compression-level", level, "-preserve-mtime", "-preserve-writable")
    client.run("pkg-build", "-name", NAME, "-in", tree, "-out", file, *options)
    assert verify_package(file).package == NAME
    unpack_package(file, unpacked)
    names = {path.relative_to(tree) for path in tree.rglob("*")}
    assert {path.relative_to(unpacked) for path in unpacked.rglob("*")} == names
    assert all(
        (unpacked / name).read_bytes() == (tree / name).read_bytes() for name in names if (tree / name).is_file()
    )
    assert (unpacked / "a" / "link").is_symlink()
    assert (unpacked / "long").stat().st_mode & 0o200


@pytest.fixture
def published(tmp_path: Path) -> Pin:
    (tmp_path / "wheel").write_bytes(b"wheel")
    write_package(tmp_path / "package", NAME, [FileMember(WHEEL, tmp_path / "wheel")], install_mode="symlink")
    with LocalStore(tmp_path / "store") as store:
        return store.publish(Publication(NAME, tmp_path / "package", unique_tag="version:3.0.4")).pin


def client_cache(tmp_path: Path) -> Path:
    """Return a cache of the client's made of the store's instances as they are.

    The clients that can read a cache without writing to it (-read-only-cache-dir) take the store's folder
    itself; this one would put its own state there, and clean up.
    """
    shutil.copytree(tmp_path / "store" / "instances", tmp_path / "cache" / "instances")
    return tmp_path / "cache"


@pytest.mark.parametrize("command", ["ensure", "export"])
def test_the_client_deploys_the_stores_instances_without_a_server(
    command: str, client: CipdClient, published: Pin, tmp_path: Path
) -> None:
    ensure_file, site = tmp_path / "ensure", tmp_path / "site"
    ensure_file.write_text(f"{published.package} {published.instance_id}\n")
    arguments = ("-ensure-file", ensure_file, "-root", site, "-cache-dir", client_cache(tmp_path))
    result = client.run(command, *arguments)
    assert result == {"": [{"package": published.package, "instance_id": published.instance_id}]}
    assert (site / WHEEL).read_bytes() == b"wheel"


def test_the_client_takes_a_versions_file_for_the_server(client: CipdClient, published: Pin, tmp_path: Path) -> None:
    (tmp_path / "versions").write_text(f"{published.package}\n\tversion:3.0.4\n\t{published.instance_id}\n")
    settings = "$ResolvedVersions versions\n$VerifiedPlatform linux-amd64\n"
    (tmp_path / "ensure").write_text(f"{settings}{published.package} version:3.0.4\n")
    arguments = ("-ensure-file", tmp_path / "ensure", "-root", tmp_path / "site", "-cache-dir", client_cache(tmp_path))
    client.run("ensure", *arguments)
    assert (tmp_path / "site" / WHEEL).read_bytes() == b"wheel"
