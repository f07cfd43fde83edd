"""The tasks of the store as their users run them: describe, diff, gc."""

from __future__ import annotations

import random
import subprocess
import sys
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from dockerbuild_lib.catalog.load import load_catalog
from dockerbuild_lib.store.keep import Keep
from dockerbuild_lib.store.local import LocalStore
from dockerbuild_lib.store.package_file import write_package
from dockerbuild_lib.store.package_tree import FileMember
from dockerbuild_lib.store.protocol import Metadata, Pin, Publication
from dockerbuild_lib.store.sources_packages import source_package
from tests.support.projects import TREE, Done, Project
from tests.support.store_samples import PACKAGE, listed_wheels, package_file, publication

Task = Callable[..., Done]
KILLS = 8


@pytest.fixture
def store(tmp_path: Path) -> LocalStore:
    return LocalStore(tmp_path / "store")


@pytest.fixture
def run(tmp_path: Path) -> Task:
    """Run a task of this project with the store of the test."""
    return partial(Project(TREE).run, INVOKE_DOCKERBUILD_STORE=str(tmp_path / "store"))


def test_metadata_is_described(store: LocalStore, run: Task, tmp_path: Path) -> None:
    pin = store.publish(publication(tmp_path)).pin
    store.attach_metadata(pin, [Metadata("log", b"hello")])
    lines = run("store.describe", f"--package={PACKAGE}").stdout
    assert "metadata:    log (text/plain, 5 bytes, " in lines
    described = run("store.describe", f"--package={PACKAGE}", "--json").json
    assert described["instance"]["size"] == store.sizes([pin])[pin]
    assert described["metadata"][0]["metadata"] == {"key": "log", "value": "aGVsbG8=", "content_type": "text/plain"}


def test_packages_and_files_are_compared(store: LocalStore, run: Task, tmp_path: Path) -> None:
    store.publish(publication(tmp_path, "1.0", "one"))
    store.publish(publication(tmp_path, "2.0", "two"))
    found = run("store.diff", f"{PACKAGE}@1.x", PACKAGE)
    assert (found.code, found.stdout) == (0, "file: line 1: 'one' and 'two'\n")
    file = package_file(tmp_path, "two")
    assert run("store.diff", str(file), f"{PACKAGE}@version:2.0", "--json").json == {
        "identical": True,
        "differences": [],
    }
    missing = run("store.diff", f"{PACKAGE}@version:3.0", PACKAGE)
    assert (missing.code, missing.stderr.count("no such tag: version:3.0")) == (14, 1)


def intern(store: LocalStore, path: Path, sha256: str) -> Pin:
    """Put a source into the store that claims to have *sha256*: nobody can fetch a pinned one in a test."""
    package = source_package(path.name)
    write_package(path.with_suffix(".package"), package, [FileMember(path.name, path)])
    return store.publish(Publication(package, path.with_suffix(".package"), (f"sha256:{sha256}",))).pin


def test_garbage_is_shown_then_removed(store: LocalStore, run: Task, tmp_path: Path) -> None:
    catalog = load_catalog(TREE / "config")
    version = catalog.default_versions("markupsafe")[0]
    for name in ("pinned", "loose"):
        (tmp_path / name).write_text(name)
    source = catalog.locks.wheels["markupsafe"].versions[version].source
    assert source
    pinned = intern(store, tmp_path / "pinned", source.sha256)
    of_catalog = store.register(PACKAGE, package_file(tmp_path, "catalogue")).pin
    store.attach_tags(of_catalog, [f"version:{version}"])
    named = store.register("infra/mine", package_file(tmp_path, "mine", "infra/mine")).pin
    loose = intern(store, tmp_path / "loose", "0" * 64)
    newest = store.publish(publication(tmp_path, "1.0")).pin
    everything = {pinned, of_catalog, named, loose, newest}

    def gc(*options: str) -> Any:  # noqa: ANN401 - the task's JSON
        found = run("store.gc", "--json", *options)
        assert found.code == 0, found.stderr
        return found.json

    assert gc()["instances"] == []  # all of it is younger than a day
    shown = gc("--days=0", "--keep=infra/mine")
    assert [each["instance_id"] for each in shown["instances"]] == [loose.instance_id]
    assert shown["size"] == store.sizes([loose])[loose]
    assert set(store.sizes(everything)) == everything
    told = run("store.gc", "--days=0", "--keep=infra/mine", "--delete").stdout
    assert loose.instance_id in told
    assert told.splitlines()[-1] == f"removed: 1 instance, 0 files left over, {shown['size']} B"
    assert set(store.sizes(everything)) == everything - {loose}
    assert run("store.gc", "--days=0", "--delete").code == 0
    assert set(store.sizes(everything)) == {pinned, of_catalog, newest}
    assert run("store.verify").code == 0


@pytest.mark.parametrize("options", [["--keep=infra/mind"], ["--days=-1"], ["--days=x"], ["--keep=infra/mine@No Tag"]])
def test_a_slip_removes_nothing(options: list[str], store: LocalStore, run: Task, tmp_path: Path) -> None:
    pin = store.register("infra/mine", package_file(tmp_path, "mine", "infra/mine")).pin
    done = run("store.gc", "--days=0", "--delete", *options)
    assert done.code == 2, done.stderr
    assert store.exists(pin.package, pin.instance_id)


COLLECT_FOREVER = f"""
import sys
from itertools import count
from pathlib import Path
from dockerbuild_lib.store.keep import Keep
from dockerbuild_lib.store.local import LocalStore
from dockerbuild_lib.store.protocol import Publication
from tests.support.store_samples import listed_wheels, package_file, wheel_file
store, work, name = LocalStore(Path(sys.argv[1])), Path(sys.argv[2]), sys.argv[3]
for number in count():
    version = f"1.0.{{name}}{{number:03}}"
    package, wheel = package_file(work, version * 20_000), wheel_file(work, version=version)
    store.publish(Publication("{PACKAGE}", package, (), f"version:{{version}}", wheel))
    print(version, flush=True)
    store.gc(Keep(), delete=True)
"""


def test_kill_9_in_a_collection_leaves_a_whole_store(store: LocalStore, tmp_path: Path) -> None:
    seed = time.time_ns()
    moments = random.Random(seed)  # noqa: S311  # moments, not secrets
    for kill in range(1, KILLS + 1):
        command = (
            sys.executable,
            "-c",
            COLLECT_FOREVER,
            str(tmp_path / "store"),
            str(tmp_path / f"work{kill}"),
            str(kill),
        )
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=TREE) as collecting:
            assert collecting.stdout
            first = collecting.stdout.readline().strip()
            time.sleep(moments.uniform(0, 0.2))
            collecting.kill()
            acknowledged = [first, *collecting.communicate()[0].split()]
        assert store.verify() == (), f"seed {seed}"
        assert store.exists(PACKAGE, "latest"), f"seed {seed}"
        assert store.instances(PACKAGE)[0].pin == store.resolve(PACKAGE, "latest"), f"seed {seed}"
        assert acknowledged[-1] <= max(tag.partition(":")[2] for tag in store.tags(store.resolve(PACKAGE, "latest")))
    store.gc(Keep(), delete=True)
    assert len(store.instances(PACKAGE)) == len(list((store.folder / "instances").iterdir())) == 1
    assert len(listed_wheels(store.folder)) == 1
    assert store.gc(Keep(), delete=False).size == 0
