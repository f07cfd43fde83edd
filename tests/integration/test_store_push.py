"""Wheels of the store go to another package index: a real pypiserver with a password."""

from __future__ import annotations

import shutil
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from dockerbuild_lib.core.errors import (
    AccessRefusedError,
    NetworkError,
    StoreDamagedError,
    UsageError,
    VersionConflictError,
    WheelRefusedError,
)
from dockerbuild_lib.store.local import LocalStore
from dockerbuild_lib.store.protocol import Publication
from dockerbuild_lib.wheels.pushing import Pusher
from dockerbuild_lib.wheels.remote_index import RemoteIndex
from tests.support.index_server import PASSWORD, USER, free_port, index_server
from tests.support.projects import TREE, Project
from tests.support.store_samples import PACKAGE, package_file, wheel_file
from tests.support.stores import damage_file

WHEELS = ("markupsafe-3.0.3-py3-none-any.whl", "markupsafe-3.0.4-py3-none-any.whl", "other-3.0.4-py3-none-any.whl")


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, Path]]:
    folder = tmp_path_factory.mktemp("index") / "packages"
    with index_server(folder, "--disable-fallback") as address:
        yield address, folder


@pytest.fixture
def index(served: tuple[str, Path]) -> Iterator[tuple[str, Path]]:
    """Yield the address of an empty index, and its folder."""
    yield served
    for path in served[1].iterdir():
        path.unlink()


