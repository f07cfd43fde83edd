"""Packages promoted to other stores: a folder, and a CIPD service through the real client."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from dockerbuild_lib.store.local import LocalStore
from dockerbuild_lib.store.protocol import Metadata, Pin, Publication
from tests.support.cipd_client import CipdClient, cipd_program
from tests.support.projects import Project
from tests.support.store_samples import PACKAGE, package_file, publication, wheel_file
from tests.support.store_server import TOKEN, serving_store, token_file

ALL = "--package=infra/python/wheels/*"
SOURCE = "infra/third_party/source/six"


@pytest.fixture
def project(tmp_path: Path) -> Project:
    """A project whose store holds a source and two versions of a wheel, one with all that a package can bear."""
    made = Project.checked_out(tmp_path / "project")
    with LocalStore(made.store) as store:
        old = store.publish(publication(tmp_path / "a", "3.0.4", "old", "content_key:1")).pin
        store.set_refs(old, ["tried"])
        store.attach_metadata(old, [Metadata("log", b"fine", "text/plain")])
        wheel = wheel_file(tmp_path / "w", version="3.1.0")
        new = package_file(tmp_path / "b", "new")
        store.publish(Publication(PACKAGE, new, ("content_key:2",), "version:3.1.0", wheel))
        store.publish(publication(tmp_path / "c", None, "source", "version:1.0", package=SOURCE))
    return made


@pytest.fixture
def other(tmp_path: Path) -> Iterator[LocalStore]:
    (tmp_path / "other").mkdir()
    with LocalStore(tmp_path / "other") as store:
        yield store


def facts(store: LocalStore, version: str) -> tuple[Pin, set[str], set[str], list[bytes]]:
    found = store.describe(PACKAGE, version)
    tags, refs = {tag.tag for tag in found.tags}, {ref.ref for ref in found.refs}
    return found.instance.pin, tags, refs, [each.metadata.value for each in found.metadata]


def test_a_package_goes_to_a_folder_with_all_that_it_bears(project: Project, other: LocalStore) -> None:
    to = f"--to={other.folder}"
    (first,) = project.succeed("store.promote", to, f"--package={PACKAGE}@version:3.0.4", "--json").json
    with LocalStore(project.store) as store:
        pin, tags, refs, metadata = facts(store, "version:3.0.4")
    assert (first["instance"], first["new"], set(first["refs"])) == (pin.instance_id, True, {"3.0.x", "3.x", "latest"})
    assert facts(other, "latest") == (pin, tags, {"tried", "3.0.x", "3.x", "latest"}, metadata)
    assert refs == {"tried", "3.0.x"}
    (row,) = project.succeed("store.promote", to, ALL, "--json").json
    assert set(row["refs"]) == {"3.1.x", "3.x", "latest"}
    assert [wheel.filename for wheel in other.wheels()] == ["markupsafe-3.1.0-py3-none-any.whl"]
    assert (other.folder / "simple/markupsafe/markupsafe-3.1.0-py3-none-any.whl").is_file()
    assert other.verify() == ()
    again = project.succeed("store.promote", to, ALL).stdout
    assert again.strip().endswith("there already, refs moved: none")


def test_a_source_has_no_computed_refs(project: Project, other: LocalStore) -> None:
    project.succeed("store.promote", f"--to={other.folder}", f"--package={SOURCE}@version:1.0")
    assert other.refs(SOURCE) == ()
    assert other.tags(other.resolve(SOURCE, "version:1.0")) == ("version:1.0",)


def test_a_package_goes_to_a_service(project: Project, tmp_path: Path) -> None:
    (tmp_path / "served").mkdir()
    (tmp_path / "home").mkdir()
    with serving_store(tmp_path / "served", token=token_file(tmp_path)) as server:
        client = CipdClient(cipd_program(), tmp_path / "home", server.url, TOKEN)
        variables = {**client.environment(), "INVOKE_DOCKERBUILD_CIPD_CLIENT": str(client.program)}
        for version in ("version:3.0.4", "latest"):
            project.succeed("store.promote", f"--to={server.url}", f"--package={PACKAGE}@{version}", **variables)
    with LocalStore(project.store) as here, LocalStore(tmp_path / "served") as there:
        assert facts(there, "version:3.0.4") == facts(here, "version:3.0.4")
        assert facts(there, "latest") == facts(here, "latest")


def test_what_is_there_with_other_bytes_is_refused_and_the_rest_is_copied(
    project: Project, other: LocalStore, tmp_path: Path
) -> None:
    other.publish(publication(tmp_path / "d", "3.1.0", "foreign"))
    both = (f"--package={PACKAGE}@latest", f"--package={SOURCE}@version:1.0")
    done = project.run("store.promote", f"--to={other.folder}", *both)
    assert done.code == 12
    assert "version:3.1.0 is already published" in done.stderr
    assert f"{SOURCE}:" in done.stdout
    assert other.resolve(SOURCE, "version:1.0")


@pytest.mark.parametrize(
    ("options", "code", "told"),
    [
        (("--to=nowhere", ALL), 3, "--to: nowhere is no folder"),
        (
            ("--to=https://cipd.example/path", ALL),
            3,
            "--to: https://cipd.example/path is no service; write https://HOST",
        ),
        (("--to=.",), 2, "--package: it is not said which packages"),
        (("--to=.", "--package=no/such/package"), 14, "no such package: no/such/package"),
    ],
)
def test_bad_options_are_told(project: Project, options: tuple[str, ...], code: int, told: str) -> None:
    done = project.run("store.promote", *options)
    assert (done.code, told in done.stderr) == (code, True), done.stderr
