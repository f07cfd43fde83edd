"""The inventory of sources: no pin is missing from it, whatever locks may hold one day, and nothing that is needed."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import fields, replace
from pathlib import Path
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin, get_type_hints

import pytest
from pydantic import BaseModel

from dockerbuild_lib.catalog.catalog import Catalog
from dockerbuild_lib.catalog.load import load_catalog
from dockerbuild_lib.catalog.locks import (
    CratesArchive,
    DebianFile,
    IndexFile,
    LibrariesLock,
    LockedFile,
    Locks,
    ToolsLock,
    VersionLock,
    WheelLock,
)
from dockerbuild_lib.core.errors import UsageError
from dockerbuild_lib.plan.source_search import find_sources, select_sources
from dockerbuild_lib.plan.source_uses import NeededSource, Use, needed_sources
from tests.support.catalogs import write_catalog

PROJECT = Path(__file__).parents[2]
NATIVE = (
    'native: {libraries: [libffi], trial: pass, build-requires: {backend: any}, versions: {"1.0": {}, "2.0": {}}}\n'
)
IMAGES = "debian: {suite: bookworm, base-packages: [gcc], tools: [meson, zig]}\n"
_numbers = itertools.count(1)


def sample(kind: Any) -> Any:  # noqa: ANN401, PLR0911 - a value of any type that a lock's field may have
    """Return a value of a type, with something in every field, so that a field added later has something too."""
    arguments = get_args(kind)
    match get_origin(kind) or kind:
        case origin if origin is Annotated:
            return sample(arguments[0])
        case origin if origin in (Union, UnionType):
            return sample(next(each for each in arguments if each is not NoneType))
        case origin if origin is Literal:
            return arguments[0]
        case origin if origin is tuple:
            return (sample(arguments[0]),)
        case origin if isinstance(origin, type) and issubclass(origin, BaseModel):
            hints = get_type_hints(origin, include_extras=True)
            return origin.model_construct(**{name: sample(hints[name]) for name in origin.model_fields})
        case origin if origin is str:
            return f"{next(_numbers):064x}"
        case origin if origin in (int, bool):
            return origin(1)
        case origin if isinstance(origin, type) and issubclass(origin, dict):
            return {f"key{next(_numbers)}": sample(arguments[1])}
        case origin:
            raise AssertionError(f"locks have a new type of field, {origin}: make a sample of it here")


def mapped(kind: Any) -> Any:  # noqa: ANN401 - as above
    """Return a sample of what ``Locks`` has: models, and mappings of them."""
    return {"native": sample(get_args(kind)[1])} if get_origin(kind) else sample(kind)


def hashes(value: Any) -> Iterator[str]:  # noqa: ANN401 - any part of a lock
    """Yield every sha256 in a lock as it would be written, found without the code that is tested."""
    if isinstance(value, CratesArchive):
        yield value.sha256  # what the crates are of is the version's own source
    elif isinstance(value, BaseModel):
        yield from hashes({name: getattr(value, name) for name in type(value).model_fields})
    elif isinstance(value, dict):
        yield from (each for name, each in value.items() if name == "sha256")
        yield from (found for each in value.values() for found in hashes(each))
    elif isinstance(value, list | tuple):
        yield from (found for each in value for found in hashes(each))


def locks_hashes(locks: Locks) -> set[str]:
    return {found for field in fields(locks) for found in hashes(getattr(locks, field.name))}


def pins_of(sources: tuple[NeededSource, ...]) -> set[str]:
    return {source.file.sha256 for source in sources if source.file}


def catalog(folder: Path, locks: Locks | None = None, **changed: str) -> Catalog:
    files = {"wheels__native": NATIVE, "images": IMAGES} | changed
    return replace(load_catalog(write_catalog(folder, **files)), locks=locks or Locks())


def index_file(name: str, version: str = "1.0", *, sha256: str = "", filename: str = "") -> IndexFile:
    return IndexFile(
        distribution=name,
        version=version,
        filename=filename or f"{name}-{version}.tar.gz",
        sha256=sha256 or f"{next(_numbers):064x}",
        size=3,
    )


def debian_file(name: str = "libffi", version: str = "3.4.4") -> DebianFile:
    filename = f"{name}_{version}.orig.tar.gz"
    return DebianFile(path=f"pool/{filename}", version=version, filename=filename, sha256="d" * 64, size=4)


def wheel(name: str, version: str = "1.0") -> IndexFile:
    return index_file(name, version, filename=f"{name}-{version}-py3-none-any.whl")


def whole_locks(backend: IndexFile, meson: IndexFile) -> Locks:
    def native(version: str) -> VersionLock:
        return VersionLock(
            source=index_file("native", version),
            recipe_requires={"backend": "any"},
            build_requires={"3.11": (backend,)},
        )

    return Locks(
        wheels={
            "native": WheelLock(versions={"1.0": native("1.0"), "2.0": native("2.0")}),
            "six": WheelLock(versions={"1.17.0": VersionLock(source=wheel("six", "1.17.0"))}),
        },
        libraries=LibrariesLock(sources={"libffi": debian_file()}),
        tools=ToolsLock(requirements=("meson", "zig"), wheels=(meson,)),
    )


def test_no_pin_of_any_lock_is_missing(tmp_path: Path) -> None:
    hints = get_type_hints(Locks, include_extras=True)
    locks = Locks(**{field.name: mapped(hints[field.name]) for field in fields(Locks)})
    expected = locks_hashes(locks)
    assert len(expected) >= 4
    assert pins_of(needed_sources(catalog(tmp_path, locks))) == expected


@pytest.mark.parametrize("kind", get_args(LockedFile))
def test_every_origin_of_a_pin_is_listed(tmp_path: Path, kind: Any) -> None:  # noqa: ANN401 - a model
    file = sample(kind)
    locks = Locks(libraries=LibrariesLock.model_construct(sources={"libffi": file}))
    (source,) = (each for each in needed_sources(catalog(tmp_path, locks)) if each.file)
    assert (source.file, len(source.uses)) == (file, 3)
    assert source.type


def test_all_of_this_projects_pins_are_listed_and_used() -> None:
    project = load_catalog(PROJECT / "config")
    sources = needed_sources(project)
    assert pins_of(sources) == locks_hashes(project.locks)
    assert all(source.uses and source.file for source in sources)


def test_each_use_is_told(tmp_path: Path) -> None:
    backend, meson = wheel("backend"), wheel("meson")
    found = {source.name: source for source in needed_sources(catalog(tmp_path, whole_locks(backend, meson)))}
    assert list(found) == ["backend", "libffi", "meson", "native", "six"]
    assert found["backend"].uses == (
        Use("wheel", "native", "1.0", "build requirement", "Python 3.11"),
        Use("wheel", "native", "2.0", "build requirement", "Python 3.11"),
    )
    assert found["libffi"].uses == (
        Use("library", "libffi", "", "source"),
        Use("wheel", "native", "1.0", "library libffi"),
        Use("wheel", "native", "2.0", "library libffi"),
    )
    assert found["meson"].uses == (Use("image", "debian", "", "tool"),)
    assert found["six"].uses == (Use("wheel", "six", "1.17.0", "source"),)
    assert {source.name: source.type for source in found.values()} == {
        "backend": "wheel",
        "libffi": "debian",
        "meson": "wheel",
        "native": "sdist",
        "six": "wheel",
    }


def test_what_is_built_here_brings_its_sources_to_whatever_is_built_with_it(tmp_path: Path) -> None:
    cffi = VersionLock(source=index_file("cffi", "2.0"), build_requires={"3.11": (wheel("backend"),)})
    middle = VersionLock(source=index_file("middle"), built_here={"3.11": {"cffi": "2.0"}})
    top = VersionLock(source=index_file("top"), built_here={"3.11": {"middle": "1.0"}})
    locks = {"cffi": {"2.0": cffi, "1.0": VersionLock(source=index_file("cffi", "1.0"))}}
    locks |= {"middle": {"1.0": middle}, "top": {"1.0": top}}
    asked = {
        "wheels__cffi": 'cffi: {libraries: [libffi], trial: a, versions: {"1.0": {}, "2.0": {}}}\n',
        "wheels__middle": 'middle: {trial: a, build-requires: {cffi: here}, versions: {"1.0": {}}}\n',
        "wheels__top": 'top: {trial: a, build-requires: {middle: here}, versions: {"1.0": {}}}\n',
    }
    made = Locks(
        wheels={name: WheelLock(versions=versions) for name, versions in locks.items()},
        libraries=LibrariesLock(sources={"libffi": debian_file()}),
    )
    sources = needed_sources(catalog(tmp_path, made, **asked))
    needed = [f"{source.name} {source.version}" for source in select_sources(sources, ["top"])]
    assert needed == ["backend 1.0", "cffi 2.0", "libffi 3.4.4", "middle 1.0", "top 1.0"]
    (used,) = find_sources(sources, "cffi-2.0.tar.gz")
    assert [(use.user, use.role) for use in used.uses] == [
        ("wheel cffi 2.0", "source"),
        ("wheel middle 1.0", "cffi 2.0, built here"),
        ("wheel top 1.0", "middle 1.0, built here"),
    ]


def test_what_a_backend_asked_for_and_crates_are_listed_where_they_are_not_locked(tmp_path: Path) -> None:
    asked = VersionLock(
        source=index_file("asking"),
        declared_requires=("flit-core", "setuptools>=61", "cffi"),
        hook_requires={"3.11": ("ninja",), "3.12": ("cmake",)},
    )
    recipe = "asking: {trial: a, crates: true, build-requires: {setuptools: <80, six: any, cffi: here}, "
    files = {
        "wheels__asking": recipe + 'versions: {"1.0": {}}}\n',
        "wheels__cffi": 'cffi: {trial: a, versions: {"2": {}}}\n',
    }
    sources = needed_sources(catalog(tmp_path, Locks(wheels={"asking": WheelLock(versions={"1.0": asked})}), **files))
    unlocked = [source for source in select_sources(sources, ["asking"]) if source.file is None]
    assert [(source.name, source.type) for source in unlocked] == [
        ("asking", "crates"),
        ("flit-core", "wheel"),
        ("ninja", "wheel"),
        ("setuptools <80", "wheel"),
        ("six", "wheel"),
    ]


def test_what_is_not_locked_is_listed_as_such(tmp_path: Path) -> None:
    unlocked = [source for source in needed_sources(catalog(tmp_path)) if source.file is None]
    assert [(source.name, source.version, source.type) for source in unlocked] == [
        ("backend", "", "wheel"),
        ("backend", "", "wheel"),
        ("libffi", "3.4.4", "debian"),
        ("meson", "", "wheel"),
        ("native", "1.0", "sdist"),
        ("native", "2.0", "sdist"),
        ("six", "1.17.0", "wheel"),
        ("zig", "", "wheel"),
    ]
    assert all(source.uses for source in unlocked)


def test_a_pin_that_does_not_fit_any_more_leaves_its_part_unlocked(tmp_path: Path) -> None:
    locks = whole_locks(wheel("backend"), wheel("meson"))
    versions = {"1.17.0": VersionLock(source=index_file("six", "1.17.0"))}  # an sdist for a universal wheel
    locks = replace(
        locks,
        libraries=LibrariesLock(sources={"libffi": debian_file(version="3.4.2")}),
        wheels={**locks.wheels, "six": WheelLock(versions=versions)},
        tools=ToolsLock(requirements=("meson",), wheels=locks.tools.wheels),
    )
    pythons = '"3.11": {source: debian}\n"3.12": {source: debian}\n'
    unlocked = [source for source in needed_sources(catalog(tmp_path, locks, pythons=pythons)) if source.file is None]
    assert [(source.name, source.uses[0].user) for source in unlocked] == [
        ("backend", "wheel native 1.0"),
        ("backend", "wheel native 2.0"),
        ("libffi", "library libffi"),
        ("six", "wheel six 1.17.0"),
        ("zig", "image debian"),
    ]
    assert unlocked[0].uses[0].detail == "Python 3.12"


def test_wheels_that_the_index_has_are_listed_for_each_target_and_none_is_missing(tmp_path: Path) -> None:
    recipe = 'ready: {kind: prebuilt, trial: import ready, versions: {"1.0": {}}}\n'
    file = wheel("ready")
    locks = Locks(wheels={"ready": WheelLock(versions={"1.0": VersionLock(prebuilt={"linux-arm64": {"3.11": file}})})})
    pythons = '"3.11": {source: debian}\n"3.12": {source: debian}\n'
    sources = needed_sources(catalog(tmp_path, locks, wheels__ready=recipe, pythons=pythons))
    mine = [source for source in sources if source.name == "ready"]
    assert [source.uses for source in mine if source.file == file] == [
        (Use("wheel", "ready", "1.0", "prebuilt", "linux-arm64, Python 3.11"),)
    ]
    assert [source.uses[0].detail for source in mine if source.file is None] == [
        "linux-amd64, Python 3.11",
        "linux-amd64, Python 3.12",
        "linux-arm64, Python 3.12",
    ]


@pytest.mark.parametrize("kind", ["source", "pure"])
def test_a_local_folder_that_is_not_locked_is_listed_without_a_version(tmp_path: Path, kind: str) -> None:
    recipe = f"ours: {{kind: {kind}, trial: import ours, source: {{type: local, folder: ../ours}}}}\n"
    (ours,) = [source for source in needed_sources(catalog(tmp_path, wheels__ours=recipe)) if source.name == "ours"]
    assert (ours.version, ours.type, ours.file) == ("", "local", None)
    assert ours.uses == (Use("wheel", "ours", "", "source"),)


def test_pins_that_nothing_uses_any_more_have_no_use(tmp_path: Path) -> None:
    locks = Locks(
        wheels={
            "gone": WheelLock(versions={"1.0": VersionLock(source=index_file("gone"))}),
            "six": WheelLock(versions={"1.16.0": VersionLock(source=wheel("six", "1.16.0"))}),
        },
        libraries=LibrariesLock(sources={"libgone": debian_file("libgone")}),
    )
    unused = [source for source in needed_sources(catalog(tmp_path, locks)) if not source.uses]
    assert [(source.name, source.version) for source in unused] == [
        ("gone", "1.0"),
        ("libgone", "3.4.4"),
        ("six", "1.16.0"),
    ]


@pytest.fixture
def sources(tmp_path: Path) -> tuple[NeededSource, ...]:
    return needed_sources(catalog(tmp_path, whole_locks(wheel("backend"), wheel("meson"))))


@pytest.mark.parametrize(
    ("names", "selected"),
    [
        ((), ["backend", "libffi", "meson", "native", "native", "six"]),
        (("native",), ["backend", "libffi", "native", "native"]),
        (("native==2.0",), ["backend", "libffi", "native"]),
        (("libffi",), ["libffi"]),
        (("tools",), ["meson"]),
        (("s*", "tools"), ["meson", "six"]),
    ],
)
def test_sources_are_selected_by_who_uses_them(
    sources: tuple[NeededSource, ...], names: tuple[str, ...], selected: list[str]
) -> None:
    assert [source.name for source in select_sources(sources, names)] == selected


@pytest.mark.parametrize(("name", "meant"), [("natve", "native"), ("native==3.0", "native==2.0"), ("backend", "known")])
def test_a_selection_of_nothing_is_refused(sources: tuple[NeededSource, ...], name: str, meant: str) -> None:
    with pytest.raises(UsageError, match=f"unknown wheel or library '{name}'.*{meant}"):
        select_sources(sources, [name])


def test_a_source_is_found_by_its_name_file_and_hash(sources: tuple[NeededSource, ...]) -> None:
    assert [source.version for source in find_sources(sources, "native")] == ["1.0", "2.0"]
    assert [source.name for source in find_sources(sources, "libffi_3.4.4.orig.tar.gz")] == ["libffi"]
    assert [source.name for source in find_sources(sources, "dddd")] == ["libffi"]
    assert [source.name for source in find_sources(sources, "d" * 64)] == ["libffi"]


@pytest.mark.parametrize(("text", "fix"), [("libfi", "did you mean 'libffi'"), ("", "known are"), ("ddd", "known are")])
def test_an_unknown_source_is_refused(sources: tuple[NeededSource, ...], text: str, fix: str) -> None:
    with pytest.raises(UsageError, match=f"needs no source '{text}'.*{fix}"):
        find_sources(sources, text)


def test_the_start_of_several_hashes_is_refused_with_more_of_each(sources: tuple[NeededSource, ...]) -> None:
    with pytest.raises(UsageError, match=r"the sha256 of 5 sources starts with 0000; write more of it: 0{12} \(back"):
        find_sources(sources, "0000")


def test_one_file_that_is_pinned_as_two_is_not_ambiguous(tmp_path: Path) -> None:
    one, other = index_file("six", sha256="e" * 64), index_file("six2", sha256="e" * 64)
    locks = Locks(wheels={"x": WheelLock(versions={"1": VersionLock(source=one), "2": VersionLock(source=other)})})
    assert len(find_sources(needed_sources(catalog(tmp_path, locks)), "eeee")) == 2
