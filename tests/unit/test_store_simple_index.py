"""The static index: what its pages say, and which wheels it refuses."""

from __future__ import annotations

import hashlib
import json
import shutil
import zipfile
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

from dockerbuild_lib.core.errors import VersionConflictError, WheelRefusedError
from dockerbuild_lib.core.files import sha256_of
from dockerbuild_lib.store.local import LocalStore
from dockerbuild_lib.store.package_file import write_package
from dockerbuild_lib.store.package_tree import FileMember
from dockerbuild_lib.store.protocol import Part, Publication
from dockerbuild_lib.store.simple_index import SimpleIndex
from dockerbuild_lib.store.wheel_file import read_wheel
from tests.support.store_samples import PACKAGE, package_file, wheel_file
from tests.support.stores import damage_file


class Links(HTMLParser):
    def __init__(self, page: Path) -> None:
        super().__init__()
        self.found: list[dict[str, str | None]] = []
        self.feed(page.read_text())

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag == "a":
            self.found.append(dict(attrs))


@pytest.fixture
def store(tmp_path: Path) -> Iterator[LocalStore]:
    with LocalStore(tmp_path / "store") as made:
        yield made


def publish(store: LocalStore, *wheels: Path) -> None:
    """Publish each wheel with a package of its own, which has the wheel under a universal name."""
    for wheel in wheels:
        package = f"{PACKAGE}/{wheel.name.lower().replace('+', '_')}"
        file = wheel.with_suffix(".package")
        write_package(file, package, [FileMember("universal-py2.py3-none-any.whl", wheel)])
        version = read_wheel(wheel).version.public
        store.publish(Publication(package, file, (), f"version:{version}", wheel))


def record(folder: Path) -> dict[str, Any]:
    content: dict[str, Any] = json.loads((folder / "index.json").read_text())
    return content


def contents(store: LocalStore) -> dict[Path, bytes]:
    return {path: path.read_bytes() for path in store.simple_index.folder.rglob("*") if path.is_file()}


def test_the_page_of_a_project_has_hashes_metadata_and_pythons(store: LocalStore, tmp_path: Path) -> None:
    wheel = wheel_file(tmp_path, tag="cp311-cp311-manylinux_2_17_aarch64")
    publish(store, wheel)
    folder = tmp_path / "store" / "simple" / "markupsafe"
    metadata = f"sha256={sha256_of(folder / f'{wheel.name}.metadata')}"
    assert Links(folder / "index.html").found == [
        {
            "href": f"{wheel.name}#sha256={sha256_of(wheel)}",
            "data-requires-python": ">=3.9",
            "data-core-metadata": metadata,
            "data-dist-info-metadata": metadata,
        }
    ]
    assert (folder / wheel.name).read_bytes() == wheel.read_bytes()
    with zipfile.ZipFile(wheel) as archive:
        expected = archive.read("markupsafe-3.0.4.dist-info/METADATA")
    assert (folder / f"{wheel.name}.metadata").read_bytes() == expected


def test_the_json_of_a_project_follows_pep_691_and_700(store: LocalStore, tmp_path: Path) -> None:
    wheels = [wheel_file(tmp_path, version=version, requires_python=None) for version in ("3.0.10", "3.0.9")]
    publish(store, *wheels)
    found = record(tmp_path / "store" / "simple" / "markupsafe")
    assert (found["meta"], found["name"], found["versions"]) == (
        {"api-version": "1.1"},
        "markupsafe",
        ["3.0.9", "3.0.10"],
    )
    assert [file["filename"] for file in found["files"]] == [wheel.name for wheel in wheels]
    times = {wheel.filename: wheel.published_us for wheel in store.wheels()}
    for file, wheel in zip(found["files"], wheels, strict=True):
        metadata = (tmp_path / "store" / "simple" / "markupsafe" / f"{wheel.name}.metadata").read_bytes()
        assert file["url"] == wheel.name
        assert file["hashes"] == {"sha256": sha256_of(wheel)}
        assert file["core-metadata"] == file["dist-info-metadata"] == {"sha256": hashlib.sha256(metadata).hexdigest()}
        assert file["size"] == wheel.stat().st_size
        assert file["yanked"] is False
        assert file["upload-time"].endswith("Z")
        uploaded = datetime.fromisoformat(file["upload-time"]) - datetime.fromtimestamp(0, UTC)
        assert uploaded // timedelta(microseconds=1) == times[wheel.name]
        assert "requires-python" not in file


