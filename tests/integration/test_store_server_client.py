"""The store's server and the unmodified ``cipd`` client: all that the client does over it, and how it is refused."""

from __future__ import annotations

import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest

from dockerbuild_lib.store.local import LocalStore
from dockerbuild_lib.store.protocol import Metadata, Pin
from tests.support.cipd_client import CipdClient, cipd_program
from tests.support.store_samples import package_file, publication
from tests.support.store_server import TOKEN, CuttingProxy, RunningServer, serving_store, token_file

PACKAGE = "infra/tools/sample/linux-amd64"
TEMPLATE = "infra/tools/sample/${platform}"
ABSENT_ID = "B7r75joOfFfFcq7fHCKAIrU34oeFAT174Bf8eHMajMUC"
MEBIBYTE = 1 << 20


@pytest.fixture(scope="session")
def program() -> Path:
    return cipd_program()


@pytest.fixture
def server(tmp_path: Path) -> Iterator[RunningServer]:
    (tmp_path / "store").mkdir()
    with serving_store(tmp_path / "store", token=token_file(tmp_path)) as running:
        yield running


@pytest.fixture
def reader(program: Path, server: RunningServer, tmp_path: Path) -> CipdClient:
    return client_of(program, server.url, tmp_path / "reader")


@pytest.fixture
def writer(program: Path, server: RunningServer, tmp_path: Path) -> CipdClient:
    return client_of(program, server.url, tmp_path / "writer", TOKEN)


@pytest.fixture
def pins(server: RunningServer, tmp_path: Path) -> list[Pin]:
    """Two versions that the store has published itself, and a tag that both of them bear."""
    with LocalStore(server.folder) as store:
        return [
            store.publish(publication(tmp_path / version, version, version, "built_by:me", package=PACKAGE)).pin
            for version in ("1.0", "2.0")
        ]


def client_of(program: Path, url: str, home: Path, token: str | None = None) -> CipdClient:
    home.mkdir()
    return CipdClient(program, home, url, token)


def tree(folder: Path, content: bytes = b"content") -> Path:
    folder.mkdir()
    (folder / "file").write_bytes(content)
    return folder


def as_json(pin: Pin) -> dict[str, str]:
    return {"package": pin.package, "instance_id": pin.instance_id}


def stored(server: RunningServer, package: str = PACKAGE) -> list[str]:
    with LocalStore(server.folder) as store:
        return [each.pin.instance_id for each in store.instances(package)]


def test_what_is_published_can_be_asked_for(reader: CipdClient, pins: list[Pin]) -> None:
    old, new = pins
    for version, pin in (("latest", new), ("1.x", old), ("version:1.0", old), (new.instance_id, new)):
        assert reader.run("resolve", PACKAGE, "-version", version)[""][0]["pin"] == as_json(pin)
    assert reader.run("resolve", "infra/tools/sample/", "-version", "latest")[""][0]["pin"] == as_json(new)
    described = reader.run("describe", PACKAGE, "-version", "latest")
    assert described["pin"] == as_json(new)
    assert {tag["tag"] for tag in described["tags"]} == {"version:2.0", "built_by:me"}
    assert {ref["ref"] for ref in described["refs"]} == {"latest", "2.x"}
    assert described["registered_by"].startswith("user:")
    assert described["registered_ts"] > 1_600_000_000
    listed = reader.run("instances", PACKAGE)["instances"]
    assert [each["pin"] for each in listed] == [as_json(new), as_json(old)]
    assert set(listed[0]["refs"]) == {"latest", "2.x"}
    assert reader.run("search", PACKAGE, "-tag", "built_by:me") == [as_json(new), as_json(old)]
    assert reader.run("search", PACKAGE, "-tag", "built_by:me", "-tag", "version:1.0") == [as_json(old)]
    assert not reader.run("search", PACKAGE, "-tag", "built_by:you")
    assert not reader.run("search", "other/package", "-tag", "built_by:you")
    assert reader.run("ls") == ["infra/"]
    assert reader.run("ls", "infra/tools/sample") == [PACKAGE]
    assert reader.run("ls", "-r") == ["infra/", "infra/tools/", "infra/tools/sample/", PACKAGE]


