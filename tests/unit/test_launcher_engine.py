"""Asking an engine, and what follows from its answer; the engines here are small servers of the tests."""

from __future__ import annotations

import os
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from dockerbuild_lib.cli import engine_probe, engine_setup
from dockerbuild_lib.cli.engine_probe import Answer, Probe, probe_host, probe_socket
from dockerbuild_lib.cli.engine_setup import ensure_engine
from dockerbuild_lib.core.errors import EnginePermissionError, EngineUnavailableError

OK = b"HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nOK"


@contextmanager
def listening(server: socket.socket, answer: bytes | None) -> Iterator[None]:
    """Answer every request with *answer*; None keeps the caller waiting."""
    server.listen()
    kept: list[socket.socket] = []

    def serve() -> None:
        while True:
            try:
                connection, _ = server.accept()
            except OSError:
                return
            kept.append(connection)
            if answer is not None:
                connection.recv(1000)
                connection.sendall(answer)
                connection.close()

    thread = threading.Thread(target=serve)
    thread.start()
    try:
        yield
    finally:
        server.shutdown(socket.SHUT_RDWR)
        server.close()
        thread.join(5)
        for connection in kept:
            connection.close()


@contextmanager
def unix_engine(path: Path, answer: bytes | None = OK) -> Iterator[str]:
    server = socket.socket(socket.AF_UNIX)
    server.bind(str(path))
    with listening(server, answer):
        yield f"unix://{path}"


@contextmanager
def tcp_engine(answer: bytes | None = OK) -> Iterator[str]:
    server = socket.create_server(("127.0.0.1", 0))
    with listening(server, answer):
        yield f"tcp://127.0.0.1:{server.getsockname()[1]}"


