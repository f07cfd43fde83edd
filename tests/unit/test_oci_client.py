"""What registries and Docker's configuration say is read strictly: challenges, tokens, logins, manifests."""

from __future__ import annotations

import json
from base64 import b64encode
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dockerbuild_lib.catalog.image_references import HUB
from dockerbuild_lib.containers.oci.authorization import Challenge, parse_challenge
from dockerbuild_lib.containers.oci.connection import RegistryConnection
from dockerbuild_lib.containers.oci.credentials import Login, login_for
from dockerbuild_lib.containers.oci.manifests import IMAGES, INDEXES, digest_of, parse_manifest
from dockerbuild_lib.containers.oci.repository import Repository
from dockerbuild_lib.core.errors import (
    AccessRefusedError,
    DockerbuildError,
    HashMismatchError,
    ImageFailedError,
    NetworkError,
)
from dockerbuild_lib.core.retries import RetryPolicy
from tests.support.local_server import LocalServer, body, serving, status

ONCE = RetryPolicy(attempts=1)
DIGEST = f"sha256:{'a' * 64}"

# Challenges


@given(
    st.sampled_from(["Bearer", "basic"]),
    st.dictionaries(
        st.from_regex(r"[a-z]{1,6}", fullmatch=True), st.text(st.characters(min_codepoint=32, max_codepoint=126))
    ),
)
def test_a_challenge_is_read_as_it_was_written(scheme: str, parameters: dict[str, str]) -> None:
    quoted = [f'{name}="{json.dumps(value)[1:-1]}"' for name, value in parameters.items()]
    assert parse_challenge(f"{scheme} {', '.join(quoted)}") == Challenge(scheme.lower(), parameters)


@given(st.text(max_size=60))
def test_any_text_is_a_challenge_or_none(text: str) -> None:
    parse_challenge(text)


# Tokens, from an authorization server of the tests' own


def asking_for_tokens(server: LocalServer, *, expires_in: int = 300) -> None:
    """Let a registry want a token, which the same server gives out to USER and to nobody else."""
    server.answers["/token?service=tests&scope=repository%3Abase%3Apull"] = _token(expires_in)
    challenge = f'Bearer realm="{server.url}/token",service="tests",scope="repository:base:pull"'

    def manifest(handler: BaseHTTPRequestHandler) -> None:
        if not handler.headers.get("Authorization", "").startswith("Bearer good"):
            status(401, WWW_Authenticate=challenge)(handler)
        else:
            body(b"{}", content_type=IMAGES[0])(handler)

    server.answers["/v2/base/manifests/v1"] = manifest


def _token(expires_in: int) -> Any:  # noqa: ANN401 - an answer
    def answer(handler: BaseHTTPRequestHandler) -> None:
        if handler.headers.get("Authorization") != f"Basic {b64encode(b'user:secret').decode()}":
            status(401)(handler)
        else:
            body(json.dumps({"token": "good", "expires_in": expires_in}).encode())(handler)

    return answer


def asked(server: LocalServer, folder: Path, secret: str, times: int = 1) -> None:
    host = server.url.removeprefix("http://")
    write_configuration(folder, auths={host: {"auth": b64encode(f"user:{secret}".encode()).decode()}})
    repository = Repository(RegistryConnection(host, {"DOCKER_CONFIG": str(folder)}), "base", ONCE)
    for _ in range(times):
        repository._content("v1")  # noqa: SLF001 - any request would do


def test_a_token_is_got_once_and_used_again(tmp_path: Path) -> None:
    with serving() as server:
        asking_for_tokens(server)
        asked(server, tmp_path, "secret", times=3)
        assert sum(path.startswith("/token") for path in server.requests) == 1


def test_a_token_that_is_too_old_is_got_anew(tmp_path: Path) -> None:
    with serving() as server:
        asking_for_tokens(server, expires_in=0)
        asked(server, tmp_path, "secret", times=3)
        assert sum(path.startswith("/token") for path in server.requests) == 3


def test_a_login_that_the_authorization_server_refuses_is_an_error_with_its_fix(tmp_path: Path) -> None:
    with serving() as server:
        asking_for_tokens(server)
        with pytest.raises(AccessRefusedError, match="docker login 127"):
            asked(server, tmp_path, "wrong")


@pytest.mark.parametrize("realm", ["http://registry.example/token", "ftp://127.0.0.1/token", ""])
def test_a_login_is_not_sent_anywhere_in_the_clear(tmp_path: Path, realm: str) -> None:
    with serving() as server:
        challenge = f'Bearer realm="{realm}",service="tests"'
        server.answers["/v2/base/manifests/v1"] = status(401, WWW_Authenticate=challenge)
        with pytest.raises(AccessRefusedError, match="which is not https"):
            asked(server, tmp_path, "secret")


def test_netrc_is_not_what_a_registry_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "netrc").write_text("default login other password else\n")
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    with serving() as server:
        asking_for_tokens(server)
        asked(server, tmp_path, "secret")
        sent = [headers.get("Authorization") for headers in server.headers]
    assert not [each for each in sent if each and "Basic" in each and b64encode(b"user:secret").decode() not in each]


# Logins


def write_configuration(folder: Path, **content: object) -> dict[str, str]:
    (folder / "config.json").write_text(json.dumps(content))
    return {"DOCKER_CONFIG": str(folder)}


