from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dockerbuild_lib.cli.run import _command
from dockerbuild_lib.core.errors import UsageError
from dockerbuild_lib.wheels.variables import Changes

NAMES = st.from_regex(r"[A-Za-z_][A-Za-z0-9_]{0,8}", fullmatch=True)
VALUES = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), min_size=1, max_size=20)


@given(NAMES, VALUES)
def test_an_assignment_keeps_its_value_to_the_letter(name: str, value: str) -> None:
    assert Changes.parsed([f"{name}={value}"], [], []).applied({}) == {name: value}


@given(st.lists(VALUES), st.lists(VALUES), VALUES)
def test_prefixes_and_suffixes_leave_no_empty_element(prefixes: list[str], suffixes: list[str], value: str) -> None:
    changes = Changes.parsed([], [f"PATHS={each}" for each in prefixes], [f"PATHS={each}" for each in suffixes])
    expected = ":".join([*reversed(prefixes), *suffixes])
    assert changes.applied({}).get("PATHS", "") == expected
    assert changes.applied({"PATHS": value})["PATHS"] == ":".join([*reversed(prefixes), value, *suffixes])


def test_a_variable_is_set_before_it_is_extended() -> None:
    assert Changes.parsed(["A=1"], ["A=0"], ["A=2"]).applied({"A": "9"}) == {"A": "0:1:2"}


@pytest.mark.parametrize("text", ["A", "=1", "1A=2", "A-B=1", ""])
@pytest.mark.parametrize("option", ["--env", "--env-prefix", "--env-suffix"])
def test_what_is_no_assignment_is_refused_with_its_option(option: str, text: str) -> None:
    given = {option: [text]}
    with pytest.raises(UsageError, match=f"{option}: .*; write NAME=VALUE"):
        Changes.parsed(given.get("--env", []), given.get("--env-prefix", []), given.get("--env-suffix", []))


def test_the_command_is_all_after_the_first_two_dashes() -> None:
    assert _command(["run", "--platform=x", "--", "make", "a b", "", "--", "-j2"], shell=False) == (
        "make",
        "a b",
        "",
        "--",
        "-j2",
    )


@pytest.mark.parametrize(("arguments", "shell"), [(["run"], False), (["run", "--"], False), (["--", "ls"], True)])
def test_either_a_command_or_a_shell(arguments: list[str], *, shell: bool) -> None:
    with pytest.raises(UsageError):
        _command(arguments, shell=shell)
