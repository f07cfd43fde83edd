"""Addresses of engines that are reached over SSH."""

from __future__ import annotations

import pytest

from dockerbuild_lib.containers.ssh_tunnel import DEFAULT_SOCKET, SshAddress
from dockerbuild_lib.core.errors import EngineUnavailableError


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("ssh://host", SshAddress("host", None, DEFAULT_SOCKET)),
        ("ssh://me@host.example:2222", SshAddress("me@host.example", 2222, DEFAULT_SOCKET)),
        ("ssh://host/", SshAddress("host", None, DEFAULT_SOCKET)),
        ("ssh://me@host/run/user/1000/docker.sock", SshAddress("me@host", None, "/run/user/1000/docker.sock")),
        ("ssh://[::1]:22", SshAddress("::1", 22, DEFAULT_SOCKET)),
    ],
)
def test_an_address_is_read(text: str, expected: SshAddress) -> None:
    assert SshAddress.parsed(text) == expected


@pytest.mark.parametrize(
    "text",
    ["ssh://", "ssh://host:port", "ssh://host:99999", "ssh://me:secret@host", "ssh://-oProxyCommand=x", "ssh://-x@h"],
)
def test_what_ssh_could_take_for_an_option_or_cannot_take_is_refused(text: str) -> None:
    with pytest.raises(EngineUnavailableError, match="write DOCKER_HOST as ssh://"):
        SshAddress.parsed(text)
