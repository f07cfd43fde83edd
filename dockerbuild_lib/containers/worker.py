"""A container that runs untrusted builds: no network, no capabilities, nothing of the host's mounted."""

from __future__ import annotations

import codecs
import re
import threading
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from dockerbuild_lib.containers.errors import engine_stream, translated_engine_errors
from dockerbuild_lib.containers.keeping import KeptCommand, keep
from dockerbuild_lib.containers.removal import remove_container
from dockerbuild_lib.containers.transfer import extract_files, pack_files, read_file
from dockerbuild_lib.core.command import WORK_FOLDER, Command, WorkPath
from dockerbuild_lib.core.errors import BuildFailedError, DockerbuildError, LimitExceededError
from dockerbuild_lib.core.events import StepLog

if TYPE_CHECKING:
    import docker

WORK = WorkPath(".")
"""The work folder itself."""
WORKER_ID = 1234
"""User and group of every build: nobody on the host, and owner of /work in the image."""
_MEMORY_EVENTS = ("/sys/fs/cgroup/memory.events", "/sys/fs/cgroup/memory/memory.oom_control")  # cgroup v2, v1
_KILLED = re.compile(rb"^oom_kill [1-9]", re.MULTILINE)


@dataclass(frozen=True)
class Limits:
    """What a build may use: bytes of memory, number of processes, seconds."""

    memory: int
    processes: int
    seconds: float


@dataclass(frozen=True)
class WorkerOptions:
    """What a worker container is made from. *scratch* folders of the image become writable, for it alone."""

    image: str
    limits: Limits
    scratch: tuple[str, ...] = ()
    hostname: str = "build"
    cpus: str | None = None
    """The processors to run on, as Linux lists them (``0-1``); None: all."""


