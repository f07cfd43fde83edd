"""Requirements from outside: of pyproject.toml, of the recipe, and a build backend's answer."""

from __future__ import annotations

import json
import string
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st
from packaging.requirements import Requirement

from dockerbuild_lib.catalog.build_requires import merged
from dockerbuild_lib.core.errors import LockError
from dockerbuild_lib.sources.requirements import index_requirement, parse_answer, specifiers_of

NAMES = st.from_regex(r"[A-Za-z][A-Za-z0-9]{0,8}", fullmatch=True)
SPECIFIERS = st.sampled_from(["", ">=1", "<80", "==1.2.*", "~=2.1", "!=3", ">=1,<2"])
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)


def test_an_answer_is_sorted_and_each_requirement_written_in_the_usual_form() -> None:
    content = b'["wheel", "ninja >= 1.8.2", "cffi>=1; python_version < \'4\'", "wheel"]'
    assert parse_answer(content, "x 1") == ('cffi>=1; python_version < "4"', "ninja>=1.8.2", "wheel")


def test_a_backend_may_need_nothing() -> None:
    assert parse_answer(b"[]", "x 1") == ()


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (None, "it is no JSON"),
        (b"", "it is no JSON"),
        (b"\xff\xfe", "it is no JSON"),
        (b"[" * 100_000, "it is no JSON"),
        (b'"wheel"', "it is no list of requirements"),
        (b'{"wheel": 1}', "it is no list of requirements"),
        (b"[1]", "it is no list of requirements"),
        (b'[["wheel"]]', "it is no list of requirements"),
        (b'["-r /etc/passwd"]', "'-r /etc/passwd' is no requirement (PEP 508)"),
        (b'["wheel\\n--index-url x"]', "is no requirement (PEP 508)"),
        (b'[""]', "is no requirement (PEP 508)"),
    ],
)
def test_an_answer_that_is_none_is_refused_with_whose_it_is(content: bytes | None, said: str) -> None:
    with pytest.raises(LockError) as caught:
        parse_answer(content, "x 1")
    assert str(caught.value).startswith("x 1: the answer of its build backend cannot be used: ")
    assert said in str(caught.value)


@given(st.lists(st.tuples(NAMES, SPECIFIERS)))
def test_every_requirement_of_an_answer_is_kept(asked: list[tuple[str, str]]) -> None:
    texts = [f"{name}{specifier}" for name, specifier in asked]
    assert set(map(Requirement, parse_answer(json.dumps(texts).encode(), "x"))) == set(map(Requirement, texts))


@given(st.binary() | JSON.map(lambda value: json.dumps(value).encode()))
def test_whatever_is_answered_becomes_requirements_or_an_error_of_ours(content: bytes) -> None:
    with suppress(LockError):
        assert all(str(Requirement(text)) == text for text in parse_answer(content, "x"))


@given(st.text(string.printable))
def test_what_goes_to_the_resolver_is_one_line_that_names_a_project(text: str) -> None:
    with suppress(LockError):
        line = str(index_requirement(text))
        assert len(line.splitlines()) == 1
        assert line[0].isalnum()


def test_an_address_is_no_requirement_of_the_index() -> None:
    with pytest.raises(LockError, match="is an address"):
        index_requirement("a @ https://x.example/a.whl")


@pytest.mark.parametrize(
    ("own", "whole"),
    [
        ({}, ("setuptools>=61", "Cython[x]<4")),
        ({"wheel": "any"}, ("setuptools>=61", "Cython[x]<4", "wheel")),
        ({"setuptools": "<80"}, ("Cython[x]<4", "setuptools <80")),
        ({"cython": "here"}, ("setuptools>=61",)),
        ({"cython": "[y]==3.*; python_version<'4'"}, ("setuptools>=61", "cython [y]==3.*; python_version<'4'")),
    ],
)
def test_the_recipes_word_takes_the_place_of_what_is_asked(own: dict[str, str], whole: tuple[str, ...]) -> None:
    assert merged(["setuptools >= 61", "Cython[x]<4"], own) == whole


def test_an_address_may_be_asked_for_when_the_recipe_has_its_own_word() -> None:
    asked = ["a @ https://x.example/a.whl"]
    assert merged(asked, {"a": "any"}) == ("a",)
    with pytest.raises(LockError, match="is an address"):
        index_requirement(merged(asked, {"b": "any"})[0])


def test_only_what_applies_to_the_build_machine_says_which_version() -> None:
    asked = [
        "cffi>=2",
        "CFFI>=2.1; python_version >= '3.15'",
        "cffi<1; platform_python_implementation == 'PyPy' or sys_platform == 'win32' or platform_machine == 'arm64'",
        "cffi!=2.0.1; platform_system == 'Linux' and python_full_version >= '3.11.0' and os_name == 'posix'",
        "pycparser",
    ]
    assert [str(one) for one in specifiers_of(asked, "cffi", "3.11")] == [">=2", "!=2.0.1"]
    assert [str(one) for one in specifiers_of(asked, "cffi", "3.15")] == [">=2", ">=2.1", "!=2.0.1"]
