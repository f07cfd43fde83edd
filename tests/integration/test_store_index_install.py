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

import pytest

from dockerbuild_lib.store.local import LocalStore
from dockerbuild_lib.store.protocol import Publication
from tests.support.store_samples import PACKAGE, package_file, wheel_file
from tests.support.store_server import serving_store

UV = str(Path(sys.executable).with_name("uv"))
Installer = Callable[..., tuple[str, ...]]
AARCH64 = "cp311-cp311-manylinux_2_17_aarch64"


class QuietHandler(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *_arguments: object) -> None:
        pass


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
    handler = functools.partial(QuietHandler, directory=str(store))
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


@pytest.mark.parametrize("installer", [pip, uv])
def test_the_newest_wheel_for_this_python_is_installed(installer: Installer, index: str, tmp_path: Path) -> None:
    target = tmp_path / "site"
    done = run(tmp_path, *installer("--index-url", index, "--target", str(target), "MarkupSafe"))
    assert done.returncode == 0, done.stdout + done.stderr
    assert {path.name for path in target.glob("*.dist-info")} == {"markupsafe-3.0.4.dist-info"}
    assert (target / "markupsafe.py").read_text() == "answer = 42\n"


def test_pip_installs_for_a_foreign_platform(index: str, tmp_path: Path) -> None:
    target = tmp_path / "site"
    options = ("--platform", "manylinux_2_17_aarch64", "--python-version", "3.11", "--only-binary", ":all:")
    done = run(tmp_path, *pip("--index-url", index, *options, "--target", str(target), "foreign"))
    assert done.returncode == 0, done.stdout + done.stderr
    assert (target / "foreign.py").exists()


@pytest.mark.parametrize("installer", [pip, uv])
def test_a_wheel_that_was_tampered_with_is_refused(
    installer: Installer, index: str, store: Path, tmp_path: Path
) -> None:
    shutil.copy(wheel_file(tmp_path / "evil", code="evil = True\n"), store / "simple" / "markupsafe")
    done = run(tmp_path, *installer("--index-url", index, "--target", str(tmp_path / "site"), "markupsafe"))
    assert done.returncode != 0
    assert "hash" in (done.stdout + done.stderr).lower()
    assert not (tmp_path / "site" / "markupsafe.py").exists()