def test_packages_are_fetched_and_deployed(reader: CipdClient, pins: list[Pin], tmp_path: Path) -> None:
    _, new = pins
    fetched, site, exported = tmp_path / "fetched", tmp_path / "site", tmp_path / "exported"
    assert reader.run("pkg-fetch", PACKAGE, "-version", "latest", "-out", fetched) == as_json(new)
    assert reader.run("pkg-inspect", fetched) == as_json(new)
    ensure_file = tmp_path / "ensure"
    ensure_file.write_text(f"$VerifiedPlatform linux-amd64\n@Subdir here\n{TEMPLATE} version:1.0\n")
    for command, root in (("ensure", site), ("export", exported)):
        assert reader.run(command, "-ensure-file", ensure_file, "-root", root) == {"here": [as_json(pins[0])]}
        assert (root / "here" / "file").read_text() == "1.0"
    assert reader.run("ensure-file-verify", "-ensure-file", ensure_file)


def test_a_package_is_installed_into_a_site_of_the_server(
    reader: CipdClient, pins: list[Pin], server: RunningServer, tmp_path: Path
) -> None:
    site = tmp_path / "site"
    reader.run("init", site, "-service-url", server.url)
    installed = reader.run("install", TEMPLATE, "1.x", "-root", site)
    assert installed["pin"] == as_json(pins[0])
    assert (site / "file").read_text() == "1.0"
    reader.run("install", TEMPLATE, "-root", site, "-force")
    assert (site / "file").read_text() == "2.0"


def test_a_package_is_created_with_tags_refs_and_metadata(
    writer: CipdClient, reader: CipdClient, server: RunningServer, tmp_path: Path
) -> None:
    options = ("-tag", "version:1", "-tag", "by:me", "-ref", "latest", "-ref", "stable", "-metadata", "log:all is well")
    created = writer.run("create", "-name", PACKAGE, "-in", tree(tmp_path / "tree"), *options)
    described = reader.run("describe", PACKAGE, "-version", "stable")
    assert described["pin"] == created
    assert {tag["tag"] for tag in described["tags"]} == {"version:1", "by:me"}
    assert {ref["ref"] for ref in described["refs"]} == {"latest", "stable"}
    assert [each["key"] for each in described["metadata"]] == ["log"]
    with LocalStore(server.folder) as store:
        assert store.verify() == ()
        assert store.describe(PACKAGE, "latest").metadata[0].metadata == Metadata("log", b"all is well", "text/plain")
    assert f"registered {PACKAGE}:{created['instance_id']}" in server.said
    assert TOKEN not in "".join(server.said)


def test_a_package_file_is_registered_once(writer: CipdClient, server: RunningServer, tmp_path: Path) -> None:
    file = package_file(tmp_path / "made", "content", PACKAGE)
    registered = writer.run("pkg-register", file, "-tag", "version:1")
    assert writer.run("pkg-register", file, "-ref", "latest") == registered
    assert stored(server) == [registered["instance_id"]]
    assert writer.run("describe", PACKAGE, "-version", "latest")["tags"][0]["tag"] == "version:1"


def test_an_instance_whose_file_was_lost_is_healed_by_registering_it_again(
    writer: CipdClient, server: RunningServer, tmp_path: Path
) -> None:
    file = package_file(tmp_path / "made", "content", PACKAGE)
    registered = writer.run("pkg-register", file)
    (server.folder / "instances" / registered["instance_id"]).unlink()
    lost = writer.call("pkg-fetch", PACKAGE, "-version", registered["instance_id"], "-out", tmp_path / "out")
    assert lost.error_code == "rpc_error"
    writer.run("pkg-register", file)
    assert server.said[-1] == f"healed {PACKAGE}:{registered['instance_id']}"
    writer.run("pkg-fetch", PACKAGE, "-version", registered["instance_id"], "-out", tmp_path / "out")
    assert (tmp_path / "out").read_bytes() == file.read_bytes()


