"""Sources in a store that a team shares: published by one machine, taken by another that reaches nothing else."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from dockerbuild_lib.store.local import LocalStore
from dockerbuild_lib.store.locking import exclusive_lock
from tests.support.projects import finished
from tests.support.small_supply import SDIST, Supply, damage, instances_in, small_supply, sources_in

ALL = {"native", "backend", "tool", "six"}


@pytest.fixture
def supply(tmp_path: Path) -> Iterator[Supply]:
    with small_supply(tmp_path) as supply:
        yield supply.with_team()


def alone() -> tuple[str, ...]:
    """Return what runs a program where there is no network at all."""
    return ("unshare", "--net") if os.geteuid() == 0 else ("unshare", "--user", "--map-root-user", "--net")


def test_one_machine_publishes_and_another_without_a_network_has_all_of_it(supply: Supply) -> None:
    done = supply.succeed("sources.fetch", "--all", "--upload-sources")
    assert f"4 sources published to {supply.team}, 0 there already" in done.stderr
    assert instances_in(supply.team) == instances_in(supply.store)  # the very packages
    with LocalStore(supply.store) as mine, LocalStore(supply.team) as team:
        for package in mine.packages():
            pins = [instance.pin for instance in mine.instances(package)]
            assert [instance.pin for instance in team.instances(package)] == pins
            assert team.tags_of(pins) == mine.tags_of(pins)
    assert {row["remote"] for row in supply.listed().values()} == {True}

    other = supply.elsewhere("other-area")
    asked = len(supply.server.requests)
    other.succeed("sources.fetch", "--all", through=alone())
    assert instances_in(other.store) == instances_in(supply.team)
    assert len(supply.server.requests) == asked


def test_what_the_team_lacks_is_warned_of_and_publishing_again_changes_nothing(supply: Supply) -> None:
    done = supply.succeed("sources.fetch", "--name=six")
    warning = f"warning: {supply.team} lacks 1 source of this run ({supply.files['six'].name}); --upload-sources "
    assert warning in done.stderr
    assert sources_in(supply.team) == set()

    # Nothing is to fetch any more: an upload that was stopped is completed all the same.
    done = supply.succeed("sources.fetch", "--name=six", "--name=native", "--upload-sources")
    assert f"3 sources published to {supply.team}, 0 there already" in done.stderr
    before = {path: path.stat().st_mtime_ns for path in (supply.team / "instances").iterdir()}
    done = supply.succeed("sources.fetch", "--all", "--upload-sources")
    assert f"1 source published to {supply.team}, 3 there already" in done.stderr
    assert {path: path.stat().st_mtime_ns for path in before} == before
    assert "warning" not in supply.elsewhere("other").succeed("sources.fetch", "--all").stderr


def test_a_build_publishes_its_sources_also_when_there_is_nothing_more_to_build(supply: Supply) -> None:
    wheel = ("wheel.build", "--name=six", "--upload")
    assert f"warning: {supply.team} lacks 1 source of this run" in supply.succeed(*wheel).stderr
    assert "warning" not in supply.succeed(*wheel).stderr  # no run, no word
    done = supply.succeed(*wheel, "--upload-sources")
    assert "nothing to do, published as" in done.stdout
    assert f"1 source published to {supply.team}" in done.stderr
    assert sources_in(supply.team) == {"six"}


def waits_for_a_lock(pid: int) -> bool:
    """Tell whether a process waits for a file's lock; proc_locks(5)."""
    lines = [line.split() for line in Path("/proc/locks").read_text().splitlines()]
    return any("->" in line and str(pid) in line for line in lines)


def test_an_upload_that_was_killed_is_completed_by_the_next_run(supply: Supply) -> None:
    supply.succeed("sources.fetch", "--name=six", "--upload-sources")
    supply.succeed("sources.fetch", "--all")
    with exclusive_lock(supply.team / "lock"):  # the upload waits in its middle
        process = supply.start("sources.fetch", "--all", "--upload-sources")
        while not waits_for_a_lock(process.pid):
            assert process.poll() is None
            time.sleep(0.05)
        process.kill()
        process.communicate()
    assert sources_in(supply.team) == {"six"}
    done = supply.succeed("sources.fetch", "--all", "--upload-sources")
    assert f"3 sources published to {supply.team}, 1 there already" in done.stderr
    assert instances_in(supply.team) == instances_in(supply.store)


