"""What the ``cipd`` client says, as errors of ours. The messages are those of luci-go's server and client."""

from __future__ import annotations

import os
import stat
import time
from pathlib import Path

import pytest

from dockerbuild_lib.core.errors import (
    DockerbuildError,
    LoginRequiredError,
    NetworkError,
    NoSpaceError,
    NotInStoreError,
    PermissionDeniedError,
    ServiceFailedError,
    StoreAmbiguousError,
    StoreDamagedError,
    StoreForbiddenError,
    ToolMissingError,
    UsageError,
)
from dockerbuild_lib.store.cipd import answers
from dockerbuild_lib.store.cipd.client import CipdClient
from dockerbuild_lib.store.cipd.failures import failure_of

WHERE = "https://cipd.example: cipd resolve a/b"
HINT = ", run `cipd auth-login` to login or relogin"


@pytest.mark.parametrize(
    ("code", "message", "kind"),
    [
        ("invalid_version_error", "no such package: a/b", NotInStoreError),
        ("invalid_version_error", "no such ref", NotInStoreError),
        ("invalid_version_error", "no such tag", NotInStoreError),
        ("invalid_version_error", "no such instance", NotInStoreError),
        (
            "invalid_version_error",
            "ambiguity when resolving the tag, more than one instance has it",
            StoreAmbiguousError,
        ),
        (
            "auth_error",
            f'prefix "a" doesn\'t exist or not visible to unauthenticated callers{HINT}',
            LoginRequiredError,
        ),
        ("auth_error", f'"anonymous:anonymous" has no required WRITER role in prefix "a"{HINT}', LoginRequiredError),
        ("auth_error", f"writing needs the token of this server, and none was sent{HINT}", LoginRequiredError),
        ("auth_error", "initializing auth client: running the credential helper: exit status 1", LoginRequiredError),
        ("auth_error", f'prefix "a" doesn\'t exist or "user:me@x" is not allowed to see it{HINT}', StoreForbiddenError),
        ("auth_error", f'"user:me@x" has no required WRITER role in prefix "a" because: x{HINT}', StoreForbiddenError),
        ("auth_error", "something new", StoreForbiddenError),
        ("backend_unavailable_error", "prpc: sending request: connection refused", NetworkError),
        ("timeout_error", "prpc: overall deadline exceeded", NetworkError),
        ("offline_client_error", "network is disabled", NetworkError),
        ("cas_error", "failed to download after multiple attempts", NetworkError),
        ("cas_error", "failed to upload after multiple attempts", NetworkError),
        ("cas_error", "what was uploaded is no package", ServiceFailedError),
        ("hash_mismatch_error", "package hash mismatch: expecting a, got b", StoreDamagedError),
        ("bad_argument_error", "invalid package name", UsageError),
        ("io_error", "writing: no space left on device", NoSpaceError),
        ("io_error", "opening: permission denied", PermissionDeniedError),
        ("io_error", "something else", ServiceFailedError),
        ("rpc_error", "no packages under a", ServiceFailedError),
        ("not_admitted_error", "not admitted", ServiceFailedError),
        ("code_of_the_future", "no such package: a/b", ServiceFailedError),
        ("", "no such tag", ServiceFailedError),
    ],
)
def test_failures_are_told_apart(code: str, message: str, kind: type[DockerbuildError]) -> None:
    error = failure_of(code, message, WHERE)
    assert type(error) is kind
    assert error.where == WHERE
    assert HINT not in error.what
    assert error.what.startswith(message.removesuffix(HINT))


def test_who_is_refused_is_told_what_to_do() -> None:
    unknown = str(failure_of("auth_error", "not visible to unauthenticated callers", WHERE))
    assert "cipd auth-login" in unknown
    assert "an owner of the package's prefix must grant" in unknown
    refused = str(failure_of("auth_error", "is not allowed to see it", WHERE))
    assert "cipd auth-info" in refused
    assert "cipd acl-edit PREFIX -reader user:YOU" in refused


def fake_client(folder: Path, script: str) -> CipdClient:
    """Return a client that is a shell script, in which $OUTPUT is where its JSON goes."""
    program = folder / "cipd"
    find = 'while [ "$#" -gt 0 ]; do [ "$1" = -json-output ] && OUTPUT=$2; shift; done'
    program.write_text(f"#!/bin/sh\nARGUMENTS=$*\n{find}\n{script}\n")
    program.chmod(stat.S_IRWXU)
    return CipdClient(str(program), "https://cipd.example", {"PATH": os.environ["PATH"], "HOME": str(folder)})


