"""Running the ``cipd`` client: one command, its JSON, and an error that says what went wrong."""

from __future__ import annotations

import json
import shutil
import subprocess
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dockerbuild_lib.core.connections import CONNECTIONS
from dockerbuild_lib.core.errors import NetworkError, ServiceFailedError, ToolMissingError
from dockerbuild_lib.core.text import displayable
from dockerbuild_lib.store.cipd.failures import failure_of

QUESTION_SECONDS = 60.0
"""For a command that moves no package; the client itself would try for 17 minutes."""
TRANSFER_SECONDS = 3600.0

_KEPT = "CIPD_PROXY_URL"
"""The one variable of the client that says how the service is reached; the others are the user's own business."""


@dataclass(frozen=True)
class CipdClient:
    """The client, and the service that it is to speak with."""

    program: str
    """Its name on PATH, or its path."""
    service_url: str
    environ: Mapping[str, str]
    """The variables of this process: credentials and proxies of the user are the client's too."""
    question_seconds: float = QUESTION_SECONDS

    def run(self, *arguments: str, seconds: float | None = None) -> Any:  # noqa: ANN401  # the command's own JSON
        """Run a command to its end, and return its result.

        Raises:
            DockerbuildError: it failed, as :func:`failure_of` says.
            OfflineError: connections are forbidden.
            NetworkError: it took longer than *seconds*, by default those for a question.
            ToolMissingError: there is no such program.

        """
        CONNECTIONS.require(self.service_url)
        with tempfile.TemporaryDirectory(prefix="dockerbuild-cipd.") as folder:
            output = Path(folder, "result.json")
            done = self._done(
                (*arguments, "-service-url", self.service_url, "-json-output", str(output)),
                seconds or self.question_seconds,
            )
            answer = _answer(output)
        where = f"{self.service_url}: cipd {' '.join(arguments[:2])}"
        if answer is None:
            raise ServiceFailedError(f"the client ended with {done.returncode}: {_last_line(done.stderr)}", where=where)
        if done.returncode != 0 or answer.get("error"):
            raise failure_of(*_failure(answer, _last_line(done.stderr)), where)
        return answer.get("result")

    def path(self) -> str:
        """Return the path of the client's program.

        Raises:
            ToolMissingError: there is no such program.

        """
        program = shutil.which(self.program)
        if program is None:
            raise ToolMissingError(
                f"the cipd client is not installed: {self.program}",
                where=self.service_url,
                fix="install it, or name it as cipd_client in invoke.yaml",
            )
        return program

    def _done(self, arguments: tuple[str, ...], seconds: float) -> subprocess.CompletedProcess[str]:
        program = self.path()
        try:
            return subprocess.run(
                (program, *arguments),
                env=_environment(self.environ),
                stdin=subprocess.DEVNULL,
                capture_output=True,
                text=True,
                errors="backslashreplace",
                timeout=seconds,
                check=False,
            )
        except subprocess.TimeoutExpired as error:
            raise NetworkError(
                f"no answer in {seconds:.0f} seconds: {_last_line(error.stderr or b'')}",
                where=self.service_url,
                fix="check the network and the service's address, then run it again",
            ) from None


def _environment(environ: Mapping[str, str]) -> dict[str, str]:
    """Return *environ* without what would make the client another one, for this one call."""
    kept = {name: value for name, value in environ.items() if not name.startswith("CIPD_") or name == _KEPT}
    return {**kept, "CIPD_CONFIG_FILE": "-", "CIPD_SIMPLE_TERMINAL_UI": "1"}


def _answer(output: Path) -> dict[str, Any] | None:
    """Return the JSON that the client wrote, None when it wrote none."""
    try:
        answer = json.loads(output.read_bytes())
    except (FileNotFoundError, ValueError):
        return None
    return answer if isinstance(answer, dict) else None


def _failure(answer: Mapping[str, Any], last_line: str) -> tuple[str, str]:
    """Return the code and the message of a failure; of several, or of a prefix, those of the first package."""
    result = answer.get("result")
    pins = result.get("") if isinstance(result, dict) else None
    for pin in pins or ():
        if pin.get("error"):
            return pin.get("error_code", ""), pin["error"]
    return answer.get("error_code", ""), answer.get("error") or last_line


def _last_line(output: str | bytes) -> str:
    text = output if isinstance(output, str) else output.decode(errors="backslashreplace")
    lines = [line for line in displayable(text).splitlines() if line.strip()]
    return lines[-1] if lines else "it said nothing"
