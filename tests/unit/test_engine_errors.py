"""What an engine refuses, in this project's words."""

from __future__ import annotations

import pytest

from dockerbuild_lib.containers.errors import refusal
from dockerbuild_lib.core.errors import NoSpaceError


@pytest.mark.parametrize(
    ("said", "fix"),
    [
        (
            "container create: container-init binary not found on the host: stat : no such file",
            "apt-get install catatonit",
        ),
        ("crun: setrlimit `RLIMIT_NOFILE`: Operation not permitted: OCI permission denied", "put default_ulimits = "),
        ("runc: error setting rlimits for ready process: error setting rlimit type 6", "put default_ulimits = "),
        ("crun: cgroups in hybrid mode not supported, drop all controllers from cgroupv2", 'and put runtime = "runc"'),
    ],
)
def test_what_podman_is_in_want_of_is_told_with_its_fix(said: str, fix: str) -> None:
    assert fix in str(refusal(said).fix)


def test_other_refusals_are_told_as_they_are() -> None:
    refused = refusal("conflict: something else")
    assert (refused.what, refused.fix) == ("conflict: something else", None)
    assert isinstance(refusal("write: No space left on device"), NoSpaceError)