@pytest.fixture(autouse=True)
def only_what_the_test_knows(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("PYTHON_KEYRING_BACKEND", "keyring.backends.null.Keyring")
    monkeypatch.setenv("TWINE_USERNAME", USER)
    monkeypatch.setenv("TWINE_PASSWORD", PASSWORD)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[LocalStore]:
    with LocalStore(tmp_path / "store") as made:
        for filename in WHEELS:
            name, version, _ = filename.split("-", 2)
            package = f"{PACKAGE}/{name}"
            wheel = wheel_file(tmp_path / "w", name=name, version=version)
            file = package_file(tmp_path, filename, package)
            made.publish(Publication(package, file, (), f"version:{version}", wheel))
        yield made


def push(store: LocalStore, address: str, pages: str = "") -> list[str]:
    """Push all wheels, and return what was said of each."""
    said: list[str] = []
    index = RemoteIndex(address, pages)
    try:
        Pusher(index, store.simple_index.place_of, said.append).push(store.wheels())
    finally:
        index.close()
    return said


def test_what_is_missing_is_uploaded_and_the_rest_left_alone(store: LocalStore, index: tuple[str, Path]) -> None:
    address, folder = index
    shutil.copy(store.simple_index.place_of(WHEELS[1]), folder)
    assert push(store, address) == [
        f"{WHEELS[0]}: uploaded",
        f"{WHEELS[1]}: there already",
        f"{WHEELS[2]}: uploaded",
    ]
    for filename in WHEELS:
        assert (folder / filename).read_bytes() == store.simple_index.place_of(filename).read_bytes()
    assert push(store, address) == [f"{filename}: there already" for filename in WHEELS]


def test_other_bytes_are_a_conflict_and_all_else_is_uploaded(
    store: LocalStore, index: tuple[str, Path], tmp_path: Path
) -> None:
    address, folder = index
    theirs = shutil.copy(wheel_file(tmp_path / "theirs", version="3.0.3", code="answer = 41\n"), folder)
    before = Path(theirs).read_bytes()
    with pytest.raises(VersionConflictError, match=rf"{WHEELS[0]}\b.*revision"):
        push(store, address)
    assert Path(theirs).read_bytes() == before
    assert {path.name for path in folder.iterdir()} == set(WHEELS)


def test_a_conflict_that_no_page_shows_is_one_all_the_same(store: LocalStore, index: tuple[str, Path]) -> None:
    address, folder = index
    for filename in WHEELS:
        shutil.copy(store.simple_index.place_of(filename), folder)
    with pytest.raises(VersionConflictError, match=WHEELS[2]):
        push(store, address, f"{address}nowhere/")


def test_pages_without_sha256_are_compared_by_the_files(store: LocalStore, tmp_path: Path) -> None:
    with index_server(tmp_path / "old", "--disable-fallback", "--hash-algo", "md5") as address:
        push(store, address)
        assert push(store, address) == [f"{filename}: there already" for filename in WHEELS]
        damage_file(tmp_path / "old" / WHEELS[0])
        with pytest.raises(VersionConflictError, match=WHEELS[0]):
            push(store, address)


def test_an_index_that_sends_unknown_names_elsewhere_does_not_have_them(store: LocalStore, tmp_path: Path) -> None:
    elsewhere = f"http://127.0.0.1:{free_port()}/simple/"
    with index_server(tmp_path / "proxy", "--fallback-url", elsewhere) as address:
        assert push(store, address) == [f"{filename}: uploaded" for filename in WHEELS]


def test_yanked_wheels_stay(store: LocalStore, index: tuple[str, Path]) -> None:
    store.yank([WHEELS[0]], "broken")
    assert push(store, index[0])[0] == f"{WHEELS[0]}: yanked, so it stays here"
    assert {path.name for path in index[1].iterdir()} == set(WHEELS[1:])


def test_a_damaged_wheel_is_not_uploaded(store: LocalStore, index: tuple[str, Path]) -> None:
    damage_file(store.simple_index.place_of(WHEELS[0]))
    with pytest.raises(StoreDamagedError, match=WHEELS[0]):
        push(store, index[0])
    assert list(index[1].iterdir()) == []


def test_a_wrong_password_is_refused_and_never_shown(
    store: LocalStore, index: tuple[str, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TWINE_PASSWORD", "not-the-password")
    with pytest.raises(AccessRefusedError, match=r"40[13].*\.pypirc") as caught:
        push(store, index[0])
    assert "not-the-password" not in str(caught.value)
    assert list(index[1].iterdir()) == []


def test_a_password_that_is_good_for_reading_only_is_refused(
    store: LocalStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TWINE_PASSWORD", "not-the-password")
    with (
        index_server(tmp_path / "open", "--disable-fallback", "-a", "update") as address,
        pytest.raises(AccessRefusedError, match=r"40[13].*\.pypirc"),
    ):
        push(store, address)


def test_without_a_password_it_is_said_where_one_is_looked_for(
    store: LocalStore, index: tuple[str, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("TWINE_USERNAME")
    monkeypatch.delenv("TWINE_PASSWORD")
    with pytest.raises(AccessRefusedError, match=r"keyring.*\.pypirc.*TWINE_USERNAME"):
        push(store, index[0])


@pytest.mark.parametrize("by_name", [False, True], ids=["by its address", "by its name"])
def test_pypirc_is_read(
    by_name: bool,  # noqa: FBT001  # a parameter of the test
    store: LocalStore,
    index: tuple[str, Path],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delenv("TWINE_USERNAME")
    monkeypatch.delenv("TWINE_PASSWORD")
    (tmp_path / ".pypirc").write_text(
        f"[distutils]\nindex-servers = ours\n"
        f"[ours]\nrepository = {index[0]}\nusername = {USER}\npassword = {PASSWORD}\n"
    )
    assert push(store, "ours" if by_name else index[0]) == [f"{filename}: uploaded" for filename in WHEELS]


def test_an_index_that_is_not_there_is_a_matter_of_the_network(store: LocalStore) -> None:
    with pytest.raises(NetworkError, match="refuses the connection"):
        push(store, f"http://127.0.0.1:{free_port()}/")


@pytest.mark.parametrize("target", ["nothing", "ftp://example.invalid/", f"http://{USER}:secret@example.invalid/"])
def test_what_is_no_address_or_has_a_password_is_refused(target: str, store: LocalStore) -> None:
    with pytest.raises(UsageError) as caught:
        push(store, target)
    assert "secret" not in str(caught.value)


def test_a_pypirc_that_is_none_is_named_without_what_is_in_it(store: LocalStore, tmp_path: Path) -> None:
    (tmp_path / ".pypirc").write_text("password = hunter2\n")
    with pytest.raises(UsageError, match="configuration") as caught:
        push(store, "ours")
    assert "hunter2" not in str(caught.value)


def test_a_wheel_that_twine_refuses_is_named(index: tuple[str, Path], tmp_path: Path) -> None:
    wheel = tmp_path / "markupsafe-1.0-py3-none-any.whl"
    with zipfile.ZipFile(wheel, "w") as archive:
        archive.writestr("markupsafe-1.0.dist-info/WHEEL", "Wheel-Version: 1.0\n")
        archive.writestr(
            "markupsafe-1.0.dist-info/METADATA", "Metadata-Version: 99.0\nName: markupsafe\nVersion: 1.0\n"
        )
    remote = RemoteIndex(index[0])
    with pytest.raises(WheelRefusedError, match=wheel.name):
        remote.upload(wheel)
    remote.close()


def test_the_task_pushes_what_it_is_asked_for(store: LocalStore, index: tuple[str, Path]) -> None:
    address, folder = index

    def run(*arguments: str) -> tuple[int, str, str]:
        done = Project(TREE).run("store.push-index", address, *arguments, INVOKE_DOCKERBUILD_STORE=str(store.folder))
        return done.code, done.stdout, done.stderr

    assert run("--name=Other") == (0, f"{WHEELS[2]}: uploaded\n", "")
    assert {path.name for path in folder.iterdir()} == {WHEELS[2]}
    code, _, told = run("--name=markupsave")
    assert code == 2
    assert "did you mean 'markupsafe'" in told
