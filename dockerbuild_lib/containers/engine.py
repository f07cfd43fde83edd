"""The Docker engine: finds, imports and builds images, and gives out worker containers."""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, cast

from dockerbuild_lib.containers import owners
from dockerbuild_lib.containers.connection import Connection, connected
from dockerbuild_lib.containers.console import Console
from dockerbuild_lib.containers.errors import refusal, translated_engine_errors
from dockerbuild_lib.containers.foreground import Foreground, ForegroundOptions
from dockerbuild_lib.containers.removal import labelled_containers, remove_container
from dockerbuild_lib.core.errors import DockerbuildError, InterruptedRunError

if TYPE_CHECKING:
    import docker

    from dockerbuild_lib.containers.worker import Worker, WorkerOptions
    from dockerbuild_lib.core.events import StepLog

KEY_LABEL = "dockerbuild.content-key"
_IMAGE_ID = re.compile(r"(?:sha256:)?[0-9a-f]{64}")


@dataclass(frozen=True)
class ImageFacts:
    """An image that the engine holds."""

    image_id: str
    tags: tuple[str, ...]
    size: int
    labels: Mapping[str, str]


class Engine:
    """One Docker engine, reached as the environment says (DOCKER_HOST, or the default socket).

    Nothing is asked of it before the first use. *run* labels all that it makes.
    """

    def __init__(self, run: str) -> None:
        self._run = run
        self._connecting = threading.Lock()
        self._connection: Connection | None = None
        self._stopped = threading.Event()

    @property
    def connection(self) -> Connection:
        """The way to the engine; made at first use, once, however many steps begin together."""
        with self._connecting:
            if self._connection is None:
                self._connection = connected()
            return self._connection

    @property
    def client(self) -> docker.DockerClient:
        """The SDK's client."""
        return self.connection.client

    def find_image(self, key: str) -> ImageFacts | None:
        """Return the image labelled with this content key, if the engine holds it under a name."""
        return next((image for image in self.images({KEY_LABEL: key}) if image.tags), None)

    def has_image(self, tag: str, key: str) -> bool:
        """Tell whether the engine holds the image labelled with this content key under *tag*."""
        import docker.errors  # noqa: PLC0415 - the SDK takes 0.3 s to import

        with translated_engine_errors():
            try:
                labels: Mapping[str, str] = self.client.images.get(tag).labels
            except docker.errors.ImageNotFound:
                return False
        return labels.get(KEY_LABEL) == key

    def images(self, labels: Mapping[str, str | None]) -> tuple[ImageFacts, ...]:
        """Return the images that carry all *labels* (None: with any value)."""
        filters = {"label": [name if value is None else f"{name}={value}" for name, value in labels.items()]}
        with translated_engine_errors():
            listed = self.client.api.images(filters=filters)
        return tuple(
            ImageFacts(image["Id"], _names(image["RepoTags"]), image["Size"], image["Labels"] or {}) for image in listed
        )

    def import_base(self, archive: Path, tag: str, labels: Mapping[str, str]) -> None:
        """Make an image of one layer from a tar of its root."""
        changes = [f'LABEL "{name}"="{value}"' for name, value in labels.items()]
        with translated_engine_errors():
            repository, _, version = tag.partition(":")
            answer = self.client.api.import_image_from_file(str(archive), repository, version, changes=changes)
        if '"error"' in answer:
            raise refusal(f"the engine did not import the base image: {answer.strip()}")
        made = _IMAGE_ID.search(answer)
        if made is not None:
            with translated_engine_errors():
                self.client.api.tag(made[0], repository, version)  # podman takes the name, and leaves the tag out

    def build_image(
        self, context: BinaryIO, tag: str, labels: Mapping[str, str], log: StepLog, *, fresh: bool = False
    ) -> None:
        """Build an image from a tar of its context, with the machine's network; every line goes to *log*.

        *fresh* takes no layer from the engine's cache.

        Raises:
            ImageFailedError: a step of the Dockerfile failed.
            NoSpaceError: the engine's disk is full.
            InterruptedRunError: `stop_run` was called.

        """
        with translated_engine_errors():
            answers = self.client.api.build(
                fileobj=context,
                custom_context=True,
                tag=tag,
                labels=dict(labels),
                network_mode="host",
                nocache=fresh,
                rm=True,
                forcerm=True,
                decode=True,
            )
            for answer in cast("Iterator[dict[str, str]]", answers):
                for line in answer.get("stream", "").splitlines():
                    log(line)
                if "error" in answer:
                    raise refusal(f"{tag}: {answer['error'].strip()}")

    def run_in_foreground(self, options: ForegroundOptions) -> int:
        """Run a command of the user's, joined to this process's streams and signals; return its exit code."""
        return Foreground(self.client, options, self.labels()).run(Console())

    def labels(self) -> dict[str, str]:
        """Return what marks all that this run makes."""
        return {owners.RUN_LABEL: self._run, owners.OWNER_LABEL: owners.this_process()}

    @contextmanager
    def worker(self, options: WorkerOptions) -> Iterator[Worker]:
        """Yield a started container that lives as long as the block, however that ends."""
        from dockerbuild_lib.containers.worker import Worker  # noqa: PLC0415 - `run` is quicker without

        worker = Worker(self.client, options, self.labels())
        try:
            with self._interruptions():
                worker.start()
                self._refuse_stopped()
                yield worker
        finally:
            try:
                worker.keep()
            finally:
                worker.remove()

    @contextmanager
    def _interruptions(self) -> Iterator[None]:
        """Tell errors that come of `stop_run` from others."""
        try:
            yield
        except DockerbuildError as error:
            self._refuse_stopped(error)
            raise

    def _refuse_stopped(self, cause: DockerbuildError | None = None) -> None:
        if self._stopped.is_set():
            raise InterruptedRunError("the run was stopped") from cause

    def stop_run(self) -> None:
        """Remove every container of this run, now and when a step starts another: what waits for one then ends."""
        self._stopped.set()
        connection = self._connection
        if connection is not None:
            with translated_engine_errors():
                for container_id in labelled_containers(connection.client, f"{owners.RUN_LABEL}={self._run}"):
                    remove_container(connection.client, container_id)


def _names(tags: list[str] | None) -> tuple[str, ...]:
    """Return an image's names; engines before 25 give one to those that have none."""
    return tuple(tag for tag in tags or () if tag != "<none>:<none>")
