"""A small catalogue, its sources at a package index on the loopback, and a store for a team: for tests of tasks."""

from __future__ import annotations

import hashlib
import json
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from dockerbuild_lib.plan.naming import SOURCES
from dockerbuild_lib.sources.index_page import JSON_TYPE
from dockerbuild_lib.store.local import LocalStore
from tests.support.catalogs import add_file, write_catalog
from tests.support.forged_wheels import Forge
from tests.support.local_server import LocalServer, body, serving
from tests.support.projects import TREE, Done, Project

SDIST = b"an sdist"
NATIVE = 'native: {trial: import native, versions: {"1.0": {}}}\n'
IMAGES = "debian: {suite: bookworm, base-packages: [gcc], tools: [tool]}\n"
TAGS = {"backend": "py3-none-any", "tool": "py3-none-any", "six": "py2.py3-none-any"}
VERSIONS = {"native": "1.0", "backend": "2.0", "tool": "3.0", "six": "1.17.0"}


@dataclass(frozen=True)
class Supply:
    """An installation of the project with this catalogue: *backend* builds *native*, *tool* is in the image."""

    project: Project
    server: LocalServer
    folder: Path
    files: Mapping[str, Path]
    """The files that the index serves, by name of their project."""
    variables: dict[str, str] = field(default_factory=dict)

    @property
    def config(self) -> Path:
        """The catalogue's folder."""
        return self.folder / "config"

    @property
    def area(self) -> Path:
        """The work area."""
        return Path(self.variables["INVOKE_DOCKERBUILD_ROOT"])

    @property
    def team(self) -> Path:
        """The folder of the team's store; it is used where ``with_team`` says so."""
        return self.folder / "team"

    def elsewhere(self, area: str) -> Supply:
        """Return the same on another machine: with a work area and a store of its own."""
        changed = self.variables | {"INVOKE_DOCKERBUILD_ROOT": str(self.folder / area)}
        return Supply(self.project, self.server, self.folder, self.files, changed)

    def with_team(self) -> Supply:
        """Return the same with the team's store as its remote store."""
        self.team.mkdir(exist_ok=True)
        changed = self.variables | {"INVOKE_DOCKERBUILD_REMOTE_STORE": str(self.team)}
        return Supply(self.project, self.server, self.folder, self.files, changed)

    def run(self, *arguments: str, through: tuple[str, ...] = (), **environment: str) -> Done:
        """Run a task to its end."""
        return self.project.run(*arguments, through=through, **(self.variables | environment))

    def start(self, *arguments: str) -> subprocess.Popen[str]:
        """Start a task."""
        return self.project.start(*arguments, **self.variables)

    def succeed(self, *arguments: str, through: tuple[str, ...] = ()) -> Done:
        """Run a task that must succeed."""
        done = self.run(*arguments, through=through)
        assert done.code == 0, done.stdout + done.stderr
        return done

    def listed(self, *arguments: str) -> dict[str, Any]:
        """Return what ``sources.list`` tells of each source, by name."""
        return {row["name"]: row for row in self.succeed("sources.list", "--json", *arguments).json}

    @property
    def store(self) -> Path:
        """The folder of the store."""
        return self.area / "store"

    def downloads(self) -> list[str]:
        """Return the names of the files that the index was asked for, sorted."""
        return sorted(path.removeprefix("/f/") for path in self.server.requests if path.startswith("/f/"))

    def serve(self, name: str, content: bytes) -> None:
        """Let the index serve other bytes for a project's file, and say so."""
        self.server.answers[f"/f/{self.files[name].name}"] = body(content)
        page = _page(self.files[name].name, content)
        self.server.answers[f"/simple/{name}/"] = body(page, content_type=JSON_TYPE)


def sources_in(folder: Path) -> set[str]:
    """Return the names of the sources in the store in *folder*."""
    with LocalStore(folder) as store:
        return {package.rpartition("/")[2] for package in store.packages(SOURCES)}


def instances_in(folder: Path) -> dict[str, bytes]:
    """Return the package files of the store in *folder*, by instance id."""
    return {path.name: path.read_bytes() for path in sorted((folder / "instances").iterdir())}


def damage(folder: Path, content: bytes) -> str:
    """Flip a bit of the *content* in the store in *folder*, and return the id of the instance that has it."""
    (instance_id,) = [name for name, whole in instances_in(folder).items() if content in whole]
    instance = folder / "instances" / instance_id
    damaged = bytearray(instance.read_bytes())
    damaged[damaged.index(content)] ^= 1
    instance.chmod(0o644)
    instance.write_bytes(damaged)
    return instance_id


@contextmanager
def small_supply(folder: Path) -> Iterator[Supply]:
    """Make the files, serve them, and write the catalogue with its locks; nothing in this tree is changed."""
    (folder / "files").mkdir()
    wheels = [Forge(name, VERSIONS[name], TAGS[name], {f"{name}.py": b"pass\n"}, purelib=True) for name in TAGS]
    files = {wheel.name: wheel.write(folder / "files") for wheel in wheels}
    files["native"] = folder / "files/native-1.0.tar.gz"
    files["native"].write_bytes(SDIST)
    config = write_catalog(folder, wheels__native=NATIVE, images=IMAGES, libraries=None)
    for lock, content in _locks(files).items():
        add_file(config, f"locks/{lock}.json", json.dumps(content))
    with serving() as server:
        variables = {
            "INVOKE_DOCKERBUILD_CONFIG_DIR": str(config),
            "INVOKE_DOCKERBUILD_ROOT": str(folder / "area"),
            "PIP_CONFIG_FILE": "/dev/null",
            "PIP_INDEX_URL": f"{server.url}/simple",
        }
        supply = Supply(Project(TREE), server, folder, files, variables)
        for name, file in files.items():
            supply.serve(name, file.read_bytes())
        yield supply


def _locks(files: Mapping[str, Path]) -> dict[str, object]:
    native = {"source": _pin("native", files), "build-requires": {"3.11": [_pin("backend", files)]}}
    return {
        "wheels/native": {"versions": {"1.0": native}},
        "wheels/six": {"versions": {"1.17.0": {"source": _pin("six", files)}}},
        "tools": {"requirements": ["tool"], "wheels": [_pin("tool", files)]},
    }


def _pin(name: str, files: Mapping[str, Path]) -> dict[str, object]:
    content = files[name].read_bytes()
    pin = {"origin": "index", "distribution": name, "version": VERSIONS[name], "filename": files[name].name}
    return {**pin, "sha256": hashlib.sha256(content).hexdigest(), "size": len(content)}


def _page(filename: str, content: bytes) -> bytes:
    hashes = {"sha256": hashlib.sha256(content).hexdigest()}
    listed = {"filename": filename, "url": f"../../f/{filename}", "hashes": hashes, "size": len(content)}
    return json.dumps({"meta": {"api-version": "1.1"}, "name": "x", "files": [listed]}).encode()