@pytest.fixture
def short(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder whose sockets have short names: a Unix socket's may have 107 bytes."""
    folder = tmp_path_factory.mktemp("s")
    monkeypatch.chdir(folder)
    return folder


def test_an_engine_on_a_socket_answers(short: Path) -> None:
    with unix_engine(short / "e") as host:
        assert probe_host(host, {}) == Probe(Answer.YES)


def test_an_engine_on_tcp_answers() -> None:
    with tcp_engine() as host:
        assert probe_host(host, {}) == Probe(Answer.YES)


def test_an_encrypted_engine_is_taken_at_its_open_port() -> None:
    with tcp_engine(None) as host:
        assert probe_host(host, {"DOCKER_TLS_VERIFY": "1"}).answer is Answer.YES


def test_an_engine_behind_ssh_is_left_to_the_sdk() -> None:
    assert probe_host("ssh://user@nowhere.invalid", {}).answer is Answer.YES


@pytest.mark.parametrize("host", ["nonsense", "unix://", "/var/run/docker.sock", "npipe:////./pipe/docker"])
def test_what_is_no_address_is_refused_with_how_to_write_one(host: str) -> None:
    with pytest.raises(EngineUnavailableError, match="is no address of a Docker engine; write it as unix:///PATH"):
        probe_host(host, {})


def test_a_wrong_port_is_no_traceback() -> None:
    assert probe_host("tcp://127.0.0.1:99999", {}).answer is Answer.NO


@pytest.mark.parametrize("answer", [b"HTTP/1.1 500 Internal Server Error\r\n\r\n", b"SSH-2.0-OpenSSH\r\n", b""])
def test_something_else_that_answers_is_no_engine(short: Path, answer: bytes) -> None:
    with unix_engine(short / "e", answer) as host:
        assert probe_host(host, {}).answer is Answer.NO


def test_an_engine_that_hangs_is_given_up(short: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engine_probe, "_TIMEOUT", 0.1)
    with unix_engine(short / "e", None) as host:
        assert probe_host(host, {}) == Probe(Answer.NO, "no answer within 0.1 s")


def test_a_socket_that_is_not_there_and_one_that_nobody_serves_are_absent(short: Path) -> None:
    assert probe_socket(str(short / "none")).answer is Answer.ABSENT
    server = socket.socket(socket.AF_UNIX)
    server.bind(str(short / "stale"))
    server.close()
    assert probe_socket(str(short / "stale")).answer is Answer.ABSENT


def test_a_dead_docker_host_is_named_and_never_replaced(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engine_setup, "can_install_packages", lambda: True)
    monkeypatch.setattr(engine_setup, "_provide_engine", pytest.fail)
    host = f"unix://{tmp_path}/none"
    with pytest.raises(EngineUnavailableError, match=f"DOCKER_HOST={host}: no Docker engine answers"):
        ensure_engine({"DOCKER_HOST": host}, lambda: tmp_path, say=pytest.fail)


def answering(monkeypatch: pytest.MonkeyPatch, answer: Answer) -> None:
    monkeypatch.setattr(engine_setup, "probe_socket", lambda: Probe(answer, "seen"))


def test_permission_denied_tells_of_the_docker_group(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    answering(monkeypatch, Answer.DENIED)
    with pytest.raises(
        EnginePermissionError, match=r"docker.sock: .*; join the docker group \(sudo usermod -aG docker"
    ):
        ensure_engine({}, lambda: tmp_path, say=pytest.fail)


def test_who_may_not_install_is_told_what_to_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    answering(monkeypatch, Answer.ABSENT)
    monkeypatch.setattr(engine_setup, "can_install_packages", lambda: False)
    with pytest.raises(EngineUnavailableError, match="start Docker, or install it"):
        ensure_engine({"DOCKER_HOST": ""}, lambda: tmp_path, say=pytest.fail)


def test_an_engine_that_hangs_is_not_joined_by_a_second_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    answering(monkeypatch, Answer.NO)
    monkeypatch.setattr(engine_setup, "can_install_packages", lambda: True)
    monkeypatch.setattr(engine_setup, "_provide_engine", pytest.fail)
    with pytest.raises(EngineUnavailableError, match="seen"):
        ensure_engine({}, lambda: tmp_path, say=pytest.fail)


class Machine:
    """A machine without an engine, where everything that would change it is written down instead."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
        self.did: list[str] = []
        self.answer = Answer.ABSENT
        monkeypatch.setattr(engine_setup, "can_install_packages", lambda: True)
        monkeypatch.setattr(engine_setup, "probe_socket", lambda: Probe(self.answer))
        monkeypatch.setattr(engine_setup, "find_program", lambda _name: "/usr/sbin/dockerd")
        monkeypatch.setattr(engine_setup, "install_packages", lambda names, say: self.do(f"install {names}", say))
        monkeypatch.setattr(engine_setup, "start_engine", lambda *_args, say: self.do("start dockerd", say))
        monkeypatch.setattr(engine_setup, "_start_service", lambda say: self.do("start service", say))
        monkeypatch.setattr(engine_setup, "_SYSTEMD", tmp_path / "no-systemd")
        monkeypatch.setattr(engine_setup, "_ENGINE_PID", tmp_path / "no-pid")

    def do(self, what: str, _say: Callable[[str], None]) -> None:
        self.did.append(what)


@pytest.fixture
def bare(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Machine:
    return Machine(monkeypatch, tmp_path)


def test_an_installed_engine_is_started(bare: Machine, tmp_path: Path) -> None:
    ensure_engine({}, lambda: tmp_path / "work", say=pytest.fail)
    assert bare.did == ["start dockerd"]


def test_a_missing_engine_is_installed_first(bare: Machine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engine_setup, "find_program", lambda _name: None)
    ensure_engine({}, lambda: tmp_path, say=pytest.fail)
    assert bare.did == ["install ['docker.io', 'iptables']", "start dockerd"]


def test_where_systemd_runs_the_engine_is_its_service(
    bare: Machine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(engine_setup, "_SYSTEMD", tmp_path)
    ensure_engine({}, lambda: tmp_path, say=pytest.fail)
    assert bare.did == ["start service"]


def test_an_engine_that_its_package_started_is_waited_for(
    bare: Machine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(engine_setup, "_is_starting", lambda: True)
    threading.Timer(0.1, lambda: setattr(bare, "answer", Answer.YES)).start()
    ensure_engine({}, lambda: tmp_path, say=pytest.fail)
    assert bare.did == []


def test_a_process_number_counts_only_with_its_program(tmp_path: Path) -> None:
    pid_file = tmp_path / "pid"
    assert not engine_setup.is_program(pid_file, "dockerd")
    pid_file.write_text("not a number")
    assert not engine_setup.is_program(pid_file, "dockerd")
    pid_file.write_text(f"{os.getpid()}\n")
    assert not engine_setup.is_program(pid_file, "dockerd")
    assert engine_setup.is_program(pid_file, Path("/proc/self/comm").read_text().strip())
