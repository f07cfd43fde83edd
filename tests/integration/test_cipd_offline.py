"""The real client deploys what store.export writes, with no service: from a copy, and from the store itself."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

import pytest

from dockerbuild_lib.store.local import LocalStore
from dockerbuild_lib.store.package_file import write_package
from dockerbuild_lib.store.package_tree import FileMember
from dockerbuild_lib.store.protocol import Pin, Publication
from tests.support.cipd_client import CipdClient, cipd_program
from tests.support.projects import TREE, Project

WHEELS = "infra/python/wheels"
OURS = f"{WHEELS}/markupsafe/linux-amd64_cp311_cp311"
FOREIGN = f"{WHEELS}/markupsafe/linux-arm64_cp311_cp311"
UNIVERSAL = f"{WHEELS}/six-py2_py3"
CONTENTS = {OURS: "3.0.4", FOREIGN: "3.0.4", UNIVERSAL: "1.17.0"}
FILES = {
    OURS: "MarkupSafe-3.0.4-py2.py3-none-any.whl",
    FOREIGN: "MarkupSafe-3.0.4-py2.py3-none-any.whl",
    UNIVERSAL: "six-1.17.0-py2.py3-none-any.whl",
}


@pytest.fixture
def client(tmp_path: Path) -> CipdClient:
    (tmp_path / "home").mkdir()
    return CipdClient(cipd_program(), tmp_path / "home")


@pytest.fixture
def pins(tmp_path: Path) -> dict[str, Pin]:
    """Publish a wheel for two platforms and a universal one; whatever file has its package's name in it."""
    published = {}
    with LocalStore(tmp_path / "store") as store:
        for package, version in CONTENTS.items():
            (tmp_path / "wheel").write_text(package)
            members = [FileMember(FILES[package], tmp_path / "wheel")]
            write_package(tmp_path / "package", package, members, install_mode="symlink")
            publication = Publication(package, tmp_path / "package", unique_tag=f"version:{version}")
            published[package] = store.publish(publication).pin
    return published


def export(tmp_path: Path, *options: str) -> Path:
    """Run the task as a user does, and return the folder that it wrote."""
    folder = tmp_path / "exported"
    arguments = ("store.export", f"--output={folder}", "--json", *options)
    done = Project(TREE).succeed(*arguments, INVOKE_DOCKERBUILD_STORE=str(tmp_path / "store"))
    assert done.json["command"][:2] == ["cipd", "ensure"]
    return folder


def deployed(site: Path) -> dict[str, str]:
    return {path.name: path.read_text() for path in site.iterdir() if path.name != ".cipd"}


@pytest.mark.parametrize("command", ["ensure", "export"])
def test_a_copy_needs_neither_service_nor_store(
    command: str, client: CipdClient, pins: dict[str, Pin], tmp_path: Path
) -> None:
    exported = export(tmp_path, "--copy")
    (tmp_path / "store").rename(tmp_path / "elsewhere")
    site = tmp_path / "site"
    result = client.run(command, "-ensure-file", exported / "wheels.ensure", "-root", site, "-cache-dir", exported)
    assert {pin["package"]: pin["instance_id"] for pin in result[""]} == {
        package: pins[package].instance_id for package in (OURS, UNIVERSAL)
    }
    assert deployed(site) == {FILES[package]: package for package in (OURS, UNIVERSAL)}


def test_one_platform_is_deployed_on_any_machine(client: CipdClient, pins: dict[str, Pin], tmp_path: Path) -> None:
    versions = (f"--package={FOREIGN}@version:3.0.4", f"--package={UNIVERSAL}@{pins[UNIVERSAL].instance_id}")
    exported = export(tmp_path, "--copy", *versions)
    client.run("ensure", "-ensure-file", exported / "wheels.ensure", "-root", tmp_path / "site", "-cache-dir", exported)
    assert deployed(tmp_path / "site") == {FILES[package]: package for package in (FOREIGN, UNIVERSAL)}


def test_the_store_itself_serves_whoever_may_not_write_there(
    client: CipdClient, pins: dict[str, Pin], tmp_path: Path
) -> None:
    """As ``-read-only-cache-dir`` makes sure of it, which this client does not have yet."""
    exported = export(tmp_path, "--platform=linux-amd64")
    before = snapshot(tmp_path / "store")
    for path in (tmp_path / "store", *(tmp_path / "store").rglob("*")):
        path.chmod(0o555 if path.is_dir() else 0o444)
    arguments = (
        "-ensure-file",
        exported / "wheels.ensure",
        "-root",
        tmp_path / "site",
        "-cache-dir",
        tmp_path / "store",
    )
    client.run("ensure", *arguments, prefix=without_roots_rights())
    for path in (tmp_path / "store", *(tmp_path / "store").rglob("*")):
        path.chmod(0o755)
    assert deployed(tmp_path / "site") == {FILES[package]: package for package in (OURS, UNIVERSAL)}
    assert snapshot(tmp_path / "store") == before
    with LocalStore(tmp_path / "store") as store:
        assert store.verify() == ()
        assert store.exists(OURS, pins[OURS].instance_id)


def without_roots_rights() -> Sequence[str]:
    return ("setpriv", "--bounding-set=-all", "--inh-caps=-all") if os.geteuid() == 0 else ()


def snapshot(folder: Path) -> dict[Path, bytes]:
    return {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}
