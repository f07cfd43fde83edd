"""Calls and uploads that the real client never makes, and what becomes of them."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from pathlib import Path

import pytest
import requests
from hypothesis import given, settings
from hypothesis import strategies as st

from dockerbuild_lib.core.errors import NoSpaceError
from dockerbuild_lib.store.local import LocalStore
from dockerbuild_lib.store.names import instance_id_of_file
from dockerbuild_lib.store.serve import messages as m
from dockerbuild_lib.store.serve.objects import object_of
from dockerbuild_lib.store.serve.prpc import MAX_CHANGE, MAX_QUESTION
from dockerbuild_lib.store.serve.status import Code
from dockerbuild_lib.store.serve.wire import Message, decode, encode
from tests.support.store_client import StoreClient, put
from tests.support.store_samples import PACKAGE, package_file
from tests.support.store_server import TOKEN, RunningServer, serving_store, token_file, wait_until

ABSENT = object_of("B7r75joOfFfFcq7fHCKAIrU34oeFAT174Bf8eHMajMUC")
CALLS = (
    *("ResolveVersion", "GetInstanceURL", "DescribeInstance", "ListInstances", "SearchInstances", "ListRefs"),
    *("ListPrefix", "GetRolesInPrefix", "RegisterInstance", "CreateRef", "AttachTags", "AttachMetadata"),
)
RETRIED = {"2", "13", "14"}


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningServer]:
    folder = tmp_path_factory.mktemp("served")
    (folder / "store").mkdir()
    with serving_store(folder / "store", token=token_file(folder)) as running:
        yield running


@pytest.fixture
def client(server: RunningServer) -> StoreClient:
    server.said.clear()
    return StoreClient(server.url, TOKEN)


def code(answer: requests.Response) -> int:
    return int(answer.headers["X-Prpc-Grpc-Code"])


def refused(client: StoreClient, name: str, request: Message) -> tuple[int, str]:
    answer = client.call(name, encode(request))
    return code(answer), answer.text


@settings(max_examples=60, deadline=None)
@given(st.sampled_from(CALLS), st.binary(max_size=60))
def test_no_request_is_answered_with_what_the_client_retries(server: RunningServer, name: str, body: bytes) -> None:
    for token in (None, TOKEN):
        answer = StoreClient(server.url, token).call(f"Repository.{name}", body)
        assert answer.headers["X-Prpc-Grpc-Code"] not in RETRIED
        assert answer.headers["Content-Type"]


@pytest.mark.parametrize("name", ["Repository.DeletePackage", "Storage.BeginUpload", "Nothing.ListPrefix", "X.Y%0AZ"])
def test_calls_that_there_are_not_are_named(name: str, client: StoreClient, server: RunningServer) -> None:
    assert code(client.call(name, b"")) == Code.UNIMPLEMENTED
    assert server.said == []


def test_only_the_binary_encoding_is_spoken(client: StoreClient) -> None:
    for headers in (
        {"Content-Type": "application/json"},
        {"Accept": "application/json"},
        {"Accept": "application/prpc; encoding=text"},
        {"Content-Encoding": "gzip"},
    ):
        assert code(client.call("Repository.ListPrefix", b"", **headers)) == Code.INVALID_ARGUMENT
    for headers in ({"Accept": "*/*"}, {"Content-Type": "application/prpc"}, {"Accept": ""}):
        assert code(client.call("Repository.ListPrefix", b"", **headers)) == Code.OK


def test_long_requests_are_refused_and_the_refusal_is_heard(client: StoreClient, server: RunningServer) -> None:
    for sender, size, expected in (
        (client, MAX_CHANGE + 1, Code.INVALID_ARGUMENT),
        (StoreClient(server.url), MAX_CHANGE, Code.UNAUTHENTICATED),
    ):
        assert code(sender.call("Repository.AttachMetadata", bytes(size))) == expected
    reader = StoreClient(server.url)
    assert code(reader.call("Repository.ListPrefix", bytes(MAX_QUESTION + 1))) == Code.INVALID_ARGUMENT


def test_what_is_not_there_is_never_said_to_be_not_ready(client: StoreClient) -> None:
    for name, request in (
        ("CreateRef", m.Ref("latest", PACKAGE, ABSENT)),
        ("AttachTags", m.AttachTagsRequest(PACKAGE, ABSENT, (m.Tag("k", "v"),))),
        ("AttachMetadata", m.AttachMetadataRequest(PACKAGE, ABSENT, (m.InstanceMetadata("k", b"v"),))),
        ("GetInstanceURL", m.GetInstanceURLRequest(PACKAGE, ABSENT)),
    ):
        assert refused(client, f"Repository.{name}", request) == (Code.NOT_FOUND, f"no such package: {PACKAGE}")


def test_bad_names_are_refused(client: StoreClient) -> None:
    for name, request in (
        ("ResolveVersion", m.ResolveVersionRequest("Bad//Name", "latest")),
        ("ResolveVersion", m.ResolveVersionRequest(PACKAGE, "Bad Version")),
        ("DescribeInstance", m.DescribeInstanceRequest(PACKAGE)),
        ("DescribeInstance", m.DescribeInstanceRequest(PACKAGE, m.ObjectRef(1, "a" * 40))),
        ("DescribeInstance", m.DescribeInstanceRequest(PACKAGE, m.ObjectRef(2, "A" * 64))),
        ("RegisterInstance", m.Instance("Bad//Name", ABSENT)),
        ("SearchInstances", m.SearchInstancesRequest(PACKAGE)),
        ("ListInstances", m.ListInstancesRequest(PACKAGE, page_size=-1)),
        ("ListPrefix", m.ListPrefixRequest("../x")),
        ("GetRolesInPrefix", m.PrefixRequest("../x")),
    ):
        got, message = refused(client, f"Repository.{name}", request)
        assert got in (Code.INVALID_ARGUMENT, Code.NOT_FOUND), (name, message)
        assert got == Code.INVALID_ARGUMENT or name == "ListInstances"


def test_addresses_are_those_by_which_the_client_comes(
    client: StoreClient, server: RunningServer, tmp_path: Path
) -> None:
    with LocalStore(server.folder) as store:
        pin = store.register("a/b", package_file(tmp_path, "x", "a/b")).pin
    request = encode(m.GetInstanceURLRequest("a/b", object_of(pin.instance_id)))
    for headers, base in (
        ({}, server.url),
        ({"Host": "wheels.example"}, "http://wheels.example"),
        ({"Host": "wheels.example:8443", "X-Forwarded-Proto": "https"}, "https://wheels.example:8443"),
    ):
        answer = client.call("Repository.GetInstanceURL", request, **headers)
        assert decode(m.ObjectURL, answer.content).signed_url == f"{base}/dl/a/b/+/{pin.instance_id}"


def test_pages_follow_each_other_whatever_is_registered_meanwhile(
    client: StoreClient, server: RunningServer, tmp_path: Path
) -> None:
    with LocalStore(server.folder) as store:
        made = [store.register("paged", package_file(tmp_path, str(number), "paged")).pin for number in range(5)]
        seen, token = [], ""
        while True:
            request = m.ListInstancesRequest("paged", page_size=2, page_token=token)
            page = client.ask("Repository.ListInstances", request, m.InstancesPage)
            seen += [each.instance for each in page.instances]
            store.register("paged", package_file(tmp_path, f"later {len(seen)}", "paged"))
            token = page.next_page_token
            if not token:
                break
    assert seen == [object_of(pin.instance_id) for pin in reversed(made)]
    request = m.ListInstancesRequest("paged", page_token="nonsense")  # noqa: S106  # no password
    assert refused(client, "Repository.ListInstances", request)[0] == Code.INVALID_ARGUMENT


def test_an_upload_is_taken_in_parts_and_asked_for(client: StoreClient, tmp_path: Path) -> None:
    package = package_file(tmp_path, "in parts", "uploaded/in-parts")
    content = package.read_bytes()
    size, upload = len(content), client.begin("uploaded/in-parts", package)
    asked = put(upload, b"", f"*/{size}")
    assert (asked.status_code, asked.headers.get("Range"), asked.headers.get("Location")) == (308, None, None)
    assert put(upload, content[:10], f"0-9/{size}").status_code == 308
    assert put(upload, b"", f"*/{size}").headers["Range"] == "bytes=0-9"
    assert put(upload, content[:10], f"0-9/{size}").status_code == 503  # so that the client asks
    assert put(upload, content[20:], f"20-{size - 1}/{size}").status_code == 503
    assert put(upload, content[10:20] + b"more", f"10-19/{size}").status_code == 400
    assert put(upload, content[10:15], f"10-19/{size}").status_code == 503
    assert put(upload, b"", f"*/{size}").headers["Range"] == "bytes=0-14"
    assert put(upload, content[15:], f"15-{size - 1}/{size}").status_code == 200
    assert put(upload, b"", f"*/{size}").status_code == 200
    assert client.finish(upload.operation_id).status == m.UploadStatus.PUBLISHED
    assert client.register("uploaded/in-parts", instance_id_of_file(package)).status == m.RegistrationStatus.REGISTERED


def part_of(server: RunningServer, upload: m.UploadOperation) -> Path:
    return server.folder / "uploads" / f"{upload.operation_id}.part"


def head_of(server: RunningServer, upload: m.UploadOperation, size: int) -> bytes:
    lines = (
        f"PUT {upload.upload_url.removeprefix(server.url)} HTTP/1.1",
        "Host: x",
        f"Content-Length: {size}",
        f"Content-Range: bytes 0-{size - 1}/{size}",
    )
    return "".join(f"{line}\r\n" for line in (*lines, "")).encode()


def test_whoever_asks_goes_on_and_a_request_that_hangs_ends(
    client: StoreClient, server: RunningServer, tmp_path: Path
) -> None:
    package = package_file(tmp_path, "hanging", "uploaded/hanging")
    content = package.read_bytes()
    size, upload = len(content), client.begin("uploaded/hanging", package)
    with socket.create_connection(("127.0.0.1", server.port)) as hanging:
        hanging.sendall(head_of(server, upload, size) + content[:10])
        wait_until(lambda: part_of(server, upload).stat().st_size == 10)
        assert put(upload, b"", f"*/{size}").headers["Range"] == "bytes=0-9"
        assert hanging.recv(65536).startswith(b"HTTP/1.1 500 ")
        with suppress(OSError):
            hanging.sendall(content[10:])
    assert put(upload, content[10:], f"10-{size - 1}/{size}").status_code == 200
    assert client.finish(upload.operation_id).status == m.UploadStatus.PUBLISHED
    assert server.said == []


def test_what_was_uploaded_is_checked_before_it_is_registered(client: StoreClient, tmp_path: Path) -> None:
    garbage, other = tmp_path / "garbage", package_file(tmp_path, "x", "of/another")
    garbage.write_bytes(b"no package")
    for file, content, problem in (
        (garbage, b"no package", "what was uploaded is no package"),
        (other, b"other bytes", "what was uploaded has the instance id"),
    ):
        upload = client.begin("uploaded/checked", file)
        put(upload, content, f"0-{len(content) - 1}/{len(content)}")
        finished = client.finish(upload.operation_id)
        assert finished.status == m.UploadStatus.ERRORED
        assert problem in finished.error_message
        assert put(upload, b"", "*/10").status_code == 404
    upload, content = client.begin("uploaded/checked", other), other.read_bytes()
    put(upload, content, f"0-{len(content) - 1}/{len(content)}")
    assert client.finish(upload.operation_id).status == m.UploadStatus.PUBLISHED
    request = m.Instance("uploaded/checked", object_of(instance_id_of_file(other)))
    got, message = refused(client, "Repository.RegisterInstance", request)
    assert got == Code.INVALID_ARGUMENT
    assert "the package file is of of/another, not of uploaded/checked" in message


def test_uploads_and_attestations_are_not_taken_on_trust(client: StoreClient) -> None:
    trusted = m.FinishUploadRequest("any", force_hash=ABSENT)
    assert refused(client, "Storage.FinishUpload", trusted)[0] == Code.PERMISSION_DENIED
    assert refused(client, "Storage.FinishUpload", m.FinishUploadRequest("../any"))[0] == Code.NOT_FOUND
    attested = m.Instance(PACKAGE, ABSENT, attestations="{}")
    assert refused(client, "Repository.RegisterInstance", attested)[0] == Code.UNIMPLEMENTED


def test_an_upload_needs_its_name_and_a_range(client: StoreClient, server: RunningServer, tmp_path: Path) -> None:
    upload = client.begin("uploaded/never", package_file(tmp_path, "x", "uploaded/never"))
    assert requests.put(upload.upload_url, b"x", timeout=60).status_code == 400
    assert put(upload, b"x", f"0-0/{1 << 50}").status_code == 413
    guessed = m.UploadOperation(upload_url=f"{upload.upload_url[:-1]}{'A' if upload.upload_url[-1] != 'A' else 'B'}")
    assert put(guessed, b"x", "0-0/100").status_code == 404
    assert put(m.UploadOperation(upload_url=f"{server.url}/upload/..%2Ftoken"), b"x", "0-0/1").status_code == 404


def test_a_full_disk_ends_an_upload_at_once_and_loses_nothing(
    client: StoreClient, server: RunningServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise NoSpaceError("no space left on the device", where=str(server.folder))

    package = package_file(tmp_path, "full", "uploaded/full")
    content = package.read_bytes()
    size, upload = len(content), client.begin("uploaded/full", package)
    put(upload, content[:10], f"0-9/{size}")
    with monkeypatch.context() as patch:
        patch.setattr("dockerbuild_lib.store.serve.uploads.Uploads.append", full)
        answer = put(upload, content[10:], f"10-{size - 1}/{size}")
        assert (answer.status_code, answer.text) == (413, "no space left on the device")
    assert put(upload, content[10:], f"10-{size - 1}/{size}").status_code == 200
    client.finish(upload.operation_id)
    request = m.Instance("uploaded/full", object_of(instance_id_of_file(package)))
    with monkeypatch.context() as patch:
        patch.setattr(LocalStore, "register", full)
        got = refused(client, "Repository.RegisterInstance", request)
        assert got == (Code.RESOURCE_EXHAUSTED, "no space left on the device")
    assert client.register("uploaded/full", instance_id_of_file(package)).status == m.RegistrationStatus.REGISTERED
    assert all(str(server.folder) in line for line in server.said[:2])


def test_a_bug_of_the_server_is_told_once_and_not_retried(
    client: StoreClient, server: RunningServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object) -> None:
        raise RuntimeError("secret")

    monkeypatch.setattr(LocalStore, "resolve", broken)
    got, message = refused(client, "Repository.ResolveVersion", m.ResolveVersionRequest(PACKAGE, "latest"))
    assert got == Code.ABORTED
    assert "secret" not in message
    assert requests.get(f"{server.url}/dl/{PACKAGE}/+/latest", timeout=60).status_code == 500
    wait_until(lambda: len(server.said) == 2)  # the second is told after it is answered
    assert [line.partition("unexpected ")[2] for line in server.said] == ["RuntimeError: secret"] * 2


def test_slow_clients_do_not_keep_a_connection(
    client: StoreClient, server: RunningServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    package = package_file(tmp_path, "slow", "uploaded/slow")
    upload, size = client.begin("uploaded/slow", package), package.stat().st_size
    call = b"POST /prpc/cipd.Repository/ListPrefix HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\n"
    monkeypatch.setattr("dockerbuild_lib.store.serve.patience.HEADER_SECONDS", 2)
    monkeypatch.setattr("dockerbuild_lib.store.serve.bodies.SECONDS", 0.3)
    for sent, answer in ((call, b"HTTP/1.1 409 "), (head_of(server, upload, size), b"HTTP/1.1 408 ")):
        with socket.create_connection(("127.0.0.1", server.port)) as slow:
            slow.sendall(sent)
            assert slow.recv(65536).startswith(answer)
    with ExitStack() as stack:
        silent, partial, second = (
            stack.enter_context(socket.create_connection(("127.0.0.1", server.port))) for _ in range(3)
        )
        second.sendall(b"HEAD /style.css HTTP/1.1\r\nHost: x\r\n\r\n")
        assert second.recv(65536).endswith(b"\r\n\r\n")
        for slow in (partial, second):
            slow.sendall(b"GET / HT")
        assert all(is_cut(slow) for slow in (silent, partial, second))


def is_cut(connection: socket.socket) -> bool:
    """Wait for what comes next on a connection, and tell whether it is its end."""
    try:
        return connection.recv(65536) == b""
    except ConnectionResetError:
        return True


def test_a_client_that_takes_nothing_does_not_keep_a_connection(
    server: RunningServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("dockerbuild_lib.store.serve.patience.STALLED_SECONDS", 0.3)
    with LocalStore(server.folder) as store:
        pin = store.register("big", package_file(tmp_path, "x" * (32 << 20), "big")).pin
    with socket.create_connection(("127.0.0.1", server.port)) as slow:
        slow.sendall(f"GET /dl/big/+/{pin.instance_id} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
        slow.recv(1)
        wait_until(lambda: server.connections == 0)
        received = 0
        with suppress(ConnectionResetError):
            while content := slow.recv(1 << 20):
                received += len(content)
        assert received < 32 << 20
