"""The engine of another machine at a Unix socket of this one, through the user's own ssh: keys, agent, known hosts.

The SDK's own way over SSH takes any host key, and loses the input of commands. This one needs no Docker there but the
engine.
"""

from __future__ import annotations

import subprocess
import tempfile
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from dockerbuild_lib.core.errors import EngineUnavailableError
from dockerbuild_lib.core.machine import ensure_program

DEFAULT_SOCKET = "/var/run/docker.sock"
_READY = b"ready\n"
_OPTIONS = (
    *("-o", "BatchMode=yes", "-o", "ConnectTimeout=20", "-o", "ServerAliveInterval=15"),
    # A connection that the user shares among terminals would keep the socket open after our end.
    *("-o", "ExitOnForwardFailure=yes", "-o", "ControlPath=none", "-o", "ClearAllForwardings=no"),
)


@dataclass(frozen=True)
class SshAddress:
    """What ``ssh://[USER@]HOST[:PORT][/SOCKET]`` says; *destination* is ssh's own word for where to go."""

    destination: str
    port: int | None
    socket: str

    @classmethod
    def parsed(cls, text: str) -> SshAddress:
        """Read such an address.

        Raises:
            EngineUnavailableError: it is none.

        """
        address = urlsplit(text)
        fix = "write DOCKER_HOST as ssh://[USER@]HOST[:PORT], with the path of the engine's socket where it is another"
        try:
            host, port = address.hostname, address.port
        except ValueError as error:
            raise EngineUnavailableError(f"is no address ({error})", where=text, fix=fix) from error
        if not host or address.password or host.startswith("-") or (address.username or "").startswith("-"):
            raise EngineUnavailableError("is no address that ssh can take", where=text, fix=fix)
        user = f"{address.username}@" if address.username else ""
        socket = address.path if address.path not in ("", "/") else DEFAULT_SOCKET
        return cls(f"{user}{host}", port, socket)


class SshTunnel:
    """An ssh that lives as long as this process, also when that is killed: the end of its input ends it."""

    def __init__(self, address: SshAddress) -> None:
        self._address = address
        self._folder = tempfile.TemporaryDirectory(prefix="dockerbuild-", ignore_cleanup_errors=True)
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def socket(self) -> Path:
        """The socket of this machine that leads to the engine."""
        return Path(self._folder.name) / "docker.sock"

    @property
    def _log(self) -> Path:
        return Path(self._folder.name) / "ssh.log"

    def open(self) -> None:
        """Connect, and wait until the socket is there.

        Raises:
            ToolMissingError: ssh is not installed.
            EngineUnavailableError: ssh does not get there; with what it says.

        """
        ssh = ensure_program("ssh", package="openssh-client", say=lambda _line: None)
        address = self._address
        port = () if address.port is None else ("-p", str(address.port))
        forward = ("-L", f"{self.socket}:{address.socket}")
        with self._log.open("wb") as log:
            self._process = subprocess.Popen(
                (ssh, "-T", *_OPTIONS, *port, *forward, "--", address.destination, "cat"),
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                start_new_session=True,  # Ctrl-C is for us: what is made there must still be removed
            )
        if not self._answers():
            self.close()
            raise EngineUnavailableError(
                f"ssh does not get there: {self._said()}",
                where=f"ssh://{address.destination}",
                fix=f"`ssh {' '.join((*port, address.destination))} true` must work without a question",
            )

    def _answers(self) -> bool:
        """Tell whether what is sent comes back: then the connection stands, and the socket with it."""
        process = self._process
        if process is None or process.stdin is None or process.stdout is None:
            return False
        with suppress(OSError):
            process.stdin.write(_READY)
            process.stdin.flush()
        return _READY in iter(process.stdout.readline, b"")  # a greeting of the login shell may come first

    def _said(self) -> str:
        lines = self._log.read_text(errors="replace").strip().splitlines()
        return lines[-1] if lines else "it ended without a word"

    def close(self) -> None:
        """End it."""
        process = self._process
        if process is None:
            return
        if process.stdin is not None:
            with suppress(OSError):
                process.stdin.close()
        process.terminate()
        process.wait()
