"""Which wheels run where others run, by their platform tags."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dockerbuild_lib.catalog.platform_tags import (
    accepted_tags,
    claimable_tags,
    glibc_minor,
    newest_glibc,
    promised_glibc,
    raised_tags,
)


def test_older_systems_and_their_older_names_are_accepted_the_newest_first() -> None:
    accepted = accepted_tags(["manylinux_2_17_x86_64", "manylinux2014_x86_64", "linux_x86_64"])
    assert accepted[:3] == ("manylinux_2_17_x86_64", "manylinux2014_x86_64", "manylinux_2_16_x86_64")
    assert accepted[-3:] == ("manylinux_2_5_x86_64", "manylinux1_x86_64", "linux_x86_64")
    assert "manylinux_2_18_x86_64" not in accepted
    assert len(set(accepted)) == len(accepted)


def test_a_tag_without_a_glibc_accepts_itself() -> None:
    assert accepted_tags(["linux_riscv64", "win_amd64"]) == ("linux_riscv64", "win_amd64")


@pytest.mark.parametrize(
    ("tag", "accepted", "refused"),
    [
        (
            "macosx_11_0_arm64",
            ["macosx_11_0_arm64", "macosx_11_0_universal2", "macosx_10_9_universal2"],
            ["macosx_12_0_arm64", "macosx_10_9_x86_64", "macosx_11_0_x86_64"],
        ),
        (
            "macosx_10_15_x86_64",
            ["macosx_10_15_x86_64", "macosx_10_15_universal2", "macosx_10_9_x86_64", "macosx_10_9_universal2"],
            ["macosx_11_0_x86_64", "macosx_10_9_arm64"],
        ),
        ("macosx_11_0_universal2", ["macosx_11_0_universal2", "macosx_10_9_universal2"], ["macosx_11_0_arm64"]),
    ],
)
def test_a_mac_takes_what_is_for_it_and_older_ones_the_best_first(
    tag: str, accepted: list[str], refused: list[str]
) -> None:
    found = accepted_tags([tag])
    assert [each for each in found if each in accepted] == accepted
    assert not set(found) & set(refused)


def test_newer_systems_may_be_named_beside() -> None:
    claimable = claimable_tags(["manylinux_2_17_aarch64"])
    assert {"manylinux_2_28_aarch64", "manylinux_2_17_aarch64", "manylinux1_aarch64"} <= set(claimable)
    assert "manylinux_2_28_x86_64" not in claimable
    assert claimable_tags(["win32"]) == ("win32",)


@pytest.mark.parametrize(
    ("tags", "glibc"),
    [
        (["linux_x86_64", "manylinux_2_9_x86_64", "manylinux_2_17_x86_64"], "2.17"),
        (["linux_x86_64"], None),
        ([], None),
    ],
)
def test_the_newest_glibc_of_tags(tags: list[str], glibc: str | None) -> None:
    assert newest_glibc(tags) == glibc


@pytest.mark.parametrize(
    ("floor", "tags", "raised"),
    [
        ("2.28", "manylinux_2_17_i686 manylinux2014_i686 linux_i686", "manylinux_2_28_i686 linux_i686"),
        ("2.17", "manylinux_2_17_i686 manylinux2014_i686 linux_i686", None),
        ("2.20", "manylinux2014_x manylinux_2_24_x linux_x", "manylinux_2_20_x manylinux_2_24_x linux_x"),
        ("2.9", "manylinux1_x manylinux2010_x", "manylinux_2_9_x manylinux2010_x"),
        ("2.28", "linux_armv6l linux_armv7l", None),
    ],
)
def test_a_newer_glibc_takes_the_place_of_older_ones(floor: str, tags: str, raised: str | None) -> None:
    assert " ".join(raised_tags(tags.split(), floor)) == (raised or tags)


@given(st.integers(0, 99), st.lists(st.from_regex(r"manylinux_2_[0-9]{1,2}_(x86_64|i686)", fullmatch=True)))
def test_no_tag_of_a_floor_promises_less(floor: int, tags: list[str]) -> None:
    raised = raised_tags(tags, f"2.{floor}")
    assert all(glibc_minor(promised_glibc(tag) or "") >= floor for tag in raised)
    assert bool(raised) == bool(tags)
    assert raised_tags(raised, f"2.{floor}") == raised
