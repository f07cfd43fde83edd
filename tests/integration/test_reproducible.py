"""``wheel.verify``: what is built again under other conditions is identical, and what is not is named."""

from __future__ import annotations

from tests.support.projects import Project

ARM = ("--name=markupsafe", "--platform=linux-arm64")
RANDOM = """\
--- a/setup.py
+++ b/setup.py
@@ -1,3 +1,4 @@
 import os
+open("src/markupsafe/_native.py", "a").write(f"# {os.urandom(8).hex()}\\n")
 import platform
 import sys
"""


def test_every_native_wheel_of_the_catalogue_is_reproducible(built: Project) -> None:
    done = built.succeed("wheel.verify")
    told = done.stdout.split("\n")
    assert "markupsafe 3.0.4 linux-arm64-py3.11: identical" in told
    assert "cffi 2.1.1 linux-arm64-py3.11: identical" in told
    assert len([line for line in told if line.endswith(": identical")]) == 10


def test_a_wheel_that_differs_is_named_with_the_member_and_the_line(built: Project) -> None:
    built.add_patch("markupsafe", "3.0.4", "01-random.patch", RANDOM)
    done = built.run("wheel.verify", *ARM)
    assert done.code == 18, done.stderr
    assert "markupsafe-3.0.4-cp311-cp311-" in done.stderr
    assert "\nmarkupsafe/_native.py: line " in done.stderr.replace("\n  ", "\n")
    assert "Traceback" not in done.stderr


def test_verifying_a_universal_wheel_is_refused(built_once: Project) -> None:
    done = built_once.run("wheel.verify", "--name=six")
    assert done.code == 2
    assert "no wheel of this selection is built from source" in done.stderr
