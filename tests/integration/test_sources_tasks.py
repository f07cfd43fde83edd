"""Sources as their users see them: listed, fetched, verified, explained; each test runs the tasks themselves."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.projects import Done, finished
from tests.support.small_supply import SDIST, Supply, damage, instances_in, small_supply, sources_in

ALL = {"native", "backend", "tool", "six"}


@pytest.fixture
def supply(tmp_path: Path) -> Iterator[Supply]:
    with small_supply(tmp_path) as supply:
        yield supply


@pytest.fixture
def filled(supply: Supply) -> Supply:
    """A supply whose sources are all interned."""
    supply.succeed("sources.fetch", "--all")
    return supply


def refused(done: Done, code: int, *told: str) -> None:
    assert done.code == code, done.stdout + done.stderr
    assert [text for text in told if text not in done.stderr] == [], done.stderr
    assert "Traceback" not in done.stderr


def test_everything_is_fetched_once_and_then_not_asked_for_again(supply: Supply) -> None:
    done = supply.succeed("sources.fetch", "--all")
    assert done.stdout == "4 sources in the store, 4 new\n"
    assert "4 steps in " in done.stderr
    assert sources_in(supply.store) == ALL
    summary = json.loads((supply.area / "runs/latest/summary.json").read_text())
    assert {step["status"] for step in summary["steps"]} == {"done"}

    asked, runs = len(supply.server.requests), len(list((supply.area / "runs").iterdir()))
    assert supply.succeed("sources.fetch", "--all").stdout == "4 sources in the store, 0 new\n"
    assert len(supply.server.requests) == asked
    assert len(list((supply.area / "runs").iterdir())) == runs


def test_the_sources_of_one_wheel_are_those_that_it_needs(supply: Supply) -> None:
    supply.succeed("sources.fetch", "--name=native", "--name=tools", "--jobs=1")
    assert sources_in(supply.store) == ALL - {"six"}
    rows = supply.listed()
    assert {name for name, row in rows.items() if row["interned"]} == ALL - {"six"}
    assert {row["remote"] for row in rows.values()} == {None}


def test_what_fails_is_told_beside_what_is_fetched(supply: Supply) -> None:
    supply.serve("six", b"another six")
    supply.serve("backend", b"another backend")
    done = supply.run("sources.fetch", "--all")
    refused(done, 7, "2 steps failed", "fetch six-1.17.0", "fetch backend-2.0", "is locked")
    assert sources_in(supply.store) == {"native", "tool"}


def test_what_is_not_locked_is_told_after_the_rest_is_fetched(supply: Supply) -> None:
    (supply.config / "locks/wheels/six.json").unlink()
    refused(supply.run("sources.fetch", "--all"), 8, "1 source not locked: six 1.17.0; run sources.lock")
    assert sources_in(supply.store) == ALL - {"six"}
    six = supply.listed()["six"]
    assert (six["locked"], six["interned"], six["sha256"]) == (False, False, None)


def test_a_failure_does_not_hide_what_is_not_locked(supply: Supply) -> None:
    (supply.config / "locks/wheels/six.json").unlink()
    supply.serve("tool", b"another tool")
    refused(supply.run("sources.fetch", "--all"), 7, "warning: 1 source not locked: six 1.17.0", "tool-3.0")


def state(supply: Supply) -> dict[str, tuple[bytes, int]]:
    """Return the package files and locks with the times of their last change."""
    files = [*(supply.store / "instances").iterdir(), *(supply.config / "locks").rglob("*.json")]
    return {path.name: (path.read_bytes(), path.stat().st_mtime_ns) for path in files}


def test_force_asks_upstream_again_and_changes_nothing_when_it_has_the_same(filled: Supply) -> None:
    before = state(filled)
    done = filled.succeed("sources.fetch", "--all", "--force")
    assert done.stdout == "4 sources in the store, 4 fetched again, and as locked\n"
    assert filled.downloads() == sorted(2 * [file.name for file in filled.files.values()])
    assert state(filled) == before


def test_force_tells_what_upstream_changed_and_changes_nothing(filled: Supply) -> None:
    before = state(filled)
    filled.serve("six", b"another six")
    done = filled.run("sources.fetch", "--name=six", "--force")
    refused(done, 7, filled.files["six"].name, "is locked")
    assert state(filled) == before
    assert filled.succeed("sources.fetch", "--name=six").stdout == "1 source in the store, 0 new\n"


def test_a_damaged_source_is_named_and_force_brings_it_back(filled: Supply) -> None:
    before = instances_in(filled.store)
    instance_id = damage(filled.store, SDIST)
    done = filled.run("sources.verify")
    refused(done, 13, "1 of 4 interned sources are damaged", "sources.fetch --force")
    (line,) = [line for line in done.stdout.splitlines() if instance_id in line]
    package, file, expected, actual = line.split()
    assert (package, file, expected) == ("infra/third_party/source/native", "native-1.0.tar.gz", instance_id)
    assert actual not in before
    done = filled.run("sources.verify", "--json")
    assert (done.code, [each["actual"] for each in done.json["damaged"]]) == (13, [actual])

    filled.succeed("sources.fetch", "--name=native", "--force")
    assert instances_in(filled.store) == before


def test_verify_tells_what_the_catalogue_needs_and_the_store_lacks(supply: Supply) -> None:
    supply.succeed("sources.fetch", "--name=native")
    told = supply.succeed("sources.verify").stdout.splitlines()
    assert sorted(told[:-1]) == [f"not interned: {supply.files[name].name}" for name in ("six", "tool")]
    assert told[-1].startswith("2 interned sources read (")
    assert told[-1].endswith("): 0 damaged, 2 not interned")


def test_who_uses_a_source_is_told(supply: Supply) -> None:
    done = supply.succeed("sources.why", "backend")
    assert "wheel native 1.0: build requirement for Python 3.11" in done.stdout
    (tool,) = supply.succeed("sources.why", "tool-3.0-py3-none-any.whl", "--json").json
    assert [(use["kind"], use["name"], use["as"]) for use in tool["used_by"]] == [("image", "debian", "tool")]


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("sources.fetch",), "give --name=NAME for those of a wheel or library, or --all"),
        (("sources.fetch", "--all", "--name=six"), "both --name and --all are given"),
        (("sources.fetch", "--name=sixx"), "--name: unknown wheel or library 'sixx'; did you mean 'six'?"),
        (("sources.fetch", "--all", "--jobs=0"), "--jobs=0 is too small"),
        (("sources.why", "backnd"), "the catalogue needs no source 'backnd'; did you mean 'backend'?"),
        (("sources.why",), "./dockerbuild --help sources.why lists the options"),
    ],
)
def test_what_cannot_be_meant_is_refused(supply: Supply, arguments: tuple[str, ...], told: str) -> None:
    refused(supply.run(*arguments), 2, told)


def test_two_processes_that_fetch_the_same_share_the_downloads(supply: Supply) -> None:
    begun = time.time()
    both = [supply.start("sources.fetch", "--all") for _ in range(2)]
    ended = [finished(process, begun) for process in both]
    assert [done.code for done in ended] == [0, 0], ended[0].stderr + ended[1].stderr
    assert supply.downloads() == sorted(file.name for file in supply.files.values())
    assert sources_in(supply.store) == ALL


def test_a_store_that_may_not_be_written_is_told(supply: Supply, tmp_path: Path) -> None:
    store = tmp_path / "sealed"
    store.mkdir(mode=0o555)
    without_privileges = ("setpriv", "--bounding-set=-all", "--inh-caps=-all") if os.geteuid() == 0 else ()
    done = supply.run(
        "sources.fetch", "--name=six", through=without_privileges, INVOKE_DOCKERBUILD_STORE=str(store / "store")
    )
    refused(done, 23, "fetch six-1.17.0", str(store), "make it writable for this user")
    assert list(store.iterdir()) == []
