"""Run Python code that file modes bind, also where the tests are root's."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

REPOSITORY = Path(__file__).parents[2]


def without_privileges(code: str, *arguments: Path) -> subprocess.CompletedProcess[str]:
    """Run *code*; root's right to pass file modes by is given up."""
    command = [sys.executable, "-c", code, *map(str, arguments)]
    if os.geteuid() == 0:
        command = ["setpriv", "--bounding-set=-all", "--inh-caps=-all", *command]
    return subprocess.run(command, capture_output=True, text=True, cwd=REPOSITORY, check=False, timeout=60)
