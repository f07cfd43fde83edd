"""What the work folder of a user's command is: their own folder, or a copy of one."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, BinaryIO, Protocol

from dockerbuild_lib.containers.errors import engine_stream, translated_engine_errors
from dockerbuild_lib.core.command import WORK_FOLDER
from dockerbuild_lib.core.files import translated_os_errors

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

    import docker
    from docker.types import Mount


class WorkPlace(Protocol):
    """A way to give a container its work folder."""

    def mount(self) -> Mount:
        """Return what the container is made with."""

    def filled(
        self, client: docker.DockerClient, container: str, user: tuple[int, int]
    ) -> AbstractContextManager[None]:
        """Have the files there inside the block, before the container starts; *user* may write them."""


@dataclass(frozen=True)
class MountedFolder:
    """A folder of this machine itself, which is the engine's too."""

    path: Path

    def mount(self) -> Mount:
        """Return a bind mount of it."""
        from docker.types import Mount  # noqa: PLC0415 - the SDK takes 0.3 s to import

        return Mount(str(WORK_FOLDER), str(self.path), type="bind")

    @contextmanager
    def filled(
        self,
        client: docker.DockerClient,  # noqa: ARG002 - the protocol's
        container: str,  # noqa: ARG002
        user: tuple[int, int],  # noqa: ARG002
    ) -> Iterator[None]:
        """Do nothing: all is there."""
        yield


@dataclass(frozen=True)
class SentFolder:
    """A folder of this machine, copied to an engine that is elsewhere, and back when the command has ended."""

    path: Path

    def mount(self) -> Mount:
        """Return a volume that lives as long as the container."""
        return volume(WORK_FOLDER)

    @contextmanager
    def filled(self, client: docker.DockerClient, container: str, user: tuple[int, int]) -> Iterator[None]:
        """Send the folder; bring back what was changed, however the command ended."""
        from dockerbuild_lib.containers.round_trip import bring_back, packed_folder  # noqa: PLC0415 - seldom needed

        with packed_folder(self.path, WORK_FOLDER.name, user) as (tar, sent):
            _put_with_its_folder(client, container, tar)
        yield
        with translated_engine_errors():
            chunks, _ = client.api.get_archive(container, f"{WORK_FOLDER}/.")
        bring_back(engine_stream(chunks), self.path, sent)


@dataclass(frozen=True)
class KeptTree:
    """A copy of a tar's files, with their owners, which lives as long as the container; None: an empty folder."""

    tar: Path | None

    def mount(self) -> Mount:
        """Return a volume that lives as long as the container."""
        return volume(WORK_FOLDER)

    @contextmanager
    def filled(
        self,
        client: docker.DockerClient,
        container: str,
        user: tuple[int, int],  # noqa: ARG002 - the tar names its owners
    ) -> Iterator[None]:
        """Copy the files there."""
        if self.tar is not None:
            with translated_os_errors(self.tar), self.tar.open("rb") as stream, translated_engine_errors():
                client.api.put_archive(container, str(WORK_FOLDER), stream)
        yield


def volume(folder: PurePosixPath) -> Mount:
    """Return an empty folder that lives as long as the container."""
    from docker.types import Mount  # noqa: PLC0415 - the SDK takes 0.3 s to import

    return Mount(str(folder), None, type="volume")


def _put_with_its_folder(client: docker.DockerClient, container: str, tar: BinaryIO) -> None:
    """Unpack a tar whose top is the work folder.

    The engine gives a folder its owner only from above, which is read-only in the container itself: so through another
    that has the same volume, and is never started.
    """
    with translated_engine_errors():
        like = client.api.inspect_container(container)
        shared = client.api.create_host_config(volumes_from=[container], network_mode="none")
        labels = like["Config"]["Labels"]
        helper = client.api.create_container(like["Image"], command=["true"], labels=labels, host_config=shared)["Id"]
        try:
            client.api.put_archive(helper, str(WORK_FOLDER.parent), tar)
        finally:
            client.api.remove_container(helper, force=True)  # but not the volume
