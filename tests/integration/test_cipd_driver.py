"""The store over a service, through the real client: what goes wrong is told apart, and never taken for "not there"."""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest

from dockerbuild_lib.core.errors import (
    LoginRequiredError,
    NetworkError,
    NotInStoreError,
    StoreAmbiguousError,
    StoreDamagedError,
    StoreForbiddenError,
    VersionConflictError,
)
from dockerbuild_lib.store.cipd.store import CipdStore
from dockerbuild_lib.store.local import LocalStore
from dockerbuild_lib.store.protocol import Pin, TagQuery
from tests.support.local_server import body, serving, status
from tests.support.store_samples import PACKAGE, package_file, publication
from tests.support.store_server import TOKEN, RunningServer, serving_store, token_file
from tests.support.stores import cipd_store_at


@pytest.fixture
def server(tmp_path: Path) -> Iterator[RunningServer]:
    (tmp_path / "served").mkdir()
    with serving_store(tmp_path / "served", token=token_file(tmp_path)) as running:
        yield running


@pytest.fixture
def store(server: RunningServer, tmp_path: Path) -> CipdStore:
    return cipd_store_at(server.url, tmp_path, TOKEN)


def questions(store: CipdStore, tmp_path: Path) -> list[Callable[[], object]]:
    pin = Pin(PACKAGE, "B7r75joOfFfFcq7fHCKAIrU34oeFAT174Bf8eHMajMUC")
    return [
        lambda: store.exists(PACKAGE, "latest"),
        lambda: store.exists(PACKAGE, pin.instance_id),
        lambda: store.search(PACKAGE, ["version:1"]),
        lambda: store.pins_by_tags([TagQuery(PACKAGE, "version:1"), TagQuery(PACKAGE, "version:2")]),
        lambda: store.tags_of([pin]),
        store.packages,
        lambda: store.fetch(pin, tmp_path / "out"),
        lambda: store.publish(publication(tmp_path)),
    ]


def test_a_service_that_is_not_there_is_no_empty_store(tmp_path: Path) -> None:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))  # and nobody listens
        store = cipd_store_at(f"http://127.0.0.1:{closed.getsockname()[1]}", tmp_path, seconds=4)
        with ThreadPoolExecutor() as pool:
            asked = [pool.submit(ask) for ask in questions(store, tmp_path)]
            for answer in asked:
                with pytest.raises(NetworkError, match="refused"):
                    answer.result()


@pytest.mark.parametrize("code", [404, 500, 503])
def test_a_server_that_is_no_service_is_no_empty_store(code: int, tmp_path: Path) -> None:
    with serving(x=body(b"")) as other:
        other.answers["/prpc/cipd.Repository/ResolveVersion"] = status(code)
        store = cipd_store_at(other.url, tmp_path, seconds=1.5)
        with pytest.raises(NetworkError):
            store.exists(PACKAGE, "latest")


def test_who_has_not_logged_in_may_read_and_is_told_how_to_write(
    server: RunningServer, store: CipdStore, tmp_path: Path
) -> None:
    pin = store.publish(publication(tmp_path)).pin
    (tmp_path / "reader").mkdir()
    reader = cipd_store_at(server.url, tmp_path / "reader")
    assert reader.resolve(PACKAGE, "latest") == pin
    for change in (
        lambda: reader.publish(publication(tmp_path, "2.0", "y")),
        lambda: reader.attach_tags(pin, ["k:1"]),
        lambda: reader.set_refs(pin, ["stable"]),
        lambda: reader.register("infra/other", package_file(tmp_path, "z", "infra/other")),
    ):
        with pytest.raises(LoginRequiredError, match="cipd auth-login"):
            change()
    assert store.tags(pin) == ("version:3.0.4",)
    assert store.packages() == (PACKAGE,)


def test_who_may_not_write_is_told_who_grants_it(server: RunningServer, tmp_path: Path) -> None:
    stranger = cipd_store_at(server.url, tmp_path, "f" * 32)
    with pytest.raises(StoreForbiddenError, match="an owner of the package's prefix"):
        stranger.publish(publication(tmp_path))


def test_a_credential_helper_that_fails_is_no_login(store: CipdStore, tmp_path: Path) -> None:
    client = store._client  # noqa: SLF001  # its variables, to change one
    helper = {"LUCI_AUTH_CREDENTIAL_HELPER": "/bin/false"}
    store = CipdStore(replace(client, environ={**client.environ, **helper}), tmp_path / "other")
    with pytest.raises(LoginRequiredError):
        store.exists(PACKAGE, "latest")