class Worker:
    """A running container with a work folder of its own; files travel through the engine's API."""

    def __init__(self, client: docker.DockerClient, options: WorkerOptions, labels: Mapping[str, str]) -> None:
        self._client = client
        self._options = options
        self._labels = dict(labels)
        self._id = ""
        self._commands: list[KeptCommand] = []
        self._timed_out = False
        self._timer = threading.Timer(options.limits.seconds, self._stop_late_build)
        self._timer.daemon = True

    def start(self) -> None:
        """Create and start the container; its only process waits."""
        with translated_engine_errors():
            self._id = self._create()
            self._client.api.start(self._id)
        self._timer.start()

    def _create(self) -> str:
        from docker.types import LogConfig  # noqa: PLC0415 - the SDK takes 0.3 s to import

        api = self._client.api
        options = self._options
        host = api.create_host_config(
            network_mode="none",
            read_only=True,
            cap_drop=["ALL"],
            security_opt=["no-new-privileges"],
            init=True,
            mem_limit=options.limits.memory,
            memswap_limit=options.limits.memory,
            pids_limit=options.limits.processes,
            cpuset_cpus=options.cpus,
            tmpfs={"/tmp": "rw,exec,nosuid,nodev,mode=1777"},  # noqa: S108 - the container's own
            log_config=LogConfig(type=LogConfig.types.NONE),
        )
        created = api.create_container(
            options.image,
            command=["sleep", "infinity"],
            entrypoint=[],
            user=f"{WORKER_ID}:{WORKER_ID}",
            hostname=options.hostname,
            working_dir=str(WORK_FOLDER),
            volumes=[str(WORK_FOLDER), *options.scratch],
            labels=self._labels,
            host_config=host,
        )
        return str(created["Id"])

    def put(self, files: Mapping[WorkPath, Path | bytes]) -> None:
        """Copy files into the work folder; their folders are made."""
        with pack_files(files, owner=WORKER_ID) as archive, self._engine_calls():
            self._client.api.put_archive(self._id, str(WORK_FOLDER), archive)

    def put_tree(self, tar: BinaryIO, folder: WorkPath) -> None:
        """Unpack a plain tar of ours, with its owners and modes, into an existing folder of the work folder."""
        with self._engine_calls():
            self._client.api.put_archive(self._id, folder.below(WORK_FOLDER), tar)

    def get(self, folder: WorkPath, target: Path) -> tuple[Path, ...]:
        """Copy the regular files directly in *folder* to the folder *target*; return their paths.

        Raises:
            BuildFailedError: the build left no such folder.

        """
        return extract_files(self.get_archive(folder), target)

    def get_archive(self, path: WorkPath) -> Iterator[bytes]:
        """Return a tar of a file or folder of the work folder, as the engine sends it.

        Raises:
            BuildFailedError: the build left nothing there.

        """
        chunks = self._archive(path)
        if chunks is None:
            raise BuildFailedError(f"the build left no {path.below(WORK_FOLDER)}")
        return chunks

    def read(self, path: WorkPath, limit: int) -> bytes | None:
        """Return the bytes of a file of the work folder; None when nothing is there.

        Raises:
            BuildFailedError: it is no regular file, or has more than *limit* bytes.

        """
        chunks = self._archive(path)
        return None if chunks is None else read_file(chunks, limit)

    def _archive(self, path: WorkPath) -> Iterator[bytes] | None:
        import docker.errors  # noqa: PLC0415 - the SDK takes 0.3 s to import

        with self._engine_calls():
            try:
                chunks, _ = self._client.api.get_archive(self._id, path.below(WORK_FOLDER))
            except docker.errors.NotFound as error:
                if "could not find the file" not in str(error).lower():
                    raise
                return None
        return engine_stream(chunks)

    def run(self, command: Command, log: StepLog) -> None:
        """Run a command to its end; each line of its output goes to *log*.

        Raises:
            BuildFailedError: it ended with another code than 0.
            LimitExceededError: it used more time or memory than its limits allow.

        """
        argv, environment = command.resolved_argv(WORK_FOLDER), command.resolved_environment(WORK_FOLDER)
        folder = command.folder.below(WORK_FOLDER)
        self._commands.append(KeptCommand(tuple(argv), environment, folder))
        with self._engine_calls():
            execution = self._client.api.exec_create(
                self._id,
                argv,
                environment=environment,
                workdir=folder,
                user=f"{WORKER_ID}:{WORKER_ID}",
            )
            chunks = self._client.api.exec_start(execution["Id"], stream=True)
        for line in lines_of(engine_stream(chunks)):
            log(line)
        with self._engine_calls():
            code = self._client.api.exec_inspect(execution["Id"])["ExitCode"]
            killed = bool(code) and self._ran_out_of_memory()
        if killed:
            gigabytes = self._options.limits.memory / (1 << 30)
            raise LimitExceededError(f"used more than {gigabytes:g} GiB", fix="raise limits.memory in invoke.yaml")
        if code:
            raise BuildFailedError(f"{argv[0]} ended with exit code {code}")

    def _ran_out_of_memory(self) -> bool:
        """Tell whether a process was killed for its memory: seldom the command itself, mostly its compiler."""
        # The engine's OOMKilled speaks of the container's first process only; the kernel counts for all of them.
        execution = self._client.api.exec_create(self._id, ("cat", *_MEMORY_EVENTS), stderr=False)
        return _KILLED.search(self._client.api.exec_start(execution["Id"])) is not None

    @contextmanager
    def _engine_calls(self) -> Iterator[None]:
        """Translate the engine's errors; once the time is up, they all come from that."""
        try:
            with translated_engine_errors():
                yield
        except DockerbuildError as error:
            self._refuse_late(error)
            raise
        self._refuse_late(None)

    def _refuse_late(self, cause: DockerbuildError | None) -> None:
        if self._timed_out:
            minutes = self._options.limits.seconds / 60
            fix = "raise limits.minutes in invoke.yaml"
            raise LimitExceededError(f"stopped after {minutes:g} minutes", fix=fix) from cause

    def _stop_late_build(self) -> None:
        self._timed_out = True
        with suppress(DockerbuildError), translated_engine_errors():  # gone already: nothing to stop
            self._client.api.kill(self._id)

    def keep(self) -> None:
        """Keep what the container is, where the step has a folder for that."""
        keep(self._options.image, self._commands, self._work_folder())

    def _work_folder(self) -> Iterator[bytes]:
        with translated_engine_errors():
            chunks, _ = self._client.api.get_archive(self._id, f"{WORK_FOLDER}/.")
            yield from chunks

    def remove(self) -> None:
        """Remove the container and its volumes."""
        self._timer.cancel()
        if self._id:
            with translated_engine_errors():
                remove_container(self._client, self._id)


def lines_of(chunks: Iterable[bytes]) -> Iterator[str]:
    """Yield the lines of a program's output; bytes that are not UTF-8 are shown as escapes."""
    decoder = codecs.getincrementaldecoder("utf-8")("backslashreplace")
    rest = ""
    for chunk in chunks:
        *whole, rest = (rest + decoder.decode(chunk)).split("\n")
        yield from (line.rstrip("\r") for line in whole)
    rest += decoder.decode(b"", final=True)
    if rest:
        yield rest
