"""Images travel by content key through real registries; a small image, which is this module's own, stands for all."""

from __future__ import annotations

import shutil
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest

from dockerbuild_lib.containers.engine import KEY_LABEL
from tests.support.projects import Project
from tests.support.registries import running_registry

SMALL = {
    "platforms.yaml": "linux-amd64: {triple: x86_64-linux-gnu, cipd: linux-amd64, tags: [linux_x86_64], "
    "image: small, toolchain: gcc}\n",
    "pythons.yaml": '"3.11": {source: debian}\n',
    "images.yaml": "small: {suite: bookworm, base-packages: [python3.11]}\n",
}
MADE = ("image.generate", "--upload")


@pytest.fixture(scope="module")
def machine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Project]:
    """A project whose image the engine holds, and no other project has."""
    project = Project.checked_out(tmp_path_factory.mktemp("machine") / "project")
    shutil.rmtree(project.folder / "config")
    (project.folder / "config").mkdir()
    # A toolchain of this test run makes the image its own, so that it may be removed.
    toolchains = f"gcc: {{compiler: gcc}}\nrun-{uuid.uuid4()}: {{compiler: gcc}}\n"
    for name, text in {**SMALL, "toolchains.yaml": toolchains}.items():
        (project.folder / "config" / name).write_text(text)
    project.succeed("image.generate")
    yield project
    forget(project)


def tag_and_key(project: Project) -> tuple[str, str]:
    """Return what the project's image is called, and its content key."""
    printed = project.succeed("image.generate").stdout
    tag = printed.split()[2]
    [key] = [row["key"] for row in project.succeed("image.list", "--json").json if tag in row["tag"]]
    return tag, key


def forget(project: Project) -> tuple[str, str]:
    """Remove the project's image from the engine; return its tag and key."""
    import docker  # noqa: PLC0415 - takes 0.3 s, and few tests ask

    tag, key = tag_and_key(project)
    client = docker.from_env()
    client.api.remove_image(tag)
    client.close()
    return tag, key


def test_an_uploaded_image_is_pulled_where_the_engine_lacks_it(machine: Project, tmp_path: Path) -> None:
    with running_registry(tmp_path / "registry") as registry:
        at = {"INVOKE_DOCKERBUILD_REGISTRY": f"{registry.address}/team"}
        first = machine.succeed(*MADE, **at)
        assert first.stdout.splitlines()[-1] == "upload image linux-amd64: done"
        tag, key = forget(machine)
        assert registry.tags("team/linux-amd64") == [key]

        pulled = machine.succeed("image.generate", **at)
        assert pulled.stdout == f"image linux-amd64: {tag} pulled\n"
        assert tag_and_key(machine) == (tag, key)
        again = machine.succeed(*MADE, **at)
        assert again.stdout == f"image linux-amd64: {tag} is there\nupload image linux-amd64: in the registry\n"
        assert again.containers() == []


def test_an_image_that_bears_another_key_is_refused(machine: Project, tmp_path: Path) -> None:
    import docker  # noqa: PLC0415 - takes 0.3 s, and few tests ask

    with running_registry(tmp_path / "registry") as registry:
        tag, key = tag_and_key(machine)
        client = docker.from_env()
        with_other_label = f"FROM {tag}\nLABEL {KEY_LABEL}={'0' * 64}\n"
        (tmp_path / "Dockerfile").write_text(with_other_label)
        name = f"{registry.address}/linux-amd64:{key}"
        client.images.build(path=str(tmp_path), tag=name, rm=True)
        assert '"error"' not in client.images.push(name)
        client.api.remove_image(name)
        client.api.remove_image(tag)
        done = machine.run("image.generate", INVOKE_DOCKERBUILD_REGISTRY=registry.address)
        assert done.code == 16
        assert f"{name}: the image there is labelled with another content key ({'0' * 64})" in done.stderr
        assert client.images.list(name=tag) == []
        assert client.images.list(name=name) == []
        client.close()
    machine.succeed("image.generate")  # from the engine's own layers


def test_credentials_are_the_user_s_own(machine: Project, tmp_path: Path) -> None:
    with running_registry(tmp_path / "registry", password=True) as registry:
        at = {"INVOKE_DOCKERBUILD_REGISTRY": registry.address}
        for credentials in ({"DOCKER_CONFIG": str(tmp_path)}, registry.credentials(tmp_path / "wrong", "wrong")):
            refused = machine.run(*MADE, **at, **credentials)
            assert refused.code == 28
            assert f"log in with an account that may (docker login {registry.address})" in refused.stderr
        assert registry.tags("linux-amd64") == []
        machine.succeed(*MADE, **at, **registry.credentials(tmp_path / "right"))
        assert registry.tags("linux-amd64") == [tag_and_key(machine)[1]]


def test_an_image_is_not_made_in_silence_where_the_registry_does_not_answer(machine: Project) -> None:
    tag, _key = forget(machine)
    done = machine.run("image.generate", INVOKE_DOCKERBUILD_REGISTRY="127.0.0.1:1")
    assert done.code == 6
    assert "127.0.0.1:1: the registry does not answer as it should" in done.stderr
    assert machine.succeed("image.generate").stdout == f"image linux-amd64: {tag} made\n"


def test_without_a_registry_there_is_nothing_to_upload_to(machine: Project) -> None:
    done = machine.run(*MADE)
    assert done.code == 2
    assert "--upload: no container registry is configured; set `registry` in invoke.yaml" in done.stderr
