"""What an image holds beside Debian packages: files of the catalogue, and sources that are unpacked in it."""

from __future__ import annotations

import re
from pathlib import Path, PurePosixPath
from typing import Annotated

from pydantic import AfterValidator, Field

from dockerbuild_lib.catalog.addresses import InnerFolder
from dockerbuild_lib.catalog.base import Identifier, Model, VersionText
from dockerbuild_lib.catalog.documents import Document
from dockerbuild_lib.catalog.problems import Problems, shown
from dockerbuild_lib.catalog.sources import LibrarySource

_PATH = re.compile(r"(/[A-Za-z0-9_.+-]+)+")
_TAKEN = ("/dev", "/opt/dockerbuild", "/proc", "/run", "/sys", "/tmp", "/work")  # noqa: S108 - the image's


def _image_path(path: str) -> str:
    if not _PATH.fullmatch(path) or {".", ".."} & set(path.split("/")):
        raise ValueError(f"{path!r} is no absolute path of an image; write one such as /opt/sdk")
    if taken := next((taken for taken in _TAKEN if PurePosixPath(path).is_relative_to(taken)), None):
        raise ValueError(f"{path!r} lies in {taken}, which is not the recipe's; write another path, such as /opt/sdk")
    return path


ImagePath = Annotated[str, AfterValidator(_image_path)]
"""An absolute path in an image where nothing of dockerbuild and no file system of the container lies."""
AddedFiles = Annotated[
    dict[ImagePath, InnerFolder],
    Field(description="Path in the image -> the file's path below the catalogue's folder; it belongs to root there."),
]


class ImageSource(Model):
    """A source that is unpacked in an image."""

    version: VersionText
    source: LibrarySource
    folder: ImagePath = Field(description="Where it is unpacked, its own top folder left out: /opt/sdk.")


AddedSources = Annotated[
    dict[Identifier, ImageSource],
    Field(description="Name -> a source that is unpacked in the image, locked and interned as all others are."),
]


def check_additions(config_dir: Path, document: Document, problems: Problems) -> None:
    """Note files of ``images.yaml`` that are not there, sources of one name that are not one, and shared places."""
    known: dict[str, object] = {}
    for image, recipe in (document.value if isinstance(document.value, dict) else {}).items():
        if isinstance(recipe, dict):
            _check_files(config_dir, document, image, recipe.get("files"), problems)
            _check_sources(document, image, recipe.get("sources"), known, problems)
            _check_places(document, image, problems)


def _check_files(config_dir: Path, document: Document, image: str, files: object, problems: Problems) -> None:
    for path, name in (files if isinstance(files, dict) else {}).items():
        position = document.value_position([image, "files", path])
        is_told = not isinstance(name, str) or problems.noted_at(document.label, position)
        if not is_told and not (config_dir / name).is_file():
            problems.add(document.label, position, f"there is no file {shown(config_dir / name)}", "add it")


def _check_sources(
    document: Document, image: str, sources: object, known: dict[str, object], problems: Problems
) -> None:
    for name, source in (sources if isinstance(sources, dict) else {}).items():
        pinned = {key: value for key, value in source.items() if key != "folder"} if isinstance(source, dict) else None
        if known.setdefault(name, pinned) != pinned:
            what = f"another image names a source {name!r} of another version or place"
            problems.add(document.label, document.key_position([image, "sources", name]), what, "give one another name")


def _check_places(document: Document, image: str, problems: Problems) -> None:
    """Note what would be written over: a place in the folder of a source is that source's."""
    names = [name for name, _position in document.keys(image, "sources")]
    folders = [place for name in names for place in document.texts(image, "sources", name, "folder")]
    for place, position in (*document.keys(image, "files"), *folders):
        others = (other for other, its_position in folders if its_position != position)
        taken = next((other for other in others if PurePosixPath(place).is_relative_to(other)), None)
        if taken and not problems.noted_at(document.label, position):
            what = f"{place!r} lies in {taken}, where a source is unpacked"
            problems.add(document.label, position, what, "give one of them another place")
