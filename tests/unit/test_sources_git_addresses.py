"""Addresses of repositories and their submodules: which may be used, and what relative ones mean."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dockerbuild_lib.catalog.addresses import repository_address
from dockerbuild_lib.sources.git_addresses import submodule_address


@pytest.mark.parametrize(
    "address",
    [
        "https://git.example/group/project.git",
        "https://git.example:8443/project",
        "ssh://git@git.example/project",
        "ssh://git@git.example:2222/~me/project",
        "git@git.example:group/project.git",
        "git.example:project",
        "file:///srv/git/project.git",
    ],
)
def test_an_address_that_is_taken(address: str) -> None:
    assert repository_address(address) == address


@pytest.mark.parametrize(
    "address",
    [
        "",
        "project",
        "/srv/git/project",
        "../project",
        "http://git.example/project",
        "git://git.example/project",
        "ftp://git.example/project",
        "ext::sh -c id",
        "ext::sh",
        "fd::17",
        "transport::address",
        "--upload-pack=id",
        "-oProxyCommand=id:project",
        "git@-oProxyCommand=id:project",
        "ssh://-oProxyCommand=id/project",
        "ssh://git@-oProxyCommand=id/project",
        "https://user:password@git.example/project",
        "https://token@git.example/project",
        "https:///project",
        "https://git.example",
        "https://git.example/a b",
        "https://git.example/a\nb",
        "https://git.example/{version}",
        "file://git.example/project",
        "file://project",
        "FILE:///srv/git",
    ],
)
def test_an_address_that_is_refused(address: str) -> None:
    with pytest.raises(ValueError, match="is no address of a git repository; write https://"):
        repository_address(address)


@given(st.text(max_size=30))
def test_what_is_taken_is_no_option_and_no_helper(text: str) -> None:
    try:
        address = repository_address(text)
    except ValueError:
        return
    assert not address.startswith("-")
    assert "::" not in address.partition("/")[0]


@pytest.mark.parametrize(
    ("parent", "way", "address"),
    [
        ("https://git.example/a/b.git", "../c.git", "https://git.example/a/c.git"),
        ("https://git.example/a/b.git/", "../c.git", "https://git.example/a/c.git"),
        ("https://git.example/a/b", "../../c", "https://git.example/c"),
        ("https://git.example/a/b", "./c", "https://git.example/a/b/c"),
        ("https://git.example/a/b", ".././../c", "https://git.example/c"),
        ("ssh://git@git.example:22/a/b", "../c", "ssh://git@git.example:22/a/c"),
        ("git@git.example:a/b", "../c", "git@git.example:a/c"),
        ("git@git.example:b", "../c", "git@git.example:c"),
        ("file:///srv/a/b", "../c", "file:///srv/a/c"),
        ("git@git.example:a/b", "https://other.example/c", "https://other.example/c"),
        ("file:///srv/a", "file:///srv/b", "file:///srv/b"),
    ],
)
def test_the_address_of_a_submodule(parent: str, way: str, address: str) -> None:
    assert submodule_address(parent, way) == address


@pytest.mark.parametrize(
    ("parent", "way", "said"),
    [
        ("https://git.example/a", "../../c", "leads out of"),
        ("https://git.example/a", "../..", "leads out of"),
        ("https://git.example/a", "..", "is no address"),
        ("https://git.example/a", "file:///etc", "is a folder of this machine"),
        ("https://git.example/a", "ext::sh -c id", "is no address"),
        ("https://git.example/a", "-u", "is no address"),
        ("https://git.example/a", "/etc", "is no address"),
        ("file:///srv/a", "http://git.example/b", "is no address"),
    ],
)
def test_the_address_of_a_submodule_that_is_refused(parent: str, way: str, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        submodule_address(parent, way)
