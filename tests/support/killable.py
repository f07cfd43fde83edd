"""Groups of real processes that start quickly, because a process that has imported everything forks them.

As a program it is that process: it reads a line of JSON for each group, and says on a line of its own which group
it has forked. When the group is gone, it takes the next line.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from dockerbuild_lib.core.errors import VersionConflictError
from dockerbuild_lib.store.local import LocalStore
from dockerbuild_lib.store.protocol import Publication
from tests.support.store_samples import PACKAGE, package_file, wheel_file

REPOSITORY = Path(__file__).parents[2]


@dataclass(frozen=True)
class Forks:
    """The program, running."""

    process: subprocess.Popen[str]

    def start(self, role: str, count: int, *arguments: str | Path) -> int:
        """Start a group of *count* processes in that role, and return the group's id."""
        assert self.process.stdin
        assert self.process.stdout
        self.process.stdin.write(json.dumps([role, count, *map(str, arguments)]) + "\n")
        self.process.stdin.flush()
        return int(self.process.stdout.readline())

    def wait(self) -> None:
        """Wait until the group is gone."""
        assert self.process.stdout
        assert self.process.stdout.readline() == "gone\n"

    def kill(self, group: int) -> None:
        """Kill the group at once."""
        os.killpg(group, signal.SIGKILL)
        self.wait()


@contextmanager
def forks() -> Iterator[Forks]:
    """Run the program inside the block."""
    command = [sys.executable, "-m", "tests.support.killable"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=REPOSITORY) as process:
        yield Forks(process)


def publish_forever(number: int, store_folder: str, work: str, acknowledged: str, name: str) -> None:
    """Publish version after version, which others of the group want too, and write down what was acknowledged."""
    store, scratch = LocalStore(Path(store_folder)), Path(work, f"{name}-{number}")
    with Path(acknowledged).open("a") as notes:
        for count in range(10**6):
            version = f"{name}.{count}"
            package = package_file(scratch, f"{version} of {number}\n" * 2_000)
            wheel = wheel_file(scratch, version=version, code=f"made_by = {number}\n")
            tags = (f"content_key:{number}",)
            try:
                published = store.publish(Publication(PACKAGE, package, tags, f"version:{version}", wheel))
            except VersionConflictError:
                continue
            os.write(notes.fileno(), f"{version} {published.pin.instance_id} {number}\n".encode())


def publish_until(_number: int, store_folder: str, package: str, wheel: str, effect: str) -> None:
    """Publish once, but be killed at that effect on the disk (counted from 1)."""
    left = int(effect)

    def count(event: str, arguments: tuple[object, ...]) -> None:
        nonlocal left
        is_effect = event in EFFECTS or (event == "open" and isinstance(arguments[1], str) and arguments[1] != "r")
        left -= is_effect
        if is_effect and left == 0:
            os.kill(os.getpid(), signal.SIGKILL)

    sys.addaudithook(count)
    LocalStore(Path(store_folder)).publish(
        Publication(PACKAGE, Path(package), ("content_key:cut",), "version:9.0", Path(wheel))
    )
    Path(store_folder, "done").touch()


EFFECTS = frozenset({"os.rename", "os.remove", "os.mkdir", "os.chmod", "fcntl.flock", "tempfile.mkstemp"})
ROLES: Mapping[str, Callable[..., None]] = {"publish_forever": publish_forever, "publish_until": publish_until}


def main() -> None:
    for line in sys.stdin:
        role, count, *arguments = json.loads(line)
        children: list[int] = []
        for number in range(count):
            child = os.fork()
            if not child:
                os.setpgid(0, children[0] if children else 0)
                ROLES[role](number, *arguments)
                os._exit(0)
            children.append(child)
            os.setpgid(child, children[0])
        print(children[0], flush=True)  # noqa: T201  # to who started it
        for child in children:
            os.waitpid(child, 0)
        print("gone", flush=True)  # noqa: T201


if __name__ == "__main__":
    main()
