"""Which old pins are kept, and which are made anew."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest

from dockerbuild_lib.catalog.catalog import Catalog
from dockerbuild_lib.catalog.libraries import Library
from dockerbuild_lib.catalog.locks import (
    ArchiveFile,
    CratesArchive,
    DebianFile,
    GitArchive,
    IndexFile,
    LibrariesLock,
    LocalArchive,
    Locks,
    SourceFile,
    ToolsLock,
    VersionLock,
    WheelLock,
)
from dockerbuild_lib.catalog.machines import Platform
from dockerbuild_lib.catalog.sources import ArchiveSource, DebianSource, GitSource, LocalSource, Source
from dockerbuild_lib.catalog.wheels import PrebuiltWheel, SourceWheel, UniversalWheel, VersionRecipe, Wheel
from dockerbuild_lib.core.errors import LockError
from dockerbuild_lib.core.events import Event, Notice
from dockerbuild_lib.sources.backends import HereWheel, Subject
from dockerbuild_lib.sources.debian import SourcePackage
from dockerbuild_lib.sources.lock_changes import LockChange, changes_between
from dockerbuild_lib.sources.lock_files import lock_text
from dockerbuild_lib.sources.lock_parts import Renewal, renewed_libraries, renewed_tools, renewed_wheel
from dockerbuild_lib.sources.lock_requires import RequirementsLocker
from dockerbuild_lib.sources.outside import Origins, Outside
from dockerbuild_lib.sources.pins import Pinner


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
        self.files: dict[str, SourceFile] = {}
        self.declared = "setuptools"
        self.read: list[tuple[str, ...]] = []

    def source(self, distribution: str, version: str, source: Source, yanked: str | None = None) -> SourceFile:
        self.made.append(f"{source.type} {version}{yanked or ''}")
        return self.files.get(version) or pin(distribution, f"{distribution}-{version}.tar.gz", version, "b" * 64)

    def declared_requires(self, catalog: Catalog, subject: Subject) -> tuple[str, ...]:
        self.read.append((subject.name, *(patch.name for patch in subject.patches(catalog.folder))))
        return (self.declared,)

    def universal_wheel(self, distribution: str, version: str, yanked: str | None = None) -> IndexFile:
        self.made.append(f"wheel {version}{yanked or ''}")
        return pin(distribution, f"{distribution}-{version}-py3-none-any.whl", version, "b" * 64)

    def platform_wheel(
        self, distribution: str, version: str, python: str, tags: tuple[str, ...], yanked: str | None = None
    ) -> IndexFile:
        self.made.append(f"{version}{yanked or ''} for {python} on {tags[0]}")
        tag = f"cp{python.replace('.', '')}"
        return pin(distribution, f"{distribution}-{version}-{tag}-{tag}-{tags[0]}.whl", version)

    def crates(self, name: str, version: str, source: SourceFile) -> CratesArchive:
        self.made.append(f"crates of {source.filename}")
        facts = {"filename": f"{name}-{version}-crates.tar", "sha256": "e" * 64, "size": 1}
        return CratesArchive(name=name, version=version, source=source, **facts)

    def folder_version(self, source: LocalSource) -> str:
        return {"six": "1.0", "newer": "1.1"}[source.folder]

    def build_wheels(
        self,
        requirements: Iterable[str],
        python: str,
        named: Collection[str] = (),
        here: Sequence[HereWheel] = (),
    ) -> tuple[IndexFile, ...]:
        self.named.append(tuple(named))
        self.made.append(f"{'+'.join([*requirements, *(wheel.file.name for wheel in here)])} for {python}")
        names = [requirement.partition(" ")[0].partition(">")[0].partition("<")[0] for requirement in requirements]
        return tuple(pin(name, f"{name}-1.0-py3-none-any.whl") for name in names)


class TalkingBackends:
    """Answers for sources that do not exist, and remembers what it was asked."""

    def __init__(self) -> None:
        self.answer: tuple[str, ...] = ()
        self.asked: list[str] = []

    def wheel_requires(
        self, subject: Subject, python: str, build_requires: Sequence[IndexFile], here: Sequence[HereWheel]
    ) -> tuple[str, ...]:
        beside = [*(pin.distribution for pin in build_requires), *(wheel.distribution for wheel in here)]
        assert python
        self.asked.append(f"{subject.name} beside {'+'.join(beside)}")
        return self.answer

    def build(self, catalog: Catalog, distribution: str, version: str, python: str) -> HereWheel:
        assert catalog.locks.wheels[distribution].versions[version]
        self.asked.append(f"{distribution} {version} for {python}")
        return HereWheel(distribution, version, Path(f"{distribution}.whl"), "d" * 64)


@dataclass
class Bench:
    """What locks wheels in these tests."""

    config: Path
    pinner: CountingPinner = field(default_factory=CountingPinner)
    backends: TalkingBackends = field(default_factory=TalkingBackends)

    def renewal(self, *pythons: str, update: bool = False) -> Renewal:
        self.pinner.made.clear()
        self.pinner.read.clear()
        self.backends.asked.clear()
        locker = RequirementsLocker(self.pinner, lambda: self.backends, pythons or ("3.11",))
        return Renewal(self.pinner, locker, update)

    def with_cffi(self, *versions: str, key: str = "c" * 64, other: tuple[str, ...] = ()) -> Catalog:
        """Return a catalogue with a wheel that wants cffi built here, and locked versions of that."""
        versions_of = {one: VersionRecipe(default=one not in other) for one in versions or ["0"]}
        cffi = SourceWheel(trial="import cffi", versions=versions_of)
        lock = WheelLock(versions={one: VersionLock(requires_key=key) for one in versions})
        made = catalog(recipe("1.0", build_requires={"cffi": "here"}))
        return replace(made, folder=self.config, wheels={**made.wheels, "cffi": cffi}).with_locks(
            Locks(wheels={"cffi": lock})
        )

    def lock(self, wanted: Wheel, old: WheelLock, *pythons: str, update: bool = False) -> WheelLock:
        made = replace(catalog(wanted), folder=self.config)
        return renewed_wheel(self.renewal(*pythons, update=update), made, "six", old=old)


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path)


def recipe(*versions: str, **keys: Any) -> SourceWheel:  # noqa: ANN401 - whatever a recipe has
    return SourceWheel(trial="import x", versions={one: VersionRecipe() for one in versions}, **keys)


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


def test_what_is_not_locked_is_locked(bench: Bench) -> None:
    new = bench.lock(recipe("1.0"), WheelLock())
    assert bench.pinner.made == ["sdist 1.0", "setuptools for 3.11"]
    assert bench.pinner.read == [("six 1.0",)]
    assert bench.backends.asked == ["six 1.0 beside setuptools"]
    assert new.versions["1.0"].declared_requires == ("setuptools",)
    assert [one.distribution for one in new.versions["1.0"].build_requires["3.11"]] == ["setuptools"]


def test_what_is_locked_is_left_alone(bench: Bench) -> None:
    old = bench.lock(recipe("1.0"), WheelLock())
    assert bench.lock(recipe("1.0"), old) == old
    assert (bench.pinner.made, bench.backends.asked) == ([], [])


def test_update_makes_it_anew(bench: Bench) -> None:
    old = bench.lock(recipe("1.0"), WheelLock())
    bench.lock(recipe("1.0"), old, update=True)
    assert bench.pinner.made == ["sdist 1.0", "setuptools for 3.11"]
    assert (len(bench.pinner.read), len(bench.backends.asked)) == (1, 1)


def test_what_the_backend_asks_for_is_resolved_with_the_others(bench: Bench) -> None:
    bench.backends.answer = ("cmake", "ninja")
    old = bench.lock(recipe("1.0"), WheelLock(), "3.11", "3.12")
    assert old.versions["1.0"].hook_requires == {"3.11": ("cmake", "ninja"), "3.12": ("cmake", "ninja")}
    assert bench.pinner.made == [
        "sdist 1.0",
        "setuptools for 3.11",
        "setuptools+cmake+ninja for 3.11",
        "setuptools for 3.12",
        "setuptools+cmake+ninja for 3.12",
    ]
    assert bench.lock(recipe("1.0"), old, "3.11", "3.12") == old
    assert (bench.pinner.made, bench.backends.asked) == ([], [])


def test_only_a_new_python_is_resolved_and_an_old_one_forgotten(bench: Bench) -> None:
    bench.backends.answer = ("cmake",)
    old = bench.lock(recipe("1.0"), WheelLock(), "3.10", "3.11")
    bench.backends.answer = ()
    new = bench.lock(recipe("1.0"), old, "3.11", "3.12")
    assert bench.pinner.made == ["setuptools for 3.12"]
    assert bench.backends.asked == ["six 1.0 beside setuptools"]
    assert list(new.versions["1.0"].build_requires) == ["3.11", "3.12"]
    assert new.versions["1.0"].hook_requires == {"3.11": ("cmake",)}


def test_only_a_new_version_is_locked_and_an_old_one_forgotten(bench: Bench) -> None:
    old = bench.lock(recipe("1.0", "1.1"), WheelLock())
    new = bench.lock(recipe("1.1", "1.2"), old)
    assert bench.pinner.made == ["sdist 1.2", "setuptools for 3.11"]
    assert list(new.versions) == ["1.1", "1.2"]


@pytest.mark.parametrize(
    ("asked", "made"),
    [
        ({"wheel": "any"}, ["setuptools+wheel for 3.11", "setuptools+cmake+wheel for 3.11"]),
        ({"setuptools": "<80"}, ["setuptools <80 for 3.11", "cmake+setuptools <80 for 3.11"]),
        ({"cmake": "==3.*"}, ["setuptools+cmake ==3.* for 3.11"] * 2),
    ],
)
def test_what_the_recipe_asks_for_comes_beside_the_others_or_in_their_place(
    bench: Bench, asked: dict[str, str], made: list[str]
) -> None:
    bench.backends.answer = ("cmake",)
    old = bench.lock(recipe("1.0"), WheelLock())
    new = bench.lock(recipe("1.0", build_requires=asked), old)
    assert bench.pinner.made == made
    assert new.versions["1.0"].recipe_requires == asked


def test_what_is_built_here_is_built_and_what_it_needs_comes_from_the_index(bench: Bench) -> None:
    bench.pinner.declared = "cffi>=1.1"
    bench.backends.answer = ("cffi<1.3", "wheel")
    made = bench.with_cffi("1.0", "1.1", "1.2", "1.3")
    new = renewed_wheel(bench.renewal(), made, "six", old=WheelLock()).versions["1.0"]
    assert bench.pinner.made == ["sdist 1.0", "cffi.whl for 3.11", "wheel+cffi.whl for 3.11"]
    assert bench.backends.asked == [
        "cffi 1.3 for 3.11",
        "cffi 1.3 for 3.11",
        "six 1.0 beside cffi",
        "cffi 1.2 for 3.11",
    ]
    assert new.built_here == {"3.11": {"cffi": "1.2"}}
    assert [pin.distribution for pin in new.build_requires["3.11"]] == ["wheel"]


def test_what_a_recipe_says_of_yanked_releases_is_heeded(bench: Bench) -> None:
    said = {"1.0": VersionRecipe(yanked="!"), "1.1": VersionRecipe()}
    bench.lock(SourceWheel(trial="import x", versions=said, build_requires={"wheel": "==1"}), WheelLock())
    assert [one for one in bench.pinner.made if one.startswith("sdist")] == ["sdist 1.0!", "sdist 1.1"]
    assert bench.pinner.named == [("wheel ==1",), ("wheel ==1",)]
    bench.lock(UniversalWheel(kind="universal", versions=said), WheelLock())
    assert bench.pinner.made == ["wheel 1.0!", "wheel 1.1"]


def test_what_is_built_here_is_locked_anew_when_its_own_pins_change(bench: Bench) -> None:
    bench.pinner.declared = "cffi"
    old = renewed_wheel(bench.renewal(), bench.with_cffi("1.0"), "six", old=WheelLock())
    assert renewed_wheel(bench.renewal(), bench.with_cffi("1.0"), "six", old=old) == old
    assert bench.backends.asked == []
    new = renewed_wheel(bench.renewal(), bench.with_cffi("1.0", "1.1"), "six", old=old)
    assert new.versions["1.0"].built_here == {"3.11": {"cffi": "1.1"}}
    renewed_wheel(bench.renewal(), bench.with_cffi("1.0", "1.1", key="e" * 64), "six", old=new)
    assert "six 1.0 beside cffi" in bench.backends.asked


@pytest.mark.parametrize(
    ("declared", "versions", "said"),
    [
        ("cffi>=2", ("1.0", "1.1"), "cffi>=2, which is to be built here, fits: there are 1.0, 1.1; add one that does"),
        ("cffi", (), "fits: there are none; add one that does and is built for linux-amd64, or run sources.lock"),
    ],
)
def test_nothing_that_fits_to_be_built_here_is_told(
    bench: Bench, declared: str, versions: tuple[str, ...], said: str
) -> None:
    bench.pinner.declared = declared
    with pytest.raises(LockError, match=re.escape(said)):
        renewed_wheel(bench.renewal(), bench.with_cffi(*versions), "six", old=WheelLock())


def test_a_default_version_is_built_here_rather_than_a_newer_one(bench: Bench) -> None:
    bench.pinner.declared = "cffi"
    made = bench.with_cffi("1.0", "1.1", "2.0", other=("2.0",))
    new = renewed_wheel(bench.renewal(), made, "six", old=WheelLock())
    assert new.versions["1.0"].built_here == {"3.11": {"cffi": "1.1"}}


@pytest.mark.parametrize(
    "changed",
    [
        {"environment": {"WITH": "numpy"}},
        {"config_settings": {"editable": "no"}},
        {"libraries": ("libffi",)},
        {"toolchain": "gcc"},
    ],
)
def test_what_a_backend_sees_of_its_recipe_lets_it_be_asked_again(bench: Bench, changed: dict[str, Any]) -> None:
    old = bench.lock(recipe("1.0"), WheelLock())
    bench.backends.answer = ("numpy",)
    new = bench.lock(recipe("1.0", **changed), old)
    assert bench.pinner.made == ["setuptools for 3.11", "setuptools+numpy for 3.11"]
    assert new.versions["1.0"].hook_requires == {"3.11": ("numpy",)}


@pytest.mark.parametrize("changed", [{"trial": "import y"}, {"extensions": ("y",)}, {"platforms": ("linux-arm64",)}])
def test_what_no_backend_sees_of_its_recipe_changes_no_lock(bench: Bench, changed: dict[str, Any]) -> None:
    old = bench.lock(recipe("1.0"), WheelLock())
    assert bench.lock(recipe("1.0").model_copy(update=changed), old) == old
    assert (bench.pinner.made, bench.backends.asked) == ([], [])


def test_a_patch_that_came_or_changed_lets_the_source_be_read_again(bench: Bench) -> None:
    old = bench.lock(recipe("1.0"), WheelLock())
    patch = bench.config / "patches/six/1.0/01-a.patch"
    patch.parent.mkdir(parents=True)
    patched = SourceWheel(trial="import x", versions={"1.0": VersionRecipe(patches=("01-a.patch",))})
    for content, declared in (("one", "flit"), ("two", "hatch")):
        patch.write_text(content)
        bench.pinner.declared = declared
        old = bench.lock(patched, old)
        assert bench.pinner.made == [f"{declared} for 3.11"]
        assert bench.pinner.read == [("six 1.0", "01-a.patch")]
        assert old.versions["1.0"].declared_requires == (declared,)
    assert bench.lock(patched, old) == old
    assert bench.backends.asked == []


def test_a_wheel_that_becomes_universal_or_built_is_locked_anew(bench: Bench) -> None:
    universal = UniversalWheel(kind="universal", versions={"1.0": VersionRecipe()})
    old = bench.lock(recipe("1.0"), WheelLock())
    new = bench.lock(universal, old)
    assert bench.pinner.made == ["wheel 1.0"]
    assert new.versions["1.0"].build_requires == {}
    assert bench.lock(universal, new) == new
    assert bench.pinner.made == []
    bench.lock(recipe("1.0"), new)
    assert bench.pinner.made == ["sdist 1.0", "setuptools for 3.11"]


def library(name: str, version: str = "1.0") -> Library:
    return Library(version=version, source=DebianSource(type="debian", package=name))


def renewed(
    bench: Bench, libraries: dict[str, Library], *wanted: str, old: LibrariesLock, update: bool = False
) -> LibrariesLock:
    return renewed_libraries(bench.renewal(update=update), libraries, wanted or sorted(libraries), old=old)


def test_only_libraries_that_are_missing_or_changed_are_looked_for(bench: Bench) -> None:
    catalog = {"a": library("a"), "b": library("b", "2.0"), "c": library("c"), "d": library("dd")}
    old = LibrariesLock(sources={"a": debian("a"), "b": debian("b"), "d": debian("d"), "gone": debian("gone")})
    new = renewed(bench, catalog, old=old)
    assert bench.pinner.find.asked == ["b 2.0", "c 1.0", "dd 1.0"]
    assert sorted(new.sources) == ["a", "b", "c", "d"]
    assert new.sources["a"] == old.sources["a"]


def test_libraries_that_were_not_named_are_left_alone(bench: Bench) -> None:
    old = LibrariesLock(sources={"a": debian("a"), "b": debian("b")})
    catalog = {"a": library("a", "2.0"), "b": library("b", "2.0"), "c": library("c")}
    new = renewed(bench, catalog, "b", old=old, update=True)
    assert bench.pinner.find.asked == ["b 2.0"]
    assert {name: file.version for name, file in new.sources.items()} == {"a": "1.0", "b": "2.0"}


def test_a_full_lock_asks_nobody(bench: Bench) -> None:
    old = LibrariesLock(sources={"a": debian("a")})
    assert renewed(bench, {"a": library("a")}, old=old) == old
    assert bench.pinner.find.asked == []


def test_a_library_may_come_from_elsewhere(bench: Bench) -> None:
    source = ArchiveSource(type="archive", urls=("https://a.example/{version}.tar.gz",))
    catalog = {"a": library("a"), "b": Library(version="2.0", source=source)}
    bench.pinner.files["2.0"] = ARCHIVE.model_copy(update={"version": "2.0", "urls": source.urls_of("2.0")})
    old = renewed(bench, catalog, old=LibrariesLock())
    assert bench.pinner.find.asked == ["a 1.0"]
    assert bench.pinner.made == ["archive 2.0"]
    assert renewed(bench, catalog, old=old) == old
    assert bench.pinner.made == []


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


def test_crates_are_locked_where_the_recipe_says_so_and_kept_while_the_source_is_the_same(bench: Bench) -> None:
    old = bench.lock(recipe("1.0", crates=True), WheelLock())
    assert bench.pinner.made == ["sdist 1.0", "setuptools for 3.11", "crates of six-1.0.tar.gz"]
    crates = old.versions["1.0"].crates
    assert crates
    assert crates.source == old.versions["1.0"].source
    assert bench.lock(recipe("1.0", crates=True), old) == old
    assert bench.pinner.made == []
    assert bench.lock(recipe("1.0"), old).versions["1.0"].crates is None
    bench.lock(recipe("1.0", crates=True), old, update=True)
    assert bench.pinner.made[-1] == "crates of six-1.0.tar.gz"


@pytest.mark.parametrize(
    ("path", "refused"),
    [("Cargo.lock", True), ("rust/Cargo.lock", True), ("Cargo.toml", False)],
)
def test_a_patch_of_what_names_the_crates_is_refused(bench: Bench, path: str, *, refused: bool) -> None:
    patch = bench.config / "patches/six/1.0/01-a.patch"
    patch.parent.mkdir(parents=True)
    patch.write_text(f"see Cargo.lock\n--- a/{path}\n+++ b/{path}\n@@ -1 +1 @@\n-one\n+two\n")
    patched = recipe("1.0", crates=True).model_copy(update={"versions": {"1.0": VersionRecipe(patches=(patch.name,))}})
    if not refused:
        assert bench.lock(patched, WheelLock()).versions["1.0"].crates
        return
    with pytest.raises(LockError, match=r"01-a\.patch: it changes Cargo\.lock, but"):
        bench.lock(patched, WheelLock())


@pytest.mark.parametrize(("of_wheel", "of_version", "wanted"), [(True, False, False), (False, True, True)])
def test_a_version_says_whether_it_has_crates(bench: Bench, *, of_wheel: bool, of_version: bool, wanted: bool) -> None:
    one = recipe("1.0", crates=of_wheel).model_copy(update={"versions": {"1.0": VersionRecipe(crates=of_version)}})
    assert (bench.lock(one, WheelLock()).versions["1.0"].crates is not None) is wanted


def test_other_mirrors_of_a_locked_archive_change_its_addresses_and_nothing_else(bench: Bench) -> None:
    bench.pinner.files["1.0"] = ARCHIVE
    old = bench.lock(of(ArchiveSource(type="archive", urls=("https://a.example/six-{version}",))), WheelLock())
    source = ArchiveSource(type="archive", urls=("https://b.example/six-{version}", "https://a.example/six-{version}"))
    new = bench.lock(of(source), old)
    assert (bench.pinner.made, bench.backends.asked) == ([], [])
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
    bench: Bench, changed: dict[str, object], made: list[str]
) -> None:
    source = GitSource(type="git", repository="https://a.example/six", revision="v{version}")
    old = WheelLock(versions={"1.0": VersionLock(source=GIT, build_requires={"3.11": ()})})
    bench.lock(of(source.model_copy(update=changed)), old)
    assert [one for one in bench.pinner.made if one.startswith("git")] == made


@pytest.mark.parametrize(
    ("commit", "said"),
    [("1" * 40, []), ("2" * 40, ["v1.0 of https://a.example/six moved from the commit 1111"])],
)
def test_a_tag_that_moved_is_told(bench: Bench, commit: str, said: list[str]) -> None:
    source = GitSource(type="git", repository="https://a.example/six", revision="v{version}")
    old = WheelLock(versions={"1.0": VersionLock(source=GIT, build_requires={"3.11": ()})})
    bench.pinner.files["1.0"] = GIT.model_copy(update={"commit": commit})
    bench.lock(of(source), old, update=True)
    told = [event for event in bench.pinner.events if isinstance(event, Notice) and event.warning]
    assert [notice.text[: len(text)] for notice, text in zip(told, said, strict=True)] == said


def test_a_folder_is_looked_at_every_time(bench: Bench) -> None:
    source = of(LocalSource(type="local", folder="six"))
    bench.pinner.files["1.0"] = LOCAL
    old = bench.lock(source, WheelLock())
    assert bench.lock(source, old) == old
    assert (bench.pinner.made, bench.backends.asked) == (["local 1.0"], [])
    bench.pinner.files["1.0"] = LOCAL.model_copy(update={"sha256": "c" * 64})
    bench.lock(source, old)
    assert bench.pinner.made == ["local 1.0", "setuptools for 3.11"]


def test_a_folder_tells_its_version_anew(bench: Bench) -> None:
    old = WheelLock(versions={"1.0": VersionLock(source=LOCAL, build_requires={"3.11": ()})})
    new = bench.lock(of(LocalSource(type="local", folder="newer")), old)
    assert list(new.versions) == ["1.1"]


def prebuilt(**changed: Any) -> PrebuiltWheel:  # noqa: ANN401 - a recipe's
    return PrebuiltWheel(kind="prebuilt", trial="import six", **{"versions": {"1.0": VersionRecipe()}} | changed)


def test_prebuilt_wheels_are_locked_for_each_platform_and_python(bench: Bench) -> None:
    old = bench.lock(prebuilt(), WheelLock(), "3.10", "3.11")
    assert old.versions["1.0"].source is None
    assert {(platform, python) for platform, pins in old.versions["1.0"].prebuilt.items() for python in pins} == {
        ("linux-amd64", "3.10"),
        ("linux-amd64", "3.11"),
        ("linux-arm64", "3.10"),
        ("linux-arm64", "3.11"),
    }
    assert bench.lock(prebuilt(), old, "3.10", "3.11") == old
    assert bench.pinner.made == []
    new = bench.lock(prebuilt(platforms=("linux-amd64",)), old, "3.11", "3.12")
    assert bench.pinner.made == ["1.0 for 3.12 on manylinux_2_17_x86_64"]
    assert list(new.versions["1.0"].prebuilt) == ["linux-amd64"]
    assert list(new.versions["1.0"].prebuilt["linux-amd64"]) == ["3.11", "3.12"]
    skipping = prebuilt(versions={"1.0": VersionRecipe(skip={"linux-arm64": "there is none"})})
    assert list(bench.lock(skipping, old).versions["1.0"].prebuilt) == ["linux-amd64"]
    skipping = prebuilt(versions={"1.0": VersionRecipe(skip={"linux-arm64-py3.12": "there is none"})})
    locked = bench.lock(skipping, WheelLock(), "3.11", "3.12").versions["1.0"].prebuilt
    assert (list(locked["linux-arm64"]), list(locked["linux-amd64"])) == (["3.11"], ["3.11", "3.12"])


def test_a_wheel_that_is_built_is_taken_where_its_recipe_says_so(bench: Bench) -> None:
    taking = recipe("1.0").model_copy(update={"prebuilt": ("linux-arm64",)})
    old = bench.lock(recipe("1.0"), WheelLock())
    bench.pinner.made.clear()
    new = bench.lock(taking, old)
    assert bench.pinner.made == ["1.0 for 3.11 on manylinux_2_17_aarch64"]
    assert list(new.versions["1.0"].prebuilt) == ["linux-arm64"]
    assert new.versions["1.0"].build_requires == old.versions["1.0"].build_requires
    bench.pinner.made.clear()
    assert bench.lock(taking, new) == new
    assert bench.pinner.made == []
    assert bench.lock(recipe("1.0"), new) == old


def test_a_prebuilt_wheel_that_its_platform_takes_no_more_is_locked_anew(bench: Bench) -> None:
    old = bench.lock(prebuilt(), WheelLock())
    bench.pinner.made.clear()
    older = catalog(prebuilt(), "manylinux_2_5_x86_64")
    renewed_wheel(bench.renewal(), older, "six", old=old)
    assert bench.pinner.made == ["1.0 for 3.11 on manylinux_2_5_x86_64"] * 2


def test_a_source_of_another_type_is_locked_anew(bench: Bench) -> None:
    old = bench.lock(recipe("1.0"), WheelLock())
    bench.pinner.files["1.0"] = LOCAL
    bench.lock(of(LocalSource(type="local", folder="six")), old)
    assert bench.pinner.made == ["local 1.0", "setuptools for 3.11"]


def test_tools_are_resolved_when_their_list_changes(bench: Bench) -> None:
    old = renewed_tools(bench.renewal(), ["uv", "build"], old=ToolsLock())
    assert bench.pinner.made == ["build+uv for 3.11"]
    assert renewed_tools(bench.renewal(), ["build", "uv"], old=old) == old
    assert renewed_tools(bench.renewal(), [], old=old) == ToolsLock()
    assert bench.pinner.made == []
    renewed_tools(bench.renewal(update=True), ["build", "uv"], old=old)
    assert len(bench.pinner.made) == 1


def test_the_changes_are_told_pin_by_pin() -> None:
    old = WheelLock(versions={"1.0": VersionLock(source=pin("six", "six-1.0.tar.gz"))})
    source = pin("six", "six-1.1.tar.gz")
    facts = {"filename": "six-1.1-crates.tar", "sha256": "b" * 64, "size": 1}
    crates = CratesArchive(name="six", version="1.1", source=source, **facts)
    new = WheelLock(
        versions={
            "1.0": VersionLock(
                source=pin("six", "six-1.0.tar.gz"),
                hook_requires={"3.11": ("ninja", "wheel")},
                build_requires={"3.11": (pin("wheel", "wheel-1-py3-none-any.whl"),)},
                built_here={"3.12": {"cffi": "2.0"}},
            ),
            "1.1": VersionLock(source=source, crates=crates),
        }
    )
    added = "wheel-1-py3-none-any.whl (aaaaaaaaaaaa)"
    assert list(changes_between("six", old, new)) == [
        LockChange("six", "1.0 python 3.11, asked for by its backend", None, "ninja, wheel"),
        LockChange("six", "1.0 python 3.11: wheel", None, added),
        LockChange("six", "1.0 python 3.12: cffi", None, "2.0, built here"),
        LockChange("six", "1.1 crates", None, "six-1.1-crates.tar (bbbbbbbbbbbb)"),
        LockChange("six", "1.1 source", None, "six-1.1.tar.gz (aaaaaaaaaaaa)"),
    ]
    assert [change.after for change in changes_between("six", new, old)] == [None] * 5
    assert str(LockChange("six", "1.1 source", None, "x")) == "six: 1.1 source: nothing -> x"


def test_a_lock_is_always_written_alike() -> None:
    first = LibrariesLock(sources={"b": debian("b"), "a": debian("a")})
    second = LibrariesLock(sources={"a": debian("a"), "b": debian("b")})
    text = lock_text(first)
    assert text == lock_text(second)
    assert text.startswith('{\n  "sources": {\n    "a": {\n      "filename"')
    assert text.endswith("}\n")
    assert LibrariesLock.model_validate_json(text) == first
