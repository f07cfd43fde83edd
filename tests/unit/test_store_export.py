"""What store.export writes: for which packages, in which words, and what it refuses."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from dockerbuild_lib.core.errors import NotInStoreError, StoreAmbiguousError, StoreDamagedError, UsageError
from dockerbuild_lib.store.ensure_files import Deployment, ensure_file, package_platform, versions_file
from dockerbuild_lib.store.export import export_deployments, select_deployments
from dockerbuild_lib.store.memory import MemoryStore
from dockerbuild_lib.store.names import instance_id_of_file
from dockerbuild_lib.store.package_file import write_package
from dockerbuild_lib.store.package_tree import FileMember
from dockerbuild_lib.store.protocol import Pin, Publication

WHEELS = "infra/python/wheels"
ARM64 = f"{WHEELS}/wrapt/linux-arm64_cp311_cp311"
AMD64 = f"{WHEELS}/wrapt/linux-amd64_cp311_cp311"
SIX = f"{WHEELS}/six-py2_py3"


@pytest.fixture
def store() -> MemoryStore:
    return MemoryStore()


@pytest.fixture
def publish(store: MemoryStore, tmp_path: Path) -> Callable[..., Pin]:
    def published(package: str, version: str, member: str | None = None) -> Pin:
        (tmp_path / "wheel").write_text(f"{package} {version}")
        name = member or f"{package.split('/')[3].removesuffix('-py2_py3')}-{version}.whl"
        write_package(tmp_path / "package", package, [FileMember(name, tmp_path / "wheel")])
        return store.publish(Publication(package, tmp_path / "package", (), f"version:{version}")).pin

    return published


@pytest.mark.parametrize(
    ("package", "platform"),
    [
        (ARM64, "linux-arm64"),
        (f"{WHEELS}/wrapt/mac-amd64_cp311_cp311", "mac-amd64"),
        (f"{WHEELS}/wrapt/windows-386_cp38_cp38", "windows-386"),
        (f"{WHEELS}/wrapt/linux-armv6l_cp38_cp38", "linux-armv6l"),
        (f"{WHEELS}/wrapt/linux-mips64le_cp38_cp38", "linux-mips64le"),
        ("infra/tools/cipd/linux-arm64", "linux-arm64"),
        (SIX, None),
        (f"{WHEELS}/linux-py3", None),
        ("linux-arm64/wrapt", None),
    ],
)
def test_a_packages_platform_is_at_the_start_of_its_last_part(package: str, platform: str | None) -> None:
    assert package_platform(package) == platform


def test_of_several_platforms_each_client_takes_its_own() -> None:
    deployments = [Deployment(Pin(ARM64, "a" * 40), "latest"), Deployment(Pin(AMD64, "b" * 40), "version:2.0")]
    text = ensure_file([*deployments, Deployment(Pin(SIX, "c" * 40), "1.x")], "the.versions")
    assert text.splitlines() == [
        "$ResolvedVersions the.versions",
        "$VerifiedPlatform linux-amd64 linux-arm64",
        "",
        f"{SIX} 1.x",
        f"{WHEELS}/wrapt/${{platform=linux-amd64}}_cp311_cp311 version:2.0",
        f"{WHEELS}/wrapt/${{platform=linux-arm64}}_cp311_cp311 latest",
    ]


def test_of_one_platform_every_client_takes_it() -> None:
    text = ensure_file([Deployment(Pin(ARM64, "a" * 40), "latest"), Deployment(Pin(SIX, "c" * 40), "1.x")], "v")
    assert text.splitlines()[3:] == [f"{SIX} 1.x", f"{ARM64} latest"]


def test_instance_ids_need_no_resolving() -> None:
    deployments = [Deployment(Pin("b", "b" * 40), "latest"), Deployment(Pin("a", "a" * 40), "a" * 40)]
    assert versions_file(deployments) == f"b\n\tlatest\n\t{'b' * 40}\n"


def test_packages_are_selected_by_name_pattern_and_platform(store: MemoryStore, publish: Callable[..., Pin]) -> None:
    arm64, amd64, six = publish(ARM64, "2.0"), publish(AMD64, "2.0"), publish(SIX, "1.17.0")
    older = publish(ARM64, "1.0")

    def selected(*wanted: tuple[str, str], platforms: tuple[str, ...] = ()) -> set[Pin]:
        return {each.pin for each in select_deployments(store, wanted, platforms)}

    assert selected((f"{WHEELS}/*", "latest")) == {arm64, amd64, six}
    assert selected((f"{WHEELS}/*", "latest"), platforms=("linux-arm64",)) == {arm64, six}
    assert selected((f"{WHEELS}/*", "version:1.0")) == {older}
    assert selected((ARM64, "1.x"), (SIX, six.instance_id), (SIX, six.instance_id)) == {older, six}
    assert selected((f"{WHEELS}/wrapt/*", "latest"), platforms=("*-amd64", "mac-*")) == {amd64}


def test_what_cannot_be_selected_is_told(store: MemoryStore, publish: Callable[..., Pin]) -> None:
    publish(ARM64, "2.0")
    for wanted, message in (
        ((AMD64, "latest"), f"no such package: {AMD64}"),
        ((ARM64, "version:9"), "no such tag"),
        ((f"{WHEELS}/*", "version:9"), "of 1 packages that match .* none has the version version:9"),
        (("other/*", "latest"), "of 0 packages"),
    ):
        with pytest.raises(NotInStoreError, match=message):
            select_deployments(store, [wanted], ())
    with pytest.raises(UsageError, match="the packages are for linux-arm64"):
        select_deployments(store, [(ARM64, "latest")], ("mac-*",))
    publish(ARM64, "1.0")
    with pytest.raises(UsageError, match="two versions"):
        select_deployments(store, [(ARM64, "latest"), (ARM64, "1.x")], ())
    for pin in (store.resolve(ARM64, "1.x"), store.resolve(ARM64, "latest")):
        store.attach_tags(pin, ["built_by:me"])
    with pytest.raises(StoreAmbiguousError):
        select_deployments(store, [(f"{WHEELS}/*", "built_by:me")], ())


def test_files_of_one_name_in_one_site_are_refused(store: MemoryStore, publish: Callable[..., Pin]) -> None:
    publish(ARM64, "2.0")
    publish(AMD64, "2.0")
    publish(f"{WHEELS}/wrapt/linux-arm64_cp312_cp312", "2.0")
    with pytest.raises(UsageError, match=r"would both deploy wrapt-2\.0\.whl"):
        select_deployments(store, [(f"{WHEELS}/*", "latest")], ())
    assert len(select_deployments(store, [(f"{WHEELS}/*_cp311_cp311", "latest")], ())) == 2
    publish(SIX, "1.0", "wrapt-2.0.whl")
    with pytest.raises(UsageError, match="would both deploy"):
        select_deployments(store, [(ARM64, "latest"), (SIX, "latest")], ())


def test_an_export_is_whole(store: MemoryStore, publish: Callable[..., Pin], tmp_path: Path) -> None:
    pin = publish(ARM64, "2.0")
    deployments = select_deployments(store, [(ARM64, "latest")], ())
    (tmp_path / "out").mkdir()
    export_deployments(store, deployments, tmp_path / "out", copy=False)
    assert {path.name for path in (tmp_path / "out").iterdir()} == {"wheels.ensure", "wheels.versions"}
    export_deployments(store, deployments, tmp_path / "a" / "copy", copy=True)
    assert instance_id_of_file(tmp_path / "a" / "copy" / "instances" / pin.instance_id) == pin.instance_id


@pytest.mark.parametrize("copy", [True, False])
def test_what_is_damaged_is_not_exported(
    copy: bool,  # noqa: FBT001  # the two ways of the task
    store: MemoryStore,
    publish: Callable[..., Pin],
    tmp_path: Path,
) -> None:
    pin = publish(ARM64, "2.0")
    deployments = select_deployments(store, [(ARM64, "latest")], ())
    store.instances_by_id[pin.instance_id] += b"x"
    with pytest.raises(StoreDamagedError, match=pin.instance_id):
        export_deployments(store, deployments, tmp_path / "new" / "out", copy=copy)
    assert list((tmp_path / "new").iterdir()) == []


def test_nothing_is_overwritten(store: MemoryStore, publish: Callable[..., Pin], tmp_path: Path) -> None:
    publish(ARM64, "2.0")
    deployments = select_deployments(store, [(ARM64, "latest")], ())
    for taken in (tmp_path, tmp_path / "wheel"):
        with pytest.raises(UsageError, match="not empty"):
            export_deployments(store, deployments, taken, copy=False)
