"""Which old pins are kept, and which are made anew."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from pathlib import Path
from typing import Any

import pytest

from dockerbuild_lib.catalog.catalog import Catalog, Locks
from dockerbuild_lib.catalog.locks import (
    ArchiveFile,
    DebianFile,
    GitArchive,
    IndexFile,
    LibrariesLock,
    LocalArchive,
    LockedFile,
    ToolsLock,
    VersionLock,
    WheelLock,
)
from dockerbuild_lib.catalog.machines import Library, Platform
from dockerbuild_lib.catalog.sources import ArchiveSource, DebianSource, GitSource, LocalSource, Source
from dockerbuild_lib.catalog.wheels import PrebuiltWheel, SourceWheel, UniversalWheel, VersionRecipe, Wheel
from dockerbuild_lib.core.events import Event, Notice
from dockerbuild_lib.sources.debian import SourcePackage
from dockerbuild_lib.sources.lock_changes import LockChange, changes_between
from dockerbuild_lib.sources.lock_files import lock_text
from dockerbuild_lib.sources.lock_parts import Renewal, renewed_libraries, renewed_tools, renewed_wheel
from dockerbuild_lib.sources.outside import Origins, Outside
from dockerbuild_lib.sources.pins import PinnedSource, Pinner


def pin(name: str, filename: str, version: str = "1.0", sha256: str = "a" * 64) -> IndexFile:
    return IndexFile(distribution=name, version=version, filename=filename, sha256=sha256, size=1)


def debian(name: str, version: str = "1.0", sha256: str = "a" * 64) -> DebianFile:
    file = f"{name}_{version}.orig.tar.gz"
    return DebianFile(path=f"pool/main/x/{file}", version=version, filename=file, sha256=sha256, size=1)


class Finder:
    def __init__(self) -> None:
        self.asked: list[str] = []

    def __call__(self, packages: Iterable[SourcePackage]) -> dict[SourcePackage, DebianFile]:
        packages = list(packages)
        self.asked += [f"{package.name} {package.version}" for package in packages]
        return {package: debian(package.name, package.version, "b" * 64) for package in packages}


class CountingPinner(Pinner):
    """Makes pins out of nothing, and remembers which."""

    def __init__(self) -> None:
        self.find = Finder()
        self.events: list[Event] = []
        super().__init__(Outside(Path(), Origins(debian=self.find), emit=self.events.append))
        self.made: list[str] = []
        self.named: list[tuple[str, ...]] = []
        self.files: dict[str, LockedFile] = {}

    def source(self, distribution: str, version: str, source: Source, yanked: str | None = None) -> PinnedSource:
        self.made.append(f"{source.type} {version}{yanked or ''}")
        if version in self.files:
            return PinnedSource(self.files[version], ("setuptools",))
        return PinnedSource(pin(distribution, f"{distribution}-{version}.tar.gz", version, "b" * 64), ("setuptools",))

    def universal_wheel(self, distribution: str, version: str, yanked: str | None = None) -> IndexFile:
        self.made.append(f"wheel {version}{yanked or ''}")
        return pin(distribution, f"{distribution}-{version}-py3-none-any.whl", version, "b" * 64)

    def platform_wheel(
        self, distribution: str, version: str, python: str, tags: tuple[str, ...], yanked: str | None = None
    ) -> IndexFile:
        self.made.append(f"{version}{yanked or ''} for {python} on {tags[0]}")
        tag = f"cp{python.replace('.', '')}"
        return pin(distribution, f"{distribution}-{version}-{tag}-{tag}-{tags[0]}.whl", version)

    def folder_version(self, source: LocalSource) -> str:
        return {"six": "1.0", "newer": "1.1"}[source.folder]

    def build_wheels(
        self, requirements: Iterable[str], python: str, named: Collection[str] = ()
    ) -> tuple[IndexFile, ...]:
        self.named.append(tuple(named))
        self.made.append(f"{'+'.join(requirements)} for {python}")
        return tuple(pin(name, f"{name}-1.0-py3-none-any.whl") for name in requirements)


@pytest.fixture
def pinner() -> CountingPinner:
    return CountingPinner()


def recipe(*versions: str, build_requires: tuple[str, ...] = ()) -> SourceWheel:
    return SourceWheel(
        trial="import x", versions={one: VersionRecipe() for one in versions}, build_requires=build_requires
    )


def wheel(pinner: CountingPinner, wanted: Wheel, old: WheelLock, *pythons: str, update: bool = False) -> WheelLock:
    pinner.made.clear()
    return renewed_wheel(Renewal(pinner, pythons or ("3.11",), update), catalog(wanted), "six", old=old)


def catalog(wanted: Wheel, *tags: str) -> Catalog:
    """Return a catalogue of one wheel and of two platforms."""
    platforms = {
        f"linux-{name}": Platform(
            triple=f"{machine}-linux-gnu",
            cipd=f"linux-{name}",
            tags=tags or (f"manylinux_2_17_{machine}",),
            image="debian",
            toolchain="zig",
        )
        for name, machine in (("amd64", "x86_64"), ("arm64", "aarch64"))
    }
    nothing: dict[str, Any] = {}
    return Catalog(Path(), platforms, nothing, nothing, nothing, nothing, {"six": wanted}, Locks())


def test_what_is_not_locked_is_locked(pinner: CountingPinner) -> None:
    new = wheel(pinner, recipe("1.0"), WheelLock())
    assert pinner.made == ["sdist 1.0", "setuptools for 3.11"]
    assert new.versions["1.0"].declared_requires == ("setuptools",)
    assert [one.distribution for one in new.versions["1.0"].build_requires["3.11"]] == ["setuptools"]


def test_what_is_locked_is_left_alone(pinner: CountingPinner) -> None:
    old = wheel(pinner, recipe("1.0"), WheelLock())
    assert wheel(pinner, recipe("1.0"), old) == old
    assert pinner.made == []


def test_update_makes_it_anew(pinner: CountingPinner) -> None:
    old = wheel(pinner, recipe("1.0"), WheelLock())
    wheel(pinner, recipe("1.0"), old, update=True)
    assert pinner.made == ["sdist 1.0", "setuptools for 3.11"]


def test_only_a_new_python_is_resolved_and_an_old_one_forgotten(pinner: CountingPinner) -> None:
    old = wheel(pinner, recipe("1.0"), WheelLock(), "3.10", "3.11")
    new = wheel(pinner, recipe("1.0"), old, "3.11", "3.12")
    assert pinner.made == ["setuptools for 3.12"]
    assert list(new.versions["1.0"].build_requires) == ["3.11", "3.12"]


def test_only_a_new_version_is_locked_and_an_old_one_forgotten(pinner: CountingPinner) -> None:
    old = wheel(pinner, recipe("1.0", "1.1"), WheelLock())
    new = wheel(pinner, recipe("1.1", "1.2"), old)
    assert pinner.made == ["sdist 1.2", "setuptools for 3.11"]
    assert list(new.versions) == ["1.1", "1.2"]


def test_a_requirement_that_the_recipe_adds_is_resolved_with_the_others(pinner: CountingPinner) -> None:
    old = wheel(pinner, recipe("1.0"), WheelLock())
    new = wheel(pinner, recipe("1.0", build_requires=("wheel",)), old)
    assert pinner.made == ["setuptools+wheel for 3.11"]
    assert new.versions["1.0"].added_requires == ("wheel",)


def test_what_a_recipe_says_of_yanked_releases_is_heeded(pinner: CountingPinner) -> None:
    said = {"1.0": VersionRecipe(yanked="!"), "1.1": VersionRecipe()}
    wheel(pinner, SourceWheel(trial="import x", versions=said, build_requires=("wheel",)), WheelLock())
    assert pinner.made == ["sdist 1.0!", "setuptools+wheel for 3.11", "sdist 1.1", "setuptools+wheel for 3.11"]
    assert pinner.named == [("wheel",), ("wheel",)]
    wheel(pinner, UniversalWheel(kind="universal", versions=said), WheelLock())
    assert pinner.made == ["wheel 1.0!", "wheel 1.1"]


def test_a_wheel_that_becomes_universal_or_built_is_locked_anew(pinner: CountingPinner) -> None:
    universal = UniversalWheel(kind="universal", versions={"1.0": VersionRecipe()})
    old = wheel(pinner, recipe("1.0"), WheelLock())
    new = wheel(pinner, universal, old)
    assert pinner.made == ["wheel 1.0"]
    assert new.versions["1.0"].build_requires == {}
    assert wheel(pinner, universal, new) == new
    assert pinner.made == []
    wheel(pinner, recipe("1.0"), new)
    assert pinner.made == ["sdist 1.0", "setuptools for 3.11"]


def library(name: str, version: str = "1.0") -> Library:
    return Library(version=version, source=DebianSource(type="debian", package=name))


def renewed(
    pinner: CountingPinner, libraries: dict[str, Library], *wanted: str, old: LibrariesLock, update: bool = False
) -> LibrariesLock:
    return renewed_libraries(Renewal(pinner, ("3.11",), update), libraries, wanted or sorted(libraries), old=old)


def test_only_libraries_that_are_missing_or_changed_are_looked_for(pinner: CountingPinner) -> None:
    catalog = {"a": library("a"), "b": library("b", "2.0"), "c": library("c"), "d": library("dd")}
    old = LibrariesLock(sources={"a": debian("a"), "b": debian("b"), "d": debian("d"), "gone": debian("gone")})
    new = renewed(pinner, catalog, old=old)
    assert pinner.find.asked == ["b 2.0", "c 1.0", "dd 1.0"]
    assert sorted(new.sources) == ["a", "b", "c", "d"]
    assert new.sources["a"] == old.sources["a"]


def test_libraries_that_were_not_named_are_left_alone(pinner: CountingPinner) -> None:
    old = LibrariesLock(sources={"a": debian("a"), "b": debian("b")})
    catalog = {"a": library("a", "2.0"), "b": library("b", "2.0"), "c": library("c")}
    new = renewed(pinner, catalog, "b", old=old, update=True)
    assert pinner.find.asked == ["b 2.0"]
    assert {name: file.version for name, file in new.sources.items()} == {"a": "1.0", "b": "2.0"}


def test_a_full_lock_asks_nobody(pinner: CountingPinner) -> None:
    old = LibrariesLock(sources={"a": debian("a")})
    assert renewed(pinner, {"a": library("a")}, old=old) == old
    assert pinner.find.asked == []


def test_a_library_may_come_from_elsewhere(pinner: CountingPinner) -> None:
    source = ArchiveSource(type="archive", urls=("https://a.example/{version}.tar.gz",))
    catalog = {"a": library("a"), "b": Library(version="2.0", source=source)}
    pinner.files["2.0"] = ARCHIVE.model_copy(update={"version": "2.0", "urls": source.urls_of("2.0")})
    old = renewed(pinner, catalog, old=LibrariesLock())
    assert pinner.find.asked == ["a 1.0"]
    assert pinner.made == ["archive 2.0"]
    assert renewed(pinner, catalog, old=old) == old
    assert pinner.made == ["archive 2.0"]


ARCHIVE = ArchiveFile(
    name="six", version="1.0", filename="six-1.0.tar.gz", sha256="a" * 64, size=1, urls=("https://a.example/six-1.0",)
)
GIT = GitArchive(
    name="six",
    version="1.0",
    filename="six-1.0.tar",
    sha256="a" * 64,
    size=1,
    repository="https://a.example/six",
    revision="v1.0",
    commit="1" * 40,
)
LOCAL = LocalArchive(name="six", version="1.0", filename="six-1.0.tar", sha256="a" * 64, size=1, folder="six")


def of(source: Source, *versions: str) -> SourceWheel:
    return recipe(*versions or ["1.0"]).model_copy(update={"source": source})


def test_other_mirrors_of_a_locked_archive_change_its_addresses_and_nothing_else(pinner: CountingPinner) -> None:
    source = ArchiveSource(type="archive", urls=("https://b.example/six-{version}", "https://a.example/six-{version}"))
    old = WheelLock(versions={"1.0": VersionLock(source=ARCHIVE, build_requires={"3.11": ()})})
    new = wheel(pinner, of(source), old)
    assert pinner.made == []
    urls = ("https://b.example/six-1.0", "https://a.example/six-1.0")
    assert new.versions["1.0"].source == ARCHIVE.model_copy(update={"urls": urls})


@pytest.mark.parametrize(
    ("changed", "made"),
    [
        ({}, []),
        ({"repository": "https://b.example/six"}, ["git 1.0"]),
        ({"revision": "1.0"}, ["git 1.0"]),
        ({"subfolder": "python"}, ["git 1.0"]),
        ({"submodules": False}, ["git 1.0"]),
    ],
)
def test_a_commit_is_kept_while_the_same_is_asked_for(
    pinner: CountingPinner, changed: dict[str, object], made: list[str]
) -> None:
    source = GitSource(type="git", repository="https://a.example/six", revision="v{version}")
    old = WheelLock(versions={"1.0": VersionLock(source=GIT, build_requires={"3.11": ()})})
    wheel(pinner, of(source.model_copy(update=changed)), old)
    assert [one for one in pinner.made if one.startswith("git")] == made


@pytest.mark.parametrize(
    ("commit", "said"),
    [("1" * 40, []), ("2" * 40, ["v1.0 of https://a.example/six moved from the commit 1111"])],
)
def test_a_tag_that_moved_is_told(pinner: CountingPinner, commit: str, said: list[str]) -> None:
    source = GitSource(type="git", repository="https://a.example/six", revision="v{version}")
    old = WheelLock(versions={"1.0": VersionLock(source=GIT, build_requires={"3.11": ()})})
    pinner.files["1.0"] = GIT.model_copy(update={"commit": commit})
    wheel(pinner, of(source), old, update=True)
    told = [event for event in pinner.events if isinstance(event, Notice) and event.warning]
    assert [notice.text[: len(text)] for notice, text in zip(told, said, strict=True)] == said


def test_a_folder_is_looked_at_every_time(pinner: CountingPinner) -> None:
    old = WheelLock(versions={"1.0": VersionLock(source=LOCAL, build_requires={"3.11": ()})})
    pinner.files["1.0"] = LOCAL
    wheel(pinner, of(LocalSource(type="local", folder="six")), old)
    assert pinner.made == ["local 1.0", "setuptools for 3.11"]


def test_a_folder_tells_its_version_anew(pinner: CountingPinner) -> None:
    old = WheelLock(versions={"1.0": VersionLock(source=LOCAL, build_requires={"3.11": ()})})
    new = wheel(pinner, of(LocalSource(type="local", folder="newer")), old)
    assert list(new.versions) == ["1.1"]


def prebuilt(**changed: Any) -> PrebuiltWheel:  # noqa: ANN401 - a recipe's
    return PrebuiltWheel(kind="prebuilt", trial="import six", **{"versions": {"1.0": VersionRecipe()}} | changed)


def test_prebuilt_wheels_are_locked_for_each_platform_and_python(pinner: CountingPinner) -> None:
    old = wheel(pinner, prebuilt(), WheelLock(), "3.10", "3.11")
    assert old.versions["1.0"].source is None
    assert {(platform, python) for platform, pins in old.versions["1.0"].prebuilt.items() for python in pins} == {
        ("linux-amd64", "3.10"),
        ("linux-amd64", "3.11"),
        ("linux-arm64", "3.10"),
        ("linux-arm64", "3.11"),
    }
    assert wheel(pinner, prebuilt(), old, "3.10", "3.11") == old
    assert pinner.made == []
    new = wheel(pinner, prebuilt(platforms=("linux-amd64",)), old, "3.11", "3.12")
    assert pinner.made == ["1.0 for 3.12 on manylinux_2_17_x86_64"]
    assert list(new.versions["1.0"].prebuilt) == ["linux-amd64"]
    assert list(new.versions["1.0"].prebuilt["linux-amd64"]) == ["3.11", "3.12"]
    skipping = prebuilt(versions={"1.0": VersionRecipe(skip={"linux-arm64": "there is none"})})
    assert list(wheel(pinner, skipping, old).versions["1.0"].prebuilt) == ["linux-amd64"]


def test_a_wheel_that_is_built_is_taken_where_its_recipe_says_so(pinner: CountingPinner) -> None:
    taking = recipe("1.0").model_copy(update={"prebuilt": ("linux-arm64",)})
    old = wheel(pinner, recipe("1.0"), WheelLock())
    new = wheel(pinner, taking, old)
    assert pinner.made == ["1.0 for 3.11 on manylinux_2_17_aarch64"]
    assert list(new.versions["1.0"].prebuilt) == ["linux-arm64"]
    assert new.versions["1.0"].build_requires == old.versions["1.0"].build_requires
    assert wheel(pinner, taking, new) == new
    assert pinner.made == []
    assert wheel(pinner, recipe("1.0"), new) == old


def test_a_prebuilt_wheel_that_its_platform_takes_no_more_is_locked_anew(pinner: CountingPinner) -> None:
    old = wheel(pinner, prebuilt(), WheelLock())
    pinner.made.clear()
    older = catalog(prebuilt(), "manylinux_2_5_x86_64")
    renewed_wheel(Renewal(pinner, ("3.11",), update=False), older, "six", old=old)
    assert pinner.made == ["1.0 for 3.11 on manylinux_2_5_x86_64"] * 2


def test_a_source_of_another_type_is_locked_anew(pinner: CountingPinner) -> None:
    old = wheel(pinner, recipe("1.0"), WheelLock())
    wheel(pinner, of(LocalSource(type="local", folder="six")), old)
    assert pinner.made == ["local 1.0"]


def test_tools_are_resolved_when_their_list_changes(pinner: CountingPinner) -> None:
    renewal = Renewal(pinner, ("3.11",), update=False)
    old = renewed_tools(renewal, ["uv", "build"], old=ToolsLock())
    assert pinner.made == ["build+uv for 3.11"]
    assert renewed_tools(renewal, ["build", "uv"], old=old) == old
    assert renewed_tools(renewal, [], old=old) == ToolsLock()
    assert pinner.made == ["build+uv for 3.11"]
    renewed_tools(Renewal(pinner, ("3.11",), update=True), ["build", "uv"], old=old)
    assert len(pinner.made) == 2


def test_the_changes_are_told_pin_by_pin() -> None:
    old = WheelLock(versions={"1.0": VersionLock(source=pin("six", "six-1.0.tar.gz"))})
    new = WheelLock(
        versions={
            "1.0": VersionLock(
                source=pin("six", "six-1.0.tar.gz"),
                build_requires={"3.11": (pin("wheel", "wheel-1-py3-none-any.whl"),)},
            ),
            "1.1": VersionLock(source=pin("six", "six-1.1.tar.gz")),
        }
    )
    added = "wheel-1-py3-none-any.whl (aaaaaaaaaaaa)"
    assert list(changes_between("six", old, new)) == [
        LockChange("six", "1.0 python 3.11: wheel", None, added),
        LockChange("six", "1.1 source", None, "six-1.1.tar.gz (aaaaaaaaaaaa)"),
    ]
    assert [change.after for change in changes_between("six", new, old)] == [None, None]
    assert str(LockChange("six", "1.1 source", None, "x")) == "six: 1.1 source: nothing -> x"


def test_a_lock_is_always_written_alike() -> None:
    first = LibrariesLock(sources={"b": debian("b"), "a": debian("a")})
    second = LibrariesLock(sources={"a": debian("a"), "b": debian("b")})
    text = lock_text(first)
    assert text == lock_text(second)
    assert text.startswith('{\n  "sources": {\n    "a": {\n      "filename"')
    assert text.endswith("}\n")
    assert LibrariesLock.model_validate_json(text) == first
