"""A real sshd on the loopback, with keys of its own, and a user's ssh that trusts it and nobody else."""

from __future__ import annotations

import os
import pwd
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.support.ports import free_port


@dataclass(frozen=True)
class SshServer:
    """A running sshd; *bin* has an ``ssh`` that reads the tests' own configuration."""

    port: int
    user: str
    bin: Path
    known_hosts: Path

    def docker_host(self, socket: str = "") -> str:
        """Return the address of the engine behind it."""
        return f"ssh://{self.user}@127.0.0.1:{self.port}{socket}"

    def variables(self, socket: str = "") -> dict[str, str]:
        """Return the variables of who reaches the engine this way."""
        return {"DOCKER_HOST": self.docker_host(socket), "PATH": f"{self.bin}{os.pathsep}{os.environ['PATH']}"}


@contextmanager
def running_sshd(folder: Path) -> Iterator[SshServer]:
    """Run an sshd that lets this user in, with everything it has in *folder*."""
    folder.mkdir()
    for key in ("host", "user"):
        subprocess.run(("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(folder / key)), check=True)
    server = _configured(folder, free_port())
    Path("/run/sshd").mkdir(mode=0o755, exist_ok=True)  # where sshd wants to be alone; empty, and in memory
    with (folder / "log").open("wb") as log:
        # sshd wants the whole path: it runs itself again for each connection.
        process = subprocess.Popen(("/usr/sbin/sshd", "-D", "-e", "-f", str(folder / "sshd_config")), stderr=log)
    try:
        _wait_for(server, process, folder / "log")
        yield server
    finally:
        process.terminate()
        process.wait()


def _configured(folder: Path, port: int) -> SshServer:
    user = pwd.getpwuid(os.getuid()).pw_name
    (folder / "authorized").write_bytes((folder / "user.pub").read_bytes())
    (folder / "sshd_config").write_text(
        f"Port {port}\nListenAddress 127.0.0.1\nHostKey {folder}/host\nPidFile none\nStrictModes no\n"
        f"AuthorizedKeysFile {folder}/authorized\nPasswordAuthentication no\nUsePAM no\nPermitRootLogin yes\n"
    )
    host_key = (folder / "host.pub").read_text().strip()
    (folder / "known").write_text(f"[127.0.0.1]:{port} {host_key}\n")
    (folder / "config").write_text(
        f"IdentityFile {folder}/user\nIdentitiesOnly yes\nUserKnownHostsFile {folder}/known\n"
    )
    (folder / "bin").mkdir()
    ssh = folder / "bin" / "ssh"
    ssh.write_text(f'#!/bin/sh\nexec /usr/bin/ssh -F {folder}/config "$@"\n')
    ssh.chmod(0o755)
    return SshServer(port, user, folder / "bin", folder / "known")


def _wait_for(server: SshServer, process: subprocess.Popen[bytes], log: Path) -> None:
    command = (server.bin / "ssh", "-p", str(server.port), f"{server.user}@127.0.0.1", "true")
    for _ in range(200):
        assert process.poll() is None, log.read_text()
        if subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, check=False).returncode == 0:
            return
        time.sleep(0.05)
    raise TimeoutError(log.read_text())
