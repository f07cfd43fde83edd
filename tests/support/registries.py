"""Real container registries (docker-registry) on the loopback, where engines take plain HTTP."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import time
from base64 import b64encode
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import requests

USER, PASSWORD = "tester", "opensesame"
# bcrypt of PASSWORD, as `htpasswd -nbB tester opensesame` prints it.
_HTPASSWD = f"{USER}:$2y$05$DsABVQKVhkJvzV4Nrpoty.b1frWbwpvYmP5lqDtdjj7c/2a5EGBN2\n"


@dataclass(frozen=True)
class Registry:
    """A running registry: HOST:PORT, the folder of its files, and its certificate where it speaks TLS."""

    address: str
    folder: Path
    certificate: Path | None = None

    @property
    def url(self) -> str:
        """Where HTTP clients reach it."""
        return f"http{'s' if self.certificate else ''}://{self.address}"

    @property
    def verify(self) -> str | bool:
        """What requests checks its certificate with."""
        return str(self.certificate) if self.certificate else True

    def blob_file(self, digest: str) -> Path:
        """Return where it keeps a blob's bytes."""
        hexadecimal = digest.removeprefix("sha256:")
        return self.folder / "data/docker/registry/v2/blobs/sha256" / hexadecimal[:2] / hexadecimal / "data"

    def tags(self, repository: str) -> list[str]:
        """Return the tags of a repository, also where a password is asked for."""
        url = f"{self.url}/v2/{repository}/tags/list"
        answer = requests.get(url, auth=(USER, PASSWORD), verify=self.verify, timeout=30)
        tags: list[str] = answer.json().get("tags") or []
        return tags

    def credentials(self, folder: Path, password: str = PASSWORD) -> dict[str, str]:
        """Return the variables of a user who has logged in with *password*; *folder* keeps that."""
        folder.mkdir(exist_ok=True)
        auth = b64encode(f"{USER}:{password}".encode()).decode()
        (folder / "config.json").write_text(json.dumps({"auths": {self.address: {"auth": auth}}}))
        return {"DOCKER_CONFIG": str(folder)}


@contextmanager
def running_registry(
    folder: Path, *, password: bool = False, tls: bool = False, disk: str | None = None
) -> Iterator[Registry]:
    """Run a registry that keeps its files in *folder*; with *password* it asks for one, with *tls* it speaks that.

    With *disk* its files lie on a disk of its own of that size (``8m``), which nobody else sees.
    """
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{probe.getsockname()[1]}"
    folder.mkdir(parents=True)
    (folder / "htpasswd").write_text(_HTPASSWD)
    configuration = {
        "version": "0.1",
        "storage": {"filesystem": {"rootdirectory": str(folder / "data")}},
        "http": {"addr": address, **({"tls": _self_signed(folder)} if tls else {})},
        **({"auth": {"htpasswd": {"realm": "tests", "path": str(folder / "htpasswd")}}} if password else {}),
    }
    (folder / "config.yml").write_text(json.dumps(configuration))  # JSON is YAML
    with (folder / "log").open("wb") as log:
        command = (*_own_disk(folder / "data", disk), "docker-registry", "serve", str(folder / "config.yml"))
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
    try:
        _wait_for(address, process, folder / "log")
        yield Registry(address, folder, folder / "ca.crt" if tls else None)
    finally:
        process.terminate()
        process.wait()


def _self_signed(folder: Path) -> dict[str, str]:
    """Make a certificate for the loopback that is its own CA; return the registry's settings of it."""
    files = {"certificate": str(folder / "ca.crt"), "key": str(folder / "ca.key")}
    options = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2", "-subj", "/CN=tests")
    where = ("-addext", "subjectAltName=IP:127.0.0.1", "-keyout", files["key"], "-out", files["certificate"])
    subprocess.run(("openssl", "req", "-x509", *options, *where), check=True, capture_output=True)
    return files


def _own_disk(folder: Path, size: str | None) -> tuple[str, ...]:
    """Return what a program is started through that sees a disk of this size at *folder*."""
    if size is None:
        return ()
    folder.mkdir()
    user = () if os.geteuid() == 0 else ("--map-root-user",)
    mount = f'mount -t tmpfs -o size={size} tmpfs {folder} && exec "$@"'
    return ("unshare", *user, "--mount", "--propagation", "private", "sh", "-ec", mount, "sh")


def _wait_for(address: str, process: subprocess.Popen[bytes], log: Path) -> None:
    host, _, port = address.partition(":")
    for _ in range(600):
        assert process.poll() is None, log.read_text()
        try:
            socket.create_connection((host, int(port)), timeout=1).close()
        except OSError:
            time.sleep(0.05)
        else:
            return
    raise TimeoutError(log.read_text())
