"""sources.lock from end to end: a package index of our own, the real uv, and a catalogue on disk."""

from __future__ import annotations

import hashlib
import json
import zipfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from dockerbuild_lib.catalog.catalog import Catalog
from dockerbuild_lib.catalog.load import load_catalog
from dockerbuild_lib.catalog.locks import DebianFile
from dockerbuild_lib.core.errors import HashMismatchError, LockError, NetworkError, UsageError
from dockerbuild_lib.core.retries import RetryPolicy
from dockerbuild_lib.sources.debian import SourcePackage
from dockerbuild_lib.sources.download import Downloader
from dockerbuild_lib.sources.http import HttpSettings
from dockerbuild_lib.sources.index_page import JSON_TYPE
from dockerbuild_lib.sources.lock_changes import LockChange
from dockerbuild_lib.sources.outside import Origins
from dockerbuild_lib.sources.package_index import IndexConfiguration, PackageIndex
from dockerbuild_lib.sources.resolve import resolve
from tests.support.catalogs import add_file, write_catalog
from tests.support.local_server import LocalServer, body, file_body, serving
from tests.support.locking import lock as lock_with
from tests.support.sdists import write_sdist

RECIPE = 'native: {trial: import native, versions: {"1.0": {}}}\n'
PYPROJECT = "[build-system]\nrequires = ['backend>=1', 'old; python_version < \"3\"']\n"


def write_wheel(folder: Path, filename: str, requires: Iterable[str] = ()) -> Path:
    name, version = filename.split("-")[:2]
    metadata = f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n"
    metadata += "".join(f"Requires-Dist: {one}\n" for one in requires)
    with zipfile.ZipFile(folder / filename, "w") as archive:
        archive.writestr(f"{name}-{version}.dist-info/METADATA", metadata)
        archive.writestr(f"{name}-{version}.dist-info/WHEEL", "Wheel-Version: 1.0\n")
        archive.writestr(f"{name}-{version}.dist-info/RECORD", "")
    return folder / filename


@contextmanager
def package_index(*files: Path, hashes: bool = True) -> Iterator[LocalServer]:
    """Serve *files* as a package index: as JSON, or as HTML without hashes."""
    with serving() as server:
        for file in files:
            project = file.name.split("-")[0].replace("_", "-")
            mine = sorted(one for one in files if one.name.split("-")[0].replace("_", "-") == project)
            server.answers[f"/f/{file.name}"] = file_body(file)
            page = _json_page(mine) if hashes else _html_page(mine)
            server.answers[f"/simple/{project}/"] = body(page, content_type=JSON_TYPE if hashes else "text/html")
        yield server


def _json_page(files: list[Path]) -> bytes:
    listed = [
        {
            "filename": file.name,
            "url": f"../../f/{file.name}",
            "hashes": {"sha256": hashlib.sha256(file.read_bytes()).hexdigest()},
            "size": file.stat().st_size,
        }
        for file in files
    ]
    return json.dumps({"meta": {"api-version": "1.1"}, "name": "x", "files": listed}).encode()


def _html_page(files: list[Path]) -> bytes:
    return "".join(f'<a href="../../f/{file.name}">{file.name}</a><br>' for file in files).encode()


def debian(packages: Iterable[SourcePackage]) -> dict[SourcePackage, DebianFile]:
    return {
        package: DebianFile(
            path=f"pool/main/{package.name}_{package.version}.orig.tar.gz",
            version=package.version,
            filename=f"{package.name}_{package.version}.orig.tar.gz",
            sha256="c" * 64,
            size=3,
        )
        for package in packages
    }


def origins(server: LocalServer) -> Origins:
    downloader = Downloader(HttpSettings(), policy=RetryPolicy(sleep=lambda _: None))
    return Origins(PackageIndex(IndexConfiguration((f"{server.url}/simple",)), downloader), debian)


def lock(catalog: Catalog, server: LocalServer, *names: str, update: bool = False) -> tuple[LockChange, ...]:
    return lock_with(catalog, origins(server), *names, update=update)


@pytest.fixture(autouse=True)
def _own_uv_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("UV_CACHE_DIR", str(tmp_path / "uv"))