def test_tags_refs_and_metadata_are_set(writer: CipdClient, pins: list[Pin]) -> None:
    old, new = pins
    writer.run("set-ref", PACKAGE, "-version", "version:1.0", "-ref", "stable")
    assert writer.run("resolve", PACKAGE, "-version", "stable")[""][0]["pin"] == as_json(old)
    writer.run("set-ref", PACKAGE, "-version", "version:2.0", "-ref", "stable")
    assert writer.run("resolve", PACKAGE, "-version", "stable")[""][0]["pin"] == as_json(new)
    assert "error" not in writer.run("set-tag", PACKAGE, "-version", "stable", "-tag", "tested:yes", "-tag", "a:b c")[0]
    assert writer.run("search", PACKAGE, "-tag", "a:b c", "-tag", "tested:yes") == [as_json(new)]
    writer.run("set-metadata", PACKAGE, "-version", "stable", "-metadata", "note(text/markdown):*good*")
    found = writer.run("describe", PACKAGE, "-version", "stable")["metadata"][0]
    assert (found["key"], found["content_type"]) == ("note", "text/markdown")


def test_the_token_makes_a_writer(reader: CipdClient, writer: CipdClient) -> None:
    assert reader.run("acl-check", PACKAGE, "-reader") is True
    assert reader.run("acl-check", PACKAGE, "-writer") is False
    assert writer.run("acl-check", PACKAGE, "-writer") is True
    assert writer.run("acl-check", PACKAGE, "-owner") is False


REFUSALS = {
    "no token": (None, "token", "writing needs the token"),
    "wrong token": ("f" * 32, "token", "not the one of this server"),
    "read-only": (TOKEN, None, "this server is read-only"),
}


@pytest.mark.parametrize("case", REFUSALS)
def test_who_may_not_write_is_told_so_and_changes_nothing(
    case: str, program: Path, pins: list[Pin], tmp_path: Path
) -> None:
    token, file, message = REFUSALS[case]
    with serving_store(tmp_path / "store", token=tmp_path / file if file else None) as server:
        client = client_of(program, server.url, tmp_path / "client", token)
        made = package_file(tmp_path / "made", "other", PACKAGE)
        version = ("-version", pins[0].instance_id)
        for command in (
            ("pkg-register", made),
            ("create", "-name", PACKAGE, "-in", tree(tmp_path / "tree")),
            ("set-ref", PACKAGE, *version, "-ref", "latest"),
            ("set-metadata", PACKAGE, *version, "-metadata", "k:v"),
        ):
            answer = client.call(*command)
            assert (answer.code, answer.error_code or answer.result[""][0]["error_code"]) == (1, "auth_error")
            assert message in answer.stderr
        refused = client.call("set-tag", PACKAGE, *version, "-tag", "k:v")
        assert message in refused.result[0]["error"]
        assert client.run("resolve", PACKAGE, "-version", "latest")[""][0]["pin"] == as_json(pins[1])
        assert len(stored(server)) == 2


@pytest.mark.parametrize(
    ("version", "message"),
    [
        ("absent", "no such ref: absent"),
        ("version:9", "no such tag: version:9"),
        ("built_by:me", "ambiguity when resolving the tag"),
    ],
)
def test_a_version_that_is_not_there_or_ambiguous_is_told_apart(
    version: str, message: str, reader: CipdClient, pins: list[Pin], tmp_path: Path
) -> None:
    assert pins
    (tmp_path / "ensure").write_text(f"{PACKAGE} {version}\n")
    for command in (
        ("describe", PACKAGE, "-version", version),
        ("pkg-fetch", PACKAGE, "-version", version, "-out", tmp_path / "out"),
        ("ensure", "-ensure-file", tmp_path / "ensure", "-root", tmp_path / "site"),
    ):
        answer = reader.call(*command)
        assert (answer.code, answer.error_code) == (1, "invalid_version_error")
        assert message in answer.document["error"]
    assert not (tmp_path / "out").exists()


def test_packages_and_instances_that_are_not_there_are_named(reader: CipdClient, pins: list[Pin]) -> None:
    assert pins
    for command, message in (
        (("describe", "other/package", "-version", "latest"), "no such package: other/package"),
        (("describe", PACKAGE, "-version", ABSENT_ID), f"no such instance: {ABSENT_ID}"),
        (("instances", "other/package"), "no such package: other/package"),
    ):
        answer = reader.call(*command)
        assert (answer.code, answer.error_code) == (1, "invalid_version_error")
        assert message in answer.document["error"]