@pytest.mark.parametrize(("reason", "stated"), [('breaks "a" & <b>', 'breaks "a" & <b>'), ("", True)])
def test_a_yanked_wheel_is_marked_on_both_pages(reason: str, stated: object, store: LocalStore, tmp_path: Path) -> None:
    wheels = [wheel_file(tmp_path, version=version) for version in ("3.0.4", "3.0.5")]
    publish(store, *wheels)
    before = contents(store)
    store.yank([wheels[0].name], reason)
    folder = tmp_path / "store" / "simple" / "markupsafe"
    assert [link.get("data-yanked") for link in Links(folder / "index.html").found] == [reason, None]
    assert [file["yanked"] for file in record(folder)["files"]] == [stated, False]
    assert store.verify() == ()
    store.yank([wheels[0].name], None)
    assert contents(store) == before


def test_names_are_normalised_and_projects_listed(store: LocalStore, tmp_path: Path) -> None:
    publish(store, wheel_file(tmp_path, name="Zope_Interface"), wheel_file(tmp_path))
    names = ["markupsafe", "zope-interface"]
    simple = tmp_path / "store" / "simple"
    assert [link["href"] for link in Links(simple / "index.html").found] == [f"{name}/" for name in names]
    assert [project["name"] for project in record(simple)["projects"]] == names
    assert [file["filename"] for file in record(simple / "zope-interface")["files"]] == [
        "Zope_Interface-3.0.4-py3-none-any.whl"
    ]


def test_versions_with_a_build_tag_or_a_local_part_are_linked(store: LocalStore, tmp_path: Path) -> None:
    wheel = wheel_file(tmp_path, version="1.0+local.1")
    built = wheel_file(tmp_path, version="1.0", tag="py3-none-any")
    built = built.rename(built.with_name("markupsafe-1.0-2-py3-none-any.whl"))
    publish(store, wheel, built)
    folder = tmp_path / "store" / "simple" / "markupsafe"
    links = [str(link["href"]).partition("#")[0] for link in Links(folder / "index.html").found]
    assert links == ["markupsafe-1.0%2Blocal.1-py3-none-any.whl", built.name]
    assert record(folder)["versions"] == ["1.0", "1.0+local.1"]


def test_publishing_again_changes_no_page(store: LocalStore, tmp_path: Path) -> None:
    wheel = wheel_file(tmp_path)
    publish(store, wheel)
    pages = [path for path in contents(store) if path.suffix != ".whl"]
    before = {path: path.stat().st_ino for path in pages}
    publish(store, wheel)
    assert {path: path.stat().st_ino for path in pages} == before


def test_a_wheel_that_was_never_published_may_be_replaced(store: LocalStore, tmp_path: Path) -> None:
    left, wheel = wheel_file(tmp_path / "left", code="answer = 41\n"), wheel_file(tmp_path)
    folder = tmp_path / "store/simple/markupsafe"
    folder.mkdir(parents=True)
    shutil.copy(left, folder)  # and then its publisher was killed
    publish(store, wheel)
    assert store.verify() == ()
    assert record(folder)["files"][0]["hashes"]["sha256"] == sha256_of(wheel)
    other = Publication("other", package_file(tmp_path, package="other"), (), None, left)
    with pytest.raises(VersionConflictError, match=PACKAGE):
        store.publish(other)
    assert store.verify() == ()


PLACES = {
    "markupsafe/markupsafe-3.0.4-py3-none-any.whl": Part.WHEEL,
    "markupsafe/markupsafe-3.0.4-py3-none-any.whl.metadata": Part.WHEEL,
    "markupsafe/index.json": Part.PAGE,
    "markupsafe/index.html": Part.PAGE,
    "index.json": Part.PAGE,
    "index.html": Part.PAGE,
}


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("how", [damage_file, Path.unlink], ids=["damaged", "lost"])
def test_verify_names_what_is_damaged_or_lost_and_rebuilding_makes_it_again(
    place: str,
    how: Callable[[Path], None],
    store: LocalStore,
    tmp_path: Path,
) -> None:
    publish(store, wheel_file(tmp_path), wheel_file(tmp_path, name="other"))
    before, path = contents(store), store.simple_index.folder / place
    how(path)
    (damage,) = store.verify()
    assert (damage.part, str(path) in damage.problem) == (PLACES[place], True)
    assert store.rebuild_simple_index() == ()
    assert contents(store) == before
    assert store.verify() == ()


def test_the_whole_index_can_be_made_again(store: LocalStore, tmp_path: Path) -> None:
    publish(store, wheel_file(tmp_path), wheel_file(tmp_path, tag="cp311-cp311-manylinux_2_17_aarch64"))
    store.yank(["markupsafe-3.0.4-py3-none-any.whl"], "slow")
    before = contents(store)
    shutil.rmtree(store.simple_index.folder)
    assert store.rebuild_simple_index() == ()
    assert contents(store) == before