@pytest.fixture
def files(tmp_path: Path) -> tuple[Path, ...]:
    folder = tmp_path / "files"
    folder.mkdir()
    return (
        write_sdist(folder, "native", "1.0", PYPROJECT),
        write_wheel(folder, "six-1.17.0-py2.py3-none-any.whl"),
        write_wheel(folder, "backend-1.5-py3-none-any.whl", ["helper"]),
        write_wheel(folder, "helper-3-cp311-cp311-manylinux_2_17_x86_64.manylinux2014_x86_64.whl"),
        write_wheel(folder, "helper-3-cp311-cp311-manylinux_2_17_aarch64.manylinux2014_aarch64.whl"),
        write_wheel(folder, "helper-3-py3-none-any.whl"),
    )


@pytest.fixture
def config(tmp_path: Path) -> Path:
    return write_catalog(tmp_path, wheels__native=RECIPE)


def test_everything_is_locked_and_the_catalogue_reads_it(config: Path, files: tuple[Path, ...]) -> None:
    with package_index(*files) as server:
        changes = lock(load_catalog(config), server)
    locks = load_catalog(config).locks
    native = locks.wheels["native"].versions["1.0"]
    assert native.source
    assert native.source.sha256 == hashlib.sha256(files[0].read_bytes()).hexdigest()
    assert native.source.size == files[0].stat().st_size
    assert [one.filename for one in native.build_requires["3.11"]] == [files[2].name, files[3].name]
    universal = locks.wheels["six"].versions["1.17.0"].source
    assert universal
    assert universal.filename == files[1].name
    assert locks.libraries.sources["libffi"].filename == "libffi_3.4.4.orig.tar.gz"
    assert [str(change).partition(" -> ")[0] for change in changes] == [
        "libraries: libffi: nothing",
        "native: 1.0 python 3.11: backend: nothing",
        "native: 1.0 python 3.11: helper: nothing",
        "native: 1.0 source: nothing",
        "six: 1.17.0 source: nothing",
    ]


def test_a_second_time_nobody_is_asked_and_nothing_is_written(config: Path, files: tuple[Path, ...]) -> None:
    with package_index(*files) as server:
        lock(load_catalog(config), server)
        before = {file: file.stat().st_mtime_ns for file in sorted((config / "locks").rglob("*.json"))}
        server.requests.clear()
        assert lock(load_catalog(config), server) == ()
    assert server.requests == []
    assert {file: file.stat().st_mtime_ns for file in sorted((config / "locks").rglob("*.json"))} == before


def test_update_takes_what_is_new(config: Path, files: tuple[Path, ...], tmp_path: Path) -> None:
    with package_index(*files) as server:
        lock(load_catalog(config), server)
    newer = write_wheel(tmp_path / "files", "backend-1.6-py3-none-any.whl")
    with package_index(*files, newer) as server:
        assert lock(load_catalog(config), server) == ()
        changes = lock(load_catalog(config), server, "native", update=True)
    assert [(change.pin, (change.after or "gone").partition(" ")[0]) for change in changes] == [
        ("1.0 python 3.11: backend", newer.name),
        ("1.0 python 3.11: helper", "gone"),
    ]


def test_an_index_without_hashes_and_sizes_is_measured(config: Path, files: tuple[Path, ...]) -> None:
    with package_index(*files) as server:
        lock(load_catalog(config), server)
    told = load_catalog(config).locks
    with package_index(*files, hashes=False) as server:
        lock(load_catalog(config), server, update=True)
    assert load_catalog(config).locks == told


def test_one_name_locks_one_thing(config: Path, files: tuple[Path, ...]) -> None:
    with package_index(*files) as server:
        assert [change.lock for change in lock(load_catalog(config), server, "six")] == ["six"]
        assert [change.pin for change in lock(load_catalog(config), server, "libffi")] == ["libffi"]
    assert sorted(file.name for file in (config / "locks").rglob("*.json")) == ["libraries.json", "six.json"]


