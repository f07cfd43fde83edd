"""Whatever a file holds, reading it ends with a catalogue or with a CatalogError that places every problem."""

from __future__ import annotations

import re
import tempfile
from pathlib import Path

import pytest
import yaml
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from dockerbuild_lib.catalog import yaml_nodes
from dockerbuild_lib.catalog.documents import parse_document
from dockerbuild_lib.catalog.kinds import TABLES, WHEELS
from dockerbuild_lib.catalog.load import load_catalog
from dockerbuild_lib.catalog.problems import Problems
from dockerbuild_lib.catalog.validation import validate
from dockerbuild_lib.core.errors import CatalogError
from tests.support.catalogs import write_catalog

_WORDS = ("x", "six", "trial", "versions", "kind", "universal", "3.10", "1.0.0", "libraries", "true", "~", "-1", "0b_")
_SIGNS = (
    ": ",
    ", ",
    "{",
    "}",
    "[",
    "]",
    "- ",
    "? ",
    "\n",
    "\n  ",
    "\n    ",
    "\t",
    "&a ",
    "*a",
    "<<",
    "!t ",
    "'",
    '"',
    "|\n",
)
_yaml_like = st.lists(st.sampled_from(_WORDS + _SIGNS) | st.text(max_size=3), max_size=40).map("".join)

_scalars = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5) | st.sampled_from(_WORDS)
_keys = st.sampled_from([*_WORDS, "skip", "patches", "environment", "source", "debian", "platforms", "toolchain"])
_values = st.recursive(
    _scalars, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_keys, inner, max_size=5), max_leaves=20
)

_quick = settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


def _check(text: str) -> None:
    for kind in (*TABLES, WHEELS):
        problems = Problems()
        document = parse_document(text, "a.yaml", problems)
        value = validate(document, kind, problems) if document else None
        assert value is not None or len(problems)
        for problem in problems:
            assert "\n" not in str(problem)
            assert problem.position is None or min(problem.position) >= 1


@given(_yaml_like)
@example("x: 0b_")
@example("x: " + "0x" + "f" * 5000)
@example("x: !!bool a")
@example("x: !!float {}")
@example("? ? ? a")
@example("&a {*a: *a}")
@example("x: !!timestamp a")
@example("=: =")
@_quick
def test_yaml_like_text_becomes_a_value_or_problems(text: str) -> None:
    _check(text)


@given(_values)
@_quick
def test_yaml_of_any_shape_becomes_a_value_or_problems(value: object) -> None:
    _check(yaml.safe_dump(value, allow_unicode=True))


@given(st.binary(max_size=200) | _yaml_like.map(lambda text: text.encode("utf-8", "surrogatepass")))
@settings(_quick, max_examples=60)
def test_any_bytes_in_any_file_end_in_a_catalogue_or_a_catalog_error(content: bytes) -> None:
    with tempfile.TemporaryDirectory() as folder:
        config = write_catalog(Path(folder), wheels__six=content, libraries=content)
        (config / "locks").mkdir()
        (config / "locks" / "tools.json").write_bytes(content)
        with pytest.raises(CatalogError) as caught:
            load_catalog(config)
    assert all(re.match(r"\S+?(:[1-9]\d*:[1-9]\d*)?: .", line) for line in str(caught.value).split("\n"))


@given(_yaml_like)
@settings(_quick, max_examples=60)
def test_without_libyaml_the_same_texts_are_taken(text: str) -> None:
    for loader in (yaml_nodes.Loader, yaml.SafeLoader):
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(yaml_nodes, "Loader", loader)
            _check(text)


@pytest.mark.parametrize("opening", ["[", "{a: ", "- ", "? ", "\n [", "- ? "])
def test_no_nesting_crashes_the_reader(opening: str) -> None:
    problems = Problems()
    assert parse_document(opening * 100_000, "a.yaml", problems) is None
    assert [problem.what for problem in problems] == ["more than 20 collections are nested here"]


def test_many_brackets_that_do_not_nest_are_taken() -> None:
    problems = Problems()
    document = parse_document("[" + "[], " * 10_000 + "]", "a.yaml", problems)
    assert document is not None
    assert document.value == [[]] * 10_000


def test_without_libyaml_deep_nesting_is_refused_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(yaml_nodes, "Loader", yaml.SafeLoader)
    problems = Problems()
    assert parse_document("[" * 1600, "a.yaml", problems) is None
    assert [str(problem) for problem in problems] == ["a.yaml: too many collections are nested in it; write it flatter"]


def test_texts_keep_the_words_that_yaml_gives_a_meaning_to() -> None:
    document = parse_document("a: =\nb: <<\nc: '3.10'\nd: !!str 3.10\n", "a.yaml", Problems())
    assert document is not None
    assert document.value == {"a": "=", "b": "<<", "c": "3.10", "d": "3.10"}


def test_another_owners_keys_are_not_looked_at() -> None:
    problems = Problems()
    document = parse_document("run: {a: &a 1, b: *a, a: 2}\nx: y\n", "a.yaml", problems, frozenset({"run"}))
    assert document is not None
    assert document.value == {"x": "y"}
    assert not len(problems)
