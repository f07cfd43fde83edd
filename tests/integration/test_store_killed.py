"""The embedded store under SIGKILL, and with two processes that want the same thing."""

from __future__ import annotations

import random
import subprocess
import sys
import time
from pathlib import Path

from dockerbuild_lib.store.local import LocalStore
from dockerbuild_lib.store.protocol import Publication
from tests.support.store_samples import PACKAGE, package_file, wheel_file

REPOSITORY = Path(__file__).parents[2]
KILLS = 20

PUBLISH_FOREVER = f"""
import sys
from itertools import count
from pathlib import Path
from dockerbuild_lib.store.local import LocalStore
from dockerbuild_lib.store.protocol import Publication
from tests.support.store_samples import package_file, wheel_file
store, work, name = LocalStore(Path(sys.argv[1])), Path(sys.argv[2]), sys.argv[3]
for number in count():
    version = f"{{name}}.{{number}}"
    package = package_file(work, version * 20_000)
    wheel = wheel_file(work, version=version)
    store.publish(Publication("{PACKAGE}", package, (f"content_key:{{version}}",), f"version:{{version}}", wheel))
    print(version, flush=True)
"""

PUBLISH_ONCE = f"""
import sys, time
from pathlib import Path
from dockerbuild_lib.core.errors import VersionConflictError
from dockerbuild_lib.store.local import LocalStore
from dockerbuild_lib.store.protocol import Publication
time.sleep(max(0.0, float(sys.argv[3]) - time.time()))
try:
    store = LocalStore(Path(sys.argv[1]))
    print(store.publish(Publication("{PACKAGE}", Path(sys.argv[2]), (), "version:1.0")).pin.instance_id)
except VersionConflictError as error:
    print("conflict", error)
"""


def started(code: str, *arguments: object) -> subprocess.Popen[str]:
    command = [sys.executable, "-c", code, *map(str, arguments)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=REPOSITORY)


def check(folder: Path, acknowledged: list[str]) -> None:
    with LocalStore(folder) as store:
        assert store.verify() == ()
        wheels = store.simple_index.wheels("markupsafe")
        for version in acknowledged:
            pin = store.resolve(PACKAGE, f"version:{version}")
            assert f"content_key:{version}" in store.tags(pin)
            assert f"markupsafe-{version}-py3-none-any.whl" in wheels
        for ref in store.refs(PACKAGE) if acknowledged else ():
            assert store.resolve(PACKAGE, ref.ref).instance_id == ref.instance_id


def test_kill_9_at_any_moment_loses_nothing_that_was_acknowledged(tmp_path: Path) -> None:
    seed = time.time_ns()
    moments, acknowledged = random.Random(seed), list[str]()  # noqa: S311  # moments, not secrets
    for kill in range(KILLS):
        publishers = [
            started(PUBLISH_FOREVER, tmp_path / "store", tmp_path / f"work{kill}{who}", f"{who}.{kill}")
            for who in (1, 2)
        ]
        for publisher in publishers:
            assert publisher.stdout
            acknowledged.append(publisher.stdout.readline().strip())
        time.sleep(moments.uniform(0, 0.1))
        for publisher in publishers:
            publisher.kill()
            acknowledged.extend(publisher.communicate()[0].split())
        check(tmp_path / "store", acknowledged)
    assert len(acknowledged) >= 2 * KILLS, f"seed {seed}"
    assert all(acknowledged)


def test_a_publication_that_was_cut_is_completed_by_repeating_it(tmp_path: Path) -> None:
    wheel, package = wheel_file(tmp_path, version="9.0"), package_file(tmp_path)
    for moment in (0.0, 0.05, 0.1, 0.15, 0.2):
        publisher = started(PUBLISH_FOREVER, tmp_path / "store", tmp_path / "work", "3")
        time.sleep(moment)
        publisher.kill()
        publisher.communicate()
    with LocalStore(tmp_path / "store") as store:
        given = Publication(PACKAGE, package, ("content_key:9.0",), "version:9.0", wheel)
        assert store.publish(given).pin == store.publish(given).pin
    check(tmp_path / "store", ["9.0"])


def test_of_two_processes_with_one_version_exactly_one_wins(tmp_path: Path) -> None:
    packages = [package_file(tmp_path, content * 200_000) for content in "ab"]
    for attempt in range(4):
        store_folder, start = tmp_path / f"store{attempt}", time.time() + 0.5
        racers = [started(PUBLISH_ONCE, store_folder, package, start) for package in packages]
        outputs = [racer.communicate(timeout=60) for racer in racers]
        said = sorted((out.strip() for out, _ in outputs), key=lambda text: text.startswith("conflict"))
        with LocalStore(store_folder) as store:
            winner = store.resolve(PACKAGE, "version:1.0").instance_id
            assert [instance.pin.instance_id for instance in store.instances(PACKAGE)] == [winner]
            assert store.resolve(PACKAGE, "latest").instance_id == winner
            assert store.verify() == ()
        assert said[0] == winner, outputs
        assert said[1].startswith("conflict"), outputs
        assert winner in said[1]
