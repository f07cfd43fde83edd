"""A package index that takes uploads: pypiserver with a password, as people run it."""

from __future__ import annotations

import base64
import hashlib
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from urllib.error import URLError

USER, PASSWORD = "uploader", "correct horse"
PYPISERVER = Path(sys.executable).with_name("pypi-server")


def free_port() -> int:
    """Return a port that nobody listens to."""
    with closing(socket.socket()) as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@contextmanager
def index_server(folder: Path, *options: str) -> Iterator[str]:
    """Serve the packages in *folder* inside the block, and yield the address that takes uploads.

    Reading needs the password, too.
    """
    passwords = folder.with_name(f"{folder.name}.passwords")
    digest = base64.b64encode(hashlib.sha1(PASSWORD.encode()).digest()).decode()  # noqa: S324  # a form of htpasswd
    passwords.write_text(f"{USER}:{{SHA}}{digest}\n")
    folder.mkdir(parents=True, exist_ok=True)
    address = f"http://127.0.0.1:{free_port()}/"
    where = ("-i", "127.0.0.1", "-p", address.rstrip("/").rpartition(":")[2])
    secured = ("-a", "update,download,list", "-P", str(passwords))
    command = (str(PYPISERVER), "run", *where, *secured, "--health-endpoint", "/health", *options, str(folder))
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as server:
        try:
            wait_for(f"{address}health")
            yield address
        finally:
            server.terminate()


def wait_for(url: str) -> None:
    """Wait until something answers there."""
    deadline = time.monotonic() + 60
    while True:
        try:
            urllib.request.urlopen(url, timeout=10).close()  # noqa: S310  # of the test's own server
        except (URLError, ConnectionError, TimeoutError):
            assert time.monotonic() < deadline, url
            time.sleep(0.05)
        else:
            return
