"""Projects for the stories: what takes long is made once for all workers of a test run, and copied."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.support.projects import Project
from tests.support.registries import Registry, running_registry


def shared_folder(factory: pytest.TempPathFactory) -> Path:
    """Return the folder that all workers of this test run see."""
    base = factory.getbasetemp()
    return base.parent if "PYTEST_XDIST_WORKER" in os.environ else base


@contextmanager
def held(lock: Path) -> Iterator[None]:
    """Hold a file's lock: whoever comes second waits."""
    with lock.open("w") as stream:
        fcntl.flock(stream, fcntl.LOCK_EX)
        yield


def made_once(folder: Path, make: Callable[[Path], None]) -> Project:
    """Return the project in *folder*, after *make* was done with it by the first who comes."""
    whole = folder.with_name(f"{folder.name}.whole")
    with held(folder.with_name(f"{folder.name}.lock")):
        if not whole.exists():
            make(folder)
            whole.touch()
    return Project(folder)


PLATFORMS = ("linux-amd64", "linux-arm64", "linux-riscv64")
"""Those whose images every run of the tests makes; of the others it needs --every-platform."""
EVERY_PLATFORM = (*PLATFORMS, "linux-armv7", "linux-armv6", "linux-386", "linux-ppc64le", "linux-s390x")


@pytest.fixture
def with_image(with_images: Project, platform: str, tmp_path_factory: pytest.TempPathFactory) -> Project:
    """A project of all tests together, which has the image of a platform and whatever was built with it."""
    assert with_images
    folder = shared_folder(tmp_path_factory)

    def check_out(target: Path) -> None:
        Project.checked_out(target)

    project = made_once(folder / "every-platform", check_out)

    def generate(_: Path) -> None:
        project.succeed("image.generate", f"--platform={platform}")

    made_once(folder / platform, generate)
    return project


@pytest.fixture(scope="session")
def with_images(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """A project whose images the engine holds; making them takes some minutes where it does not yet."""

    def make(folder: Path) -> None:
        Project.checked_out(folder).succeed("image.generate")

    return made_once(shared_folder(tmp_path_factory) / "with-images", make)


@pytest.fixture(scope="session")
def built_once(with_images: Project, tmp_path_factory: pytest.TempPathFactory) -> Project:
    """A project that has built and published its whole catalogue; to be looked at only."""
    assert with_images

    def make(folder: Path) -> None:
        done = Project.checked_out(folder).succeed("wheel.build", "--upload")
        (folder / ".dockerbuild" / "stdout").write_text(done.stdout)

    return made_once(shared_folder(tmp_path_factory) / "built", make)


@pytest.fixture
def built(built_once: Project, tmp_path: Path) -> Project:
    """A project of one's own that has built and published its whole catalogue."""
    return built_once.copied_to(tmp_path / "project")


@pytest.fixture
def fresh(with_images: Project, tmp_path: Path) -> Project:
    """A project of one's own with nothing but the images."""
    assert with_images
    return Project.checked_out(tmp_path / "project")


@pytest.fixture
def upstream(tmp_path: Path) -> Iterator[Registry]:
    """A registry of others, where base images come from."""
    with running_registry(tmp_path / "upstream") as registry:
        yield registry


@pytest.fixture
def mirror(tmp_path: Path) -> Iterator[Registry]:
    """One's own registry."""
    with running_registry(tmp_path / "mirror") as registry:
        yield registry
