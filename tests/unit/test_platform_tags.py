"""Which wheels run where others run, by their platform tags."""

from __future__ import annotations

import pytest

from dockerbuild_lib.catalog.platform_tags import accepted_tags, claimable_tags, newest_glibc


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
