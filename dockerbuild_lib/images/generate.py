"""Making base images with mmdebstrap, and platform images on them with the engine's builder."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from dockerbuild_lib.containers.engine import KEY_LABEL, Engine
from dockerbuild_lib.containers.image_registry import ImageRegistry
from dockerbuild_lib.core.connections import CONNECTIONS
from dockerbuild_lib.core.errors import BuildFailedError, ImageFailedError, UsageError
from dockerbuild_lib.core.events import ProgressLog, StepLog
from dockerbuild_lib.core.files import translated_os_errors
from dockerbuild_lib.core.processes import Processes
from dockerbuild_lib.images.additions import unpacked
from dockerbuild_lib.images.context import base_tag, image_tag, write_context
from dockerbuild_lib.images.entrypoint import with_key
from dockerbuild_lib.images.mirror import Mirror
from dockerbuild_lib.images.upstream_base import upstream_base_files, upstream_tag
from dockerbuild_lib.plan.steps import BaseWork, ImageWork, MirrorWork, PullWork, PushWork
from dockerbuild_lib.sources.trees import SourceTrees

PLATFORM_LABEL = "dockerbuild.platform"
UNNEEDED = ("/usr/share/doc/*", "/usr/share/man/*", "/usr/share/locale/*", "/usr/share/info/*")
BUILD_PLATFORM = ("--python-version=3.11", "--python-platform=x86_64-manylinux_2_28")
"""What the build machine's Python in the images takes, for uv."""


@dataclass(frozen=True)
class ImageMaker:
    """Makes images. *sources_list* gives the apt lines of a suite on this machine's own mirror."""

    engine: Engine
    processes: Processes
    scratch: Path
    sources_list: Callable[[str], str]
    mmdebstrap: Callable[[], str]
    """Returns the program's path, after installing it where that is possible."""
    trees: SourceTrees
    registry: ImageRegistry | None = None
    mirror: Mirror | None = None

    def mirror_base(self, work: MirrorWork, log: ProgressLog) -> str:
        """Copy an image of upstream's into the mirror."""
        return self._mirror().bring(work, log)

    def make_base(self, work: BaseWork, log: StepLog, *, fresh: bool = False) -> str:
        """Make a base image from Debian packages, on the mirror's image where it starts from one.

        *fresh* is as for images; what is made with mmdebstrap is always so.

        Raises:
            ImageFailedError: mmdebstrap or the engine failed, or the mirror does not have what the base starts from.
            UsageError: there is no mirror.
            OfflineError: connections are forbidden.

        """
        if work.upstream is not None:
            return self._make_upstream_base(work, work.upstream, log, fresh=fresh)
        _require_connection(f"the base image {work.recipe.suite}")
        program = self.mmdebstrap()
        with _scratch(self.scratch) as folder:
            archive = folder / "base.tar"
            (folder / "sources.list").write_text(self.sources_list(work.recipe.suite))
            try:
                self.processes.run(_mmdebstrap(program, work, archive, folder / "sources.list"), log)
            except BuildFailedError as error:
                raise ImageFailedError(f"the base image {work.recipe.suite} was not made: {error.what}") from error
            tag = base_tag(work.key)
            self.engine.import_base(archive, tag, {KEY_LABEL: work.key})
        return tag

    def _make_upstream_base(self, work: BaseWork, upstream: MirrorWork, log: StepLog, *, fresh: bool) -> str:
        _require_connection(f"the base image {upstream.reference}")
        place = self._mirror().place(upstream)
        self._registry().pull_digest(place.repository, upstream.digest, upstream_tag(upstream.digest), log)
        files = upstream_base_files(work.recipe, upstream.digest, self.sources_list(work.recipe.suite))
        tag = base_tag(work.key)
        with _scratch(self.scratch) as folder, tempfile.TemporaryFile(dir=folder) as context:
            write_context(files, None, context)
            context.seek(0)
            self.engine.build_image(context, tag, {KEY_LABEL: work.key}, log, fresh=fresh)
        return tag

    def make_image(
        self,
        work: ImageWork,
        tools: Sequence[Path],
        sources: Mapping[str, Path],
        log: StepLog,
        *,
        fresh: bool = False,
    ) -> str:
        """Make a platform's image; *tools* are the fetched wheels of its Python tools, *sources* archives by folder.

        *fresh* makes every layer anew, with the package versions that the mirror has today.

        Raises:
            ImageFailedError: a step of its Dockerfile failed.
            UnsafeArchiveError: one of the *sources* is damaged, hostile, or too much.
            OfflineError: connections are forbidden.

        """
        _require_connection(f"the image of {work.platform_name}")
        tag = image_tag(work.platform_name, work.key)
        labels = {KEY_LABEL: work.key, PLATFORM_LABEL: work.platform_name}
        with _scratch(self.scratch) as folder, tempfile.TemporaryFile(dir=folder) as context:
            self._install_tools(tools, folder / "tools", log)
            with unpacked(self.trees, sources) as trees:
                write_context(with_key(dict(work.files), work.key), folder / "tools", context, work.added, trees)
            context.seek(0)
            self.engine.build_image(context, tag, labels, log, fresh=fresh)
        return tag

    def pull(self, work: PullWork, log: StepLog) -> str:
        """Take a platform's image from the registry, and check that it is the one."""
        tag = image_tag(work.platform_name, work.key)
        return f"from {self._registry().pull(tag, work.platform_name, work.key, log)}"

    def push(self, work: PushWork, log: StepLog) -> str:
        """Upload a platform's image to the registry."""
        tag = image_tag(work.platform_name, work.key)
        return self._registry().push(tag, work.platform_name, work.key, log)

    def _mirror(self) -> Mirror:
        if self.mirror is None:
            raise no_registry()
        return self.mirror

    def _registry(self) -> ImageRegistry:
        if self.registry is None:
            raise no_registry()
        return self.registry

    def _install_tools(self, wheels: Sequence[Path], target: Path, log: StepLog) -> None:
        from uv import find_uv_bin  # noqa: PLC0415 - only image generation needs it

        target.mkdir()
        if not wheels:
            return
        where = (*BUILD_PLATFORM, f"--target={target}")
        options = ("--no-config", "--offline", "--no-index", "--no-deps", "--no-cache", "--link-mode=copy")
        self.processes.run((find_uv_bin(), "pip", "install", *options, *where, *map(str, wheels)), log)


def no_registry(where: str | None = None) -> UsageError:
    """Return the error for what needs a container registry where the settings name none."""
    return UsageError("no container registry is configured", where=where, fix="set `registry` in invoke.yaml")


def _require_connection(image: str) -> None:
    """Refuse to make an image, which takes packages from the Debian mirror, where nothing may be connected to."""
    fix = "make it with image.generate where they are allowed, with the same engine"
    CONNECTIONS.require(image, missing="it must be made from Debian packages", fix=fix)


@contextmanager
def _scratch(parent: Path) -> Iterator[Path]:
    with translated_os_errors(parent):
        parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=parent) as folder:
            yield Path(folder)


def _mmdebstrap(program: str, work: BaseWork, archive: Path, sources: Path) -> tuple[str, ...]:
    return (
        program,
        "--variant=minbase",
        f"--include={','.join(work.recipe.base_packages)}",
        '--aptopt=Acquire::Languages "none"',
        *(f"--dpkgopt=path-exclude={path}" for path in UNNEEDED),
        work.recipe.suite,
        str(archive),
        str(sources),
    )
