"""uv's answers, and what it is asked."""

from __future__ import annotations

import pytest

from dockerbuild_lib.core.errors import LockError
from dockerbuild_lib.sources.http import HttpSettings
from dockerbuild_lib.sources.package_index import IndexConfiguration
from dockerbuild_lib.sources.resolve import Resolved, parse_requirements, resolve

A, B = "a" * 64, "b" * 64


def test_pins_with_their_hashes() -> None:
    first = f"Zope.Interface==1.0 \\\n    --hash=sha256:{A} \\\n    --hash=sha256:{B}\n"
    text = f"# a comment\n{first}attrs==2 --hash=sha256:{B}\n\n"
    assert parse_requirements(text) == (
        Resolved("attrs", "2", frozenset({B})),
        Resolved("zope-interface", "1.0", frozenset({A, B})),
    )


def test_what_lies_here_is_no_pin() -> None:
    text = (
        f"Some.Thing @ file:///x/some_thing-1-py3-none-any.whl \\\n    --hash=sha256:{A}\nattrs==2 --hash=sha256:{B}\n"
    )
    assert parse_requirements(text, ["some-thing"]) == (Resolved("attrs", "2", frozenset({B})),)
    with pytest.raises(LockError, match="cannot be locked"):
        parse_requirements(text, ["other"])


@pytest.mark.parametrize("line", ["a @ https://x.example/a.whl", "-e .", "a>=1", "--index-url https://x.example"])
def test_what_is_no_pin_is_refused(line: str) -> None:
    with pytest.raises(LockError, match="cannot be locked"):
        parse_requirements(line)


@pytest.mark.parametrize("requirement", ["-r /etc/passwd", "a\n--index-url x", "https://x.example/a.whl", "", "a b"])
def test_only_requirements_reach_the_resolver(requirement: str) -> None:
    with pytest.raises(LockError, match="is no requirement"):
        resolve((requirement,), "3.11", IndexConfiguration(("http://127.0.0.1:1/",), HttpSettings()))


def test_a_requirement_by_address_is_refused() -> None:
    with pytest.raises(LockError, match="is an address"):
        resolve(("a @ https://x.example/a.whl",), "3.11", IndexConfiguration(("http://127.0.0.1:1/",)))
