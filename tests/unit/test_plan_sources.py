"""What a plan makes of sources of each type, and of wheels that are not cross-built."""

from __future__ import annotations

from pathlib import Path

import pytest

from dockerbuild_lib.catalog.base import Model
from dockerbuild_lib.catalog.catalog import Catalog
from dockerbuild_lib.catalog.load import load_catalog
from dockerbuild_lib.catalog.locks import (
    ArchiveFile,
    GitArchive,
    IndexFile,
    LibrariesLock,
    LocalArchive,
    LockedFile,
    VersionLock,
    WheelLock,
)
from dockerbuild_lib.core.errors import CatalogError, LockError
from dockerbuild_lib.plan.make import make_plan
from dockerbuild_lib.plan.plan import Plan
from dockerbuild_lib.plan.request import Request
from dockerbuild_lib.sources.lock_files import lock_text
from tests.support.catalogs import add_file, write_catalog
from tests.support.worlds import World

NATIVE = "trial: import demo"
ARCHIVE = "{type: archive, urls: ['https://a.example/demo-{version}.tar.gz']}"
GIT = "{type: git, repository: 'https://a.example/demo', revision: 'v{version}'}"
LOCAL = "{type: local, folder: ../demo}"
FACTS = {"name": "demo", "version": "1.0", "filename": "demo-1.0.tar", "sha256": "a" * 64, "size": 1}
ARCHIVE_PIN = ArchiveFile(**FACTS, urls=("https://a.example/demo-1.0.tar.gz",))
GIT_PIN = GitArchive(**FACTS, repository="https://a.example/demo", revision="v1.0", commit="1" * 40)
LOCAL_PIN = LocalArchive(**FACTS, folder="../demo")


def catalog(folder: Path, recipe: str, lock: Model | None = None, **changed: str) -> Catalog:
    """Return a catalogue with the recipe of ``demo`` and its lock."""
    config = write_catalog(folder, wheels__demo=f"demo: {{{recipe}}}", wheels__six=None, **changed)
    if lock:
        add_file(config, "locks/wheels/demo.json", lock_text(lock))
    return load_catalog(config)


def locked(source: LockedFile) -> WheelLock:
    return WheelLock(versions={source.version: VersionLock(source=source, build_requires={"3.11": ()})})


def plan(made: Catalog, *, upload: bool = False) -> Plan:
    return make_plan(Request(upload=upload), made, World(), lambda _catalog, _platform, _base: {})


def steps(made: Plan) -> list[str]:
    return [planned.step.id for planned in made.steps]


def keys(made: Plan) -> list[str]:
    return [planned.goal.key.recipe for planned in made.goals]


@pytest.mark.parametrize(("source", "pin"), [(ARCHIVE, ARCHIVE_PIN), (GIT, GIT_PIN), (LOCAL, LOCAL_PIN)])
def test_every_type_is_fetched_under_a_name_of_its_own(tmp_path: Path, source: str, pin: LockedFile) -> None:
    versions = "" if source == LOCAL else "versions: {'1.0': {}}, "
    made = plan(catalog(tmp_path, f"{versions}source: {source}, {NATIVE}", locked(pin)))
    assert steps(made)[0] == "fetch demo-1.0.tar aaaaaaaaaaaa"
    assert "build demo 1.0 linux-arm64-py3.11" in steps(made)


def test_two_archives_of_one_name_are_two_steps(tmp_path: Path) -> None:
    library = "demo: {version: '1.0', source: " + ARCHIVE + "}"
    config = f"libraries: [demo], versions: {{'1.0': {{}}}}, source: {GIT}, {NATIVE}"
    made = catalog(tmp_path, config, locked(GIT_PIN), libraries=library)
    other = LibrariesLock(sources={"demo": ARCHIVE_PIN.model_copy(update={"sha256": "b" * 64})})
    add_file(made.folder, "locks/libraries.json", lock_text(other))
    fetched = [step for step in steps(plan(load_catalog(made.folder))) if step.startswith("fetch")]
    assert fetched == ["fetch demo-1.0.tar aaaaaaaaaaaa", "fetch demo-1.0.tar bbbbbbbbbbbb"]


def test_moved_mirrors_and_repositories_change_no_key(tmp_path: Path) -> None:
    found = set()
    for number, source in enumerate(
        [
            ARCHIVE,
            "{type: archive, urls: ['http://b.example/x', 'https://a.example/demo-{version}.tar.gz']}",
            GIT,
            GIT.replace("a.example", "b.example"),
        ]
    ):
        folder = tmp_path / str(number)
        folder.mkdir()
        pin: LockedFile = GIT_PIN.model_copy(update={"repository": "https://b.example/demo"})
        if "archive" in source:
            urls = ("http://b.example/x", ARCHIVE_PIN.urls[0]) if "b.example" in source else ARCHIVE_PIN.urls
            pin = ARCHIVE_PIN.model_copy(update={"urls": urls})
        elif "b.example" not in source:
            pin = GIT_PIN
        recipe = f"versions: {{'1.0': {{}}}}, source: {source}, {NATIVE}"
        found |= set(keys(plan(catalog(folder, recipe, locked(pin)))))
    assert len(found) == 1


