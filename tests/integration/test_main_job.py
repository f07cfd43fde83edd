"""The whole catalogue, built and published in one run, and what its users then find."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from packaging.utils import parse_wheel_filename

from dockerbuild_lib.core.files import sha256_of
from tests.support.cipd_client import CipdClient, cipd_program
from tests.support.projects import PACKAGES, Project

MACHINES = {"linux-amd64": "x86_64", "linux-arm64": "aarch64"}
NATIVE = ("brotli", "cffi", "markupsafe", "psutil", "pyyaml")
FOREIGN = ("mac-amd64", "mac-arm64", "windows-386", "windows-amd64", "windows-arm64")
SKIPPED = {("psutil", "windows-386"), ("pyyaml", "windows-arm64")}
MARKUPSAFE = f"{PACKAGES}/markupsafe/linux-arm64_cp311_cp311"
ARM = ("--name=markupsafe", "--platform=linux-arm64")
UV = str(Path(sys.executable).with_name("uv"))


def test_every_wheel_of_the_catalogue_is_published_for_every_platform(built_once: Project) -> None:
    native = {f"{PACKAGES}/{name}/{platform}_cp311_cp311" for name in NATIVE for platform in MACHINES}
    taken = {(name, platform) for name in NATIVE for platform in FOREIGN} - SKIPPED
    foreign = {f"{PACKAGES}/{name}/{platform}_cp311_cp311" for name, platform in taken}
    universal = {f"{PACKAGES}/idna-py3", f"{PACKAGES}/six-py2_py3"}
    assert set(built_once.packages()) == native | foreign | universal


@pytest.mark.parametrize("platform", MACHINES)
@pytest.mark.parametrize("name", NATIVE)
def test_native_wheels_run_on_every_linux_since_glibc_2_17(built_once: Project, name: str, platform: str) -> None:
    wheels = [wheel for wheel in built_once.built(name) if f"/{platform}-py3.11/" in str(wheel)]
    tags = {tag.platform for wheel in wheels for tag in parse_wheel_filename(wheel.name)[3]}
    assert tags == {f"{policy}_{MACHINES[platform]}" for policy in ("manylinux_2_17", "manylinux2014")}


def test_a_package_tells_its_version_recipe_and_revision_of_the_catalogue(built_once: Project) -> None:
    found = built_once.describe(MARKUPSAFE)
    tags = dict(tag["tag"].split(":") for tag in found["tags"])
    assert set(tags) == {"version", "git_revision", "content_key", "recipe_key"}
    assert (tags["version"], tags["git_revision"]) == ("3.0.4", built_once.git("rev-parse", "HEAD"))
    assert {ref["ref"] for ref in found["refs"]} == {"latest", "3.x", "3.0.x"}
    assert all(ref["instance_id"] == found["instance"]["pin"]["instance_id"] for ref in found["refs"])


def test_what_is_printed_names_each_wheel_and_where_it_lies(built_once: Project) -> None:
    printed = (built_once.area / "stdout").read_text().split("\n")
    wheels = [Path(line.partition(" published from ")[2]) for line in printed if line]
    assert len(wheels) == 35
    assert all(wheel.is_file() for wheel in wheels)


def test_the_run_is_recorded_with_events_logs_sizes_and_hashes(built_once: Project) -> None:
    run = built_once.latest_run()
    events = [json.loads(line) for line in (run / "events.jsonl").read_text().splitlines()]
    summary: dict[str, Any] = json.loads((run / "summary.json").read_text())
    steps = [step["step"] for step in summary["steps"]]
    assert {event["step"] for event in events if event["type"] == "StepFinished"} == set(steps)
    assert len(list((run / "logs").iterdir())) == len(steps)
    assert "cc" in (run / "logs/build_markupsafe_3.0.4_linux-arm64-py3.11.log").read_text()
    wheels = {wheel.name: wheel for wheel in built_once.built("*")}
    made = {row["filename"]: (row["size"], row["sha256"]) for row in summary["artifacts"]}
    assert made == {name: (wheel.stat().st_size, sha256_of(wheel)) for name, wheel in wheels.items()}
    table = (run / "summary.txt").read_text()
    assert all(sha256 in table for _, sha256 in made.values())


@pytest.mark.parametrize("machine", MACHINES.values())
def test_pip_installs_native_wheels_from_the_store(built_once: Project, tmp_path: Path, machine: str) -> None:
    options = ("--only-binary=:all:", "--python-version=3.11", f"--platform=manylinux2014_{machine}", "--no-deps")
    pip = (sys.executable, "-m", "pip", "install", "--isolated", "--disable-pip-version-check", "--no-cache-dir")
    installed(built_once, tmp_path, *pip, *options)


@pytest.mark.parametrize("machine", MACHINES.values())
def test_uv_installs_native_wheels_from_the_store(built_once: Project, tmp_path: Path, machine: str) -> None:
    options = ("--python-version=3.11", f"--python-platform={machine}-manylinux_2_17", "--no-cache", "--no-config")
    installed(built_once, tmp_path, UV, "pip", "install", f"--python={sys.executable}", *options)


def installed(project: Project, site: Path, *command: str) -> None:
    index = (project.store / "simple").as_uri()
    done = subprocess.run(
        (*command, f"--target={site}", f"--index-url={index}", "markupsafe", "pyyaml"),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert list((site / "markupsafe").glob("_speedups*.so"))
    assert list((site / "yaml").glob("_yaml*.so"))


def test_a_fetched_package_is_what_the_real_cipd_client_takes(built_once: Project, tmp_path: Path) -> None:
    file = tmp_path / "markupsafe.cipd"
    fetch = (f"--package={MARKUPSAFE}", "--version=3.0.x", f"--output={file}", "--json")
    told = built_once.succeed("store.fetch", *fetch).json
    pin = {"package": MARKUPSAFE, "instance_id": built_once.describe(MARKUPSAFE)["instance"]["pin"]["instance_id"]}
    assert told == {**pin, "file": str(file)}
    (tmp_path / "home").mkdir()
    client = CipdClient(cipd_program(), tmp_path / "home")
    assert client.run("pkg-inspect", file) == pin
    client.run("pkg-deploy", file, "-root", tmp_path / "site")
    deployed = tmp_path / "site/markupsafe-3.0.4-py2.py3-none-any.whl"
    assert deployed.read_bytes() == next(w for w in built_once.built("markupsafe") if "aarch64" in w.name).read_bytes()


def test_without_upload_a_wheel_is_built_and_nothing_is_published(fresh: Project) -> None:
    done = fresh.succeed("wheel.build", *ARM)
    assert fresh.packages() == {}
    (wheel,) = fresh.built("markupsafe")
    assert done.stdout.strip() == f"markupsafe 3.0.4 linux-arm64-py3.11: built {wheel}"
    interned = fresh.succeed("store.list", "--json").json
    assert len(interned) == 2  # its sdist, and setuptools

    published = fresh.succeed("wheel.build", *ARM, "--upload")

    assert published.containers() == []
    assert fresh.packages() == {MARKUPSAFE: ["3.0.4"]}
    assert [step["step"] for step in json.loads((fresh.latest_run() / "summary.json").read_text())["steps"]] == [
        "publish markupsafe 3.0.4 linux-arm64-py3.11"
    ]
