"""Which ref points to which version."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from packaging.version import Version

from dockerbuild_lib.plan.refs import MAX_REF, parse_published_version, refs_of

RELEASES = st.lists(st.integers(0, 30), min_size=1, max_size=4).map(lambda parts: ".".join(map(str, parts)))
SUFFIXES = st.sampled_from(("", "", "", "rc1", ".dev3", ".post1", ".dockerbuild.2", ".chromium.11", "+local.1"))
VERSIONS = st.builds(str.__add__, RELEASES, SUFFIXES)


def test_every_prefix_of_a_version_is_a_series() -> None:
    assert refs_of(["3.0.4"]) == {"latest": "3.0.4", "3.x": "3.0.4", "3.0.x": "3.0.4"}
    assert refs_of(["1.8.7.3"]) == dict.fromkeys(("latest", "1.x", "1.8.x", "1.8.7.x"), "1.8.7.3")


def test_a_version_of_one_component_starts_no_series() -> None:
    assert refs_of(["306"]) == {"latest": "306"}


def test_the_newest_by_number_not_by_text() -> None:
    refs = refs_of(["1.9.0", "1.10.0", "1.2.0"])
    assert refs == {"latest": "1.10.0", "1.x": "1.10.0", "1.9.x": "1.9.0", "1.10.x": "1.10.0", "1.2.x": "1.2.0"}


def test_a_prerelease_only_where_there_is_nothing_else() -> None:
    refs = refs_of(["1.0", "2.0rc1", "2.0.dev5"])
    assert refs == {"latest": "1.0", "1.x": "1.0", "2.x": "2.0rc1"}


def test_a_shorter_version_belongs_to_the_series_that_a_longer_one_starts() -> None:
    assert refs_of(["1.2", "1.2.1rc1"])["1.2.x"] == "1.2"


@pytest.mark.parametrize(
    ("older", "newer"),
    [
        ("3.0.4", "3.0.4.dockerbuild.1"),
        ("3.0.4.dockerbuild.1", "3.0.4.dockerbuild.2"),
        ("3.0.4.dockerbuild.9", "3.0.4.dockerbuild.10"),
        ("3.0.4.dockerbuild.10", "3.0.5"),
        ("1.15.0", "1.15.0.chromium.4"),
        ("1.20.supported.2", "1.20.1"),
        ("2.1.0", "2.1.0.post1"),
        ("2.1.0.post1.chromium.1", "2.1.1"),
        ("1.0+local.1", "1.0+local.2"),
    ],
)
def test_a_revision_is_newer_than_its_version_and_older_than_the_next(older: str, newer: str) -> None:
    for order in ([older, newer], [newer, older]):
        assert refs_of(order)["latest"] == newer


def test_a_revision_is_in_the_series_of_its_version() -> None:
    assert refs_of(["1.15.0.chromium.4"]) == dict.fromkeys(("latest", "1.x", "1.15.x"), "1.15.0.chromium.4")


@pytest.mark.parametrize(
    "text", ["2.5.6-5c85ed3d46137b17da04c59bcd805ee5", "", "main", "1.0.x", "..", "1.0.a.b", "9" * 5000]
)
def test_what_is_no_version_gets_no_ref_and_does_no_harm(text: str) -> None:
    assert parse_published_version(text) is None
    assert refs_of([text]) == {}
    assert refs_of([text, "1.0"])["latest"] == "1.0"


def test_a_series_with_too_long_a_name_gets_no_ref() -> None:
    assert all(len(ref) <= MAX_REF for ref in refs_of([".".join(["1000"] * 70)]))


@given(st.lists(VERSIONS, max_size=8))
def test_refs_are_the_newest_of_their_series_in_any_order(versions: list[str]) -> None:
    refs = refs_of(versions)
    assert refs_of(reversed(versions)) == refs
    assert set(refs.values()) <= set(versions)
    for ref, version in refs.items():
        prefix = () if ref == "latest" else tuple(map(int, ref.removesuffix(".x").split(".")))
        parsed = {text: parse_published_version(text) for text in versions}
        series = [p for p in parsed.values() if p and p.version.release[: len(prefix)] == prefix]
        final = [p for p in series if not p.is_prerelease] or series
        assert parsed[version] == max(final)


@given(st.text(max_size=30))
def test_any_text_is_a_version_or_none(text: str) -> None:
    parsed = parse_published_version(text)
    assert parsed is None or isinstance(parsed.version, Version)
