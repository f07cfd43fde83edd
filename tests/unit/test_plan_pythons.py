"""Pythons that are built from source: when a plan needs them, what they need, and what their keys hold."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pytest

from dockerbuild_lib.catalog.catalog import Catalog
from dockerbuild_lib.catalog.load import load_catalog
from dockerbuild_lib.catalog.locks import ArchiveFile, LibrariesLock, VersionLock, WheelLock
from dockerbuild_lib.core.errors import CatalogError, LockError
from dockerbuild_lib.plan.inventory import PackageVersion
from dockerbuild_lib.plan.make import make_plan
from dockerbuild_lib.plan.plan import Plan
from dockerbuild_lib.plan.products import PythonWork
from dockerbuild_lib.plan.reach import catalog_versions
from dockerbuild_lib.plan.request import Request, select
from dockerbuild_lib.plan.source_uses import needed_sources
from dockerbuild_lib.sources.lock_files import lock_text
from tests.support.catalogs import add_file, problems_of, write_catalog
from tests.support.worlds import World

UPSTREAM = "upstream: {version: 3.13.5, libraries: [lib], source: {type: archive, urls: ['https://a.example/p-{version}.tar']}}"
PYTHONS = f'"3.11": {{source: debian}}\n"3.13": {{default: false, {UPSTREAM}}}\n'
PLATFORMS = "".join(
    f"{name}: {{triple: {triple}, cipd: {name}, tags: [linux_x], image: debian, toolchain: zig, default: {default}}}\n"
    for name, triple, default in [
        ("linux-amd64", "x86_64-linux-gnu", "true"),
        ("linux-arm64", "aarch64-linux-gnu", "true"),
        ("linux-riscv64", "riscv64-linux-gnu", "false"),
    ]
)
LIBRARIES = "lib: {version: '1.0', source: {type: archive, urls: ['https://a.example/lib-{version}.tar']}}"


def pin(name: str, version: str, sha256: str = "a") -> ArchiveFile:
    urls = (f"https://a.example/{'p' if name != 'lib' else 'lib'}-{version}.tar",)
    return ArchiveFile(name=name, version=version, filename=f"{name}.tar", sha256=sha256 * 64, size=1, urls=urls)


def catalog(folder: Path, *, pythons: str = PYTHONS, python_sha256: str = "b", **changed: str) -> Catalog:
    files = {"platforms": PLATFORMS, "pythons": pythons, "libraries": LIBRARIES, **changed}
    config = write_catalog(
        folder, wheels__demo=f"demo: {{versions: {{'1.0': {{}}}}, {DEMO}}}", wheels__six=None, **files
    )
    lock = VersionLock(source=DEMO_PIN, build_requires={"3.11": (), "3.13": ()})
    add_file(config, "locks/wheels/demo.json", lock_text(WheelLock(versions={"1.0": lock})))
    add_file(config, "locks/libraries.json", lock_text(LibrariesLock(sources={"lib": pin("lib", "1.0")})))
    pins = {name: pin(f"p{name}", "3.13.5", python_sha256) for name in ("3.13",)}
    add_file(config, "locks/pythons.json", lock_text(LibrariesLock(sources=pins)))
    return load_catalog(config)


DEMO = "trial: import demo, source: {type: archive, urls: ['https://a.example/demo-{version}.tar']}"
DEMO_PIN = ArchiveFile(
    name="demo",
    version="1.0",
    filename="demo.tar",
    sha256="d" * 64,
    size=1,
    urls=("https://a.example/demo-1.0.tar",),
)


@dataclass
class WithPythons(World):
    """A world whose store has the Pythons of some platforms."""

    having: tuple[str, ...] = ()

    def python(self, work: PythonWork) -> bool:
        return work.workshop.platform_name in self.having


def plan(made: Catalog, python: str, platform: str, world: World | None = None) -> Plan:
    request = Request(platforms=(platform,), pythons=(python,))
    return make_plan(request, made, world or World(in_engine=True), lambda _catalog, name, _base: {"Dockerfile": name})


def needs(made: Plan) -> dict[str, tuple[str, ...]]:
    return {planned.step.id: planned.step.needs for planned in made.steps}


def test_debians_python_needs_no_step(tmp_path: Path) -> None:
    assert not [step for step in needs(plan(catalog(tmp_path), "3.11", "linux-arm64")) if step.startswith("python")]


def test_debians_python_needs_no_platform_of_the_build_machine(tmp_path: Path) -> None:
    arm = "".join(line for line in PLATFORMS.splitlines(keepends=True) if line.startswith("linux-arm64"))
    made = catalog(tmp_path, pythons='"3.11": {source: debian}\n', platforms=arm)
    assert "build demo 1.0 linux-arm64-py3.11" in needs(plan(made, "3.11", "linux-arm64"))


def test_another_is_built_with_the_build_machines_of_the_same_version(tmp_path: Path) -> None:
    found = needs(plan(catalog(tmp_path), "3.13", "linux-arm64"))
    native, target = "python 3.13 linux-amd64", "python 3.13 linux-arm64"
    assert {native, target} <= set(found["build demo 1.0 linux-arm64-py3.13"])
    assert {native, "library lib linux-arm64", "image linux-arm64"} <= set(found[target])
    assert {"library lib linux-amd64", "image linux-amd64"} <= set(found[native])
    assert not [need for need in found[native] if need.startswith("python")]


def test_the_build_machines_own_is_one(tmp_path: Path) -> None:
    found = needs(plan(catalog(tmp_path), "3.13", "linux-amd64"))
    assert [step for step in found if step.startswith("python")] == ["python 3.13 linux-amd64"]


def test_what_the_store_has_is_not_looked_behind(tmp_path: Path) -> None:
    world = WithPythons(in_engine=True, having=("linux-amd64", "linux-arm64"))
    found = plan(catalog(tmp_path), "3.13", "linux-arm64", world)
    pythons = {planned.step.id: planned.status.value for planned in found.steps if "python" in planned.step.id}
    assert pythons == {"python 3.13 linux-amd64": "hit", "python 3.13 linux-arm64": "hit"}
    assert "library lib linux-arm64" not in needs(found)


def test_a_python_of_other_source_is_another_environment_of_the_same_recipe(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    [one] = plan(catalog(tmp_path / "a"), "3.13", "linux-arm64").goals
    [other] = plan(catalog(tmp_path / "b", python_sha256="c"), "3.13", "linux-arm64").goals
    assert one.goal.key.recipe == other.goal.key.recipe
    assert one.goal.key.environment != other.goal.key.environment


def test_a_platform_without_a_port_takes_debians_version_from_source_too(tmp_path: Path) -> None:
    both = PYTHONS.replace("source: debian", f"source: debian, {UPSTREAM}")
    made = catalog(tmp_path, pythons=both)
    add_file(made.folder, "locks/pythons.json", lock_text(LibrariesLock(sources={"3.11": pin("p", "3.13.5")})))
    found = needs(plan(load_catalog(made.folder), "3.11", "linux-riscv64"))
    assert [step for step in found if step.startswith("python")] == ["python 3.11 linux-riscv64"]


def test_a_platform_without_a_port_needs_an_upstream(tmp_path: Path) -> None:
    with pytest.raises(CatalogError, match=r"pythons.yaml: Python 3.11 for linux-riscv64 comes from Debian, whose"):
        plan(catalog(tmp_path), "3.11", "linux-riscv64")


def test_a_python_that_is_not_locked_says_how_to_lock_it(tmp_path: Path) -> None:
    made = catalog(tmp_path, pythons=PYTHONS.replace("3.13.5", "3.13.6"))
    with pytest.raises(LockError, match=r"the source of Python 3.13 is not locked; run sources.lock --name=pythons"):
        plan(made, "3.13", "linux-arm64")


def test_only_default_platforms_are_built_for_unasked(tmp_path: Path) -> None:
    [selection] = select(Request(), catalog(tmp_path))
    assert [target.name for target in selection.targets] == ["linux-amd64-py3.11", "linux-arm64-py3.11"]


def test_a_toolchain_that_cannot_build_for_a_platform_is_refused_with_the_reason(tmp_path: Path) -> None:
    made = catalog(tmp_path, toolchains="zig: {compiler: zig, skip: {linux-arm64: it is broken}}\n")
    with pytest.raises(CatalogError, match="the toolchain zig cannot build for linux-arm64: it is broken"):
        plan(made, "3.11", "linux-arm64")


def test_names_in_pythons_and_toolchains_must_be_known(tmp_path: Path) -> None:
    files = {
        "pythons": f'"3.13": {{{UPSTREAM.replace("[lib]", "[lob]")}}}\n',
        "toolchains": "zig: {compiler: zig, skip: {linux-arm46: no}}\n",
    }
    found = "\n".join(problems_of(write_catalog(tmp_path, platforms=PLATFORMS, libraries=LIBRARIES, **files)))
    assert "unknown library 'lob'; did you mean 'lib'?" in found
    assert "unknown platform 'linux-arm46'; did you mean 'linux-arm64'?" in found


def test_a_python_comes_from_somewhere(tmp_path: Path) -> None:
    [problem] = problems_of(write_catalog(tmp_path, pythons='"3.13": {default: false}\n'))
    assert "it comes from nowhere; write 'source: debian', or an 'upstream'" in problem


def test_the_store_keeps_the_pythons_of_the_catalogue(tmp_path: Path) -> None:
    kept = {item for item in catalog_versions(catalog(tmp_path)) if "cpython3" in item.package}
    packages = [f"infra/3pp/tools/cpython3/{name}" for name in ("linux-amd64", "linux-arm64", "linux-riscv64")]
    assert kept == {PackageVersion(package, "3.13.5") for package in packages}


def test_their_sources_are_listed_with_the_rest(tmp_path: Path) -> None:
    made = catalog(tmp_path)
    [pinned] = [source for source in needed_sources(made) if any(use.kind == "python" for use in source.uses)]
    assert (pinned.file, [use.user for use in pinned.uses]) == (made.locks.pythons.sources["3.13"], ["python 3.13"])
    (made.folder / "locks/pythons.json").unlink()
    [missing] = [source for source in needed_sources(load_catalog(made.folder)) if source.file is None]
    assert (missing.name, missing.version, missing.type) == ("python3.13", "3.13.5", "archive")
    assert missing.uses[0].selectors == ("python3.13",)