def test_logins_are_found_where_docker_login_writes_them(tmp_path: Path) -> None:
    environ = write_configuration(
        tmp_path,
        auths={
            "a.example": {"auth": b64encode(b"me:pass:word").decode()},
            "b.example": {"username": "me", "password": "word"},
            "c.example": {"auth": b64encode(b"00:").decode(), "identitytoken": "refresh"},
            "d.example": {},
            f"https://index.{HUB}/v1/": {"auth": b64encode(b"hub:word").decode()},
        },
    )
    assert login_for("a.example", environ) == Login("me", "pass:word")
    assert login_for("b.example", environ) == Login("me", "word")
    assert login_for("c.example", environ) == Login("00", "refresh", is_token=True)
    assert login_for(HUB, environ) == Login("hub", "word")
    assert login_for("d.example", environ) is None
    assert login_for("e.example", environ) is None
    assert login_for("a.example", {"HOME": str(tmp_path)}) is None
    assert "word" not in repr(login_for("b.example", environ))


@pytest.mark.parametrize("written", ["{", "[]", '{"auths": {"a": {"auth": "!"}}}', '{"credsStore": "../evil"}'])
def test_a_configuration_that_cannot_be_read_is_an_error_that_names_it(tmp_path: Path, written: str) -> None:
    (tmp_path / "config.json").write_text(written)
    with pytest.raises(AccessRefusedError, match=r"config\.json: the login cannot be read .*docker login a"):
        login_for("a", {"DOCKER_CONFIG": str(tmp_path)})


def test_a_credential_helper_is_asked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    helper = tmp_path / "docker-credential-tests"
    helper.write_text(
        "#!/bin/sh\nread registry\ncase $registry in\n"
        '*a.example) echo "{\\"Username\\": \\"me\\", \\"Secret\\": \\"of $registry\\"}";;\n'
        '*b.example) echo "{\\"Username\\": \\"<token>\\", \\"Secret\\": \\"refresh\\"}";;\n'
        "*c.example) echo credentials not found in native keychain; exit 1;;\n"
        "*) echo locked; exit 1;;\nesac\n"
    )
    helper.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    environ = write_configuration(tmp_path, credsStore="tests")
    assert login_for("a.example", environ) == Login("me", "of a.example")
    assert login_for("b.example", environ) == Login("<token>", "refresh", is_token=True)
    assert login_for("c.example", environ) is None
    with pytest.raises(AccessRefusedError, match="docker-credential-tests failed: locked"):
        login_for("d.example", environ)


# Manifests


def parsed(document: object, media_type: str = IMAGES[0]) -> object:
    content = json.dumps(document).encode()
    return parse_manifest(content, media_type, digest_of(content), "registry.example/base")


def described(**changed: object) -> dict[str, object]:
    return {"digest": DIGEST, "size": 1, **changed}


def test_a_manifest_must_have_the_digest_that_it_was_asked_for_by() -> None:
    with pytest.raises(HashMismatchError, match=r"registry\.example/base: the manifest has another digest"):
        parse_manifest(b"{}", IMAGES[0], DIGEST, "registry.example/base")


@pytest.mark.parametrize(
    "document",
    [
        [],
        {},
        {"schemaVersion": 1},
        {"schemaVersion": 2, "mediaType": "text/plain"},
        {"schemaVersion": 2, "config": described(), "layers": [described(digest="sha256:../../etc")]},
        {"schemaVersion": 2, "config": described(), "layers": [described(digest=f"sha512:{'a' * 128}")]},
        {"schemaVersion": 2, "config": described(), "layers": [described(size=-1)]},
        {"schemaVersion": 2, "config": described(), "layers": [described(size=True)]},
        {"schemaVersion": 2, "config": described(), "layers": None},
    ],
)
def test_what_is_no_manifest_is_refused(document: object) -> None:
    with pytest.raises(ImageFailedError, match="the manifest cannot be read"):
        parsed(document)


names = st.sampled_from(["schemaVersion", "manifests", "layers", "config", "digest", "size"])
leaves = st.none() | st.integers() | st.just(DIGEST) | st.text(max_size=3)
json_values = st.recursive(
    leaves, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(names, inner), max_leaves=8
)


@given(json_values)
def test_any_json_is_a_manifest_or_refused(document: object) -> None:
    for media_type in (IMAGES[0], INDEXES[0]):
        for value in (document, {"schemaVersion": 2, "manifests": document, "layers": document, "config": document}):
            try:
                parsed(value, media_type)
            except DockerbuildError as error:
                assert isinstance(error, ImageFailedError)  # noqa: PT017 - it may be one as well


# Answers


def test_what_a_registry_says_is_quoted_without_what_a_terminal_would_obey(tmp_path: Path) -> None:
    said = json.dumps({"errors": [{"code": "UNKNOWN", "message": "no\x1b[31m way"}]}).encode()

    def answer(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(400)
        handler.send_header("Content-Length", str(len(said)))
        handler.end_headers()
        handler.wfile.write(said)

    with serving() as server:
        server.answers["/v2/base/manifests/v1"] = answer
        with pytest.raises(DockerbuildError, match=r"answered 400 no\[31m way"):
            asked(server, tmp_path, "secret")


def test_a_stream_is_not_sent_twice_for_a_token_that_ran_out(tmp_path: Path) -> None:
    with serving() as server:
        asking_for_tokens(server)
        host = server.url.removeprefix("http://")
        write_configuration(tmp_path, auths={host: {"auth": b64encode(b"user:secret").decode()}})
        connection = RegistryConnection(host, {"DOCKER_CONFIG": str(tmp_path)})
        sent = iter([b"piece"])
        with pytest.raises(NetworkError, match="asked for a login in the middle of a layer"):
            connection.request("GET", "/v2/base/manifests/v1", "repository:base:pull", expected=(200,), data=sent)
        assert next(sent, None) is None