def test_what_the_server_does_not_do_fails_at_once(reader: CipdClient, writer: CipdClient, tmp_path: Path) -> None:
    assert "this server has no cipd.Repository.GetInheritedPrefixMetadata" in reader.call("acl-list", "infra").stderr
    (tmp_path / "attestation").write_text("{}")
    made = package_file(tmp_path / "made", "x", PACKAGE)
    for option in (("-attestation", tmp_path / "attestation"), ("-hash-algo", "sha1")):
        answer = writer.call("pkg-register", made, *option)
        assert (answer.code, answer.error_code) in ((1, "rpc_error"), (1, "bad_argument_error"))


def test_sixteen_clients_at_once(program: Path, server: RunningServer, tmp_path: Path) -> None:
    common = package_file(tmp_path / "common", "common", PACKAGE)
    clients = [client_of(program, server.url, tmp_path / f"client{number}", TOKEN) for number in range(16)]

    def work(number: int) -> None:
        client, name, content = clients[number], f"own/p{number}", os.urandom(5 * MEBIBYTE)
        own = tree(tmp_path / f"tree{number}", content)
        client.run("create", "-name", name, "-in", own, "-tag", "version:1", "-ref", "latest")
        client.run("pkg-register", common, "-tag", f"client:{number}", "-ref", "latest")
        ensure_file = client.home / "ensure"
        ensure_file.write_text(f"@Subdir own\n{name} latest\n@Subdir common\n{PACKAGE} latest\n")
        client.run("ensure", "-ensure-file", ensure_file, "-root", client.home / "site")
        assert (client.home / "site" / "own" / "file").read_bytes() == content

    with ThreadPoolExecutor(16) as pool:
        list(pool.map(work, range(16)))
    assert len(stored(server)) == 1
    with LocalStore(server.folder) as store:
        assert len(store.packages("own")) == 16
        assert store.verify() == ()
    assert not [file for kind in ("part", "package") for file in (server.folder / "uploads").glob(f"*.{kind}")]


def big_package(client: CipdClient, folder: Path) -> Path:
    """Make a package that is uploaded in three chunks."""
    folder.mkdir()
    options = ("-name", PACKAGE, "-in", tree(folder / "tree", os.urandom(11 * MEBIBYTE)))
    client.run("pkg-build", *options, "-out", folder / "package", "-compression-level", "0")
    return folder / "package"


def test_an_upload_goes_on_after_a_cut(writer: CipdClient, server: RunningServer, tmp_path: Path) -> None:
    package = big_package(writer, tmp_path / "big")
    with CuttingProxy(lambda: server.port, after=6 * MEBIBYTE).running() as proxy:
        client = replace(writer, service=proxy.url)
        client.run("pkg-register", package, "-ref", "latest")
    assert proxy.was_cut
    assert proxy.sent < package.stat().st_size + 3 * MEBIBYTE  # what had come was not sent again
    with LocalStore(server.folder) as store:
        assert store.verify() == ()


def test_an_upload_goes_on_with_a_new_server(program: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("dockerbuild_lib.store.serve.server.GRACE_SECONDS", 1)
    store, token = tmp_path / "store", token_file(tmp_path)
    store.mkdir()
    running: list[RunningServer] = []
    first, second = (serving_store(store, token=token) for _ in range(2))
    running.append(first.__enter__())

    def replace_server() -> None:
        first.__exit__(None, None, None)
        running.append(second.__enter__())

    proxy = CuttingProxy(lambda: running[-1].port, after=6 * MEBIBYTE, at_cut=replace_server)
    with proxy.running():
        writer = client_of(program, proxy.url, tmp_path / "writer", TOKEN)
        package = big_package(writer, tmp_path / "big")
        writer.run("pkg-register", package)
    second.__exit__(None, None, None)
    assert len(running) == 2
    assert proxy.sent < package.stat().st_size + 3 * MEBIBYTE
    with LocalStore(store) as whole:
        assert [each.pin.package for each in whole.instances(PACKAGE)] == [PACKAGE]
        assert whole.verify() == ()
