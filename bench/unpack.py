"""What reading an archive safely costs beside ``tarfile.extractall``: both measured in turns, in one run.

    .venv/bin/python bench/unpack.py [ARCHIVE ...]

Without archives it makes one of 100 MB: text that compresses like source code, in 2,000 files. *packed* is what a
build does (read, check, hash, write one plain tar); *unpack* writes a folder, as extractall does.
"""

from __future__ import annotations

import io
import random
import statistics
import sys
import tarfile
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

PROJECT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(PROJECT))

from dockerbuild_lib.catalog.settings import ArchiveLimits  # noqa: E402 - found only now
from dockerbuild_lib.sources.trees import SourceTrees  # noqa: E402

ROUNDS = 5
FILES, FILE_SIZE = 2_000, 200_000
WORDS = [f"{first}{second}" for first in ("self.", "return ", "def ", "x_", "0x") for second in map(str, range(997))]


def main(archives: list[Path]) -> None:
    """Print, for each archive, the medians and their ratios to extractall's."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for archive in archives or [made(folder / "made.tar.gz")]:
            rounds = [measure(archive, folder / str(number)) for number in range(ROUNDS)]
            safe, unpacked, plain = (statistics.median(column) for column in zip(*rounds, strict=True))
            megabytes = archive.stat().st_size / 1e6
            print(
                f"{archive.name} ({megabytes:.1f} MB): packed {safe:.2f} s, unpack {unpacked:.2f} s, "
                f"extractall {plain:.2f} s, ratios {safe / plain:.2f} and {unpacked / plain:.2f} ({ROUNDS} rounds)"
            )


def made(archive: Path) -> Path:
    """Write an sdist of about 100 MB."""
    generator = random.Random(0)  # noqa: S311 - it stands for source code
    with tarfile.open(archive, "w:gz", compresslevel=6) as tar:
        for number in range(FILES):
            text = " ".join(generator.choices(WORDS, k=FILE_SIZE // 8)).encode()
            member = tarfile.TarInfo(f"made-1.0/package/module{number}.py")
            member.size = len(text)
            tar.addfile(member, io.BytesIO(text))
    return archive


def measure(archive: Path, folder: Path) -> tuple[float, float, float]:
    """Return the seconds of each way, in turns."""
    trees = SourceTrees(ArchiveLimits(), folder / "scratch")
    return (
        seconds(lambda: pack(trees, archive)),
        seconds(lambda: trees.unpack(archive, folder / "unpacked")),
        seconds(lambda: extract(archive, folder / "plain")),
    )


def pack(trees: SourceTrees, archive: Path) -> None:
    """Make the plain tar that a build is given."""
    with trees.packed(archive, "src", 0):
        pass


def extract(archive: Path, folder: Path) -> None:
    """Unpack as Python does it by itself."""
    with tarfile.open(archive) as tar:
        tar.extractall(folder, filter="fully_trusted")  # noqa: S202 - that is what is measured


def seconds(work: Callable[[], object]) -> float:
    """Return how long *work* takes."""
    begun = time.perf_counter()
    work()
    return time.perf_counter() - begun


if __name__ == "__main__":
    main([Path(argument) for argument in sys.argv[1:]])