def test_a_result_is_returned_and_the_service_is_named(tmp_path: Path) -> None:
    client = fake_client(tmp_path, 'printf \'{"result": ["%s"]}\' "$ARGUMENTS" > "$OUTPUT"')
    (said,) = client.run("ls", "-r")
    assert said.startswith("ls -r -service-url https://cipd.example -json-output /")


def test_variables_of_the_client_do_not_count(tmp_path: Path) -> None:
    script = 'env | grep ^CIPD_ | sort | sed \'s/.*/"&"/\' | paste -sd, | sed \'s/.*/{"result": [&]}/\' > "$OUTPUT"'
    client = fake_client(tmp_path, script)
    meddled = {"CIPD_SERVICE_URL": "x", "CIPD_CACHE_DIR": "x", "CIPD_CONFIG_FILE": "/x", "CIPD_PROXY_URL": "unix:///x"}
    client = CipdClient(client.program, client.service_url, {**client.environ, **meddled})
    assert client.run("ls") == ["CIPD_CONFIG_FILE=-", "CIPD_PROXY_URL=unix:///x", "CIPD_SIMPLE_TERMINAL_UI=1"]


@pytest.mark.parametrize(
    ("script", "kind", "message"),
    [
        ("true", ServiceFailedError, "the client ended with 0: it said nothing"),
        (
            "echo 'Bad command line: no' >&2; exit 1",
            ServiceFailedError,
            "the client ended with 1: Bad command line: no",
        ),
        ("echo no JSON > $OUTPUT; exit 1", ServiceFailedError, "ended with 1"),
        ("echo '[]' > $OUTPUT", ServiceFailedError, "ended with 0"),
        ("kill -9 $$", ServiceFailedError, "ended with -9"),
        (
            """echo '{"error": "no such tag", "error_code": "invalid_version_error"}' > $OUTPUT; exit 1""",
            NotInStoreError,
            "https://cipd.example: cipd ls x: no such tag",
        ),
        ("""echo '{"error": "x", "result": []}' > $OUTPUT""", ServiceFailedError, "x"),
        ("""echo '{"result": []}' > $OUTPUT; echo why >&2; exit 1""", ServiceFailedError, "why"),
        (
            """echo '{"error": "x", "result": {"": [{"error": "one", "error_code": "auth_error"}]}}' >$OUTPUT""",
            StoreForbiddenError,
            "one",
        ),
    ],
)
def test_a_client_that_fails_is_told(script: str, kind: type[DockerbuildError], message: str, tmp_path: Path) -> None:
    with pytest.raises(kind) as caught:
        fake_client(tmp_path, script).run("ls", "x")
    assert message in str(caught.value)


def test_a_client_that_does_not_end_is_ended(tmp_path: Path) -> None:
    begun = time.monotonic()
    with pytest.raises(NetworkError, match="no answer in 1 seconds: dial tcp: connection refused"):
        fake_client(tmp_path, "echo dial tcp: connection refused >&2; exec sleep 600").run("ls", seconds=1)
    assert time.monotonic() - begun < 300


def test_a_client_that_is_not_there_is_named(tmp_path: Path) -> None:
    for program in ("no-such-cipd", str(tmp_path / "missing"), str(tmp_path)):
        with pytest.raises(ToolMissingError, match="name it as cipd_client"):
            CipdClient(program, "https://cipd.example", {}).run("ls")


@pytest.mark.parametrize(
    "result", [None, [], {}, {"": []}, {"": [{"pin": None}]}, {"": [{"pin": {"package": "a"}}]}, "x", 1]
)
def test_an_answer_of_another_shape_is_not_understood(result: object) -> None:
    for read in (answers.resolved, answers.described, answers.instances):
        with pytest.raises(ServiceFailedError, match="the cipd client's answer is not understood"):
            read(result)
    for read_list in (answers.searched, answers.listed):
        if result not in (None, []):
            with pytest.raises(ServiceFailedError, match="the cipd client's answer is not understood"):
                read_list(result)
