"""What a manylinux tag promises, as PEP 600 and auditwheel's tables have it."""

from __future__ import annotations

import pytest

from dockerbuild_lib.wheels.gate.policy import (
    gives_unversioned,
    glibc_of_tag,
    glibc_of_version,
    is_allowed_version,
    is_system_library,
)


@pytest.mark.parametrize(
    ("tag", "glibc"),
    [
        ("manylinux_2_17_aarch64", (2, 17)),
        ("manylinux_2_5_i686", (2, 5)),
        ("manylinux1_x86_64", (2, 5)),
        ("manylinux2010_x86_64", (2, 12)),
        ("manylinux2014_armv7l", (2, 17)),
        ("linux_aarch64", None),
        ("any", None),
        ("manylinux_2_x_x86_64", None),
        ("manylinux_99999999999_1_x86_64", None),
    ],
)
def test_a_tag_promises_a_glibc(tag: str, glibc: tuple[int, int] | None) -> None:
    assert glibc_of_tag(tag) == glibc


@pytest.mark.parametrize(
    ("version", "glibc"),
    [
        ("GLIBC_2.2.5", (2, 2, 5)),
        ("GLIBC_2.34", (2, 34)),
        ("GLIBC_ABI_DT_RELR", (2, 36)),
        ("GLIBC_PRIVATE", None),
        ("GLIBCXX_3.4", None),
        ("GLIBC_", None),
        ("GLIBC_2.x", None),
    ],
)
def test_a_symbol_version_names_a_glibc(version: str, glibc: tuple[int, ...] | None) -> None:
    assert glibc_of_version(version) == glibc


@pytest.mark.parametrize(
    ("version", "glibc", "allowed"),
    [
        ("GLIBC_2.17", (2, 17), True),
        ("GLIBC_2.2.5", (2, 5), True),
        ("GLIBC_2.18", (2, 17), False),
        ("GLIBC_2.4", (2, 17), True),  # numbers are compared, not texts
        ("GLIBC_2.34", None, True),
        ("GLIBC_ABI_DT_RELR", (2, 35), False),
        ("GLIBC_ABI_DT_RELR", (2, 36), True),
        ("GLIBC_PRIVATE", None, False),
        ("GLIBC_UNKNOWN", None, False),
        ("GLIBCXX_3.4.19", (2, 17), True),
        ("GLIBCXX_3.4.20", (2, 17), False),
        ("GLIBCXX_3.4.20", (2, 26), True),
        ("GLIBCXX_3.4.33", None, True),
        ("GLIBCXX_3.4.30", (2, 41), True),
        ("CXXABI_1.3.7", (2, 17), True),
        ("CXXABI_1.3.8", (2, 17), False),
        ("CXXABI_TM_1", (2, 17), True),
        ("CXXABI_TM_1", (2, 12), False),
        ("CXXABI_UNKNOWN", (2, 40), False),
        ("GCC_3.0", (2, 5), True),
        ("GCC_7.0.0", (2, 17), False),
        ("GCC_3.0", (2, 1), False),
        ("ZLIB_1.2.9", (2, 17), False),
        ("OTHER_9", (2, 17), True),  # the library itself is what is allowed or not
    ],
)
def test_a_symbol_version_is_on_systems_of_a_glibc(
    version: str, glibc: tuple[int, ...] | None, *, allowed: bool
) -> None:
    assert is_allowed_version(version, glibc) is allowed


@pytest.mark.parametrize(
    ("library", "glibc", "there"),
    [
        ("libc.so.6", (2, 5), True),
        ("ld-linux-aarch64.so.1", (2, 17), True),
        ("ld-linux-x86-64.so.2", None, True),
        ("ld64.so.2", (2, 17), True),
        ("libmvec.so.1", (2, 17), False),
        ("libmvec.so.1", (2, 28), True),
        ("libexpat.so.1", (2, 5), False),
        ("libexpat.so.1", None, True),
        ("libssl.so.3", None, False),
        ("libc.so", (2, 17), False),
        ("/lib/libc.so.6", None, False),
    ],
)
def test_a_library_is_on_every_system_of_a_glibc(library: str, glibc: tuple[int, ...] | None, *, there: bool) -> None:
    assert is_system_library(library, glibc) is there


def test_libraries_without_versions_give_their_own_names_only() -> None:
    assert gives_unversioned("inflateInit_", ["libc.so.6", "libz.so.1"])
    assert not gives_unversioned("inflateInit_", ["libc.so.6", "libm.so.6"])
    assert not gives_unversioned("log2", ["libc.so.6", "libz.so.1", "libX11.so.6"])
