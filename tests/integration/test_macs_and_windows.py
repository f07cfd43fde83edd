"""Macs and Windows machines are supplied from the package index: the real one, and one of our own that is wrong."""

from __future__ import annotations

import json
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from dockerbuild_lib.catalog.foreign import MacPlatform, WindowsPlatform
from dockerbuild_lib.catalog.load import load_catalog
from dockerbuild_lib.catalog.locks import IndexFile
from dockerbuild_lib.catalog.platform_tags import accepted_tags
from dockerbuild_lib.core.errors import LockError
from dockerbuild_lib.core.files import sha256_of
from dockerbuild_lib.sources.download import Downloader
from dockerbuild_lib.sources.http import HttpSettings
from dockerbuild_lib.sources.outside import Origins
from dockerbuild_lib.sources.package_index import IndexConfiguration, PackageIndex
from dockerbuild_lib.store.local import LocalStore
from dockerbuild_lib.wheels.gate import WheelExpectation
from tests.support.catalogs import PLATFORMS, write_catalog
from tests.support.foreign_code import Mach
from tests.support.forged_wheels import Forge
from tests.support.gates import refusal_lines
from tests.support.locking import lock
from tests.support.package_index import Facts, telling_index
from tests.support.projects import PACKAGES, TREE, Done, Project

ASKED = ("--name=markupsafe", "--platform=mac-arm64", "--platform=windows-amd64", "--upload")
TAGS = {"mac-arm64": "macosx_11_0_arm64", "windows-amd64": "win_amd64"}
MEMBERS = {"mac-arm64": "_speedups.cpython-311-darwin.so", "windows-amd64": "_speedups.cp311-win_amd64.pyd"}


