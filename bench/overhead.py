"""What ``wheel.build`` costs beside the bare compile: both measured in turns, in one run.

    .venv/bin/python bench/overhead.py [ROUNDS]

Ours is a warm ``wheel.build --rebuild`` of one wheel, start of Python included, its trial taken off. Bare is
``docker run`` of the same image with the same three phases (requirements, build, repair) in one shell, its files
mounted from the host. The image must be there: ``./dockerbuild image.generate --platform=linux-arm64`` makes it.
"""

from __future__ import annotations

import json
import os
import shlex
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

PROJECT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(PROJECT))

from dockerbuild_lib.cli.session import Session, open_session  # noqa: E402 - found only now
from dockerbuild_lib.containers.worker import WORKER_ID  # noqa: E402
from dockerbuild_lib.core.command import WORK_FOLDER  # noqa: E402
from dockerbuild_lib.images.context import image_tag  # noqa: E402
from dockerbuild_lib.plan.products import WheelWork  # noqa: E402
from dockerbuild_lib.plan.request import Request  # noqa: E402
from dockerbuild_lib.sources.trees import SourceTrees  # noqa: E402
from dockerbuild_lib.wheels.build import RequiredWheel, WheelInputs, build_commands, build_files  # noqa: E402
from dockerbuild_lib.wheels.environment import DEFAULT_CONDITIONS, SOURCE  # noqa: E402

WHEELS = ("markupsafe", "cffi")
PLATFORM = "linux-arm64"


def main(rounds: int) -> None:
    """Print, for each wheel, the medians and their ratio."""
    session = open_session()
    for name in WHEELS:
        run_ours(session, name)  # warms everything up, and makes libraries and sources that are missing
        wheel = the_wheel(session, name)
        pairs = [(run_ours(session, name), run_bare(session, wheel)) for _ in range(rounds)]
        ours, bare = (statistics.median(column) for column in zip(*pairs, strict=True))
        print(f"{name}: wheel.build {ours:.2f} s, docker run {bare:.2f} s, ratio {ours / bare:.2f} ({rounds} rounds)")


def the_wheel(session: Session, name: str) -> WheelWork:
    """Return what the plan knows of the wheel."""
    goal = session.plan(Request(names=(name,), platforms=(PLATFORM,))).goals[0].goal
    assert isinstance(goal, WheelWork)  # noqa: S101 - the catalogue builds these from source
    return goal


def run_ours(session: Session, name: str) -> float:
    """Return the seconds of a warm rebuild without its trial."""
    begun = time.monotonic()
    command = (
        sys.executable,
        "-m",
        "dockerbuild_lib",
        "run",
        "wheel.build",
        f"--name={name}",
        f"--platform={PLATFORM}",
        "--rebuild",
    )
    subprocess.run(command, cwd=PROJECT, check=True, capture_output=True)
    elapsed = time.monotonic() - begun
    summary = json.loads((session.settings.root / "runs" / "latest" / "summary.json").read_text())
    return elapsed - sum(float(step["seconds"]) for step in summary["steps"] if step["step"].startswith("trial "))


def run_bare(session: Session, wheel: WheelWork) -> float:
    """Return the seconds of the same compile by ``docker run`` alone; laying out its files is not counted."""
    with tempfile.TemporaryDirectory() as folder:
        lay_out(session, wheel, Path(folder))
        image = image_tag(wheel.workshop.platform_name, wheel.workshop.image)
        mount = f"--volume={folder}:{WORK_FOLDER}"
        begun = time.monotonic()
        command = ("docker", "run", "--rm", "--network=none", mount, image, "sh", str(WORK_FOLDER / "bare.sh"))
        subprocess.run(command, check=True, capture_output=True)
        return time.monotonic() - begun


def lay_out(session: Session, wheel: WheelWork, folder: Path) -> None:
    """Write the build's files and its commands, as a shell script, to *folder*."""
    fetch = session.fetcher.fetch
    required = [RequiredWheel(pin.distribution, pin.version, pin.sha256, fetch(pin)) for pin in wheel.build_requires]
    inputs = WheelInputs(fetch(wheel.source), tuple(required), patches=(), libraries={}, crates=None)
    SourceTrees(session.settings.archives, folder).unpack(inputs.source, folder / SOURCE.relative)
    for path, content in build_files(inputs).items():
        target = folder / path.relative
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(content if isinstance(content, bytes) else content.read_bytes())
    for library in wheel.libraries:
        shutil.unpack_archive(session.area.library(library), folder / "libraries", "tar", filter="data")
    (folder / "bare.sh").write_text(shell_script(wheel))
    for laid_out in (folder, *folder.rglob("*")):
        os.chown(laid_out, WORKER_ID, WORKER_ID)


def shell_script(wheel: WheelWork) -> str:
    """Return the phases as lines of a shell script, each with its environment."""
    lines = ["set -e"]
    for command in build_commands(wheel, DEFAULT_CONDITIONS):
        variables = [f"{name}={value}" for name, value in command.resolved_environment(WORK_FOLDER).items()]
        lines.append(shlex.join(["env", *variables, *command.resolved_argv(WORK_FOLDER)]))
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 5)
