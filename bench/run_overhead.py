"""What ``run`` costs beside ``docker run`` of the same command in the same image: in turns, in one run.

    .venv/bin/python bench/run_overhead.py [ROUNDS [PLATFORM]]

All run ``true``. Ours is measured as users start it, by the launcher; ``docker run`` once confined as ours is, with the
same folder, and once bare (``docker run --rm IMAGE true``, with a network). The image is made where it is missing.
"""

from __future__ import annotations

import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

PROJECT = Path(__file__).resolve().parent.parent
PLATFORM = "linux-amd64"
CONFINED = (
    *("--rm", "--init", "--interactive", "--read-only", "--network=none", "--log-driver=none"),
    *(
        "--cap-drop=ALL",
        "--security-opt=no-new-privileges",
        "--pids-limit=4096",
        "--memory=4g",
        "--memory-swap=4g",
    ),
    "--tmpfs=/tmp:rw,exec,nosuid,nodev,mode=1777",
)


def main(rounds: int, platform: str) -> None:
    """Print the medians, and what ``run`` adds to each of the others."""
    tag = image(platform)
    with tempfile.TemporaryDirectory() as folder:
        ways = {
            "run": (str(PROJECT / "dockerbuild"), "run", f"--platform={platform}", "--", "true"),
            "docker run": ("docker", "run", *CONFINED, f"--volume={folder}:/work", tag, "true"),
            "bare docker run": ("docker", "run", "--rm", tag, "true"),
        }
        for way in ways.values():
            seconds_of(way, folder)  # compiles the library, and warms the engine up
        times = [[seconds_of(way, folder) for way in ways.values()] for _ in range(rounds)]
    for number, name in enumerate(ways):
        median = statistics.median(row[number] for row in times)
        difference = statistics.median(row[0] - row[number] for row in times)
        print(f"{name:16} {median:.2f} s" + f", run takes {difference:+.2f} s" * (number > 0))


def image(platform: str) -> str:
    """Return the tag of a platform's image, as it is today."""
    command = (str(PROJECT / "dockerbuild"), "image.generate", f"--platform={platform}")
    done = subprocess.run(command, cwd=PROJECT, check=True, capture_output=True, text=True)
    return done.stdout.split()[2]


def seconds_of(command: tuple[str, ...], folder: str) -> float:
    """Return how long a command takes, from its start to its end."""
    begun = time.monotonic()
    subprocess.run(command, cwd=folder, check=True, stdin=subprocess.DEVNULL)
    return time.monotonic() - begun


if __name__ == "__main__":
    given = sys.argv[1:]
    main(int(given[0]) if given else 15, given[1] if len(given) > 1 else PLATFORM)
