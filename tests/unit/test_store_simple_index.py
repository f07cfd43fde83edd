"""The static index: what its pages say, and which wheels it refuses."""

from __future__ import annotations

import hashlib
import json
import zipfile
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

from dockerbuild_lib.core.errors import StoreDamagedError, VersionConflictError, WheelRefusedError
from dockerbuild_lib.core.files import sha256_of
from dockerbuild_lib.store.local import LocalStore
from dockerbuild_lib.store.protocol import Publication
from dockerbuild_lib.store.simple_index import SimpleIndex
from dockerbuild_lib.store.wheel_file import read_wheel
from tests.support.store_samples import PACKAGE, package_file, wheel_file


class Links(HTMLParser):
    def __init__(self, page: Path) -> None:
        super().__init__()
        self.found: list[dict[str, str | None]] = []
        self.feed(page.read_text())

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag == "a":
            self.found.append(dict(attrs))


def add(index: SimpleIndex, wheel: Path) -> None:
    index.add_wheel(wheel, read_wheel(wheel))


def record(folder: Path) -> dict[str, Any]:
    content: dict[str, Any] = json.loads((folder / "index.json").read_text())
    return content


def test_the_page_of_a_project_has_hashes_metadata_and_pythons(tmp_path: Path) -> None:
    wheel = wheel_file(tmp_path, tag="cp311-cp311-manylinux_2_17_aarch64")
    add(SimpleIndex(tmp_path / "simple"), wheel)
    folder = tmp_path / "simple" / "markupsafe"
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


def test_the_json_of_a_project_follows_pep_691_and_700(tmp_path: Path) -> None:
    wheels = [wheel_file(tmp_path, version=version, requires_python=None) for version in ("3.0.4", "3.0.5")]
    for wheel in reversed(wheels):
        add(SimpleIndex(tmp_path / "simple"), wheel)
    found = record(tmp_path / "simple" / "markupsafe")
    assert (found["meta"], found["name"], found["versions"]) == (
        {"api-version": "1.1"},
        "markupsafe",
        ["3.0.4", "3.0.5"],
    )
    assert [file["filename"] for file in found["files"]] == [wheel.name for wheel in wheels]
    for file, wheel in zip(found["files"], wheels, strict=True):
        metadata = (tmp_path / "simple" / "markupsafe" / f"{wheel.name}.metadata").read_bytes()
        assert file["hashes"] == {"sha256": sha256_of(wheel)}
        assert file["core-metadata"] == {"sha256": hashlib.sha256(metadata).hexdigest()}
        assert file["size"] == wheel.stat().st_size
        assert "requires-python" not in file


def test_names_are_normalised_and_projects_listed(tmp_path: Path) -> None:
    index = SimpleIndex(tmp_path / "simple")
    add(index, wheel_file(tmp_path, name="Zope_Interface"))
    add(index, wheel_file(tmp_path))
    names = ["markupsafe", "zope-interface"]
    assert [link["href"] for link in Links(tmp_path / "simple" / "index.html").found] == [f"{name}/" for name in names]
    assert [project["name"] for project in record(tmp_path / "simple")["projects"]] == names
    assert index.wheels("zope-interface") == ("Zope_Interface-3.0.4-py3-none-any.whl",)
    assert index.wheels("unknown") == ()


def test_versions_with_a_build_tag_or_a_local_part_are_linked(tmp_path: Path) -> None:
    wheel = wheel_file(tmp_path, version="1.0+local.1")
    built = wheel_file(tmp_path, version="1.0", tag="py3-none-any")
    built = built.rename(built.with_name("markupsafe-1.0-2-py3-none-any.whl"))
    index = SimpleIndex(tmp_path / "simple")
    for each in (wheel, built):
        add(index, each)
    links = [str(link["href"]).partition("#")[0] for link in Links(tmp_path / "simple/markupsafe/index.html").found]
    assert links == ["markupsafe-1.0%2Blocal.1-py3-none-any.whl", built.name]
    assert record(tmp_path / "simple/markupsafe")["versions"] == ["1.0", "1.0+local.1"]


def test_adding_again_changes_no_file(tmp_path: Path) -> None:
    index, wheel = SimpleIndex(tmp_path / "simple"), wheel_file(tmp_path)
    add(index, wheel)
    before = {path: path.stat().st_ino for path in (tmp_path / "simple").rglob("*")}
    add(index, wheel)
    assert {path: path.stat().st_ino for path in (tmp_path / "simple").rglob("*")} == before


@pytest.mark.parametrize(
    "lost", ["index.html", "index.json", "markupsafe/index.html", "markupsafe/index.json", "markupsafe/x"]
)
def test_adding_again_completes_what_was_cut(lost: str, tmp_path: Path) -> None:
    index, wheel = SimpleIndex(tmp_path / "simple"), wheel_file(tmp_path)
    add(index, wheel)
    before = {path: path.read_bytes() for path in (tmp_path / "simple").rglob("*") if path.is_file()}
    (tmp_path / "simple" / lost.replace("/x", f"/{wheel.name}")).unlink()
    add(index, wheel)
    assert {path: path.read_bytes() for path in (tmp_path / "simple").rglob("*") if path.is_file()} == before


def test_a_wheel_that_was_never_published_may_be_replaced(tmp_path: Path) -> None:
    left = wheel_file(tmp_path / "left", code="answer = 41\n")
    wheel = wheel_file(tmp_path)
    with LocalStore(tmp_path / "store") as store:
        add(store.simple_index, left)  # and then its publisher was killed
        given = Publication(PACKAGE, package_file(tmp_path), (), "version:3.0.4", wheel)
        store.publish(given)
        assert store.verify() == ()
        assert record(tmp_path / "store/simple/markupsafe")["files"][0]["hashes"]["sha256"] == sha256_of(wheel)
        other = Publication("other", package_file(tmp_path, package="other"), (), None, left)
        with pytest.raises(VersionConflictError, match=PACKAGE):
            store.publish(other)
        assert store.verify() == ()


def test_verify_names_a_damaged_or_unlisted_wheel(tmp_path: Path) -> None:
    wheel = wheel_file(tmp_path)
    with LocalStore(tmp_path / "store") as store:
        given = Publication(PACKAGE, package_file(tmp_path), (), "version:3.0.4", wheel)
        pin = store.publish(given).pin
        folder = tmp_path / "store/simple/markupsafe"
        for break_it in (
            (folder / wheel.name).unlink,
            lambda: (folder / wheel.name).write_bytes(b"damaged"),
            (folder / "index.json").unlink,
        ):
            break_it()
            assert [damage.pins for damage in store.verify()] == [(pin,)]
            assert wheel.name in store.verify()[0].problem
            store.publish(given)
            assert store.verify() == ()


def test_a_damaged_record_is_named(tmp_path: Path) -> None:
    index, wheel = SimpleIndex(tmp_path / "simple"), wheel_file(tmp_path)
    add(index, wheel)
    for content in ("{", "[]", "{}"):
        (tmp_path / "simple/markupsafe/index.json").write_text(content)
        with pytest.raises(StoreDamagedError, match=r"index\.json"):
            add(index, wheel)


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
