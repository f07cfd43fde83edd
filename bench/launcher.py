"""What the launcher costs beside plain ``invoke``: both list the tasks, in turns, in one run.

    .venv/bin/python bench/launcher.py [ROUNDS]

The work tree must be set up: ``./dockerbuild --version`` does it.
"""

from __future__ import annotations

import statistics
import subprocess
import sys
import time
from pathlib import Path

PROJECT = Path(__file__).resolve().parent.parent
WAYS = {
    "./dockerbuild --list": (str(PROJECT / "dockerbuild"), "--list"),
    "invoke --list": (sys.executable, "-m", "invoke", "--list"),
}


def main(rounds: int) -> None:
    """Print the medians, and what the launcher adds."""
    for way in WAYS.values():
        seconds_of(way)  # compiles the library
    times = [[seconds_of(way) for way in WAYS.values()] for _ in range(rounds)]
    launcher, plain = (statistics.median(column) for column in zip(*times, strict=True))
    told = ", ".join(f"{name} {median * 1000:.0f} ms" for name, median in zip(WAYS, (launcher, plain), strict=True))
    print(f"{told}: {(launcher - plain) * 1000:+.0f} ms, ratio {launcher / plain:.2f} ({rounds} rounds)")


def seconds_of(command: tuple[str, ...]) -> float:
    """Return the wall time of a command."""
    begun = time.monotonic()
    subprocess.run(command, cwd=PROJECT, check=True, capture_output=True)
    return time.monotonic() - begun


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 15)
