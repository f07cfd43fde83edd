"""pip and uv install from the store's index, over HTTP and from the folder."""

from __future__ import annotations

import functools
import http.server
import os
import shutil
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import ClassVar

import pytest

from dockerbuild_lib.store.local import LocalStore
from dockerbuild_lib.store.protocol import Publication
from tests.support.store_samples import PACKAGE, package_file, wheel_file
from tests.support.store_server import serving_store
from tests.support.stores import damage_file

UV = str(Path(sys.executable).with_name("uv"))
Installer = Callable[..., tuple[str, ...]]
AARCH64 = "cp311-cp311-manylinux_2_17_aarch64"


class NotingHandler(http.server.SimpleHTTPRequestHandler):
    """Keeps quiet, and remembers what was asked for."""

    asked: ClassVar[list[str]] = []

    def log_message(self, *_arguments: object) -> None:
        self.asked.append(self.path)


@pytest.fixture
def store(tmp_path: Path) -> Path:
    wheels = (
        wheel_file(tmp_path / "w", version="3.0.3"),
        wheel_file(tmp_path / "w", version="3.0.4"),
        wheel_file(tmp_path / "w", version="3.0.5", requires_python=">=4"),
        wheel_file(tmp_path / "w", name="foreign", tag=AARCH64),
    )
    with LocalStore(tmp_path / "store") as store:
        for wheel in wheels:
            package = f"{PACKAGE}/{wheel.name.lower()}"
            store.publish(Publication(package, package_file(tmp_path, package=package), (), None, wheel))
    return tmp_path / "store"


@pytest.fixture(params=["http", "file", "store.serve"])
def index(request: pytest.FixtureRequest, store: Path) -> Iterator[str]:
    if request.param == "file":
        yield f"{(store / 'simple').as_uri()}/"
        return
    if request.param == "store.serve":
        with serving_store(store) as running:
            yield f"{running.url}/simple/"
        return
    handler = functools.partial(NotingHandler, directory=str(store))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}/simple/"
        server.shutdown()
        thread.join()


def run(home: Path, *command: str) -> subprocess.CompletedProcess[str]:
    """Run an installer that knows of nothing but its options."""
    environment = {"PATH": os.environ["PATH"], "HOME": str(home), "PIP_CONFIG_FILE": os.devnull, "UV_NO_CONFIG": "1"}
    environment |= {"PIP_NO_CACHE_DIR": "1", "UV_NO_CACHE": "1", "PIP_DISABLE_PIP_VERSION_CHECK": "1"}
    return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=120, check=False)


def pip(*options: str) -> tuple[str, ...]:
    return (sys.executable, "-m", "pip", "install", "--isolated", *options)


def uv(*options: str) -> tuple[str, ...]:
    return (UV, "pip", "install", "--python", sys.executable, *options)


def download(*options: str) -> tuple[str, ...]:
    return (sys.executable, "-m", "pip", "download", "--isolated", "--no-deps", *options)


@pytest.mark.parametrize("installer", [pip, uv])
def test_the_newest_wheel_for_this_python_is_installed(installer: Installer, index: str, tmp_path: Path) -> None:
    target = tmp_path / "site"
    done = run(tmp_path, *installer("--index-url", index, "--target", str(target), "MarkupSafe"))
    assert done.returncode == 0, done.stdout + done.stderr
    assert {path.name for path in target.glob("*.dist-info")} == {"markupsafe-3.0.4.dist-info"}
    assert (target / "markupsafe.py").read_text() == "answer = 42\n"


FOREIGN = {
    pip: ("--platform", "manylinux_2_17_aarch64", "--python-version", "3.11", "--only-binary", ":all:"),
    uv: ("--python-platform", "aarch64-manylinux_2_17", "--python-version", "3.11", "--only-binary", ":all:"),
}


@pytest.mark.parametrize("installer", [pip, uv])
def test_a_wheel_for_a_foreign_platform_is_installed(installer: Installer, index: str, tmp_path: Path) -> None:
    target = tmp_path / "site"
    options = (*FOREIGN[installer], "--target", str(target))
    done = run(tmp_path, *installer("--index-url", index, *options, "foreign"))
    assert done.returncode == 0, done.stdout + done.stderr
    assert (target / "foreign.py").exists()
    refused = run(
        tmp_path, *installer("--index-url", index, "--only-binary", ":all:", "--target", str(tmp_path / "x"), "foreign")
    )
    assert refused.returncode != 0


@pytest.mark.parametrize("index", ["http"], indirect=True)
def test_pip_reads_the_metadata_instead_of_the_wheel(index: str, tmp_path: Path) -> None:
    NotingHandler.asked.clear()
    done = run(tmp_path, *pip("--dry-run", "--ignore-installed", "--index-url", index, "markupsafe"))
    assert "Would install markupsafe-3.0.4" in done.stdout, done.stdout + done.stderr
    files = {path.rpartition("/")[2] for path in NotingHandler.asked} - {""}
    assert files == {"markupsafe-3.0.4-py3-none-any.whl.metadata"}


def test_pip_downloads_for_a_foreign_platform(index: str, tmp_path: Path) -> None:
    done = run(tmp_path, *download("--index-url", index, *FOREIGN[pip], "--dest", str(tmp_path / "to"), "foreign"))
    assert done.returncode == 0, done.stdout + done.stderr
    assert [path.name for path in (tmp_path / "to").iterdir()] == [f"foreign-3.0.4-{AARCH64}.whl"]


@pytest.mark.parametrize("installer", [pip, uv])
def test_a_yanked_wheel_is_only_taken_by_its_number_and_with_its_reason(
    installer: Installer, index: str, store: Path, tmp_path: Path
) -> None:
    with LocalStore(store) as published:
        published.yank(["markupsafe-3.0.4-py3-none-any.whl"], "crashes at noon")
    for wanted, version in (("markupsafe", "3.0.3"), ("markupsafe==3.0.4", "3.0.4")):
        target = tmp_path / version
        done = run(tmp_path, *installer("--index-url", index, "--target", str(target), wanted))
        assert done.returncode == 0, done.stdout + done.stderr
        assert (target / f"markupsafe-{version}.dist-info").is_dir()
        assert ("crashes at noon" in done.stdout + done.stderr) == (version == "3.0.4")


def test_pip_downloads_nothing_that_was_tampered_with(index: str, store: Path, tmp_path: Path) -> None:
    damage_file(store / "simple" / "markupsafe" / "markupsafe-3.0.4-py3-none-any.whl")
    done = run(tmp_path, *download("--index-url", index, "--dest", str(tmp_path / "to"), "markupsafe"))
    assert done.returncode != 0
    assert "hash" in (done.stdout + done.stderr).lower()
    assert not list((tmp_path / "to").glob("*"))


@pytest.mark.parametrize("installer", [pip, uv])
def test_a_wheel_that_was_tampered_with_is_refused(
    installer: Installer, index: str, store: Path, tmp_path: Path
) -> None:
    shutil.copy(wheel_file(tmp_path / "evil", code="evil = True\n"), store / "simple" / "markupsafe")
    done = run(tmp_path, *installer("--index-url", index, "--target", str(tmp_path / "site"), "markupsafe"))
    assert done.returncode != 0
    assert "hash" in (done.stdout + done.stderr).lower()
    assert not (tmp_path / "site" / "markupsafe.py").exists()