def test_moved_mirrors_of_a_library_change_no_key(tmp_path: Path) -> None:
    found = set()
    for number, url in enumerate(("https://a.example/x", "https://b.example/y")):
        folder = tmp_path / str(number)
        folder.mkdir()
        library = f"lib: {{version: '1.0', source: {{type: archive, urls: ['{url}']}}}}"
        made = catalog(
            folder,
            f"libraries: [lib], versions: {{'1.0': {{}}}}, source: {GIT}, {NATIVE}",
            locked(GIT_PIN),
            libraries=library,
        )
        pin = ARCHIVE_PIN.model_copy(update={"urls": (url,), "name": "lib"})
        add_file(made.folder, "locks/libraries.json", lock_text(LibrariesLock(sources={"lib": pin})))
        found |= set(keys(plan(load_catalog(made.folder))))
    assert len(found) == 1


@pytest.mark.parametrize(
    "source",
    [
        "{type: archive, urls: ['https://b.example/demo-{version}.tar.gz']}",
        GIT,
        "{type: debian, package: demo}",
        "{type: sdist}",
    ],
)
def test_a_source_that_is_another_than_the_locked_one_is_refused(tmp_path: Path, source: str) -> None:
    made = catalog(tmp_path, f"versions: {{'1.0': {{}}}}, source: {source}, {NATIVE}", locked(ARCHIVE_PIN))
    with pytest.raises(LockError) as caught:
        plan(made)
    assert str(caught.value) == (
        "demo 1.0: the source that its recipe names is not locked; run sources.lock --name=demo"
    )


def test_a_folder_has_the_version_that_is_locked(tmp_path: Path) -> None:
    made = catalog(tmp_path, f"source: {LOCAL}, {NATIVE}", locked(LOCAL_PIN))
    assert list(made.wheel("demo").versions) == ["1.0"]
    assert made.default_versions("demo") == ["1.0"]


@pytest.mark.parametrize("names", [(), ("demo",), ("demo==1.0",), ("d*",)])
def test_a_folder_that_is_not_locked_is_told(tmp_path: Path, names: tuple[str, ...]) -> None:
    made = catalog(tmp_path, f"source: {LOCAL}, {NATIVE}")
    with pytest.raises(LockError, match=r"demo: the version of its folder is not locked; run sources\.lock"):
        make_plan(Request(names), made, World(), lambda _catalog, _platform, _base: {})


def test_a_pure_wheel_is_built_once_and_published_under_the_universal_name(tmp_path: Path) -> None:
    recipe = f"kind: pure, versions: {{'1.0': {{}}}}, source: {GIT}"
    made = plan(catalog(tmp_path, recipe, locked(GIT_PIN)), upload=True)
    assert [planned.goal.package for planned in made.goals] == ["infra/python/wheels/demo-py3"]
    assert [step for step in steps(made) if step.endswith("demo 1.0 universal")] == [
        "build demo 1.0 universal",
        "check demo 1.0 universal",
        "trial demo 1.0 universal",
        "package demo 1.0 universal",
        "publish demo 1.0 universal",
    ]
    assert [step for step in steps(made) if step.startswith("image")] == ["image linux-amd64"]


def test_a_pure_wheel_for_python_2_too_is_named_so(tmp_path: Path) -> None:
    recipe = f"kind: pure, python-tag: py2.py3, versions: {{'1.0': {{}}}}, source: {GIT}"
    made = plan(catalog(tmp_path, recipe, locked(GIT_PIN)))
    assert [planned.goal.package for planned in made.goals] == ["infra/python/wheels/demo-py2_py3"]


def wheel(machine: str) -> IndexFile:
    filename = f"demo-1.0-cp311-cp311-manylinux2014_{machine}.whl"
    return IndexFile(distribution="demo", version="1.0", filename=filename, sha256="c" * 64, size=1)


def test_a_prebuilt_wheel_is_checked_tried_and_published_for_its_platform(tmp_path: Path) -> None:
    lock = WheelLock(versions={"1.0": VersionLock(prebuilt={"linux-arm64": {"3.11": wheel("aarch64")}})})
    recipe = f"kind: prebuilt, platforms: [linux-arm64], versions: {{'1.0': {{}}}}, {NATIVE}"
    made = plan(catalog(tmp_path, recipe, lock), upload=True)
    assert [planned.goal.package for planned in made.goals] == ["infra/python/wheels/demo/linux-arm64_cp311_cp311"]
    needs = {planned.step.id: planned.step.needs for planned in made.steps}
    target = "demo 1.0 linux-arm64-py3.11"
    assert needs[f"check {target}"] == ("fetch demo-1.0-cp311-cp311-manylinux2014_aarch64.whl",)
    assert needs[f"trial {target}"] == (f"check {target}", "image linux-arm64")
    assert needs[f"package {target}"] == (f"trial {target}",)
    assert needs[f"publish {target}"] == (f"package {target}",)
    assert f"build {target}" not in needs


def test_a_prebuilt_wheel_that_is_not_locked_is_told(tmp_path: Path) -> None:
    lock = WheelLock(versions={"1.0": VersionLock(prebuilt={"linux-arm64": {"3.11": wheel("aarch64")}})})
    made = catalog(tmp_path, f"kind: prebuilt, versions: {{'1.0': {{}}}}, {NATIVE}", lock)
    with pytest.raises(LockError, match=r"demo 1\.0: the wheel for linux-amd64-py3\.11 is not locked"):
        plan(made)


def test_the_build_platform_is_known_or_missed(tmp_path: Path) -> None:
    platforms = "a: {triple: aarch64-linux-gnu, cipd: a, tags: [a], image: debian, toolchain: zig}"
    recipe = f"kind: pure, versions: {{'1.0': {{}}}}, source: {GIT}"
    with pytest.raises(CatalogError, match="no platform is that of the build machine"):
        plan(catalog(tmp_path, recipe, locked(GIT_PIN), platforms=platforms))
