"""What reading all interned sources again costs beside sha256sum over the same files: measured in turns, in one run.

    .venv/bin/python bench/verify_sources.py [ROUNDS [MEBIBYTES]]

Ours is what ``sources.verify`` does, in this process: the hash of each package file, and of the file in it. Bare is
one ``sha256sum`` of the package files. The sources are random bytes, from 16 KiB to 64 MiB.
"""

from __future__ import annotations

import hashlib
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

PROJECT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(PROJECT))

from dockerbuild_lib.store.local import LocalStore  # noqa: E402 - found only now
from dockerbuild_lib.store.sources_check import check_sources  # noqa: E402
from dockerbuild_lib.store.sources_packages import intern_file, source_package  # noqa: E402

SIZES = tuple(1 << exponent for exponent in (14, 18, 20, 22, 24, 26))


def main(rounds: int, mebibytes: int) -> None:
    """Print the medians and their ratio."""
    with tempfile.TemporaryDirectory(prefix="dockerbuild-bench-") as folder, LocalStore(Path(folder, "store")) as store:
        total = fill(store, Path(folder), mebibytes << 20)
        pairs = [(timed_check(store), timed_sha256sum(store)) for _ in range(rounds)]
    ours, bare = (statistics.median(column) for column in zip(*pairs, strict=True))
    per_gb = 1e9 / total
    told = f"ours {ours * per_gb:.2f} s/GB, sha256sum {bare * per_gb:.2f} s/GB, ratio {ours / bare:.2f}"
    print(f"{total / 1e6:.0f} MB: {told} ({rounds} rounds)")


def fill(store: LocalStore, folder: Path, least: int) -> int:
    """Intern sources until they have *least* bytes; return how many they have."""
    total = number = 0
    path = folder / "source"
    while total < least:
        content = os.urandom(SIZES[number % len(SIZES)])
        path.write_bytes(content)
        sha256, name = hashlib.sha256(content).hexdigest(), f"source{number}"
        package = source_package(name)
        intern_file(store, package=package, filename=f"{name}.tar.gz", path=path, sha256=sha256, version="1")
        total, number = total + len(content), number + 1
    return total


def timed_check(store: LocalStore) -> float:
    """Return the seconds of our check."""
    begun = time.monotonic()
    found = check_sources(store)
    assert not found.damages  # noqa: S101 - else it was no measurement
    return time.monotonic() - begun


def timed_sha256sum(store: LocalStore) -> float:
    """Return the seconds of sha256sum."""
    files = sorted((store.folder / "instances").iterdir())
    begun = time.monotonic()
    subprocess.run(("sha256sum", *files), check=True, stdout=subprocess.DEVNULL)
    return time.monotonic() - begun


if __name__ == "__main__":
    given = [int(argument) for argument in sys.argv[1:]]
    main(*(given + [5, 1000][len(given) :]))
