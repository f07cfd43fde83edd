"""Which releases are too young, and which requirements ask for a yanked one by its very version."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from dockerbuild_lib.core.errors import LockError
from dockerbuild_lib.sources.cooldown import Cooldown
from dockerbuild_lib.sources.index_page import IndexEntry
from dockerbuild_lib.sources.yanked import is_named

NOW = datetime(2026, 7, 15, 12, tzinfo=UTC)


def uploaded(age: timedelta) -> IndexEntry:
    return IndexEntry("six-1.0.tar.gz", "http://x.example/six-1.0.tar.gz", None, None, uploaded=NOW - age)


def test_a_release_is_taken_when_its_days_are_over() -> None:
    cooldown = Cooldown(3, NOW)
    cooldown.refuse_young(uploaded(timedelta(days=3)))
    with pytest.raises(LockError, match=r"six-1\.0\.tar\.gz: it was uploaded 2 days ago, and cooldown_days asks for 3"):
        cooldown.refuse_young(uploaded(timedelta(days=3) - timedelta(microseconds=1)))


def test_a_clock_that_is_late_makes_no_negative_option() -> None:
    with pytest.raises(LockError, match="--cooldown=0"):
        Cooldown(3, NOW).refuse_young(uploaded(timedelta(days=-5)))


@pytest.mark.parametrize(
    ("requirement", "named"),
    [
        ("Zope.Interface==1.0", True),
        ("zope-interface===1.0", True),
        ("zope-interface>=0.5,==1.0.0", True),
        ("zope-interface[extra]==1.0; python_version > '3'", True),
        ("zope-interface==1.*", False),
        ("zope-interface>=1.0", False),
        ("zope-interface~=1.0", False),
        ("zope-interface==1.1", False),
        ("zope-interface", False),
        ("zope==1.0", False),
    ],
)
def test_only_an_exact_version_names_a_release(requirement: str, *, named: bool) -> None:
    assert is_named(["other==1.0", requirement], "zope-interface", "1.0") is named
