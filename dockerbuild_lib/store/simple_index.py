"""A static index that pip and uv install from: PEP 503 pages, PEP 691 JSON, PEP 658/714 metadata files.

    simple/index.html, index.json                       all projects
    simple/<project>/index.html, index.json             the project's files
    simple/<project>/<wheel>, <wheel>.metadata

``index.json`` is the record; the page is made from it. Any web server can serve the folder, and so can ``file://``.
"""

from __future__ import annotations

import hashlib
import html
import json
import shutil
from collections.abc import Collection, Iterable, Iterator
from pathlib import Path
from typing import Any, cast
from urllib.parse import quote

from packaging.utils import parse_wheel_filename

from dockerbuild_lib.core.errors import DockerbuildError, StoreDamagedError
from dockerbuild_lib.core.files import atomic_writer, copy_stream, sha256_of, translated_os_errors, write_atomic
from dockerbuild_lib.store.wheel_file import WheelFacts

_METADATA = ".metadata"
_PAGES = ("index.html", "index.json")
_HALF_WRITTEN = ".*.tmp"
_META = {"api-version": "1.1"}
_PAGE = """<!DOCTYPE html>
<html>
<head><meta name="pypi:repository-version" content="1.1"><title>{title}</title></head>
<body>
{links}
</body>
</html>
"""


class SimpleIndex:
    """The index in *folder*. Whoever adds to it holds the store's lock; readers need none."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def wheels(self, project: str) -> tuple[str, ...]:
        """Return the file names of the project's wheels; *project* is a normalised name."""
        return tuple(file["filename"] for file in self._listing(project))

    def _listing(self, project: str) -> list[dict[str, Any]]:
        return _read_listing(self.folder / project, "files")

    def add_wheel(self, wheel: Path, facts: WheelFacts) -> None:
        """Copy the file *wheel* into the index and list it; repeating it completes what was cut.

        A wheel of that name that is there already is replaced: the caller knows that nobody published it.
        """
        folder = self.folder / facts.project
        with translated_os_errors(folder):
            _copy(wheel, folder / facts.filename, facts.sha256)
            write_if_changed(folder / f"{facts.filename}{_METADATA}", facts.metadata)
            listed = {file["filename"]: file for file in self._listing(facts.project)}
            listed[facts.filename] = _file_entry(facts)
            self._write_project(facts.project, [listed[name] for name in sorted(listed)])
            self._list_projects(facts.project)

    def place_of(self, filename: str) -> Path:
        """Return where the wheel *filename* belongs."""
        return self.folder / str(parse_wheel_filename(filename)[0]) / filename

    def strays(self, known: Collection[str]) -> tuple[Path, ...]:
        """Return the files that no wheel of the *known* file names needs: other wheels, their metadata and pages."""
        return tuple(sorted(self._strays(known)))

    def _strays(self, known: Collection[str]) -> Iterator[Path]:
        yield from self.folder.glob(_HALF_WRITTEN)
        for project in self.folder.glob("*/"):
            files = {path: path.name.removesuffix(_METADATA) for path in project.iterdir()}
            pages = _PAGES if any(name in known for name in files.values()) else ()
            yield from (path for path, name in files.items() if name not in known and name not in pages)

    def remove(self, paths: Iterable[Path]) -> None:
        """Take wheels, or what is left of them, off their pages, then away; repeating it completes what was cut."""
        folders: dict[Path, set[str]] = {}
        for path in paths:
            if path.match(_HALF_WRITTEN):
                path.unlink(missing_ok=True)
            else:
                folders.setdefault(path.parent, set()).add(path.name.removesuffix(_METADATA))
        for folder, names in folders.items():
            with translated_os_errors(folder):
                self._remove(folder, names)

    def _remove(self, folder: Path, filenames: Collection[str]) -> None:
        left = [file for file in self._listing(folder.name) if file["filename"] not in filenames]
        if left:
            self._write_project(folder.name, left)
        else:
            self._list_projects(without=folder.name)
        for name in filenames:
            (folder / name).unlink(missing_ok=True)
            (folder / f"{name}{_METADATA}").unlink(missing_ok=True)
        if not left:
            shutil.rmtree(folder, ignore_errors=True)  # what stays is found again

    def problem(self, filename: str, sha256: str) -> str | None:
        """Return what is wrong with a published wheel of the index, None when nothing is."""
        path = self.place_of(filename)
        try:
            listed = {file["filename"]: file["hashes"]["sha256"] for file in self._listing(path.parent.name)}
            is_right = listed.get(filename) == sha256 and path.is_file() and sha256_of(path) == sha256
        except DockerbuildError as error:
            return str(error)
        return None if is_right else f"{path}: the wheel is missing, not listed, or has other bytes"

    def _write_project(self, project: str, files: list[dict[str, Any]]) -> None:
        folder = self.folder / project
        versions = sorted({file["filename"].split("-")[1] for file in files})
        record = {"meta": _META, "name": project, "versions": versions, "files": files}
        write_if_changed(folder / "index.json", json.dumps(record, indent=1).encode())
        write_if_changed(folder / "index.html", _page(project, [_file_link(file) for file in files]))

    def _list_projects(self, *added: str, without: str | None = None) -> None:
        known = {entry["name"] for entry in _read_listing(self.folder, "projects")} | {*added}
        names = sorted(known - {without})
        record = {"meta": _META, "projects": [{"name": name} for name in names]}
        write_if_changed(self.folder / "index.json", json.dumps(record, indent=1).encode())
        write_if_changed(self.folder / "index.html", _page("Projects", [f'<a href="{n}/">{n}</a><br>' for n in names]))


