"""Built from what the store and the engine hold, in a network namespace without an interface; and what is told else."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections import Counter
from collections.abc import Collection
from pathlib import Path

import pytest

from dockerbuild_lib.catalog.load import load_catalog
from dockerbuild_lib.catalog.locks import IndexFile
from dockerbuild_lib.sources.intern import SourceFetcher
from dockerbuild_lib.sources.outside import Outside
from dockerbuild_lib.sources.upstream import MachineUpstream
from dockerbuild_lib.store.local import LocalStore
from dockerbuild_lib.store.sources_packages import InternedSources
from tests.support.local_server import serving
from tests.support.projects import Done, Project

WITHOUT_INTERFACE = ("unshare", "--net") if os.geteuid() == 0 else ("unshare", "--user", "--map-root-user", "--net")
ASKED = ("--name=markupsafe", "--name=psutil", "--name=six", "--platform=linux-amd64", "--platform=linux-arm64")


def fill_store(project: Project, scratch: Path, *names: str, but: Collection[str] = ()) -> None:
    """Intern what the wheels *names* are made from, those files left out whose distribution *but* names."""
    catalog = load_catalog(project.folder / "config")
    upstream = MachineUpstream(Outside(catalog.folder))
    fetcher = SourceFetcher(scratch, InternedSources(LocalStore(project.store)), upstream)
    for lock in (lock for name in names for lock in catalog.locks.wheels[name].versions.values()):
        for file in (lock.source, *lock.build_requires.get("3.11", ())):
            if isinstance(file, IndexFile) and file.distribution not in but:
                fetcher.fetch(file)


def statuses(project: Project) -> dict[str, str]:
    """Return how each step of the last run ended."""
    summary = json.loads((project.latest_run() / "summary.json").read_text())
    return {step["step"]: step["status"] for step in summary["steps"]}


def refused(done: Done, *told: str) -> None:
    assert done.code == 29, done.stdout + done.stderr
    assert [text for text in told if text not in done.stderr] == [], done.stderr
    assert "Traceback" not in done.stderr


def test_wheels_are_built_from_the_store_alone(fresh: Project, tmp_path: Path) -> None:
    fill_store(fresh, tmp_path / "scratch", "markupsafe", "psutil", "six")
    done = fresh.run("wheel.build", "--offline", *ASKED, through=WITHOUT_INTERFACE)
    assert done.code == 0, done.stderr
    done_steps = [step.partition(" ")[0] for step, status in statuses(fresh).items() if status == "done"]
    assert Counter(done_steps) == {"build": 4, "check": 4, "trial": 4, "package": 5}
    native = [wheel for name in ("markupsafe", "psutil") for wheel in fresh.built(name)]
    assert sorted(wheel.parents[1].name for wheel in native) == ["linux-amd64-py3.11"] * 2 + ["linux-arm64-py3.11"] * 2
    assert [wheel.name for wheel in fresh.built("six")] == ["six-1.17.0-py2.py3-none-any.whl"]


def test_one_missing_source_is_named_and_what_does_not_need_it_is_built(fresh: Project, tmp_path: Path) -> None:
    fill_store(fresh, tmp_path / "scratch", "markupsafe", "six", but=["markupsafe"])
    asked = ("--name=markupsafe", "--name=six", "--platform=linux-arm64")
    done = fresh.run("wheel.build", "--offline", *asked, through=WITHOUT_INTERFACE)
    told = "markupsafe-3.0.4.tar.gz: it is not in the store, and connections are forbidden (--offline); "
    refused(done, told, "run sources.fetch --all once where they are allowed")
    assert fresh.built("six") != []
    found = statuses(fresh)
    assert found["fetch markupsafe-3.0.4.tar.gz"] == "failed"
    assert found["build markupsafe 3.0.4 linux-arm64-py3.11"] == "cancelled"


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """A project that has nothing yet."""
    return Project.checked_out(tmp_path_factory.mktemp("offline") / "project")


OFFLINE = "INVOKE_DOCKERBUILD_OFFLINE"
WAYS = {
    "by an option": (("--offline",), {}, "(--offline)"),
    "by a variable": ((), {OFFLINE: "true"}, "(the setting offline)"),
    "by both": (("--offline",), {OFFLINE: "false"}, "(--offline)"),
}


@pytest.mark.parametrize("way", WAYS)
def test_nobody_is_asked(project: Project, way: str) -> None:
    options, variables, by = WAYS[way]
    with serving() as server:
        index = {"PIP_INDEX_URL": f"{server.url}/simple", "PIP_CONFIG_FILE": os.devnull}
        done = project.run("wheel.build", "--name=six", *options, **index, **variables)
    refused(done, "six-1.17.0-py2.py3-none-any.whl: it is not in the store", by)
    assert server.requests == []


def test_plain_invoke_has_the_option_too(project: Project) -> None:
    command = (sys.executable, "-m", "invoke", "sources.lock", "--offline", "--name=six", "--update")
    done = subprocess.run(command, cwd=project.folder, capture_output=True, text=True, check=False)
    assert done.returncode == 29, done.stderr
    assert "six: its lock is not up to date, and connections are forbidden (--offline)" in done.stderr


def test_locks_that_are_up_to_date_need_nobody(project: Project) -> None:
    done = project.run("sources.lock", "--offline", through=WITHOUT_INTERFACE)
    assert (done.code, done.stdout) == (0, "every lock is up to date\n"), done.stderr
    assert project.git("status", "--porcelain", "config") == ""
