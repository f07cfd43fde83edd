"""The embedded store under SIGKILL, and with several processes that want the same thing."""

from __future__ import annotations

import random
import shutil
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

import pytest

from dockerbuild_lib.store.local import LocalStore
from dockerbuild_lib.store.protocol import Publication
from tests.support.killable import forks
from tests.support.store_samples import PACKAGE, listed_wheels, package_file, wheel_file

REPOSITORY = Path(__file__).parents[2]
KILLS = 200
VERIFY_EVERY = 50
QUICK_BYTES = 256 << 20

PUBLISH_ONCE = f"""
import sys, time
from pathlib import Path
from dockerbuild_lib.core.errors import VersionConflictError
from dockerbuild_lib.store.local import LocalStore
from dockerbuild_lib.store.protocol import Publication
store, package, recipe = LocalStore(Path(sys.argv[1])), Path(sys.argv[2]), sys.argv[4]
time.sleep(max(0.0, float(sys.argv[3]) - time.time()))
try:
    published = store.publish(Publication("{PACKAGE}", package, (f"recipe_key:{{recipe}}",), "version:1.0"))
    print("published" if published.is_new else "there already", published.pin.instance_id)
except VersionConflictError as error:
    print("conflict", error)
"""


def check_acknowledged(folder: Path, lines: list[str]) -> None:
    """Show that what a publisher was told to be done is done: one owner, its tags, its wheel on the page."""
    with LocalStore(folder) as store:
        pages = listed_wheels(folder) if lines else ()
        for line in lines:
            version, instance_id, publisher = line.split()
            pin = store.resolve(PACKAGE, f"version:{version}")
            assert pin.instance_id == instance_id
            assert f"content_key:{publisher}" in store.tags(pin)
            assert f"markupsafe-{version}-py3-none-any.whl" in pages


def check_whole(folder: Path) -> None:
    with LocalStore(folder) as store:
        assert store.verify() == ()
        assert list((folder / "staging").iterdir()) == []
        if PACKAGE in store.packages():
            there = {instance.pin.instance_id for instance in store.instances(PACKAGE)}
            assert {ref.instance_id for ref in store.refs(PACKAGE)} <= there


@pytest.fixture
def quick_folder(tmp_path: Path) -> Iterator[Path]:
    """Return a new folder in memory where there is such a place: a kill means the same there, and disks are slow."""
    memory = Path("/dev/shm")  # noqa: S108  # a folder of its own is made there
    if not memory.is_dir() or shutil.disk_usage(memory).free < QUICK_BYTES:
        yield tmp_path
        return
    with tempfile.TemporaryDirectory(dir=memory) as folder:
        yield Path(folder)


def test_kill_9_at_any_moment_loses_nothing_that_was_acknowledged(quick_folder: Path) -> None:
    seed = time.time_ns()
    moments = random.Random(seed)  # noqa: S311  # moments, not secrets
    print("seed", seed)  # noqa: T201  # shown when the test fails
    store, notes, seen = quick_folder / "store", quick_folder / "acknowledged", 0
    notes.touch()
    with forks() as processes:
        longest = seconds_of_a_publication(quick_folder) * 3
        for kill in range(KILLS):
            group = processes.start("publish_forever", 3, store, quick_folder / "work", notes, f"1.{kill}")
            if kill % 2:  # every other time after something was acknowledged, else as it comes
                wait_for_more(notes, seen)
            time.sleep(moments.uniform(0, longest))
            processes.kill(group)
            lines = notes.read_text().splitlines()
            check_acknowledged(store, lines[seen:])
            seen = len(lines)
            if kill % VERIFY_EVERY == 0:
                check_whole(store)
    check_whole(store)
    check_acknowledged(store, lines)
    assert len(lines) >= KILLS / 2


def wait_for_more(notes: Path, seen: int) -> None:
    deadline = time.monotonic() + 60
    while len(notes.read_text().splitlines()) <= seen:
        assert time.monotonic() < deadline
        time.sleep(0.005)


def seconds_of_a_publication(folder: Path) -> float:
    start = time.monotonic()
    for version in ("1.0", "1.1", "1.2"):
        wheel = wheel_file(folder, version=version)
        given = Publication(PACKAGE, package_file(folder, version), (), f"version:{version}", wheel)
        with LocalStore(folder / "timed") as store:
            store.publish(given)
    return (time.monotonic() - start) / 3


def test_a_publication_that_was_cut_at_any_effect_is_completed_by_repeating_it(tmp_path: Path) -> None:
    wheel, package = wheel_file(tmp_path, version="9.0"), package_file(tmp_path)
    with LocalStore(tmp_path / "before") as store:
        old = Publication(PACKAGE, package_file(tmp_path, "old"), (), "version:8.0", wheel_file(tmp_path, version="8"))
        store.publish(old)
    given = Publication(PACKAGE, package, ("content_key:cut",), "version:9.0", wheel)
    ends: dict[bool, int] = defaultdict(int)
    with forks() as processes:
        for effect in range(1, 1000):
            folder = tmp_path / f"store{effect}"
            shutil.copytree(tmp_path / "before", folder)
            processes.start("publish_until", 1, folder, package, wheel, str(effect))
            processes.wait()
            if (folder / "done").exists():
                break
            check_whole(folder)
            with LocalStore(folder) as store:
                ends[store.exists(PACKAGE, "version:9.0")] += 1
                pin = store.publish(given).pin
                assert store.resolve(PACKAGE, "latest") == pin
            check_whole(folder)
            assert wheel.name in listed_wheels(folder)
            shutil.rmtree(folder)
    assert ends[False] > 5
    assert ends[True] > 5


def started(code: str, *arguments: object) -> subprocess.Popen[str]:
    command = [sys.executable, "-c", code, *map(str, arguments)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=REPOSITORY)


def race(store: Path, packages: list[Path], recipes: list[str]) -> list[str]:
    """Publish one version from several processes at the same time, and return what each said, sorted."""
    start = time.time() + 1
    racers = [
        started(PUBLISH_ONCE, store, package, start, recipe) for package, recipe in zip(packages, recipes, strict=True)
    ]
    outputs = [racer.communicate(timeout=120) for racer in racers]
    assert [error for _, error in outputs] == [""] * len(racers)
    return sorted(out.strip() for out, _ in outputs)


def test_of_processes_with_one_version_exactly_one_wins_and_the_others_say_so(tmp_path: Path) -> None:
    packages = [package_file(tmp_path, content * 200_000) for content in "abc"]
    for attempt in range(3):
        folder = tmp_path / f"store{attempt}"
        *losers, winner = race(folder, packages, ["1", "1", "2"])
        with LocalStore(folder) as store:
            owner = store.resolve(PACKAGE, "version:1.0").instance_id
            assert [instance.pin.instance_id for instance in store.instances(PACKAGE)] == [owner]
            assert store.resolve(PACKAGE, "latest").instance_id == owner
        check_whole(folder)
        assert winner == f"published {owner}"
        for loser in losers:
            assert loser.startswith("conflict")
            assert owner in loser
            assert "it stays as it is" in loser


def test_of_processes_with_the_same_bytes_one_is_new_and_the_others_are_there_already(tmp_path: Path) -> None:
    package = package_file(tmp_path, "a" * 200_000)
    said = race(tmp_path / "store", [package] * 3, ["1"] * 3)
    with LocalStore(tmp_path / "store") as store:
        owner = store.resolve(PACKAGE, "version:1.0").instance_id
    assert said == [f"published {owner}", f"there already {owner}", f"there already {owner}"]
    check_whole(tmp_path / "store")
