"""A Docker engine of the tests' own, with storage and a network of its own, which is reached at ``tcp://`` with TLS.

It lives in a network namespace: an engine takes the bridge of the machine's own one for its, and would remove it.
"""

from __future__ import annotations

import subprocess
import tarfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from dockerbuild_lib.containers.worker import WORKER_ID

PORT = 2376
_KEY = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes")
_PROGRAMS = ("sh", "cat", "echo", "ls", "mkdir", "rm", "sleep", "true")


@dataclass(frozen=True)
class TlsEngine:
    """Its process, and the folder with the client's ``ca.pem``, ``cert.pem`` and ``key.pem``."""

    pid: int
    certificates: Path

    @property
    def through(self) -> tuple[str, ...]:
        """What starts a program where the engine can be reached."""
        return ("nsenter", f"--net=/proc/{self.pid}/ns/net", "--")

    def variables(self, certificates: Path | None = None) -> dict[str, str]:
        """Return the variables of who reaches the engine, with other *certificates* of who does not."""
        return {
            "DOCKER_HOST": f"tcp://127.0.0.1:{PORT}",
            "DOCKER_TLS_VERIFY": "1",
            "DOCKER_CERT_PATH": str(certificates or self.certificates),
        }


@contextmanager
def engine_with_tls(folder: Path) -> Iterator[TlsEngine]:
    """Run such an engine, with everything it has in *folder*."""
    certificates = make_certificates(folder)
    files = (
        "--tlscacert",
        f"{folder}/ca.pem",
        "--tlscert",
        f"{folder}/server.pem",
        "--tlskey",
        f"{folder}/server-key.pem",
    )
    own = ("--data-root", f"{folder}/data", "--exec-root", f"{folder}/exec", "--pidfile", f"{folder}/pid")
    alone = ("--bridge=none", "--iptables=false", "--ip6tables=false", "--ip-forward=false")
    engine = ("dockerd", "--host", f"tcp://127.0.0.1:{PORT}", "--tlsverify", *files, *own, *alone)
    script = 'ip link set lo up && exec "$@"'
    with (folder / "log").open("wb") as log:
        command = ("unshare", "--net", "--", "sh", "-c", script, "sh", *engine)
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
    try:
        _wait_for(process, folder / "log")
        yield TlsEngine(process.pid, certificates)
    finally:
        process.terminate()
        process.wait()


def make_certificates(folder: Path) -> Path:
    """Make a CA in the new *folder*, and a certificate each for a server at the loopback and a client."""
    folder.mkdir()
    _openssl(folder, "req", "-x509", *_KEY, "-days", "2", "-subj", "/CN=ca", "-keyout", "ca-key.pem", "-out", "ca.pem")
    (folder / "extensions").write_text("subjectAltName=IP:127.0.0.1\nextendedKeyUsage=serverAuth,clientAuth\n")
    for key, certificate in (("server-key.pem", "server.pem"), ("key.pem", "cert.pem")):
        _openssl(folder, "req", *_KEY, "-subj", f"/CN={certificate}", "-keyout", key, "-out", "request.pem")
        signer = ("-CA", "ca.pem", "-CAkey", "ca-key.pem", "-CAcreateserial", "-extfile", "extensions")
        _openssl(folder, "x509", "-req", "-in", "request.pem", "-days", "2", *signer, "-out", certificate)
    return folder


def _openssl(folder: Path, *arguments: str) -> None:
    subprocess.run(("openssl", *arguments), cwd=folder, check=True, capture_output=True)


def small_root(path: Path) -> Path:
    """Write a tar of a root with a shell and a few programs: enough to start containers from."""
    with tarfile.open(path, "w") as tar:
        for name in ("bin", "dev", "etc", "proc", "sys", "tmp", "work"):
            folder = tarfile.TarInfo(name)
            folder.type, folder.mode = tarfile.DIRTYPE, 0o755
            folder.uid = folder.gid = WORKER_ID if name == "work" else 0
            tar.addfile(folder)
        tar.add("/bin/busybox", "bin/busybox")
        for name in _PROGRAMS:
            link = tarfile.TarInfo(f"bin/{name}")
            link.type, link.linkname = tarfile.SYMTYPE, "busybox"
            tar.addfile(link)
    return path


def _wait_for(process: subprocess.Popen[bytes], log: Path) -> None:
    for _ in range(1200):
        text = log.read_text()
        assert process.poll() is None, text
        if "API listen on" in text:
            return
        time.sleep(0.05)
    raise TimeoutError(log.read_text())
