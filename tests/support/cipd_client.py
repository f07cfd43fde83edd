"""The real ``cipd`` client, built once from its Go module and kept outside of the repository."""

from __future__ import annotations

import fcntl
import json
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

MODULE = "go.chromium.org/luci"
VERSION = "v0.0.0-20260416130104-3fc11caf5caa"
COMMAND = f"{MODULE}/cipd/client/cmd/cipd"
CACHE_VARIABLE = "DOCKERBUILD_TESTS_CACHE"
BUILD_SECONDS = 900


@dataclass(frozen=True)
class CipdClient:
    """Runs the client without a network, a configuration or a cache of its own."""

    program: Path
    home: Path

    def run(self, *arguments: str | Path, prefix: Sequence[str] = ()) -> Any:  # noqa: ANN401  # as the client has it
        """Run one command and return its result; a failure is an assertion with what the client wrote.

        *prefix* is the command that runs it, where it needs one.
        """
        output = self.home / "result.json"
        output.unlink(missing_ok=True)
        command = (*prefix, str(self.program), *map(str, arguments), "-json-output", str(output))
        done = subprocess.run(
            command, env=self._environment(), capture_output=True, text=True, timeout=120, check=False, cwd=self.home
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return json.loads(output.read_text())["result"]

    @contextmanager
    def started(self, *arguments: str | Path) -> Iterator[subprocess.Popen[bytes]]:
        """Start one command for the block, which need not let it end."""
        log = self.home / "log"
        with log.open("wb") as stream:
            command = (str(self.program), *map(str, arguments))
            process = subprocess.Popen(command, env=self._environment(), stdout=stream, stderr=stream, cwd=self.home)
        try:
            yield process
        finally:
            process.kill()
            process.wait()

    def _environment(self) -> dict[str, str]:
        return {
            "PATH": os.environ["PATH"],
            "HOME": str(self.home),
            "CIPD_CONFIG_FILE": "-",
            "CIPD_SERVICE_URL": "http://127.0.0.1:9",  # the discard port: nothing answers
            "CIPD_SIMPLE_TERMINAL_UI": "1",
        }


def cipd_program() -> Path:
    """Return the client's program, building it when the cache has none of this version."""
    cache = Path(os.environ.get(CACHE_VARIABLE) or Path.home() / ".cache" / "dockerbuild-tests")
    cache.mkdir(parents=True, exist_ok=True)
    program = cache / f"cipd-{VERSION}"
    with (cache / "cipd.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not program.exists():
            _build(program)
    return program


def _build(program: Path) -> None:
    go = shutil.which("go")
    if go is None:
        pytest.fail("these tests need Go on PATH, to build the cipd client that they compare with", pytrace=False)
    with tempfile.TemporaryDirectory(dir=program.parent) as folder:
        # `go install MODULE/command@VERSION` asks for modules at every step of the path first; this does not.
        Path(folder, "go.mod").write_text(f"module dockerbuild.test/cipd\n\ngo 1.25\n\nrequire {MODULE} {VERSION}\n")
        command = (go, "build", "-mod=mod", "-o", "cipd", COMMAND)
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=BUILD_SECONDS, check=False)
        if done.returncode != 0:
            pytest.fail(f"the cipd client could not be built:\n{done.stderr[-3000:]}", pytrace=False)
        Path(folder, "cipd").replace(program)
