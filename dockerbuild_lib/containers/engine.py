"""The Docker engine: finds, imports and builds images, and gives out worker containers."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, cast

from dockerbuild_lib.containers import owners
from dockerbuild_lib.containers.errors import translated_engine_errors
from dockerbuild_lib.containers.removal import labelled_containers, remove_container
from dockerbuild_lib.containers.worker import Worker, WorkerOptions
from dockerbuild_lib.core.errors import ImageFailedError, InterruptedRunError
from dockerbuild_lib.core.events import StepLog

if TYPE_CHECKING:
    import docker

KEY_LABEL = "dockerbuild.content-key"


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
        self._stopped = False

    @cached_property
    def client(self) -> docker.DockerClient:
        """The SDK's client; connected at first use, once."""
        with self._connecting, translated_engine_errors():
            import docker  # noqa: PLC0415 - takes 0.3 s

            client = docker.from_env(timeout=600, max_pool_size=32)
        self.sweep_dead(client)
        return client

    def find_image(self, key: str) -> ImageFacts | None:
        """Return the image labelled with this content key, if the engine holds it."""
        found = self.images({KEY_LABEL: key})
        return found[0] if found else None

    def images(self, labels: Mapping[str, str | None]) -> tuple[ImageFacts, ...]:
        """Return the images that carry all *labels* (None: with any value)."""
        filters = {"label": [name if value is None else f"{name}={value}" for name, value in labels.items()]}
        with translated_engine_errors():
            listed = self.client.api.images(filters=filters)
        return tuple(
            ImageFacts(image["Id"], tuple(image["RepoTags"] or ()), image["Size"], image["Labels"] or {})
            for image in listed
        )

    def import_base(self, archive: Path, tag: str, labels: Mapping[str, str]) -> None:
        """Make an image of one layer from a tar of its root."""
        changes = [f'LABEL "{name}"="{value}"' for name, value in labels.items()]
        with translated_engine_errors():
            repository, _, version = tag.partition(":")
            answer = self.client.api.import_image_from_file(str(archive), repository, version, changes=changes)
        if '"error"' in answer:
            raise ImageFailedError(f"the engine did not import the base image: {answer.strip()}")

    def build_image(
        self, context: BinaryIO, tag: str, labels: Mapping[str, str], log: StepLog, *, fresh: bool = False
    ) -> None:
        """Build an image from a tar of its context, with the machine's network; every line goes to *log*.

        *fresh* takes no layer from the engine's cache.

        Raises:
            ImageFailedError: a step of the Dockerfile failed.

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
                    raise ImageFailedError(answer["error"].strip(), where=tag)

    @contextmanager
    def worker(self, options: WorkerOptions) -> Iterator[Worker]:
        """Yield a started container that lives as long as the block, however that ends."""
        labels = {owners.RUN_LABEL: self._run, owners.OWNER_LABEL: owners.this_process()}
        worker = Worker(self.client, options, labels)
        try:
            worker.start()
            if self._stopped:
                raise InterruptedRunError("the run was stopped")
            yield worker
        finally:
            worker.remove()

    def stop_run(self) -> None:
        """Remove every container of this run, now and when a step starts another: what waits for one then ends."""
        self._stopped = True
        if "client" in self.__dict__:
            with translated_engine_errors():
                for container_id in labelled_containers(self.client, f"{owners.RUN_LABEL}={self._run}"):
                    remove_container(self.client, container_id)

    @staticmethod
    def sweep_dead(client: docker.DockerClient) -> None:
        """Remove the containers whose owner was killed before it could."""
        with translated_engine_errors():
            for container_id, labels in labelled_containers(client, owners.OWNER_LABEL).items():
                if owners.has_died(labels[owners.OWNER_LABEL]):
                    remove_container(client, container_id)