def test_the_lock_of_a_wheel_that_is_gone_is_removed(config: Path, files: tuple[Path, ...]) -> None:
    with package_index(*files) as server:
        lock(load_catalog(config), server)
        (config / "wheels" / "six.yaml").unlink()
        changes = lock(load_catalog(config), server)
    assert [(change.lock, change.after) for change in changes] == [("six", None)]
    assert not (config / "locks" / "wheels" / "six.json").exists()


def test_pythons_and_the_sources_of_images_are_locked_by_their_kind(config: Path) -> None:
    python = "{version: 3.13.5, source: {type: debian, package: python3.13}}"
    add_file(config, "pythons.yaml", f'"3.11": {{source: debian}}\n"3.13": {{upstream: {python}}}\n')
    sdk = '{version: "1.2", source: {type: debian, package: sdk}, folder: /opt/sdk}'
    add_file(config, "images.yaml", f"debian: {{suite: bookworm, base-packages: [gcc], sources: {{sdk: {sdk}}}}}\n")
    with serving() as server:
        for name, pin in (("pythons", "3.13"), ("images", "sdk")):
            (change,) = lock(load_catalog(config), server, name)
            assert (change.lock, change.pin, change.before) == (name, pin, None)
            assert lock(load_catalog(config), server, name) == ()
    assert sorted(file.name for file in (config / "locks").rglob("*.json")) == ["images.json", "pythons.json"]
    locks = load_catalog(config).locks
    assert locks.pythons.sources["3.13"].filename == "python3.13_3.13.5.orig.tar.gz"
    assert locks.images.sources["sdk"].filename == "sdk_1.2.orig.tar.gz"
    add_file(config, "images.yaml", "debian: {suite: bookworm, base-packages: [gcc]}\n")
    with serving() as server:
        assert [change.after for change in lock(load_catalog(config), server, "images")] == [None]


def test_an_unknown_name_is_told_with_the_nearest(config: Path) -> None:
    with serving() as server, pytest.raises(UsageError, match="did you mean 'native'"):
        lock(load_catalog(config), server, "natve")


@pytest.mark.parametrize(
    ("missing", "said"),
    [
        (0, r"native 1\.0: the package index does not know it"),
        (1, r"six 1\.17\.0: the package index does not know it"),
        (2, "backend"),
        (3, "helper"),
    ],
)
def test_what_does_not_exist_is_told_and_nothing_of_it_is_written(
    config: Path, files: tuple[Path, ...], missing: int, said: str
) -> None:
    left = [file for number, file in enumerate(files) if number != missing and number < 4]
    with package_index(*left) as server, pytest.raises(LockError, match=said):
        lock(load_catalog(config), server)
    broken = "six" if missing == 1 else "native"
    assert not (config / "locks" / "wheels" / f"{broken}.json").exists()


def test_an_sdist_that_is_not_what_the_index_says_is_refused(config: Path, files: tuple[Path, ...]) -> None:
    with package_index(*files) as server:
        server.answers[f"/f/{files[0].name}"] = body(b"x" * files[0].stat().st_size)
        with pytest.raises(HashMismatchError):
            lock(load_catalog(config), server)
    assert not (config / "locks/wheels").exists()


def test_what_is_built_here_is_taken_and_what_it_needs_comes_from_the_index(
    tmp_path: Path, files: tuple[Path, ...]
) -> None:
    (tmp_path / "built").mkdir()
    here = write_wheel(tmp_path / "built", "backend-9-py3-none-any.whl", ["helper>=3"])
    with package_index(*files) as server:
        configuration = IndexConfiguration((f"{server.url}/simple",))
        found = resolve(("six", "backend>=2"), "3.11", configuration, here={"backend": here})
        assert [(one.name, one.version) for one in found] == [("helper", "3"), ("six", "1.17.0")]
        with pytest.raises(LockError, match="backend"):
            resolve(("backend<2",), "3.11", configuration, here={"backend": here})


def test_an_index_that_uv_cannot_reach_is_the_networks_fault(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("UV_HTTP_RETRIES", "0")
    with pytest.raises(NetworkError, match="backend"):
        resolve(("backend",), "3.11", IndexConfiguration(("http://127.0.0.1:9/simple",)))
