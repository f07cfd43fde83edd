"""What goes wrong ends in one clear message and its exit code, and leaves everything in order."""

from __future__ import annotations

import json
import os
import re
import socket
from pathlib import Path

import pytest

from tests.support.projects import Done, Project

RECIPE = "config/wheels/markupsafe.yaml"
ARM = ("--name=markupsafe", "--platform=linux-arm64")
# Root opens every socket, unless it becomes another user; who may still read the test's files.
NOBODY = (
    *("setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"),
    *("--inh-caps=+dac_read_search", "--ambient-caps=+dac_read_search"),
)
GREEDY = """\
--- a/setup.py
+++ b/setup.py
@@ -1,3 +1,4 @@
 import os
+bytearray(1 << 30)
 import platform
 import sys
"""


def alone(kind: str) -> tuple[str, ...]:
    """Return what runs a program in a namespace of its own of that kind."""
    return ("unshare", kind) if os.geteuid() == 0 else ("unshare", "--user", "--map-root-user", kind)


def refused(done: Done, code: int, *told: str) -> None:
    """See that a task ended with that code and a last message that tells these things."""
    assert done.code == code, done.stdout + done.stderr
    message = done.stderr.rpartition("\ndockerbuild: ")[2]
    assert [text for text in told if text not in message] == [], done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("wheel.build", "--name=markupsaf"), "unknown wheel 'markupsaf'; did you mean 'markupsafe'?"),
        (("wheel.plan", "--name=markupsafe==3.0.3"), "markupsafe has no version '3.0.3'; did you mean '3.0.4'?"),
        (("wheel.build", "--platform=linux-arm46"), "unknown platform 'linux-arm46'; did you mean 'linux-armv6'?"),
        (("image.generate", "--platform=linux-arm46"), "did you mean 'linux-armv6'?"),
        (("wheel.build", "--python=3.1"), "unknown python '3.1'"),
        (("wheel.build", "--jobs=none"), "--jobs=none is not a whole number"),
        (("wheel.build", "--nmae=six"), "unknown option --nmae; did you mean --name?"),
        (("wheel.biuld",), "unknown task wheel.biuld; did you mean wheel.build?"),
    ],
)
def test_a_misspelt_word_is_answered_with_the_right_one(
    built_once: Project, arguments: tuple[str, ...], told: str
) -> None:
    refused(built_once.run(*arguments), 2, told)


def test_every_problem_of_the_catalogue_is_told_with_its_place(built: Project) -> None:
    built.edit(RECIPE, "extensions", "extentions")
    built.edit("config/pythons.yaml", '"3.11"', "3.11")
    done = built.run("wheel.build")
    refused(done, 3)
    assert "config/wheels/markupsafe.yaml:2:3: unknown key 'extentions'; did you mean 'extensions'?" in done.stderr
    assert "config/pythons.yaml:1:1: " in done.stderr


def test_an_unknown_setting_is_told_with_its_place(built: Project) -> None:
    (built.folder / "invoke.yaml").write_text("dockerbuild:\n  jbos: 2\n")
    refused(built.run("wheel.build"), 3, "invoke.yaml:2:3: unknown key 'jbos'; did you mean 'jobs'?")


def test_an_engine_that_does_not_answer_is_named(built_once: Project) -> None:
    host = "tcp://127.0.0.1:1"
    refused(built_once.run("wheel.build", DOCKER_HOST=host), 4, f"DOCKER_HOST={host}: no Docker engine answers")


def test_a_socket_that_may_not_be_opened_is_answered_with_the_docker_group(
    built_once: Project, tmp_path_factory: pytest.TempPathFactory
) -> None:
    path = tmp_path_factory.mktemp("s") / "e"
    through = NOBODY if os.geteuid() == 0 else ()
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(path))
        path.chmod(0)
        done = built_once.run("wheel.build", through=through, DOCKER_HOST=f"unix://{path}")
    refused(done, 5, "usermod -aG docker")


def test_without_a_network_the_host_is_named_and_the_next_run_succeeds(fresh: Project) -> None:
    done = fresh.run("wheel.build", *ARM, through=alone("--net"))
    refused(done, 6, "fetch markupsafe-3.0.4.tar.gz", "check the network")
    assert fresh.succeed("store.list", "--json").json == []
    fresh.succeed("wheel.build", *ARM)


