"""The plan of fetching: each file once, asked for in one question, under a name of its own."""

from __future__ import annotations

import pytest

from dockerbuild_lib.catalog.locks import IndexFile
from dockerbuild_lib.execution.graph import Graph
from dockerbuild_lib.plan.make import plan_fetches
from dockerbuild_lib.plan.steps import FetchWork, Lane
from tests.support.worlds import World


def inventory_of(*sha256s: str) -> World:
    return World(sha256s=frozenset(sha256s))


def file(digit: str, filename: str = "six-1.0.tar.gz") -> IndexFile:
    return IndexFile(distribution="six", version="1.0", filename=filename, sha256=digit * 64, size=1)


def test_only_what_is_not_interned_is_to_do() -> None:
    inventory = inventory_of("a" * 64)
    plan = plan_fetches([file("a", "a.whl"), file("b", "b.whl")], inventory, again=False)
    assert [(planned.step.id, planned.status) for planned in plan.steps] == [
        ("fetch a.whl", "hit"),
        ("fetch b.whl", "to do"),
    ]
    assert [step.work for step in plan.to_do] == [FetchWork(file("b", "b.whl"))]
    assert inventory.questions == 1


def test_again_means_everything_whatever_the_store_has() -> None:
    plan = plan_fetches([file("a")], inventory_of("a" * 64), again=True)
    assert [step.id for step in plan.to_do] == ["fetch six-1.0.tar.gz"]


def test_one_file_that_several_want_is_fetched_once() -> None:
    assert len(plan_fetches([file("a"), file("a")], inventory_of(), again=False).steps) == 1


def test_other_files_of_one_name_are_steps_of_their_own() -> None:
    steps = plan_fetches([file("a"), file("b"), file("c", "c.whl")], inventory_of(), again=False).to_do
    assert [step.id for step in steps] == [
        "fetch six-1.0.tar.gz",
        f"fetch six-1.0.tar.gz {'b' * 12}",
        "fetch c.whl",
    ]
    assert Graph(steps).take([Lane.DOWNLOADS])


@pytest.mark.parametrize("again", [False, True])
def test_nothing_is_no_question(again: bool) -> None:  # noqa: FBT001 - a parameter of the test
    inventory = inventory_of()
    assert plan_fetches([], inventory, again=again).steps == ()
    assert inventory.questions == 0
