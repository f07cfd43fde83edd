"""A command of the user's in a container, as if it ran here: their streams, terminal, signals and exit code."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

from dockerbuild_lib.containers.console import Console
from dockerbuild_lib.containers.errors import translated_engine_errors
from dockerbuild_lib.containers.removal import remove_container
from dockerbuild_lib.containers.work_places import WorkPlace, volume
from dockerbuild_lib.core.errors import DockerbuildError
from dockerbuild_lib.core.files import translated_os_errors

if TYPE_CHECKING:
    import docker

_STARTER = ("/bin/sh", "-c", 'exec "$@"', "sh")
"""Ends with 127 when there is no such program; of the engines' own, podman's (catatonit) ends with 1."""


@dataclass(frozen=True)
class ForegroundOptions:
    """What to run, and in what.

    The command may write as *user* (user and group id) to the work folder, and nowhere else but in ``/tmp``.
    """

    image: str
    argv: tuple[str, ...]
    environment: Mapping[str, str]
    work: WorkPlace
    """What the work folder is; nothing else of this machine is seen inside."""
    folder: PurePosixPath
    """Where the command starts, below the work folder."""
    user: tuple[int, int]
    memory: int
    """Bytes."""
    processes: int
    network: bool = False
    trees: Mapping[PurePosixPath, Sequence[Path]] = field(default_factory=dict)
    """Folders that live as long as the container, and the tars that are unpacked in each."""


class Foreground:
    """One such container; it is removed when the command has ended, or was not started at all."""

    def __init__(self, client: docker.DockerClient, options: ForegroundOptions, labels: Mapping[str, str]) -> None:
        self._api = client.api
        self._client = client
        self._options = options
        self._labels = dict(labels)

    def run(self, console: Console) -> int:
        """Run the command to its end, joined to *console*; return its exit code, 127 when there is no such program."""
        with translated_engine_errors():
            container = self._create(terminal=console.is_terminal)
        try:
            with self._options.work.filled(self._client, container, self._options.user):
                self._unpack(container)
                return self._run(container, console)
        finally:
            with translated_engine_errors():
                remove_container(self._client, container)

    def _unpack(self, container: str) -> None:
        for folder, tars in self._options.trees.items():
            for tar in tars:
                with translated_os_errors(tar), tar.open("rb") as stream, translated_engine_errors():
                    self._api.put_archive(container, str(folder), stream)

    def _run(self, container: str, console: Console) -> int:
        where = {"stdin": 1, "stdout": 1, "stderr": 1, "stream": 1}
        with translated_engine_errors():
            stream = self._api.attach_socket(container, params=where)  # before the start, so that nothing is missed
        with console.joined(_Remote(self._client, container)):
            with translated_engine_errors():
                self._api.start(container)
            console.pump(stream)
        with translated_engine_errors():
            code: int = self._api.wait(container)["StatusCode"]
        return code

    def _create(self, *, terminal: bool) -> str:
        from docker.types import LogConfig  # noqa: PLC0415 - the SDK takes 0.3 s to import

        options = self._options
        host = self._api.create_host_config(
            network_mode="bridge" if options.network else "none",
            read_only=True,
            cap_drop=["ALL"],
            security_opt=["no-new-privileges"],
            init=True,
            mem_limit=options.memory,
            memswap_limit=options.memory,
            pids_limit=options.processes,
            mounts=[options.work.mount(), *(volume(folder) for folder in options.trees)],
            tmpfs={"/tmp": "rw,exec,nosuid,nodev,mode=1777"},  # noqa: S108 - the container's own
            log_config=LogConfig(type=LogConfig.types.NONE),
        )
        created = self._api.create_container(
            options.image,
            command=[*_STARTER, *options.argv],
            entrypoint=[],
            user="{}:{}".format(*options.user),
            environment=dict(options.environment),
            working_dir=str(options.folder),
            stdin_open=True,
            tty=terminal,
            labels=self._labels,
            host_config=host,
        )
        return str(created["Id"])


class _Remote:
    """The other end of a console: the container that gets its signals and its size."""

    def __init__(self, client: docker.DockerClient, container: str) -> None:
        self._client = client
        self._container = container

    def send_signal(self, number: int) -> None:
        """Pass a signal on to the command; one that has ended needs none."""
        with suppress(DockerbuildError), translated_engine_errors():
            self._client.api.kill(self._container, number)

    def resize(self, rows: int, columns: int) -> None:
        """Tell the command how large its terminal is."""
        with suppress(DockerbuildError), translated_engine_errors():
            self._client.api.resize(self._container, rows, columns)