def _copy(wheel: Path, target: Path, sha256: str) -> None:
    if target.is_file() and sha256_of(target) == sha256:
        return
    with atomic_writer(target) as copy, wheel.open("rb") as source:
        copy_stream(source, copy)


def write_if_changed(path: Path, content: bytes) -> None:
    """Write *content* to *path* unless it is there already: servers and caches go by the time of a file."""
    if not path.exists() or path.read_bytes() != content:
        write_atomic(path, content)


def _read_listing(folder: Path, key: str) -> list[dict[str, Any]]:
    """Return the list *key* of the folder's ``index.json``, empty when there is none yet."""
    record = folder / "index.json"
    try:
        return cast("list[dict[str, Any]]", json.loads(record.read_bytes())[key]) if record.exists() else []
    except (ValueError, KeyError, TypeError) as error:
        raise StoreDamagedError(f"the index cannot be read: {error}", where=str(record)) from error


def _file_entry(facts: WheelFacts) -> dict[str, Any]:
    metadata = {"sha256": hashlib.sha256(facts.metadata).hexdigest()}
    hashes = {"sha256": facts.sha256}
    entry: dict[str, Any] = {"filename": facts.filename, "url": quote(facts.filename), "hashes": hashes}
    entry["size"] = facts.size
    if facts.requires_python:
        entry["requires-python"] = facts.requires_python
    # PEP 714: older clients know the metadata by its first name.
    return {**entry, "core-metadata": metadata, "dist-info-metadata": metadata, "yanked": False}


def _file_link(file: dict[str, Any]) -> str:
    attributes = [f'href="{file["url"]}#sha256={file["hashes"]["sha256"]}"']
    if "requires-python" in file:
        attributes.append(f'data-requires-python="{html.escape(file["requires-python"])}"')
    metadata = f"sha256={file['core-metadata']['sha256']}"
    attributes += [f'data-core-metadata="{metadata}"', f'data-dist-info-metadata="{metadata}"']
    return f"<a {' '.join(attributes)}>{html.escape(file['filename'])}</a><br>"


def _page(title: str, links: list[str]) -> bytes:
    return _PAGE.format(title=html.escape(title), links="\n".join(links)).encode()
