"""The embedded store as it grows, and publishing a large wheel beside ``sha256sum`` and ``cp``: measured in one run.

    .venv/bin/python bench/store.py [--instances 100000] [--packages 20000] [--tags 2000] [--wheel-mb 100] [--rounds 5]

Of a hundredth of that store, and of all of it, are printed as medians: opening it and asking one question, asking for
all tags in one call, listing packages, publishing a small wheel. Then a large wheel and its package are published into
the large store, in turns with ``sha256sum`` and ``cp`` of the same wheel.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import statistics
import subprocess
import sys
import tempfile
import time
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

PROJECT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(PROJECT))

from dockerbuild_lib.plan.naming import WHEELS  # noqa: E402 - found only now
from dockerbuild_lib.store.local import LocalStore  # noqa: E402
from dockerbuild_lib.store.names import instance_id_of  # noqa: E402
from dockerbuild_lib.store.package_file import write_package  # noqa: E402
from dockerbuild_lib.store.package_tree import FileMember  # noqa: E402
from dockerbuild_lib.store.protocol import Publication, TagQuery  # noqa: E402
from dockerbuild_lib.store.schema import connect_to_write  # noqa: E402

MB = 1_000_000
TAG_KEYS = ("version", "content_key", "recipe_key", "git_revision")
INSTANCE = "INSERT INTO instances VALUES (NULL, ?, ?, 1000000, 'user:bench', 0)"
TAG = "INSERT INTO tags VALUES (NULL, ?, ?, ?, 'user:bench', 0)"
REF = "INSERT INTO refs VALUES (NULL, ?, 'latest', ?, 'user:bench', 0)"
WHEEL = "INSERT INTO wheels VALUES (?, ?, ?, ?, ?, 1000000, '>=3.11', '', 0, NULL)"


@dataclass(frozen=True)
class Content:
    """What is in a store: the versions of each package, spread evenly."""

    instances: int
    packages: int

    def package(self, number: int) -> str:
        """Return the package of the instance with that number."""
        return f"{WHEELS}/project{number % self.packages}/linux-arm64_cp311_cp311"

    def version_tag(self, number: int) -> str:
        """Return the instance's version: tag."""
        return f"version:1.{number // self.packages}"

    def fill(self, folder: Path) -> None:
        """Write the index of a store; the files behind it are not needed, for all questions are to the index."""
        (folder / "instances").mkdir(parents=True)
        connection = connect_to_write(folder / "index.sqlite")
        connection.execute("BEGIN")
        for number in range(self.instances):
            digest = hashlib.sha256(str(number).encode())
            package, instance = self.package(number), instance_id_of(digest.digest())
            tags = [self.version_tag(number), *(f"{key}:{digest.hexdigest()}" for key in TAG_KEYS[1:])]
            connection.execute(INSTANCE, (package, instance))
            connection.executemany(TAG, [(package, tag, instance) for tag in tags])
            if number < self.packages:
                connection.execute(REF, (package, instance))
            project = f"project{number % self.packages}"
            filename = f"{project}-1.{number // self.packages}-py3-none-any.whl"
            connection.execute(WHEEL, (filename, digest.hexdigest(), package, instance, project))
        connection.execute("COMMIT")
        connection.close()

    def questions(self, count: int) -> list[TagQuery]:
        """Return so many questions, half of them for versions that are there."""
        numbers = (index * 2 * self.instances // count for index in range(count))
        return [TagQuery(self.package(number), self.version_tag(number)) for number in numbers]


@dataclass(frozen=True)
class Taken:
    """Seconds by the clock, and of the processor: on a machine that is busy otherwise, the latter say more."""

    wall: float
    processor: float

    @classmethod
    def by(cls, measure: Callable[[], object]) -> Taken:
        """Return what it takes once."""
        wall, processor = time.perf_counter(), time.process_time()
        measure()
        return cls(time.perf_counter() - wall, time.process_time() - processor)

    def __str__(self) -> str:
        return f"{self.wall * 1000:9.2f} ms, of the processor {self.processor * 1000:8.2f} ms"


def main(options: argparse.Namespace) -> None:
    """Print the figures of a small and a large store, then those of a large wheel."""
    with tempfile.TemporaryDirectory(dir=options.folder) as folder:
        scratch = Path(folder)
        for divisor in (100, 1):
            content = Content(max(1, options.instances // divisor), max(1, options.packages // divisor))
            content.fill(scratch / f"store{divisor}")
            print(f"{content.instances} instances in {content.packages} packages:")
            for what, taken in measured(scratch / f"store{divisor}", content, options):
                print(f"  {what:<42} {taken}")
        compare_with_cp(scratch / "store1", scratch, options)


def measured(folder: Path, content: Content, options: argparse.Namespace) -> Iterator[tuple[str, Taken]]:
    """Yield what was measured in the store, and what it took."""
    asked = content.questions(options.tags)

    def open_and_ask() -> None:
        with LocalStore(folder) as store:
            store.pins_by_tags(asked[:1])

    yield "open, and ask for one tag", median(open_and_ask, options.rounds)
    with LocalStore(folder) as store:
        found = len(store.pins_by_tags(asked))
        yield (
            f"ask for {len(asked)} tags ({found} are there)",
            median(partial(store.pins_by_tags, asked), options.rounds),
        )
        version = (content.package(0), content.version_tag(0))
        yield "resolve a version that every package has", median(partial(store.resolve, *version), options.rounds)
        yield "list all packages", median(store.packages, options.rounds)
        given = [publication(folder.parent, "small", f"1.{number}", 1000) for number in range(options.rounds + 1)]
        store.publish(given.pop())  # the first of a project writes the list of all
        yield "publish a wheel of 1 kB", median(lambda: store.publish(given.pop()), options.rounds)


def median(measure: Callable[[], object], rounds: int) -> Taken:
    """Return the medians of what it takes."""
    taken = [Taken.by(measure) for _ in range(rounds)]
    return Taken(*(statistics.median(each) for each in zip(*((t.wall, t.processor) for t in taken), strict=True)))


def publication(scratch: Path, project: str, version: str, size: int) -> Publication:
    """Write a wheel with *size* random bytes, and the package of it as the tool makes it."""
    wheel = scratch / f"{project}-{version}-py3-none-any.whl"
    info = f"{project}-{version}.dist-info"
    with zipfile.ZipFile(wheel, "w") as archive:
        archive.writestr(f"{project}.bin", os.urandom(size))
        archive.writestr(f"{info}/METADATA", f"Metadata-Version: 2.1\nName: {project}\nVersion: {version}\n")
        archive.writestr(f"{info}/WHEEL", "Wheel-Version: 1.0\nTag: py3-none-any\n")
    package = f"{WHEELS}/{project}/linux-arm64_cp311_cp311"
    write_package(wheel.with_suffix(".cipd"), package, [FileMember(f"{project}-{version}-py2.py3-none-any.whl", wheel)])
    return Publication(package, wheel.with_suffix(".cipd"), (), f"version:{version}", wheel)


def compare_with_cp(folder: Path, scratch: Path, options: argparse.Namespace) -> None:
    """Publish a large wheel in turns with ``sha256sum`` and ``cp`` of the same wheel, and print how they compare."""
    pairs = []
    with LocalStore(folder) as store:
        for number in range(options.rounds):
            given = publication(scratch, "large", f"1.{number}", options.wheel_mb * MB)
            assert given.wheel  # noqa: S101 - this has one
            bare = hash_and_copy(given.wheel)
            pairs.append((Taken.by(partial(store.publish, given)).wall, bare))
            given.wheel.unlink()
            given.file.unlink()
    ours, bare = (statistics.median(column) for column in zip(*pairs, strict=True))
    shares = [bare / ours for ours, bare in pairs]
    print(f"wheel of {options.wheel_mb} MB, in turns:")
    print(f"  published: package and wheel hashed, copied and synced   {ours:.2f} s")
    print(f"  sha256sum + cp of the wheel, not synced                  {bare:.2f} s")
    print(f"  share of their speed: {statistics.median(shares):.0%} ({', '.join(f'{share:.0%}' for share in shares)})")


def hash_and_copy(file: Path) -> float:
    """Return the seconds of ``sha256sum`` and ``cp``."""
    copy = file.with_suffix(".copy")
    hashing = Taken.by(lambda: subprocess.run(("sha256sum", file), check=True, capture_output=True))
    copying = Taken.by(lambda: subprocess.run(("cp", file, copy), check=True))
    copy.unlink()
    return hashing.wall + copying.wall


def parsed(arguments: list[str]) -> argparse.Namespace:
    """Return the options."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    defaults = {"instances": 100_000, "packages": 20_000, "tags": 2000, "wheel-mb": 100, "rounds": 5}
    for name, default in defaults.items():
        parser.add_argument(f"--{name}", type=int, default=default)
    parser.add_argument("--folder", help="where to make the stores; default: the folder for temporary files")
    return parser.parse_args(arguments)


if __name__ == "__main__":
    main(parsed(sys.argv[1:]))