def test_without_a_network_interned_sources_are_enough(built: Project) -> None:
    built.edit(RECIPE, "  extensions", "  environment: {MARKUPSAFE_TESTED: here}\n  extensions")
    assert built.run("wheel.build", *ARM, through=alone("--net")).code == 0


def test_a_source_with_another_hash_stops_the_build_and_leaves_nothing(fresh: Project) -> None:
    lock = fresh.folder / "config/locks/wheels/markupsafe.json"
    content = json.loads(lock.read_text())
    content["versions"]["3.0.4"]["source"]["sha256"] = "0" * 64
    lock.write_text(json.dumps(content))
    refused(fresh.run("wheel.build", *ARM, "--upload"), 7, "markupsafe-3.0.4.tar.gz", "0" * 64)
    interned = [row["package"] for row in fresh.succeed("store.list", "--json").json]
    assert not any("markupsafe" in package for package in interned)
    assert list(fresh.area.rglob("markupsafe-3.0.4*")) == []


def test_a_compiler_error_names_the_log_and_quotes_its_end(built: Project) -> None:
    built.edit("config/wheels/psutil.yaml", "  trial", "  environment: {CC: /bin/false}\n  trial")
    done = built.run("wheel.build", "--name=psutil", "--platform=linux-arm64")
    refused(done, 9, "its full log is ", "error: Command '['/bin/false'")
    log = re.search(r"its full log is (\S+)", done.stderr)
    assert log
    assert "/bin/false" in Path(log[1]).read_text()


def test_a_silent_fall_back_to_pure_python_is_refused(built: Project) -> None:
    built.edit(RECIPE, "  trial", "  environment: {CC: /bin/false}\n  trial")
    refused(built.run("wheel.build", *ARM), 10, "it lacks the extension module markupsafe._speedups")
    assert len(built.built("markupsafe")) == 7  # those from before


def test_a_trial_that_fails_fails_the_build(built: Project) -> None:
    built.edit(RECIPE, "from markupsafe import _speedups, escape", "from markupsafe import nothing")
    before = built.describe("infra/python/wheels/markupsafe/linux-arm64_cp311_cp311")
    built.edit(RECIPE, "3.0.4: {}", "3.0.4: {revision: 1}")
    done = built.run("wheel.build", *ARM, "--upload")
    assert done.code == 11
    assert "ImportError: cannot import name 'nothing'" in done.stderr
    assert built.describe("infra/python/wheels/markupsafe/linux-arm64_cp311_cp311") == before


def test_a_build_that_needs_more_memory_than_its_limit_is_told_so(built: Project) -> None:
    built.add_patch("markupsafe", "3.0.4", "01-greedy.patch", GREEDY)
    done = built.run("wheel.build", *ARM, INVOKE_DOCKERBUILD_LIMITS_MEMORY="256m")
    refused(done, 17, "used more than 0.25 GiB; raise limits.memory in invoke.yaml")


@pytest.mark.parametrize("size", ["16k", "512k", "1300k"])
def test_a_full_disk_is_told_and_with_more_space_the_same_command_succeeds(fresh: Project, size: str) -> None:
    (fresh.folder / "disk").mkdir()
    # Mounted in a namespace of its own, the disk is gone with the last process in it.
    steps = (f"mount -t tmpfs -o size={size} tmpfs disk", '"$@"; code=$?', "mount -o remount,size=64m disk", '"$@"')
    script = " && ".join(steps) + " && exit $code; exit 99"
    through = (*alone("--mount"), "sh", "-c", script, "sh")
    done = fresh.run("wheel.build", *ARM, "--upload", through=through, INVOKE_DOCKERBUILD_ROOT="disk")
    refused(done, 15, "no space left on the device; free space, then run it again")
    assert "published from " in done.stdout


def test_debug_shows_the_traceback(built_once: Project) -> None:
    done = built_once.run("--debug", "wheel.build", "--name=markupsaf")
    assert done.code == 2
    assert "Traceback (most recent call last)" in done.stderr
