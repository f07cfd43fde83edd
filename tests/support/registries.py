"""Real container registries (docker-registry) on the loopback, where engines take plain HTTP."""

from __future__ import annotations

import json
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
    """A running registry: HOST:PORT."""

    address: str

    def tags(self, repository: str) -> list[str]:
        """Return the tags of a repository, also where a password is asked for."""
        url = f"http://{self.address}/v2/{repository}/tags/list"
        answer = requests.get(url, auth=(USER, PASSWORD), timeout=30)
        tags: list[str] = answer.json().get("tags") or []
        return tags

    def credentials(self, folder: Path, password: str = PASSWORD) -> dict[str, str]:
        """Return the variables of a user who has logged in with *password*; *folder* keeps that."""
        folder.mkdir(exist_ok=True)
        auth = b64encode(f"{USER}:{password}".encode()).decode()
        (folder / "config.json").write_text(json.dumps({"auths": {self.address: {"auth": auth}}}))
        return {"DOCKER_CONFIG": str(folder)}


@contextmanager
def running_registry(folder: Path, *, password: bool = False) -> Iterator[Registry]:
    """Run a registry that keeps its files in *folder*; with *password* it asks for one."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{probe.getsockname()[1]}"
    folder.mkdir(parents=True)
    (folder / "htpasswd").write_text(_HTPASSWD)
    configuration = {
        "version": "0.1",
        "storage": {"filesystem": {"rootdirectory": str(folder / "data")}},
        "http": {"addr": address},
        **({"auth": {"htpasswd": {"realm": "tests", "path": str(folder / "htpasswd")}}} if password else {}),
    }
    (folder / "config.yml").write_text(json.dumps(configuration))  # JSON is YAML
    with (folder / "log").open("wb") as log:
        command = ("docker-registry", "serve", str(folder / "config.yml"))
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
    try:
        _wait_for(address, process, folder / "log")
        yield Registry(address)
    finally:
        process.terminate()
        process.wait()


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
