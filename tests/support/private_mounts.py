"""Python code that runs with disks of its own: mounted where nobody else sees them, and gone when it ends."""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
from pathlib import Path

REPOSITORY = Path(__file__).parents[2]


def with_mounts(mounts: list[tuple[str, ...]], code: str, *arguments: Path) -> subprocess.CompletedProcess[str]:
    """Run *code* after ``mount`` with each of these arguments, in a mount namespace of its own."""
    lines = [shlex.join(("mount", *mount)) for mount in mounts]
    lines.append(shlex.join(("exec", sys.executable, "-c", code, *map(str, arguments))))
    user = () if os.geteuid() == 0 else ("--map-root-user",)
    command = ("unshare", *user, "--mount", "--propagation", "private", "sh", "-ec", "\n".join(lines))
    return subprocess.run(command, capture_output=True, text=True, cwd=REPOSITORY, check=False, timeout=300)
