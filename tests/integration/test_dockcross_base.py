"""From an image that keeps dockcross's contract to a wheel: put upstream, mirrored, made a base, built in."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.support.dockcross import push_stand_in
from tests.support.projects import Project
from tests.support.registries import Registry

if TYPE_CHECKING:
    import docker

PLATFORM = "linux-arm64"
NAME = "dockcross/linux-arm64-lts"
CROSS_PACKAGES = '  cross-packages: ["g++-{triple}", "gcc-{triple}"]\n'


@pytest.fixture
def client() -> Iterator[docker.DockerClient]:
    import docker  # noqa: PLC0415 - takes 0.3 s

    client = docker.from_env(timeout=600)
    yield client
    client.close()


@pytest.fixture
def project(tmp_path: Path, upstream: Registry) -> Project:
    """This project as it is for users of dockcross: its configuration, one Linux platform and wheel, and upstream here.

    zig is left out, since warming it up takes minutes.
    """
    project = Project.checked_out(tmp_path / "project")
    config = project.folder / "config"
    for recipe in (config / "wheels").iterdir():
        if recipe.stem != "markupsafe":
            recipe.unlink()
    platforms = (config / "platforms.yaml").read_text()
    entry = platforms.partition(f"{PLATFORM}:\n")[2].partition("\n\n")[0]
    entry = entry.replace("image: debian", "image: dockcross").replace("toolchain: zig", "toolchain: dockcross")
    (config / "platforms.yaml").write_text(f"{PLATFORM}:\n{entry}\n\n{platforms[platforms.index('mac-amd64:') :]}")
    toolchains = (config / "toolchains.yaml").read_text()
    (config / "toolchains.yaml").write_text(toolchains[toolchains.index("dockcross:\n") :])
    project.edit("config/images.yaml", f"{NAME}\n", f"{upstream.address}/{NAME}\n{CROSS_PACKAGES}")
    lock = json.loads((config / "locks/tools.json").read_text())
    lock["wheels"] = [wheel for wheel in lock["wheels"] if wheel["distribution"] != "ziglang"]
    (config / "locks/tools.json").write_text(json.dumps(lock))
    return project


def test_a_wheel_is_built_on_a_mirrored_base_that_keeps_the_contract(
    client: docker.DockerClient, project: Project, upstream: Registry, mirror: Registry
) -> None:
    """The image and its base stay in the engine, as those of this project do: making them takes minutes."""
    at = {"INVOKE_DOCKERBUILD_REGISTRY": mirror.address}
    unlocked = project.run("image.generate", **at)
    assert unlocked.code == 8
    assert f"{upstream.address}/{NAME}:latest: the base image is not locked; run mirror.lock" in unlocked.stderr

    push_stand_in(client, upstream, NAME, CC="/nowhere/cc")
    project.succeed("mirror.lock")
    unmirrored = project.run("image.generate", **at)
    assert unmirrored.code == 16
    assert "the mirror does not have this image; copy it there with mirror.sync --upload" in unmirrored.stderr
    project.succeed("mirror.sync", "--upload", **at)
    refused = project.run("image.generate", **at)
    assert refused.code == 16
    assert "the base image does not keep dockcross's contract: there is no program /nowhere/cc" in refused.stderr

    push_stand_in(client, upstream, NAME)
    project.succeed("mirror.sync", "--update", "--upload", **at)
    tag = project.succeed("image.generate", **at).stdout.split()[2]
    project.succeed("wheel.build", f"--platform={PLATFORM}", **at)
    [wheel] = project.built("markupsafe")
    assert "aarch64" in wheel.name
    [log] = project.latest_run().glob("logs/build_markupsafe*")
    assert "/opt/dockerbuild/toolchains/dockcross/bin/cc" in log.read_text()
    image = client.images.get(tag).attrs["Config"]
    assert not image["Entrypoint"]
    assert "CROSS_TRIPLE=aarch64-unknown-linux-gnu" in image["Env"]
