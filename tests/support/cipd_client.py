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
from uuid import uuid4

import pytest

MODULE = "go.chromium.org/luci"
VERSION = "v0.0.0-20260416130104-3fc11caf5caa"
COMMAND = f"{MODULE}/cipd/client/cmd/cipd"
CACHE_VARIABLE = "DOCKERBUILD_TESTS_CACHE"
BUILD_SECONDS = 900


@dataclass(frozen=True)
class Answer:
    """How a command ended, and the JSON that it wrote."""

    code: int
    document: dict[str, Any]
    stderr: str

    @property
    def result(self) -> Any:  # noqa: ANN401  # the result of the client's JSON, as it is
        return self.document.get("result")

    @property
    def error_code(self) -> str | None:
        return self.document.get("error_code")


@dataclass(frozen=True)
class CipdClient:
    """Runs the client without a configuration or a cache of its own, and by default without a network."""

    program: Path
    home: Path
    service: str = "http://127.0.0.1:9"  # the discard port: nothing answers
    token: str | None = None

    def run(self, *arguments: str | Path, prefix: Sequence[str] = ()) -> Any:  # noqa: ANN401  # as the client has it
        """Run one command and return its result; a failure is an assertion with what the client wrote.

        *prefix* is the command that runs it, where it needs one.
        """
        answer = self.call(*arguments, prefix=prefix)
        assert answer.code == 0, answer.stderr
        return answer.result

    def call(self, *arguments: str | Path, prefix: Sequence[str] = ()) -> Answer:
        """Run one command. It has two minutes: what it retries, it retries for longer."""
        output = self.home / f"{uuid4().hex}.json"
        command = (*prefix, str(self.program), *map(str, arguments), "-json-output", str(output))
        done = subprocess.run(
            command, env=self.environment(), capture_output=True, text=True, timeout=120, check=False, cwd=self.home
        )
        document = json.loads(output.read_text()) if output.exists() else {}
        return Answer(done.returncode, document, done.stdout + done.stderr)

    @contextmanager
    def started(self, *arguments: str | Path) -> Iterator[subprocess.Popen[bytes]]:
        """Start one command for the block, which need not let it end."""
        log = self.home / "log"
        with log.open("wb") as stream:
            command = (str(self.program), *map(str, arguments))
            process = subprocess.Popen(command, env=self.environment(), stdout=stream, stderr=stream, cwd=self.home)
        try:
            yield process
        finally:
            process.kill()
            process.wait()

    def environment(self) -> dict[str, str]:
        """Return the variables that it runs with."""
        environment = {
            "PATH": os.environ["PATH"],
            "HOME": str(self.home),
            "CIPD_CONFIG_FILE": "-",
            "CIPD_SERVICE_URL": self.service,
            "CIPD_SIMPLE_TERMINAL_UI": "1",
        }
        if self.token is not None:
            environment["LUCI_AUTH_CREDENTIAL_HELPER"] = str(self._credential_helper(self.token))
        return environment

    def _credential_helper(self, token: str) -> Path:
        """Return a program that gives the client that token, as the documentation has it."""
        helper = self.home / "credential-helper"
        if not helper.exists():
            credentials = {"token": token, "expiry": "Fri Jan  1 00:00:00 UTC 2100"}
            (self.home / "credentials.json").write_text(json.dumps(credentials))
            helper.write_text(f"#!/bin/sh\ncat {self.home}/credentials.json\n")
            helper.chmod(0o700)
        return helper


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
