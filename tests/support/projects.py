"""A copy of this project as one of its users has it: recipes are edited, tasks are run as real processes."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dockerbuild_lib.containers.owners import OWNER_LABEL

TREE = Path(__file__).resolve().parents[2]
PACKAGES = "infra/python/wheels"
PACKAGES_OF_PORTS = "  ports: [amd64, arm64]\n  packages:\n"
"""What stands once in images.yaml, before the packages that every platform's image gets."""
_AUTHOR = ("-c", "user.name=tests", "-c", "user.email=tests@example.invalid")
_TIMEOUT = 2400


@dataclass(frozen=True)
class Done:
    """How a task ended; times in seconds, *begun* and *ended* since 1970."""

    code: int
    stdout: str
    stderr: str
    pid: int
    begun: float
    ended: float

    @property
    def seconds(self) -> float:
        """Wall time, with the start of Python."""
        return self.ended - self.begun

    @property
    def json(self) -> Any:  # noqa: ANN401 - whatever the task printed
        """The JSON on standard output."""
        return json.loads(self.stdout)

    def containers(self) -> list[str]:
        """Return the names of the containers that this task made; the engine remembers its last 256 events only."""
        import docker  # noqa: PLC0415 - takes 0.3 s, and few tests ask

        client = docker.from_env()
        times = {"since": int(self.begun) - 1, "until": int(self.ended) + 1}
        events = list(client.events(**times, filters={"type": "container", "event": "create"}, decode=True))
        client.close()
        made = [event["Actor"]["Attributes"] for event in events]
        return [each["name"] for each in made if str(self.pid) in each.get(OWNER_LABEL, "").split(" ")]


@dataclass(frozen=True)
class Project:
    """A work tree in *folder* with a git history and a work area of its own."""

    folder: Path

    @classmethod
    def checked_out(cls, folder: Path) -> Project:
        """Copy the tracked files of this tree to *folder*, and commit them there."""
        listed = subprocess.run(("git", "ls-files", "-z"), cwd=TREE, capture_output=True, check=True).stdout
        for name in map(os.fsdecode, listed.split(b"\0")):
            if name and (TREE / name).exists():
                (folder / name).parent.mkdir(parents=True, exist_ok=True)
                shutil.copy2(TREE / name, folder / name)
        project = cls(folder)
        project.git("init", "--quiet")
        project.git("add", "--all")
        project.git(*_AUTHOR, "commit", "--quiet", "--message=Begin")
        return project

    def copied_to(self, folder: Path) -> Project:
        """Return a copy, with all that was built and published."""
        shutil.copytree(self.folder, folder, symlinks=True)
        return Project(folder)

    @property
    def area(self) -> Path:
        """The work area, where it lies by default."""
        return self.folder / ".dockerbuild"

    @property
    def store(self) -> Path:
        """The embedded store, where it lies by default."""
        return self.area / "store"

    def git(self, *arguments: str) -> str:
        """Run git in the work tree, and return what it says."""
        done = subprocess.run(("git", *arguments), cwd=self.folder, capture_output=True, text=True, check=True)
        return done.stdout.strip()

    def start(self, *arguments: str, through: Sequence[str] = (), **environment: str) -> subprocess.Popen[str]:
        """Start a task as the launcher does; *through* is a program that becomes it."""
        program = (sys.executable, "-P", str(self.folder / "dockerbuild_lib/__main__.py"), "run", *arguments)
        inherited = {name: value for name, value in os.environ.items() if not name.startswith("INVOKE_DOCKERBUILD_")}
        return subprocess.Popen(
            (*through, *program),
            cwd=self.folder,
            env={**inherited, **environment},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def run(self, *arguments: str, through: Sequence[str] = (), **environment: str) -> Done:
        """Run a task to its end."""
        begun = time.time()
        with self.start(*arguments, through=through, **environment) as process:
            return finished(process, begun)

    def succeed(self, *arguments: str, **environment: str) -> Done:
        """Run a task that must succeed."""
        done = self.run(*arguments, **environment)
        assert done.code == 0, done.stdout + done.stderr
        return done

    def plan(self, *arguments: str) -> dict[str, str]:
        """Return the status of each step of ``wheel.plan``."""
        return {step["step"]: step["status"] for step in self.succeed("wheel.plan", "--json", *arguments).json["steps"]}

    def edit(self, file: str, old: str, new: str) -> None:
        """Replace a text of a file, which must be there once."""
        path = self.folder / file
        text = path.read_text()
        assert text.count(old) == 1, f"{file}: {old!r}"
        path.write_text(text.replace(old, new))

    def take_debians_python_only(self) -> None:
        """Leave Pythons that come from source, and take minutes to build, out of the catalogue."""
        (self.folder / "config/pythons.yaml").write_text('"3.11": {source: debian}\n')

    def add_patch(self, distribution: str, version: str, name: str, text: str) -> None:
        """Put a patch into the catalogue, and list it as the only one of that version."""
        path = self.folder / "config/patches" / distribution / version / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        self.edit(f"config/wheels/{distribution}.yaml", f"{version}: {{}}", f"{version}: {{patches: [{name}]}}")

    def packages(self) -> dict[str, list[str]]:
        """Return what is published: package -> its versions, the sources left out."""
        found: dict[str, list[str]] = {}
        for row in self.succeed("store.list", f"--prefix={PACKAGES}", "--json").json:
            found.setdefault(row["package"], []).append(row["version"])
        return found

    def describe(self, package: str, version: str = "latest") -> Any:  # noqa: ANN401 - the task's JSON
        """Return what the store tells of an instance."""
        options = (f"--package={package}", f"--version={version}", "--json")
        return self.succeed("store.describe", *options).json

    def built(self, distribution: str) -> list[Path]:
        """Return the wheels of a distribution that passed everything, in the work area."""
        return sorted(self.area.glob(f"wheels/{distribution}-*/*/*/*.whl"))

    def latest_run(self) -> Path:
        """Return the folder of the last run."""
        return (self.area / "runs/latest").resolve()


def containers_of(pid: int) -> list[str]:
    """Return the ids of the containers, running or not, that the process made."""
    import docker  # noqa: PLC0415 - takes 0.3 s, and few tests ask

    client = docker.from_env()
    listed = client.api.containers(all=True, filters={"label": OWNER_LABEL})
    client.close()
    return [each["Id"] for each in listed if str(pid) in each["Labels"][OWNER_LABEL].split(" ")]


def finished(process: subprocess.Popen[str], begun: float) -> Done:
    """Wait for a task that was started, and return how it ended."""
    stdout, stderr = process.communicate(timeout=_TIMEOUT)
    return Done(process.returncode, stdout, stderr, process.pid, begun, time.time())