def test_a_tag_that_became_ambiguous_is_not_remembered(store: CipdStore, tmp_path: Path) -> None:
    first, second = (store.register(PACKAGE, package_file(tmp_path, content)).pin for content in "ab")
    store.attach_tags(first, ["k:1"])
    assert store.resolve(PACKAGE, "k:1") == first
    store.fetch(first, tmp_path / "out")
    store.attach_tags(second, ["k:1"])
    for ask in (lambda: store.resolve(PACKAGE, "k:1"), lambda: store.describe(PACKAGE, "k:1")):
        with pytest.raises(StoreAmbiguousError):
            ask()


def test_an_instance_that_the_service_never_had_is_not_there(store: CipdStore) -> None:
    with pytest.raises(NotInStoreError, match="no such package"):
        store.resolve(PACKAGE, "B7r75joOfFfFcq7fHCKAIrU34oeFAT174Bf8eHMajMUC")


def damage(file: Path) -> None:
    file.chmod(0o644)
    content = bytearray(file.read_bytes())
    content[len(content) // 2] ^= 1
    file.write_bytes(content)


def test_damage_on_the_service_is_named_and_not_fetched(
    server: RunningServer, store: CipdStore, tmp_path: Path
) -> None:
    pin = store.publish(publication(tmp_path)).pin
    store.publish(publication(tmp_path, "1.0", "x", package="infra/other"))
    damage(server.folder / "instances" / pin.instance_id)
    with pytest.raises(StoreDamagedError):
        store.fetch(pin, tmp_path / "out")
    assert not (tmp_path / "out").exists()
    lost = store.publish(publication(tmp_path, "2.0", "y")).pin
    (server.folder / "instances" / lost.instance_id).unlink()
    assert {each.pins for each in store.verify()} == {(pin,), (lost,)}
    assert store.verify("infra/other") == ()


def test_damage_in_the_clients_cache_is_healed(store: CipdStore, tmp_path: Path) -> None:
    given = publication(tmp_path)
    pin = store.publish(given).pin
    store.fetch(pin, tmp_path / "first")
    damage(tmp_path / "cipd" / "cache" / "instances" / pin.instance_id)
    store.fetch(pin, tmp_path / "second")
    assert (tmp_path / "second").read_bytes() == given.file.read_bytes()


def test_a_publication_that_was_cut_is_finished_by_the_next(
    server: RunningServer, store: CipdStore, tmp_path: Path
) -> None:
    given = publication(tmp_path, "1.0", "x", "content_key:abc")
    with LocalStore(server.folder) as behind:
        pin = behind.register(PACKAGE, given.file).pin
        behind.attach_tags(pin, ["content_key:abc"])
    published = store.publish(given)
    assert (published.pin, published.is_new) == (pin, False)
    assert set(published.moved_refs) == {"latest", "1.x"}
    assert store.resolve(PACKAGE, "version:1.0") == store.resolve(PACKAGE, "latest") == pin


def test_refs_that_were_lost_or_moved_are_repaired(server: RunningServer, store: CipdStore, tmp_path: Path) -> None:
    old = store.publish(publication(tmp_path, "1.0", "a")).pin
    new = store.publish(publication(tmp_path, "2.0", "b")).pin
    with LocalStore(server.folder) as behind:
        behind.set_refs(old, ["latest", "2.x"])
    assert set(store.publish(publication(tmp_path, "1.0", "a")).moved_refs) == {"latest", "2.x"}
    assert store.resolve(PACKAGE, "latest") == store.resolve(PACKAGE, "2.x") == new


def test_two_machines_that_publish_a_version_at_once_are_found_out(
    server: RunningServer, store: CipdStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with LocalStore(server.folder) as behind:
        other = behind.publish(publication(tmp_path, "1.0", "other")).pin
    with pytest.raises(VersionConflictError):
        store.publish(publication(tmp_path, "1.0", "own"))
    monkeypatch.setattr(CipdStore, "_known", lambda *_: ())  # what was asked before the other one had published
    with pytest.raises(StoreAmbiguousError, match=r"version:1\.0 has more than one owner") as caught:
        store.publish(publication(tmp_path, "1.0", "own"))
    assert other.instance_id in str(caught.value)
