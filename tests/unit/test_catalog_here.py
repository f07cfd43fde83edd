"""Build requirements that the catalogue builds itself."""

from __future__ import annotations

from pathlib import Path

import pytest

from dockerbuild_lib.catalog.here import needed_first
from dockerbuild_lib.catalog.load import load_catalog
from tests.support.catalogs import problems_of, write_catalog


def wheel(name: str, *needed: str) -> str:
    """Return the file of a wheel that wants *needed* built here; each on a line of its own, from the third."""
    lines = "".join(f"    {one}: here\n" for one in needed)
    asked = f"  build-requires:\n{lines}" if needed else ""
    return f"{name}:\n{asked}  trial: import x\n  versions: {{1.0.0: {{}}}}\n"


def catalog(folder: Path, **needed: tuple[str, ...]) -> Path:
    """Write a catalogue of wheels and what each wants built here."""
    return write_catalog(folder, **{f"wheels__{name}": wheel(name, *wanted) for name, wanted in needed.items()})


def test_what_is_built_here_is_a_wheel_of_the_catalogue(tmp_path: Path) -> None:
    recipe = load_catalog(catalog(tmp_path, a=("b",), b=())).wheels["a"]
    assert recipe.kind == "source"
    assert recipe.built_here == ("b",)


def test_what_the_catalogue_does_not_have_cannot_be_built_here(tmp_path: Path) -> None:
    assert problems_of(catalog(tmp_path, cffi=(), a=("cfi",), b=("nothing",))) == [
        "config/wheels/a.yaml:3:5: 'cfi' cannot be built here: there is no recipe of it; did you mean 'cffi'?",
        "config/wheels/b.yaml:3:5: 'nothing' cannot be built here: there is no recipe of it; known are: a, b, cffi",
    ]


def test_what_is_taken_from_the_index_is_not_built_here(tmp_path: Path) -> None:
    what = "'six' is not built here: it is universal, which is taken from the package index"
    fix = "write 'any', or versions"
    assert problems_of(catalog(tmp_path, a=("six",))) == [f"config/wheels/a.yaml:3:5: {what}; {fix}"]


def test_a_recipe_that_cannot_be_read_is_told_once(tmp_path: Path) -> None:
    config = write_catalog(tmp_path, wheels__a=wheel("a", "b"), wheels__b="b: {}", wheels__six=None)
    assert [line.partition(": ")[0] for line in problems_of(config)] == ["config/wheels/b.yaml:1:1"]


def test_a_circle_is_told_at_each_of_its_places(tmp_path: Path) -> None:
    advice = "take one of them from the package index"
    assert problems_of(catalog(tmp_path, a=("b",), b=("d", "c"), c=("a",), d=(), e=("a",), f=("f",))) == [
        f"config/wheels/a.yaml:3:5: a circle: a needs b needs c needs a to be built; {advice}",
        f"config/wheels/b.yaml:4:5: a circle: b needs c needs a needs b to be built; {advice}",
        f"config/wheels/c.yaml:3:5: a circle: c needs a needs b needs c to be built; {advice}",
        f"config/wheels/f.yaml:3:5: a circle: f needs f to be built; {advice}",
    ]


@pytest.mark.parametrize(
    ("names", "ordered"),
    [("abcd", "dcba"), ("ab", "ba"), ("ad", "da"), ("a", "a"), ("da", "da"), ("", "")],
)
def test_what_others_need_comes_before_them(tmp_path: Path, names: str, ordered: str) -> None:
    recipes = load_catalog(catalog(tmp_path, a=("b", "c"), b=("c",), c=("d",), d=())).wheels
    assert "".join(needed_first(names, recipes)) == ordered
