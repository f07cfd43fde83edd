"""The task ``store.serve`` as its users start and end it."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import requests

from dockerbuild_lib.store.local import LocalStore
from dockerbuild_lib.store.names import instance_id_of_file
from tests.support.projects import TREE
from tests.support.store_client import StoreClient
from tests.support.store_samples import PACKAGE, package_file
from tests.support.store_server import TOKEN, token_file, wait_until

SECONDS = 60


def start(store: Path, *options: str) -> subprocess.Popen[str]:
    program = (sys.executable, "-P", str(TREE / "dockerbuild_lib/__main__.py"), "run", "store.serve", *options)
    environment = {**os.environ, "INVOKE_DOCKERBUILD_STORE": str(store)}
    return subprocess.Popen(
        program, cwd=TREE, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )


@contextmanager
def serving(store: Path, *options: str) -> Iterator[tuple[subprocess.Popen[str], str, str]]:
    """Yield the task, where it says that it serves, and what it says of writing."""
    store.mkdir(exist_ok=True)
    with start(store, "--port=0", *options) as process:
        try:
            assert process.stdout is not None
            said = process.stdout.readline()
            found = re.fullmatch(rf"{re.escape(str(store))} is served at (http://\S+) \((.+)\)\n", said)
            assert found, said + process.communicate(timeout=SECONDS)[1]
            yield process, found[1], found[2]
        finally:
            process.kill()


def ended(process: subprocess.Popen[str], number: signal.Signals) -> tuple[int, str]:
    process.send_signal(number)
    _, stderr = process.communicate(timeout=SECONDS)
    return process.returncode, stderr


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_a_signal_ends_it_as_its_user_wants(number: signal.Signals, tmp_path: Path) -> None:
    with serving(tmp_path / "store") as (process, url, writing), requests.Session() as session:
        assert writing == "read-only"
        assert session.get(url, timeout=SECONDS).status_code == 200  # and the connection stays open
        with socket.create_connection(("127.0.0.1", int(url.rpartition(":")[2]))):  # as does a silent one
            assert ended(process, number) == (0, "")


def test_a_request_that_is_going_on_may_end(tmp_path: Path) -> None:
    package = package_file(tmp_path, "content", PACKAGE)
    content = package.read_bytes()
    with serving(tmp_path / "store", f"--token-file={token_file(tmp_path)}") as (process, url, writing):
        assert writing == "writing needs the token"
        client = StoreClient(url, TOKEN)
        upload = client.begin(PACKAGE, package)
        head = f"PUT {upload.upload_url.removeprefix(url)} HTTP/1.1\r\n"
        head += f"Host: x\r\nContent-Length: {len(content)}\r\n"
        head += f"Content-Range: bytes 0-{len(content) - 1}/{len(content)}\r\n\r\n"
        with socket.create_connection(("127.0.0.1", int(url.rpartition(":")[2]))) as connection:
            connection.sendall(head.encode() + content[:10])
            part = tmp_path / "store" / "uploads" / f"{upload.operation_id}.part"
            wait_until(lambda: part.stat().st_size == 10)
            process.send_signal(signal.SIGTERM)
            connection.sendall(content[10:])
            assert connection.recv(SECONDS).startswith(b"HTTP/1.1 200 OK\r\n")
        assert process.wait(SECONDS) == 0
    with serving(tmp_path / "store", f"--token-file={tmp_path / 'token'}") as (process, url, _):
        client = StoreClient(url, TOKEN)
        client.finish(upload.operation_id)
        client.register(PACKAGE, instance_id_of_file(package))
        code, stderr = ended(process, signal.SIGTERM)
        assert (code, f"registered {PACKAGE}" in stderr) == (0, True)
    with LocalStore(tmp_path / "store") as store:
        assert store.verify() == ()
        assert store.packages() == (PACKAGE,)


def test_a_token_is_of_no_use_where_nobody_may_write(tmp_path: Path) -> None:
    with serving(tmp_path / "store", f"--token-file={token_file(tmp_path)}", "--read-only") as (_, url, writing):
        assert writing == "read-only"
        assert StoreClient(url, TOKEN).roles("any") == [1]


def test_a_public_address_is_served_to_readers_where_writers_need_a_token(tmp_path: Path) -> None:
    with serving(tmp_path / "store", "--host=0.0.0.0", f"--token-file={token_file(tmp_path)}") as (_, url, _writing):
        assert StoreClient(url).roles("any") == [1]
        assert StoreClient(url, TOKEN).roles("any") == [1, 2]


@pytest.fixture
def taken_port() -> Iterator[int]:
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


def test_what_cannot_be_served_is_told(taken_port: int, tmp_path: Path) -> None:
    store, token = tmp_path / "store", tmp_path / "token"
    store.mkdir()
    token.write_text(TOKEN)
    token.chmod(0o644)
    cases = (
        (store, ("--port=70000",), 2, "--port=70000 is too large"),
        (store, (f"--port={taken_port}",), 2, f"the port {taken_port} of 127.0.0.1 is in use"),
        (store, ("--port=0", "--host=0.0.0.0", "--read-only"), 2, "0.0.0.0 can be reached from other machines"),
        (store, ("--port=0", f"--token-file={token}"), 23, "every user of this machine can read the token"),
        (tmp_path / "missing", ("--port=0",), 2, f"{tmp_path / 'missing'}: there is no store"),
    )
    tasks = [start(folder, *options) for folder, options, _, _ in cases]
    for task, (_, options, code, message) in zip(tasks, cases, strict=True):
        stdout, stderr = task.communicate(timeout=SECONDS)
        assert (task.returncode, stdout) == (code, ""), options
        assert message in stderr
        assert stderr.count("\n") == 1, stderr
