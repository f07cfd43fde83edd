"""The mirror as its users have it: base images are listed, locked and copied, between real registries."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from tests.support.projects import Project
from tests.support.registries import Registry, running_registry
from tests.support.small_images import Uploader, layer

_PLATFORM = "{{triple: {triple}, cipd: {name}, tags: [{tag}], image: dockcross, toolchain: gcc}}"
ARM, AMD = "linux-arm64", "linux-amd64"
PLATFORMS = "\n".join(
    f"{name}: {_PLATFORM.format(triple=triple, name=name, tag=tag)}"
    for name, triple, tag in ((ARM, "aarch64-linux-gnu", "linux_aarch64"), (AMD, "x86_64-linux-gnu", "linux_x86_64"))
)


@pytest.fixture
def project(tmp_path: Path, upstream: Registry) -> Project:
    """A project whose images start from two of upstream's, which have a layer in common."""
    project = Project.checked_out(tmp_path / "project")
    shutil.rmtree(project.folder / "config")
    (project.folder / "config").mkdir()
    bases = f"{{{ARM}: {upstream.address}/dockcross/arm:lts, {AMD}: {upstream.address}/dockcross/amd}}"
    files = {
        "platforms": PLATFORMS,
        "pythons": '"3.11": {source: debian}',
        "toolchains": "gcc: {compiler: gcc}",
        "images": f"dockcross: {{suite: bookworm, base-packages: [python3.11], bases: {bases}}}",
    }
    for name, text in files.items():
        (project.folder / f"config/{name}.yaml").write_text(f"{text}\n")
    put(upstream, "arm", "lts", 1)
    put(upstream, "amd", "latest", 2)
    return project


def put(upstream: Registry, name: str, tag: str, seed: int) -> str:
    """Let a tag of upstream's be an image, and return its digest."""
    image = Uploader(upstream.url, f"dockcross/{name}").image([layer(0, 500_000), layer(seed)], tag)
    return str(image["digest"])


def states(project: Project, **environment: str) -> list[str]:
    return [row["state"] for row in project.succeed("mirror.list", "--json", **environment).json]


def test_base_images_are_locked_and_copied_and_nothing_moves_unasked(
    project: Project, upstream: Registry, mirror: Registry
) -> None:
    at = {"INVOKE_DOCKERBUILD_REGISTRY": f"{mirror.address}/team"}
    arm = f"{upstream.address}/dockcross/arm:lts"
    refused = project.run("mirror.sync", "--upload", **at)
    assert refused.code == 8
    assert (
        f"base images are not locked: {arm}, {upstream.address}/dockcross/amd:latest; run mirror.lock" in refused.stderr
    )
    assert states(project, **at) == ["not locked", "not locked"]

    locked = project.succeed("mirror.lock").stdout
    digests = json.loads((project.folder / "config/locks/bases.json").read_text())["digests"]
    first = digests[arm]
    assert f"bases: {arm}: nothing -> {first}\n" in locked
    assert project.succeed("mirror.lock", **at).stdout == "every base image is locked\n"
    assert states(project) == ["no registry", "no registry"]

    shown = project.succeed("mirror.sync", **at).stdout
    assert f"{arm}: the mirror lacks 3 blobs, 491.0 KiB; --upload copies it" in shown
    assert mirror.tags("team/mirror/dockcross/arm") == []

    tag = f"lts-{first[7:19]}"
    copied = project.succeed("mirror.sync", f"--platform={ARM}", "--upload", **at).stdout
    assert copied == f"{arm}: copied to {mirror.address}/team/mirror/dockcross/arm:{tag}\n"
    assert states(project, **at) == ["mirrored", "not mirrored"]
    project.succeed("mirror.sync", "--upload", **at)
    again = project.succeed("mirror.sync", "--upload", **at)
    assert again.stdout.splitlines()[0] == f"{arm}: is in the mirror"

    moved = put(upstream, "arm", "lts", 3)
    told = project.succeed("mirror.sync", "--upload", **at)
    assert f"warning: {arm} has moved upstream: {first} -> {moved}; --update takes it" in told.stderr
    assert mirror.tags("team/mirror/dockcross/arm") == [tag]
    taken = project.succeed("mirror.sync", "--upload", "--update", **at)
    assert f"bases: {arm}: {first} -> {moved}" in taken.stdout
    assert sorted(mirror.tags("team/mirror/dockcross/arm")) == sorted([tag, f"lts-{moved[7:19]}"])
    assert "moved" not in project.succeed("mirror.sync", **at).stderr


def test_what_is_mirrored_needs_upstream_no_more(project: Project, tmp_path: Path, mirror: Registry) -> None:
    at = {"INVOKE_DOCKERBUILD_REGISTRY": mirror.address}
    with running_registry(tmp_path / "short-lived") as gone:
        project.edit("config/images.yaml", f"{AMD}: ", f"{AMD}: {gone.address}/dockcross/amd, x: ")
        text = (project.folder / "config/images.yaml").read_text()
        (project.folder / "config/images.yaml").write_text(text.partition(", x: ")[0] + "}}\n")
        put(gone, "amd", "latest", 4)
        project.succeed("mirror.lock")
        project.succeed("mirror.sync", "--upload", f"--platform={AMD}", **at)
    done = project.succeed("mirror.sync", "--upload", f"--platform={AMD}", **at)
    assert done.stdout == f"{gone.address}/dockcross/amd:latest: is in the mirror\n"
    assert f"warning: it is not known whether {gone.address}/dockcross/amd:latest has moved" in done.stderr
    with running_registry(tmp_path / "another") as another:
        failed = project.run("mirror.sync", "--upload", INVOKE_DOCKERBUILD_REGISTRY=another.address)
        assert failed.code == 6  # the other image was copied all the same
        assert "the host refuses the connection" in failed.stderr
        assert len(another.tags("mirror/dockcross/arm")) == 1


def test_a_registry_that_refuses_the_login_and_one_that_is_not_named_are_errors(
    project: Project, tmp_path: Path
) -> None:
    project.succeed("mirror.lock")
    done = project.run("mirror.sync")
    assert done.code == 2
    assert "no container registry is configured; set `registry` in invoke.yaml" in done.stderr
    with running_registry(tmp_path / "closed", password=True) as closed:
        at = {"INVOKE_DOCKERBUILD_REGISTRY": closed.address}
        done = project.run("mirror.sync", "--upload", **at, **closed.credentials(tmp_path / "wrong", "wrong"))
        assert done.code == 28
        assert f"docker login {closed.address}" in done.stderr
        project.succeed("mirror.sync", "--upload", **at, **closed.credentials(tmp_path / "right"))
        assert len(closed.tags("mirror/dockcross/arm")) == 1


def test_a_tag_that_upstream_does_not_have_is_said_so_and_nothing_is_written(project: Project) -> None:
    project.edit("config/images.yaml", "arm:lts", "arm:gone")
    done = project.run("mirror.lock")
    assert done.code == 8
    assert "dockcross/arm:gone: the registry has no such image; name one that there is in images.yaml" in done.stderr
    assert not (project.folder / "config/locks/bases.json").exists()
