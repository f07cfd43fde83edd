"""``run --step``: the container of a past build is opened again, with its files and variables."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.support.projects import Project, containers_of

BUILD = "build markupsafe 3.0.4 linux-arm64-py3.11"
BREAKING = """\
--- a/src/markupsafe/_speedups.c
+++ b/src/markupsafe/_speedups.c
@@ -1 +1 @@
-#include <Python.h>
+#include <no_such_header.h>
"""


@pytest.fixture(scope="module")
def failed(with_images: Project, tmp_path_factory: pytest.TempPathFactory) -> Project:
    """A project whose build of markupsafe has failed for its patch."""
    assert with_images
    project = Project.checked_out(tmp_path_factory.mktemp("failed"))
    project.add_patch("markupsafe", "3.0.4", "01-break.patch", BREAKING)
    assert project.run("wheel.build", "--name=markupsafe", "--platform=linux-arm64").code != 0
    return project


def test_a_failed_build_is_opened_with_its_tree_and_variables(failed: Project) -> None:
    script = (
        'pwd; id -u; head -1 src/src/markupsafe/_speedups.c; echo "$_PYTHON_HOST_PLATFORM $CROSS_TRIPLE $A"; exit 7'
    )
    done = failed.run("run", f"--step=latest/{BUILD}", "--env=A=1", "--", "sh", "-c", script)
    assert done.code == 7
    assert done.stdout == "/work\n1234\n#include <no_such_header.h>\nlinux-aarch64 aarch64-linux-gnu 1\n"
    assert containers_of(done.pid) == []


def test_the_command_that_failed_fails_there_again_and_can_be_mended(failed: Project) -> None:
    run, name = failed.latest_run(), BUILD.replace(" ", "_")
    record = json.loads((run / "steps" / name / "container.json").read_text())
    [argv] = [command["argv"] for command in record["commands"] if "build_wheel" in " ".join(command["argv"])]
    step = f"--step={run.name}/{name}"  # by the run's id, and as the logs are called
    assert "no_such_header.h" in failed.run("run", step, "--", "sh", "-c", '"$@" 2>&1', "sh", *argv).stdout
    mended = 'sed -i s/no_such_header.h/Python.h/ src/src/markupsafe/_speedups.c; rm dist/*; "$@" >&2; ls dist'
    made = failed.succeed("run", step, "--", "sh", "-c", mended, "sh", *argv).stdout
    assert made == "markupsafe-3.0.4-cp311-cp311-linux_aarch64.whl\n"


def test_a_build_that_succeeded_is_opened_too(built_once: Project) -> None:
    listed = built_once.succeed("run", f"--step=latest/{BUILD}", "--", "sh", "-c", "ls repaired; cat /proc/net/dev")
    assert listed.stdout.startswith("markupsafe-3.0.4-")
    assert "eth0" not in listed.stdout


@pytest.mark.parametrize(
    ("step", "told"),
    [
        ("latest/build nothing", "latest keeps no container of 'build nothing'; it has build_markupsafe_3.0.4_"),
        ("yesterday/build", "there is no run yesterday"),
        ("latest", "'latest' is no RUN/STEP; write it as latest/STEP"),
        ("../build", "there is no run .."),
    ],
)
def test_what_is_not_kept_is_one_line(failed: Project, step: str, told: str) -> None:
    done = failed.run("run", f"--step={step}", "--shell")
    assert done.code == 2
    assert f"--step: {told}" in done.stderr
    assert done.stderr.count("\n") == 1


@pytest.mark.parametrize("options", [("--platform=linux-arm64",), ("--workdir=.",), ("--toolchain=gcc",)])
def test_a_step_takes_no_option_of_a_platform(failed: Project, options: tuple[str, ...]) -> None:
    assert failed.run("run", f"--step=latest/{BUILD}", *options, "--shell").code == 2


def test_a_tree_that_was_not_kept_is_told(failed: Project, tmp_path: Path) -> None:
    project = failed.copied_to(tmp_path / "project")
    record = project.latest_run() / "steps" / BUILD.replace(" ", "_") / "container.json"
    record.write_text(json.dumps({**json.loads(record.read_text()), "missing": "they are more than 1 GiB"}))
    done = project.succeed("run", f"--step=latest/{BUILD}", "--", "ls", "/work")
    assert done.stdout == ""
    assert "its files were not kept (they are more than 1 GiB); /work is empty" in done.stderr