def test_a_wheel_that_lies_in_no_package_is_named_and_the_rest_made_again(store: LocalStore, tmp_path: Path) -> None:
    publish(store, wheel_file(tmp_path, name="other"))
    lost = wheel_file(tmp_path)
    store.publish(Publication(PACKAGE, package_file(tmp_path), (), "version:3.0.4", lost))
    shutil.rmtree(store.simple_index.folder)
    assert store.rebuild_simple_index() == (lost.name,)
    assert {damage.part for damage in store.verify()} == {Part.WHEEL}
    store.publish(Publication(PACKAGE, package_file(tmp_path), (), "version:3.0.4", lost))
    assert store.verify() == ()


def test_a_project_of_nothing_but_quarantined_wheels_is_no_longer_shown(store: LocalStore, tmp_path: Path) -> None:
    wheel = wheel_file(tmp_path)
    publish(store, wheel, wheel_file(tmp_path, name="other"))
    before = contents(store)
    pin = next(each.pin for each in store.wheels() if each.project == "markupsafe")
    store.quarantine(pin, "it rotted")
    simple = tmp_path / "store" / "simple"
    assert [project["name"] for project in record(simple)["projects"]] == ["other"]
    assert not list((simple / "markupsafe").glob("index.*"))
    assert store.verify() == ()
    publish(store, wheel)
    assert contents(store) == before


def test_pages_that_a_killed_process_did_not_write_are_written_by_the_next_that_opens_the_store(
    store: LocalStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    publish(store, wheel_file(tmp_path))
    monkeypatch.setattr(SimpleIndex, "write_project", interrupted)
    with pytest.raises(KeyboardInterrupt):
        publish(store, wheel_file(tmp_path, name="other"))
    monkeypatch.undo()
    assert not (tmp_path / "store" / "simple" / "other" / "index.html").exists()
    with LocalStore(tmp_path / "store") as reader:
        assert reader.packages()
        assert [project["name"] for project in record(tmp_path / "store/simple")["projects"]] == ["markupsafe", "other"]
        assert reader.verify() == ()


def interrupted(*_arguments: object) -> None:
    raise KeyboardInterrupt


def test_a_page_shows_no_address_of_its_own(store: LocalStore, tmp_path: Path) -> None:
    publish(store, wheel_file(tmp_path))
    for path, content in contents(store).items():
        assert b"://" not in content or path.suffix == ".whl"
        assert b'href="/' not in content


@pytest.mark.parametrize(
    ("filename", "message"),
    [
        ("markupsafe-3.0.5-py3-none-any.whl", "METADATA says markupsafe 3.0.4"),
        ("jinja2-3.0.4-py3-none-any.whl", "METADATA says markupsafe 3.0.4"),
        ("markupsafe-3.0.4-py2.py3-none-any.whl", "WHEEL file has the tags py3-none-any"),
        ("markupsafe-3.0.4-cp311-cp311-linux_aarch64.whl", "WHEEL file has the tags py3-none-any"),
        ("markupsafe.whl", "nvalid wheel filename"),
        ("markupsafe-3.0.4-py3-none-any.zip", "nvalid wheel filename"),
    ],
)
def test_a_wheel_under_a_name_that_is_not_true_is_refused(filename: str, message: str, tmp_path: Path) -> None:
    wheel = wheel_file(tmp_path)
    with pytest.raises(WheelRefusedError, match=message):
        read_wheel(wheel.rename(tmp_path / filename))


def test_a_wheel_with_several_tags_is_known_by_all_of_them(tmp_path: Path) -> None:
    tag = "cp311-cp311-manylinux2014_aarch64.manylinux_2_17_aarch64"
    declared = "cp311-cp311-manylinux2014_aarch64 cp311-cp311-manylinux_2_17_aarch64"
    assert read_wheel(wheel_file(tmp_path, tag=tag, declared_tag=declared)).project == "markupsafe"


@pytest.mark.parametrize("content", [b"", b"no zip", b"PK\x05\x06" + bytes(18)])
def test_what_is_no_wheel_is_refused(content: bytes, tmp_path: Path) -> None:
    wheel = tmp_path / "markupsafe-3.0.4-py3-none-any.whl"
    wheel.write_bytes(content)
    with pytest.raises(WheelRefusedError, match=wheel.name):
        read_wheel(wheel)
    with pytest.raises(WheelRefusedError):
        read_wheel(tmp_path / "missing-1.0-py3-none-any.whl")