def test_a_run_that_fails_publishes_what_it_has(supply: Supply) -> None:
    supply.serve("six", b"another six")
    done = supply.run("sources.fetch", "--all", "--upload-sources")
    assert done.code == 7, done.stderr
    assert f"3 sources published to {supply.team}" in done.stderr
    assert f"neither store has 1 source of this run ({supply.files['six'].name})" in done.stderr
    assert sources_in(supply.team) == ALL - {"six"}


def test_a_damaged_source_is_named_and_not_published_and_the_others_are(supply: Supply) -> None:
    supply.succeed("sources.fetch", "--all")
    instance_id = damage(supply.store, SDIST)
    done = supply.run("sources.fetch", "--all", "--upload-sources")
    assert done.code == 13, done.stderr
    assert instance_id in done.stderr
    assert sources_in(supply.team) == ALL - {"native"}


def test_a_damaged_source_of_the_team_is_named_and_not_taken(supply: Supply) -> None:
    supply.succeed("sources.fetch", "--all", "--upload-sources")
    instance_id = damage(supply.team, SDIST)
    other = supply.elsewhere("other-area")
    done = other.run("sources.fetch", "--all")
    assert done.code == 13, done.stderr
    assert str(supply.team / "instances" / instance_id) in done.stderr
    assert sources_in(other.store) == ALL - {"native"}
    assert instance_id in other.run("sources.verify", INVOKE_DOCKERBUILD_STORE=str(supply.team)).stdout


def test_two_machines_publish_at_the_same_time(supply: Supply) -> None:
    begun = time.time()
    machines = [supply, supply.elsewhere("other-area")]
    processes = [machine.start("sources.fetch", "--all", "--upload-sources") for machine in machines]
    ended = [finished(process, begun) for process in processes]
    assert [done.code for done in ended] == [0, 0], ended[0].stderr + ended[1].stderr
    with LocalStore(supply.team) as team:
        assert team.verify() == ()
        assert [len(team.instances(package)) for package in team.packages()] == [1, 1, 1, 1]


def test_a_remote_store_that_is_not_there_is_told_before_anything_is_fetched(supply: Supply) -> None:
    done = supply.run("sources.fetch", "--all", "--upload-sources", INVOKE_DOCKERBUILD_REMOTE_STORE="nowhere")
    assert done.code == 3, done.stderr
    assert "remote_store: " in done.stderr
    assert "nowhere is no folder; mount its disk, or make the folder" in done.stderr
    assert not supply.area.exists()


def test_a_client_that_a_remote_store_needs_and_lacks_is_told_before_anything_is_fetched(supply: Supply) -> None:
    done = supply.run(
        "sources.fetch",
        "--all",
        "--upload-sources",
        INVOKE_DOCKERBUILD_REMOTE_STORE="https://cipd.example",
        INVOKE_DOCKERBUILD_CIPD_CLIENT="no-such-client",
    )
    assert done.code == 19, done.stderr
    assert "https://cipd.example: the cipd client is not installed: no-such-client; install it, or " in done.stderr
    assert not supply.area.exists()


def test_a_team_store_that_is_gone_does_not_stop_what_needs_nothing_of_it(supply: Supply) -> None:
    supply.succeed("sources.fetch", "--all")
    done = supply.run("sources.fetch", "--all", "--force", INVOKE_DOCKERBUILD_REMOTE_STORE="nowhere")
    assert done.code == 0, done.stderr
    assert "warning: the remote store could not be asked for sources: remote_store: " in done.stderr


def test_without_a_remote_store_nothing_is_said_and_uploading_is_refused(tmp_path: Path) -> None:
    with small_supply(tmp_path) as supply:
        assert "warning" not in supply.succeed("sources.fetch", "--name=six").stderr
        done = supply.run("sources.fetch", "--name=six", "--upload-sources")
    assert done.code == 3
    assert "no remote store is set; name it as remote_store in invoke.yaml" in done.stderr
