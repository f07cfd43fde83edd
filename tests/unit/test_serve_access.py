"""Who may write to a served store, and where it may be served."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest

from dockerbuild_lib.core.errors import PermissionDeniedError, UsageError
from dockerbuild_lib.store.serve.access import Access, read_token
from dockerbuild_lib.store.serve.server import listening, url_of
from dockerbuild_lib.store.serve.status import Code, RpcError
from tests.support.store_server import TOKEN, token_file
from tests.support.unprivileged import without_privileges


@pytest.fixture
def access(tmp_path: Path) -> Access:
    return Access(read_token(token_file(tmp_path)))


@pytest.mark.parametrize("header", [f"Bearer {TOKEN}", f"bearer {TOKEN}", f"Bearer  {TOKEN} "])
def test_the_token_is_taken(header: str, access: Access) -> None:
    assert access.may_write(header)
    access.check_may_write(header)


@pytest.mark.parametrize(
    ("header", "code"),
    [
        (None, Code.UNAUTHENTICATED),
        ("", Code.UNAUTHENTICATED),
        ("Bearer", Code.PERMISSION_DENIED),
        (TOKEN, Code.PERMISSION_DENIED),
        (f"Basic {TOKEN}", Code.PERMISSION_DENIED),
        (f"Bearer {TOKEN[:-1]}", Code.PERMISSION_DENIED),
        (f"Bearer {TOKEN}0", Code.PERMISSION_DENIED),
        ("Bearer \udcff\u20ac", Code.PERMISSION_DENIED),
    ],
)
def test_nothing_else_is_taken(header: str | None, code: Code, access: Access) -> None:
    assert not access.may_write(header)
    with pytest.raises(RpcError) as caught:
        access.check_may_write(header)
    assert caught.value.code is code
    assert TOKEN not in str(caught.value)


def test_without_a_token_nobody_may_write() -> None:
    with pytest.raises(RpcError, match="read-only"):
        Access(None).check_may_write(f"Bearer {TOKEN}")


def test_a_token_is_not_shown(access: Access) -> None:
    assert TOKEN not in repr(access)


@pytest.mark.parametrize(
    "content", ["", "\n", "short", "x" * 19, "two words that are long enough", "ünïcödé" * 5, "a\nb" * 20]
)
def test_a_file_without_a_token_is_refused(content: str, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="holds no token"):
        read_token(token_file(tmp_path, content))


def test_a_token_file_that_is_missing_or_a_folder_is_refused(tmp_path: Path) -> None:
    for file in (tmp_path / "missing", tmp_path, tmp_path / "missing" / "token"):
        with pytest.raises(UsageError, match="there is no such file"):
            read_token(file)


@pytest.mark.parametrize("mode", [0o604, 0o602, 0o644, 0o666])
def test_a_token_that_everybody_can_read_or_write_is_refused(mode: int, tmp_path: Path) -> None:
    file = token_file(tmp_path)
    file.chmod(mode)
    with pytest.raises(PermissionDeniedError, match="every user of this machine"):
        read_token(file)
    file.chmod(0o640)
    read_token(file)


def test_a_token_that_cannot_be_read_is_told(tmp_path: Path) -> None:
    file = token_file(tmp_path)
    file.chmod(0)
    code = (
        "import sys; from pathlib import Path; from dockerbuild_lib.store.serve.access import read_token\n"
        "from dockerbuild_lib.core.errors import PermissionDeniedError\n"
        "try: read_token(Path(sys.argv[1]))\n"
        "except PermissionDeniedError as error: print(error)"
    )
    done = without_privileges(code, file)
    assert f"{file}: Permission denied" in done.stdout, done.stderr


@pytest.mark.parametrize(
    ("host", "message"),
    [
        ("0.0.0.0", "can be reached from other machines"),  # noqa: S104  # it is refused
        ("::", "can be reached from other machines"),
        ("192.0.2.1", "can be reached from other machines"),
        ("nowhere.invalid", "is no address"),
    ],
)
def test_a_public_address_needs_a_token(host: str, message: str) -> None:
    with pytest.raises(UsageError, match=message), listening(host, 0, has_token=False):
        pass


def test_loopback_addresses_need_none() -> None:
    for host in ("127.0.0.1", "127.1.2.3", "localhost"):
        with listening(host, 0, has_token=False) as listener:
            served, port = url_of(listener).removeprefix("http://").rsplit(":", 1)
            with socket.create_connection((served.strip("[]"), int(port))):
                pass


def test_an_address_that_is_taken_or_of_no_interface_is_told() -> None:
    with listening("127.0.0.1", 0, has_token=False) as listener:
        port = listener.getsockname()[1]
        with pytest.raises(UsageError, match=f"the port {port} .* is in use"):
            listening("127.0.0.1", port, has_token=False).__enter__()
    with pytest.raises(UsageError, match=r"192\.0\.2\.1 is no address of this machine"):
        listening("192.0.2.1", 0, has_token=True).__enter__()
