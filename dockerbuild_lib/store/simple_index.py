"""The folder that pip and uv install from. Any web server or bucket can hold it, and ``file://`` will do.

    simple/index.html, index.json                       all projects
    simple/<project>/index.html, index.json             the project's files
    simple/<project>/<wheel>, <wheel>.metadata

All of it can be made again: the pages from the store's index, the wheels from the packages that they lie in.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path

from dockerbuild_lib.core.files import sha256_of, sync_folder
from dockerbuild_lib.store.protocol import PublishedWheel
from dockerbuild_lib.store.simple_pages import project_pages, root_pages
from dockerbuild_lib.store.staging import Staged, Staging
from dockerbuild_lib.store.wheel_file import WheelFacts, project_of

PAGES = ("index.html", "index.json")
METADATA = ".metadata"


class SimpleIndex:
    """The index in *folder*. Whoever changes it holds the store's lock; readers need none."""

    def __init__(self, folder: Path, staging: Staging) -> None:
        self.folder = folder
        self._staging = staging

    def place_of(self, filename: str) -> Path:
        """Return where the wheel *filename* belongs."""
        return self.folder / project_of(filename) / filename

    def places_of(self, filename: str) -> tuple[Path, Path]:
        """Return where the wheel *filename* and its metadata belong."""
        place = self.place_of(filename)
        return place, place.with_name(f"{filename}{METADATA}")

    def place(self, staged: Staged, wheel: WheelFacts) -> None:
        """Move a wheel into the index, with its metadata; no page says so yet.

        A wheel of that name that is there already is replaced: the caller knows that nobody published it.
        """
        staged.place(self.place_of(wheel.filename))
        self.write_metadata(wheel)

    def write_metadata(self, wheel: WheelFacts) -> None:
        """Write what pip reads of a wheel before it downloads it."""
        self._write(self.places_of(wheel.filename)[1], wheel.metadata)

    def write_project(self, project: str, wheels: Sequence[PublishedWheel]) -> None:
        """Write the pages of a project; one that has no wheels any more loses them."""
        folder = self.folder / project
        pages = project_pages(project, wheels)
        for name, content in pages.items():
            self._write(folder / name, content)
        if not pages and folder.is_dir():
            for name in PAGES:
                (folder / name).unlink(missing_ok=True)
            sync_folder(folder)

    def write_root(self, projects: Iterable[str]) -> None:
        """Write the pages that list all projects."""
        for name, content in root_pages(projects).items():
            self._write(self.folder / name, content)

    def wheel_problem(self, wheel: PublishedWheel) -> str | None:
        """Return what is wrong with the files of a published wheel, None when nothing is."""
        for path, sha256 in zip(self.places_of(wheel.filename), (wheel.sha256, wheel.metadata_sha256), strict=True):
            if not path.is_file():
                return f"{path} is missing"
            if sha256_of(path) != sha256:
                return f"{path} has other bytes than were published"
        return None

    def page_problems(self, projects: Mapping[str, Sequence[PublishedWheel]]) -> Iterator[str]:
        """Yield what is wrong with the pages, which are to show *projects* and nothing else."""
        expected = {self.folder / name: content for name, content in root_pages(sorted(projects)).items()}
        if not projects:  # before the first wheel there need be no pages
            expected = {path: content for path, content in expected.items() if path.exists()}
        for project, wheels in projects.items():
            pages = project_pages(project, wheels)
            expected |= {self.folder / project / name: content for name, content in pages.items()}
        for path, content in expected.items():
            if not path.is_file() or path.read_bytes() != content:
                yield f"{path} does not show what is published"
        for path in (path for name in PAGES for path in self.folder.glob(f"*/{name}")):
            if path not in expected:
                yield f"{path} shows what is not published"

    def strays(self, filenames: Collection[str]) -> Iterator[Path]:
        """Yield wheels and metadata that are of none of these *filenames*; files of other kinds are not the store's."""
        for path in sorted(self.folder.glob("*/*")):
            wheel = path.name.removesuffix(METADATA)
            if wheel.endswith(".whl") and wheel not in filenames:
                yield path

    def remove(self, place: Path) -> None:
        """Remove a wheel or its metadata, if it is there, and the project's folder when nothing is left in it."""
        if place.exists():
            place.unlink()
            sync_folder(place.parent)
        with suppress(OSError):
            place.parent.rmdir()

    def _write(self, path: Path, content: bytes) -> None:
        """Write *content* to *path* unless it is there already: servers and caches go by the time of a file."""
        if not path.exists() or path.read_bytes() != content:
            self._staging.write(path, (content,))