@pytest.fixture(scope="module")
def supplied(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """A project that has published markupsafe for a Mac and for Windows; no test changes it."""
    project = Project.checked_out(tmp_path_factory.mktemp("supplied"))
    project.succeed("wheel.build", *ASKED)
    return project


def refused(done: Done, code: int, *told: str) -> None:
    """See that a task ended with that code and a last message that tells these things."""
    assert done.code == code, done.stdout + done.stderr
    message = done.stderr.rpartition("\ndockerbuild: ")[2]
    assert [text for text in told if text not in message] == [], done.stderr
    assert "Traceback" not in done.stderr


def packages(project: Project) -> set[str]:
    """Return the published packages, the sources left out."""
    with LocalStore(project.store) as store:
        return set(store.packages(PACKAGES))


def locked_sha256(project: Project, platform: str) -> str:
    locks = load_catalog(project.folder / "config").locks.wheels["markupsafe"].versions["3.0.4"]
    return locks.prebuilt[platform]["3.11"].sha256


def test_the_locked_wheels_are_published_for_each_platform(supplied: Project) -> None:
    assert packages(supplied) == {f"{PACKAGES}/markupsafe/{platform}_cp311_cp311" for platform in TAGS}
    found = supplied.describe(f"{PACKAGES}/markupsafe/mac-arm64_cp311_cp311")
    assert {tag["tag"].partition(":")[0] for tag in found["tags"]} == {
        *("version", "git_revision", "content_key", "recipe_key"),
    }
    assert {ref["ref"] for ref in found["refs"]} == {"latest", "3.x", "3.0.x"}


def test_the_run_says_what_was_found_and_what_was_not_tried(supplied: Project) -> None:
    run = supplied.latest_run()
    details = {each["step"]: each["detail"] for each in json.loads((run / "summary.json").read_text())["steps"]}
    assert details["check markupsafe 3.0.4 mac-arm64-py3.11"] == (
        "cp311-cp311-macosx_11_0_arm64; macOS 11.0; not tried: programs for mac-arm64 do not run here"
    )
    assert "Windows 6.0; not tried" in details["check markupsafe 3.0.4 windows-amd64-py3.11"]


def test_nothing_is_done_twice(supplied: Project) -> None:
    lines = supplied.succeed("wheel.build", *ASKED).stdout.splitlines()
    assert [line.partition(": ")[2].split(",")[0] for line in lines] == ["nothing to do"] * 2


@pytest.mark.parametrize("platform", TAGS)
def test_pip_on_that_platform_takes_the_wheel_from_the_store(supplied: Project, tmp_path: Path, platform: str) -> None:
    index = (supplied.store / "simple").as_uri()
    options = ("--only-binary", ":all:", "--python-version=3.11", "--platform", TAGS[platform], "--no-deps")
    pip = (sys.executable, "-m", "pip", "download", "--isolated", "--disable-pip-version-check", "--no-cache-dir")
    command = (*pip, *options, f"--dest={tmp_path}", f"--index-url={index}", "markupsafe")
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    (wheel,) = tmp_path.iterdir()
    assert wheel.name == f"markupsafe-3.0.4-cp311-cp311-{TAGS[platform]}.whl"
    assert sha256_of(wheel) == locked_sha256(supplied, platform)


def test_the_package_holds_the_wheel_under_its_universal_name(supplied: Project, tmp_path: Path) -> None:
    with LocalStore(supplied.store) as store:
        (instance,) = store.instances(f"{PACKAGES}/markupsafe/windows-amd64_cp311_cp311")
    with zipfile.ZipFile(supplied.store / "instances" / instance.pin.instance_id) as archive:
        (tmp_path / "w.whl").write_bytes(archive.read("markupsafe-3.0.4-py2.py3-none-any.whl"))
    assert sha256_of(tmp_path / "w.whl") == locked_sha256(supplied, "windows-amd64")


@pytest.mark.parametrize(
    ("platform", "tag", "told"),
    [
        ("mac-arm64", "macosx_10_9_universal2", "it has no code for x86_64, only for arm64"),
        ("mac-arm64", "macosx_11_0_x86_64", "it has no code for x86_64, only for arm64"),
        ("mac-arm64", "win_amd64", "it is machine code of another system, in a wheel for Windows"),
        ("windows-amd64", "win32", "it is machine code for amd64, not for 386"),
        ("windows-amd64", "win_arm64", "it is machine code for amd64, not for arm64"),
        (
            "windows-amd64",
            "macosx_11_0_arm64",
            "its name is that of a shared library of Macs, but it is no Mach-O file",
        ),
    ],
)
def test_real_code_under_a_tag_of_other_machines_is_refused(
    supplied: Project, tmp_path: Path, platform: str, tag: str, told: str
) -> None:
    (real,) = [wheel for wheel in supplied.built("markupsafe") if TAGS[platform] in wheel.name]
    with zipfile.ZipFile(real) as archive:
        code = archive.read(f"markupsafe/{MEMBERS[platform]}")
    member = f"markupsafe/_speedups.{'so' if tag.startswith('macosx') else 'pyd'}"
    wheel = Forge(name="markupsafe", version="3.0.4", tag=f"cp311-cp311-{tag}", members={member: code}).write(tmp_path)
    assert f"{member}: {told}" in refusal_lines(wheel, expecting(tag))


def expecting(tag: str) -> WheelExpectation:
    foreign: MacPlatform | WindowsPlatform
    if tag.startswith("macosx"):
        foreign = MacPlatform(system="macos", cipd="a", tags=(tag.replace("universal2", "x86_64"),))
    else:
        foreign = WindowsPlatform(system="windows", cipd="a", tags=(tag,), windows="10.0")
    tags = accepted_tags(foreign.tags)
    return WheelExpectation("markupsafe", "3.0.4", python="cp311", foreign=foreign, platform_tags=tags)


def test_wheels_for_both_processors_and_for_all_platforms_are_taken_too(supplied: Project, tmp_path: Path) -> None:
    project = supplied.copied_to(tmp_path / "project")
    project.succeed("wheel.build", "--name=brotli", "--name=six", "--platform=mac-arm64", "--upload")
    (both,) = project.built("brotli")  # the index has no better one
    assert both.name == "brotli-1.2.1-cp311-cp311-macosx_10_9_universal2.whl"
    new = packages(project) - packages(supplied)
    assert {name for name in new if "/six" in name} == {f"{PACKAGES}/six-py2_py3"}


def prebuilt_of(config: Path) -> dict[str, IndexFile]:
    lock = load_catalog(config).locks.wheels["psutil"].versions["7.2.2"]
    return {platform: pins["3.11"] for platform, pins in lock.prebuilt.items()}


def test_the_index_gives_the_same_locks_again(tmp_path: Path) -> None:
    platforms = (TREE / "config/platforms.yaml").read_text()
    toolchains = (TREE / "config/toolchains.yaml").read_text()
    recipe = (
        "psutil: {kind: prebuilt, trial: import psutil, platforms: [mac-*, windows-*], "
        "versions: {7.2.2: {skip: {windows-386: none}}}}\n"
    )
    config = write_catalog(tmp_path, platforms=platforms, toolchains=toolchains, wheels__psutil=recipe)
    lock(load_catalog(config), Origins(), "psutil")
    assert prebuilt_of(config) == prebuilt_of(TREE / "config")


@pytest.mark.parametrize(
    "arguments",
    [
        ("image.generate", "--platform=linux-arm64", "--platform=mac-*"),
        ("image.show", "--platform=mac-arm64"),
        ("run", "--platform=mac-arm64", "--", "true"),
    ],
)
def test_what_needs_an_image_names_the_platform_that_has_none(supplied: Project, arguments: tuple[str, ...]) -> None:
    refused(
        supplied.run(*arguments), 2, "mac-a", "has no image", "platforms with an image are: linux-amd64, linux-arm64"
    )


def test_nothing_is_built_again_of_what_is_not_built(supplied: Project) -> None:
    done = supplied.run("wheel.verify", "--name=markupsafe", "--platform=mac-arm64")
    refused(done, 2, "there is nothing to build again", "markupsafe 3.0.4 mac-arm64-py3.11")


RECIPE = "demo: {kind: prebuilt, trial: import demo, platforms: [mac-*], versions: {'1.0': {}}}\n"


def locked(folder: Path, *files: Path, **facts: object) -> None:
    """Lock a wheel for Macs from an index of our own that has these *files*; *facts* are told of the last."""
    config = write_catalog(folder, platforms=PLATFORMS, wheels__demo=RECIPE)
    told: dict[Path, Facts] = {file: facts if file == files[-1] else {} for file in files}
    with telling_index(told) as server:
        index = PackageIndex(IndexConfiguration((f"{server.url}/simple",)), Downloader(HttpSettings()))
        lock(load_catalog(config), Origins(index=index), "demo")


def test_a_wheel_that_is_not_what_its_tag_says_is_never_published(tmp_path: Path) -> None:
    members = {"demo/fast.cpython-311-darwin.so": Mach("x86_64", macos=(14, 0)).content()}
    wheel = Forge(tag="cp311-cp311-macosx_11_0_arm64", members=members).write(tmp_path)
    locked(tmp_path, wheel)
    with telling_index({wheel: {}}) as server:
        variables = {
            "INVOKE_DOCKERBUILD_CONFIG_DIR": str(tmp_path / "config"),
            "INVOKE_DOCKERBUILD_ROOT": str(tmp_path / "area"),
            "PIP_CONFIG_FILE": "/dev/null",
            "PIP_INDEX_URL": f"{server.url}/simple",
        }
        done = Project(TREE).run("wheel.build", "--name=demo", "--upload", **variables)
    refused(done, 10, "demo/fast.cpython-311-darwin.so: it has no code for arm64, only for x86_64")
    with LocalStore(tmp_path / "area/store") as store:
        assert store.packages(PACKAGES) == ()


def test_a_wheel_that_is_missing_or_yanked_is_not_locked(tmp_path: Path) -> None:
    newer = Forge(tag="cp311-cp311-macosx_12_0_arm64").write(tmp_path)
    fitting = Forge(tag="cp311-cp311-macosx_11_0_arm64").write(tmp_path)
    missing = r"no wheel for Python 3\.11 on macosx_11_0_arm64 or older of it; leave it out: 'skip: {PLATFORM-py3\.11:"
    with pytest.raises(LockError, match=missing):
        locked(tmp_path, newer)
    with pytest.raises(LockError, match="it eats files"):
        locked(tmp_path, newer, fitting, yanked="it eats files")
    assert not (tmp_path / "config/locks").exists()
    locked(tmp_path, newer, fitting)
    assert fitting.name in (tmp_path / "config/locks/wheels/demo.json").read_text()
