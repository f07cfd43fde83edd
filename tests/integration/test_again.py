"""The same task again, and after each kind of change: what is done anew, and what is not."""

from __future__ import annotations

import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
from packaging.utils import parse_wheel_filename

from tests.support.projects import PACKAGES, PACKAGES_OF_PORTS, Project

MARKUPSAFE = f"{PACKAGES}/markupsafe/linux-arm64_cp311_cp311"
RECIPE = "config/wheels/markupsafe.yaml"
ARM = ("--name=markupsafe", "--platform=linux-arm64")
STEPS = {f"{step} markupsafe 3.0.4 linux-arm64-py3.11" for step in ("build", "check", "trial", "package")}
PATCH = """\
--- a/src/markupsafe/__init__.py
+++ b/src/markupsafe/__init__.py
@@ -1,3 +1,4 @@
+# patched by a test
 from __future__ import annotations
 
 import collections.abc as cabc
"""  # noqa: W293 - a patch's empty context lines are a space


def statuses(project: Project, *arguments: str) -> dict[str, set[str]]:
    """Return status -> steps, as the plan has them."""
    found: dict[str, set[str]] = {}
    for step, status in project.plan(*arguments).items():
        found.setdefault(status, set()).add(step)
    return found


def add_variable(project: Project) -> None:
    """Add an environment variable to one recipe."""
    project.edit(RECIPE, "  extensions", "  environment: {MARKUPSAFE_TESTED: here}\n  extensions")


def test_a_second_run_does_no_step_and_starts_no_container(
    built: Project, record_property: Callable[[str, object], None]
) -> None:
    runs = sorted((built.area / "runs").iterdir())
    done = built.succeed("wheel.build", "--upload")
    record_property("seconds", f"{done.seconds:.2f}")
    assert done.containers() == []
    assert sorted((built.area / "runs").iterdir()) == runs
    assert all(": nothing to do, published as " in line for line in done.stdout.splitlines() if line)


def test_a_comment_in_a_recipe_changes_nothing(built: Project) -> None:
    built.edit(RECIPE, "  extensions", "  # said differently\n\n  extensions")
    assert set(statuses(built, "--upload")) == {"hit"}
    assert built.succeed("wheel.build", "--upload").containers() == []


def test_a_variable_in_one_recipe_rebuilds_exactly_its_wheels(built: Project) -> None:
    add_variable(built)
    both = STEPS | {step.replace("arm64", "amd64") for step in STEPS}
    assert statuses(built)["to do"] == both
    before = built.packages(), built.describe(MARKUPSAFE)

    done = built.succeed("wheel.build", "--platform=linux-arm64")

    assert len(done.containers()) == 2  # the build and the trial
    assert len([wheel for wheel in built.built("markupsafe") if "/linux-arm64-py3.11/" in str(wheel)]) == 2
    assert (built.packages(), built.describe(MARKUPSAFE)) == before


def test_another_recipe_under_a_published_version_is_refused_until_the_revision_is_raised(built: Project) -> None:
    add_variable(built)
    before = built.packages(), built.describe(MARKUPSAFE)
    refused = built.run("wheel.build", *ARM, "--upload")
    assert refused.code == 12
    assert "raise revision in its recipe" in refused.stderr
    assert (built.packages(), built.describe(MARKUPSAFE)) == before

    built.edit(RECIPE, "3.0.4: {}", "3.0.4: {revision: 1}")
    built.succeed("wheel.build", *ARM, "--upload")

    latest = built.describe(MARKUPSAFE)
    tags = {tag["tag"] for tag in latest["tags"]}
    assert "version:3.0.4.dockerbuild.1" in tags
    assert f"git_revision:{built.git('rev-parse', 'HEAD')}-dirty" in tags
    assert {ref["ref"] for ref in latest["refs"]} == {"latest", "3.x", "3.0.x"}
    assert {ref["ref"] for ref in built.describe(MARKUPSAFE, "version:3.0.4")["refs"]} == set()
    names = [path.name for path in (built.store / "simple/markupsafe").glob("*aarch64.whl")]
    assert {parse_wheel_filename(name)[2] for name in names} == {(), (1, "")}


def test_a_patch_gets_into_the_wheel(built: Project) -> None:
    built.add_patch("markupsafe", "3.0.4", "01-comment.patch", PATCH)
    assert statuses(built, *ARM)["to do"] == STEPS
    done = built.succeed("wheel.build", *ARM)
    wheel = Path(done.stdout.strip().partition(": built ")[2])
    with zipfile.ZipFile(wheel) as archive:
        assert archive.read("markupsafe/__init__.py").startswith(b"# patched by a test\n")


def test_a_patch_that_does_not_apply_stops_the_build(built: Project) -> None:
    built.add_patch("markupsafe", "3.0.4", "01-comment.patch", PATCH.replace("import collections", "import somewhere"))
    done = built.run("wheel.build", *ARM)
    assert done.code == 24
    assert "01-comment.patch does not apply" in done.stderr


@pytest.mark.parametrize("change", ["script", "package"])
def test_a_changed_image_rebuilds_nothing_until_that_is_asked_for(built: Project, change: str) -> None:
    if change == "script":
        built.edit("dockerbuild_lib/images/scripts/build_wheel.py", "import json\n", "import json  # as ever\n")
    else:
        built.edit("config/images.yaml", PACKAGES_OF_PORTS, f"{PACKAGES_OF_PORTS}    - bison\n")
    plan = statuses(built)
    assert set(plan) == {"hit", "older environment"}
    assert len(plan["older environment"]) == 10
    done = built.succeed("wheel.build", "--upload")
    assert done.containers() == []
    assert done.stdout.count("from the same recipe in an older environment; --rebuild renews it") == 10

    rebuilt = statuses(built, "--rebuild")["to do"]

    assert {"image linux-amd64", "image linux-arm64"} | STEPS <= rebuilt
    assert len([step for step in rebuilt if step.startswith("build ")]) == 10
