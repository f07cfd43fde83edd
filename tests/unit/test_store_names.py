"""Names, tags, refs and versions, with the vectors of CIPD's own tests."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dockerbuild_lib.core.errors import UsageError
from dockerbuild_lib.store.names import (
    check_instance_id,
    check_package,
    check_prefix,
    check_ref,
    check_tag,
    check_version,
    instance_id_of,
    instance_id_of_file,
    is_instance_id,
    split_package_version,
    version_of,
)

GOOD_PACKAGES = ("good/name", "good_name", "123-_/also/good/name", "good.name/.name/..name")
BAD_PACKAGES = (
    "", "/", "BAD/name", "bad//name", "bad/name/", "/bad/name", "bad/name\nyeah", "bad/name\n", "./name",
    "name/../name", "../../yeah", "...", "a/.", "a b", "plus+", "ünï",
)  # fmt: skip
GOOD_TAGS = ("good:tag", "good:tag:blah", r"good_tag:A a0$()*+,-./:;<=>@\_{}~", "version:1.0+local", "k:" + "v" * 398)
BAD_TAGS = (
    "", "notapair", "long" * 200 + ":abc", "BADKEY:value", "empty_val:", " space:a", "space :a", "space: a", "space:a ",
    "newline:a\n", "tab:a\tb", "version:1!2.0", "k:100%", "k:a&b", "k:'a'", 'k:"a"', "k:#", "k:" + "v" * 399, "k:ü",
)  # fmt: skip
GOOD_REFS = ("some-ref", "ref/with/slashes.and.dots", "latest", "1.x", "a" * 41, "r" * 256)
BAD_REFS = ("", "a" * 40, "good:tag", "1.2.X", "a" * 257, "latest\n", "a b", "a" * 39)
GOOD_IDS = (
    "a" * 40,
    "0123456789abcdefaaaaaaaaaaaaaaaaaaaaaaaa",
    "B7r75joOfFfFcq7fHCKAIrU34oeFAT174Bf8eHMajMUC",
    "-dXsPJ3XDdzO3GLNqekTAmNfIXtE697vame6_4_HNUkC",
    "ytsp2xXp26LpDqWLjKOUmpGorZXaEJGryJO1-Nkp5t0C",
)
BAD_IDS = (
    "", "€aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", "a" * 41, "g" + "a" * 39, "AAA" + "a" * 37,
    "B7r75joOfFfFcq7fHCKAIrU34oeFAT174Bf8eHMajM==", "/7r75joOfFfFcq7fHCKAIrU34oeFAT174Bf8eHMajMUC",
    "B7r75joOfFfFcq7fHCKAIrU34oeFAT174Bf8eHMajMUA", "AAAAAAAAAAAAAAAAAAAAAAAAAAAC",
)  # fmt: skip
IDS_OF_UNKNOWN_HASHES = ("B7r75joOfFfFcq7fHCKAIrU34oeFAT174Bf8eHMajMUD", "a" * 39)


@pytest.mark.parametrize(
    ("check", "good"),
    [
        *((check_package, name) for name in GOOD_PACKAGES),
        *((check_tag, tag) for tag in GOOD_TAGS),
        *((check_ref, ref) for ref in GOOD_REFS),
        *((check_instance_id, each) for each in GOOD_IDS),
        *((check_version, each) for each in (*GOOD_IDS, *GOOD_TAGS, "latest", *IDS_OF_UNKNOWN_HASHES)),
    ],
)
def test_good_names_are_returned(check: Callable[[str], str], good: str) -> None:
    assert check(good) == good


@pytest.mark.parametrize(
    ("check", "bad"),
    [
        *((check_package, name) for name in BAD_PACKAGES),
        *((check_tag, tag) for tag in BAD_TAGS),
        *((check_ref, ref) for ref in BAD_REFS),
        *((check_instance_id, each) for each in (*BAD_IDS, *IDS_OF_UNKNOWN_HASHES)),
        *((check_version, each) for each in ("BADTAG:", "Latest", "", "a b")),
    ],
)
def test_bad_names_are_refused(check: Callable[[str], str], bad: str) -> None:
    with pytest.raises(UsageError):
        check(bad)


@pytest.mark.parametrize(
    ("prefix", "expected"), [("good/name/", "good/name"), ("good/name", "good/name"), ("", ""), ("/", "")]
)
def test_a_prefix_loses_its_last_slash(prefix: str, expected: str) -> None:
    assert check_prefix(prefix) == expected


@pytest.mark.parametrize("prefix", ["BAD/name", "bad//name", "bad/name//", "/bad/name", "..."])
def test_bad_prefixes_are_refused(prefix: str) -> None:
    with pytest.raises(UsageError):
        check_prefix(prefix)


def test_an_instance_id_is_the_hash_and_its_kind(tmp_path: Path) -> None:
    digest = bytes.fromhex("a948904f2f0f479b8f8197694b30184b0d2ed1c1cd2a1ec0fb85d299a192a447")
    assert instance_id_of(digest) == "qUiQTy8PR5uPgZdpSzAYSw0u0cHNKh7A-4XSmaGSpEcC"
    (tmp_path / "file").write_bytes(b"hello world\n")
    assert instance_id_of_file(tmp_path / "file") == "qUiQTy8PR5uPgZdpSzAYSw0u0cHNKh7A-4XSmaGSpEcC"


def test_only_version_tags_have_a_version() -> None:
    assert version_of("version:1.0:2") == "1.0:2"
    assert version_of("content_key:1.0") is None
    assert version_of("version") is None


@given(st.binary(max_size=100))
def test_every_hash_makes_an_instance_id_that_is_no_ref(content: bytes) -> None:
    instance_id = instance_id_of(hashlib.sha256(content).digest())
    assert is_instance_id(instance_id)
    assert len(instance_id) == 44
    with pytest.raises(UsageError):
        check_ref(instance_id.lower() if is_instance_id(instance_id.lower()) else instance_id)


@given(st.text(max_size=60))
def test_no_text_does_more_than_be_refused(text: str) -> None:
    for check in (check_package, check_prefix, check_tag, check_ref, check_instance_id, check_version):
        with suppress(UsageError):
            check(text)


@given(st.from_regex(r"\A([a-z0-9_\-\.]+/)*[a-z0-9_\-\.]+\Z", fullmatch=True))
def test_packages_are_what_the_pattern_takes_less_components_of_dots(name: str) -> None:
    dots = any(re.fullmatch(r"\.+", component) for component in name.split("/"))
    if dots:
        with pytest.raises(UsageError):
            check_package(name)
    else:
        assert check_package(name) == name


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("a/b", ("a/b", "latest")),
        ("a/b@1.x", ("a/b", "1.x")),
        ("a/*@k:v@w", ("a/*", "k:v@w")),
        ("a@version:1.0", ("a", "version:1.0")),
    ],
)
def test_a_package_may_be_named_with_its_version(text: str, parts: tuple[str, str]) -> None:
    assert split_package_version(text) == parts


@pytest.mark.parametrize("text", ["a/b@", "a/b@No Version", "a@b@c"])
def test_a_package_may_not_be_named_with_anything_else(text: str) -> None:
    with pytest.raises(UsageError):
        split_package_version(text)
