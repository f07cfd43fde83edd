"""Package files beside those of the real client: what it writes, takes and deploys."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from dockerbuild_lib.store.names import instance_id_of_file
from dockerbuild_lib.store.package_file import InstallMode, verify_package, write_package
from dockerbuild_lib.store.package_tree import scan_tree
from dockerbuild_lib.store.package_unpack import unpack_package
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


@pytest.fixture
def tree() -> Iterator[Path]:
    """Yield an empty folder, in memory where there is one: some trees have very many files."""
    memory = Path("/dev/shm")  # noqa: S108  # a folder of its own is made in it
    with tempfile.TemporaryDirectory(dir=memory if memory.is_dir() else None) as folder:
        yield Path(folder)


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


def links_inside(tree: Path) -> None:
    (tree / "folder").mkdir()
    (tree / "folder" / "file").write_text("x")
    (tree / "relative").symlink_to("folder/file")
    (tree / "folder" / "up").symlink_to("../relative")
    (tree / "to-folder").symlink_to("folder")
    (tree / "to-root").symlink_to(".")
    (tree / "dangling").symlink_to("missing/./file")


def links(tree: Path) -> None:
    links_inside(tree)
    (tree / ".cipd").mkdir()
    (tree / ".cipd" / "state").write_text("state")
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
    make: Callable[[Path], None], client: CipdClient, tree: Path, tmp_path: Path
) -> None:
    theirs, ours = tmp_path / "theirs", tmp_path / "ours"
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


DEPLOYED = (nothing, one_wheel, order_of_names, modes, links_inside, strange_names, things_that_are_no_files)


@pytest.mark.parametrize("make", DEPLOYED, ids=lambda make: str(make.__name__))
def test_the_client_deploys_our_package_to_what_we_unpack(
    make: Callable[[Path], None], client: CipdClient, tmp_path: Path
) -> None:
    tree, file, site, unpacked = (tmp_path / name for name in ("tree", "package", "site", "unpacked"))
    tree.mkdir()
    make(tree)
    instance_id = write_package(file, NAME, scan_tree(tree))
    assert client.run("pkg-inspect", file) == {"package": NAME, "instance_id": instance_id}
    client.run("pkg-deploy", file, "-root", site, "-install-mode", "copy")
    unpack_package(file, unpacked)
    shutil.rmtree(site / ".cipd")
    assert facts(site) == facts(unpacked)


def facts(tree: Path) -> dict[Path, tuple[int, bytes | str]]:
    """Return path -> mode and contents of all files, or where a link points."""
    paths = [path for path in tree.rglob("*") if path.is_symlink() or path.is_file()]
    return {
        path.relative_to(tree): (0, str(path.readlink()))
        if path.is_symlink()
        else (path.stat().st_mode, path.read_bytes())
        for path in paths
    }


@pytest.mark.parametrize("level", range(10))
def test_we_verify_and_unpack_the_clients_packages(level: int, client: CipdClient, tmp_path: Path) -> None:
    tree, file, unpacked = tmp_path / "tree", tmp_path / "package", tmp_path / "unpacked"
    tree.mkdir()
    for make in (one_wheel, order_of_names, modes, links_inside, strange_names, things_that_are_no_files):
        make(tree)
    (tree / "long").write_text("compressible " * 10_000)
    options = ("-compression-level", str(level), "-preserve-mtime", "-preserve-writable")
    built = client.run("pkg-build", "-name", NAME, "-in", tree, "-out", file, *options)
    contents = verify_package(file)
    assert (contents.package, instance_id_of_file(file)) == (NAME, built["instance_id"])
    assert [member.name for member in contents.members] == [member.name for member in scan_tree(tree)]
    unpack_package(file, unpacked)
    copies = facts(unpacked)
    assert copies.keys() == facts(tree).keys()
    for name, (mode, content) in facts(tree).items():
        copy_mode, copy = copies[name]
        assert copy == content
        assert bool(copy_mode & 0o111) == bool(mode & 0o111)
        assert bool(copy_mode & 0o200) == bool(mode & 0o200)


PART = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="/\0"), min_size=1, max_size=6).filter(
    lambda part: part not in (".", "..", ".cipd", ".cipdpkg")
)
FILES = st.dictionaries(
    st.lists(PART, min_size=1, max_size=3).map("/".join), st.tuples(st.binary(max_size=50), st.booleans()), max_size=6
)


@given(files=FILES)
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_tree_has_the_bytes_of_the_client(client: CipdClient, files: dict[str, tuple[bytes, bool]]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        tree, theirs, ours = (Path(folder, name) for name in ("tree", "theirs", "ours"))
        tree.mkdir()
        for name, (content, executable) in files.items():
            with suppress(OSError):  # one name is a folder of another
                (tree / name).parent.mkdir(parents=True, exist_ok=True)
                (tree / name).write_bytes(content)
                (tree / name).chmod(0o755 if executable else 0o644)
        client.run("pkg-build", "-name", NAME, "-in", tree, "-out", theirs, "-compression-level", "0")
        write_package(ours, NAME, scan_tree(tree))
        assert ours.read_bytes() == theirs.read_bytes()
