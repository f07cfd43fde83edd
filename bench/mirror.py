"""Copying an image from registry to registry, beside ``skopeo copy``: both in turns, in one run.

    .venv/bin/python bench/mirror.py [--mb 500] [--layers 5] [--rounds 5] [--folder FOLDER]

Two registries (docker-registry) on the loopback hold their files in *folder*. The image's layers cannot be compressed.
Each copy goes to a registry that has nothing yet, so that neither side finds a layer there. Ours is the copy alone, and
the whole task ``mirror.sync --upload`` with the start of Python; skopeo is its whole process, since it has no other
form. Printed are medians and their ratios, then the same when everything is there already. The programs
docker-registry and skopeo must be installed.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

PROJECT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(PROJECT))

from dockerbuild_lib.containers.oci.connection import RegistryConnection  # noqa: E402 - found only now
from dockerbuild_lib.containers.oci.image_copy import ImageCopy  # noqa: E402
from dockerbuild_lib.containers.oci.manifests import IMAGES  # noqa: E402
from dockerbuild_lib.containers.oci.repository import Repository  # noqa: E402
from dockerbuild_lib.core.events import silent  # noqa: E402
from tests.support.registries import Registry, running_registry  # noqa: E402
from tests.support.small_images import Uploader  # noqa: E402

MB = 1_000_000
NAME, TAG = "team/large", "v1"
CONFIG = "application/vnd.oci.image.config.v1+json"
LAYER = "application/vnd.oci.image.layer.v1.tar+gzip"
WAYS = ("skopeo copy", "the copy alone", "mirror.sync")


@dataclass(frozen=True)
class Copies:
    """Ways to copy the image of *source*, by its *digest*; *folder* is for what they need on a disk."""

    source: Registry
    digest: str
    folder: Path

    def skopeo(self, target: Registry) -> None:
        """Copy with skopeo."""
        policy = self.folder / "policy.json"
        policy.write_text('{"default": [{"type": "insecureAcceptAnything"}]}')
        plain = ("--src-tls-verify=false", "--dest-tls-verify=false", "--quiet")
        places = (f"docker://{self.source.address}/{NAME}@{self.digest}", f"docker://{target.address}/{NAME}:{TAG}")
        _run("skopeo", "--policy", str(policy), "copy", *plain, *places)

    def ours(self, target: Registry) -> None:
        """Copy in this process."""
        source, to = (Repository(RegistryConnection(at.address), NAME) for at in (self.source, target))
        copy = ImageCopy(source, to)
        survey = copy.survey(self.digest, TAG)
        if not survey.is_complete:
            copy.copy(survey, silent)

    def task(self, target: Registry) -> None:
        """Copy with the task, of a catalogue that has this base only."""
        settings = {
            "REGISTRY": target.address,
            "CONFIG_DIR": str(self.folder / "config"),
            "ROOT": str(self.folder / "area"),
        }
        environ = {**os.environ, **{f"INVOKE_DOCKERBUILD_{name}": value for name, value in settings.items()}}
        _run(sys.executable, "-m", "dockerbuild_lib", "run", "mirror.sync", "--upload", environ=environ)

    def write_catalogue(self) -> None:
        """Write that catalogue, with its lock."""
        reference = f"{self.source.address}/{NAME}:{TAG}"
        files = {
            "platforms.yaml": "linux-amd64: {triple: x86_64-linux-gnu, cipd: a, tags: [a], image: a, toolchain: gcc}",
            "pythons.yaml": '"3.11": {source: debian}',
            "toolchains.yaml": "gcc: {compiler: gcc}",
            "images.yaml": f"a: {{suite: bookworm, base-packages: [gcc], bases: {{linux-amd64: '{reference}'}}}}",
            "locks/bases.json": json.dumps({"digests": {reference: self.digest}}),
        }
        for name, text in files.items():
            path = self.folder / "config" / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)


def _run(*command: str, environ: dict[str, str] | None = None) -> None:
    done = subprocess.run(command, cwd=PROJECT, env=environ, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        sys.exit(f"{command[0]} failed: {done.stderr}")


def put_image(registry: Registry, megabytes: int, layers: int) -> str:
    """Put an image of random layers into a registry; return its digest."""
    up = Uploader(registry.url, NAME)
    blobs = [up.blob(os.urandom(megabytes * MB // layers)) for _ in range(layers)]
    root = {"type": "layers", "diff_ids": [blob["digest"] for blob in blobs]}
    config = up.blob(json.dumps({"architecture": "amd64", "os": "linux", "config": {}, "rootfs": root}).encode())
    document = {
        "schemaVersion": 2,
        "mediaType": IMAGES[0],
        "config": {"mediaType": CONFIG, **config},
        "layers": [{"mediaType": LAYER, **blob} for blob in blobs],
    }
    return str(up.manifest(document, IMAGES[0], TAG)["digest"])


def main(megabytes: int, layers: int, rounds: int, folder: Path) -> None:
    """Print, for a target that has nothing and for one that has everything, the medians and their ratios."""
    cold: list[list[float]] = []
    warm: list[list[float]] = []
    with running_registry(folder / "source") as source:
        copies = Copies(source, put_image(source, megabytes, layers), folder)
        copies.write_catalogue()
        for number in range(rounds + 1):
            pairs = [
                timed(way, folder / f"{number}-{way.__name__}") for way in (copies.skopeo, copies.ours, copies.task)
            ]
            if number:  # the first round warms everything up
                cold.append([first for first, _again in pairs])
                warm.append([again for _first, again in pairs])
    for heading, figures in ((f"{megabytes} MB in {layers} layers", cold), ("the same, all there already", warm)):
        show(heading, [statistics.median(column) for column in zip(*figures, strict=True)], rounds)


def timed(copy: Callable[[Registry], None], folder: Path) -> tuple[float, float]:
    """Return the seconds of a copy to a registry that has nothing, and of the same copy again."""
    seconds = []
    with running_registry(folder) as target:
        for _ in range(2):
            begun = time.monotonic()
            copy(target)
            seconds.append(time.monotonic() - begun)
    shutil.rmtree(folder)
    return seconds[0], seconds[1]


def show(heading: str, medians: list[float], rounds: int) -> None:
    """Print one line for each way."""
    print(f"{heading}, medians of {rounds} in turns:")
    for name, seconds in zip(WAYS, medians, strict=True):
        print(f"  {name:<15} {seconds:6.2f} s, {seconds / medians[0]:.2f} of skopeo's time")


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--mb", type=int, default=500)
    parser.add_argument("--layers", type=int, default=5)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--folder", type=Path)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=arguments.folder) as scratch:
        main(arguments.mb, arguments.layers, arguments.rounds, Path(scratch))
