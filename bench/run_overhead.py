"""What ``run`` costs beside ``docker run`` of the same command in the same image: in turns, in one run.

    .venv/bin/python bench/run_overhead.py [ROUNDS]

Both are confined alike, see the same folder and run ``true``. Ours is measured as users start it, by the launcher. The
image must be there: ``./dockerbuild image.generate --platform=linux-arm64`` makes it.
"""

from __future__ import annotations

import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

PROJECT = Path(__file__).resolve().parent.parent
PLATFORM = "linux-arm64"
CONFINED = (
    *("--rm", "--init", "--interactive", "--read-only", "--network=none", "--log-driver=none"),
    *(
        "--cap-drop=ALL",
        "--security-opt=no-new-privileges:true",
        "--pids-limit=4096",
        "--memory=4g",
        "--memory-swap=4g",
    ),
    "--tmpfs=/tmp:rw,exec,nosuid,nodev,mode=1777",
)


def main(rounds: int) -> None:
    """Print both medians, and what ``run`` adds."""
    with tempfile.TemporaryDirectory() as folder:
        ways = {
            "run": (str(PROJECT / "dockerbuild"), "run", f"--platform={PLATFORM}", "--", "true"),
            "docker run": ("docker", "run", *CONFINED, f"--volume={folder}:/work", image(), "true"),
        }
        for way in ways.values():
            seconds_of(way, folder)  # compiles the library, and warms the engine up
        times = [[seconds_of(way, folder) for way in ways.values()] for _ in range(rounds)]
    ours, bare = (statistics.median(column) for column in zip(*times, strict=True))
    differences = statistics.median(first - second for first, second in times)
    told = ", ".join(f"{name} {median:.2f} s" for name, median in zip(ways, (ours, bare), strict=True))
    print(f"{told}: {ours - bare:+.2f} s (median of the differences {differences:+.2f} s, {rounds} rounds)")


def image() -> str:
    """Return the tag of the platform's image, as it is today."""
    command = (str(PROJECT / "dockerbuild"), "image.generate", f"--platform={PLATFORM}")
    done = subprocess.run(command, cwd=PROJECT, check=True, capture_output=True, text=True)
    return done.stdout.split()[2]


def seconds_of(command: tuple[str, ...], folder: str) -> float:
    """Return how long a command takes, from its start to its end."""
    begun = time.monotonic()
    subprocess.run(command, cwd=folder, check=True, stdin=subprocess.DEVNULL)
    return time.monotonic() - begun


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 15)
