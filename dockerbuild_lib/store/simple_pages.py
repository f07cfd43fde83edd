"""The pages of the simple index, made from the store's own index: HTML (PEP 503) and JSON (PEP 691).

With METADATA beside each wheel (PEP 658, 714), yanked files (PEP 592), sizes, versions and upload times (PEP 700).
All addresses are relative, so that the pages are right wherever the folder is served.
"""

from __future__ import annotations

import html
import json
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote

from packaging.utils import parse_wheel_filename

from dockerbuild_lib.store.protocol import PublishedWheel

_META = {"api-version": "1.1"}
_PAGE = """<!DOCTYPE html>
<html>
<head><meta name="pypi:repository-version" content="1.1"><title>{title}</title></head>
<body>
{links}
</body>
</html>
"""


def project_pages(project: str, wheels: Sequence[PublishedWheel]) -> Mapping[str, bytes]:
    """Return file name -> content of the two pages of a project; none when it has no wheels."""
    if not wheels:
        return {}
    versions = sorted({parse_wheel_filename(wheel.filename)[1] for wheel in wheels})
    record = {
        "meta": _META,
        "name": project,
        "versions": [str(version) for version in versions],
        "files": [_file(wheel) for wheel in wheels],
    }
    return {"index.json": _json(record), "index.html": _html(project, map(_link, wheels))}


def root_pages(projects: Iterable[str]) -> Mapping[str, bytes]:
    """Return file name -> content of the two pages that list *projects*, which are sorted."""
    names = list(projects)
    record = {"meta": _META, "projects": [{"name": name} for name in names]}
    links = (f'<a href="{name}/">{name}</a><br>' for name in names)
    return {"index.json": _json(record), "index.html": _html("Projects", links)}


def _file(wheel: PublishedWheel) -> dict[str, Any]:
    metadata = {"sha256": wheel.metadata_sha256}
    entry: dict[str, Any] = {
        "filename": wheel.filename,
        "url": quote(wheel.filename),
        "hashes": {"sha256": wheel.sha256},
        "size": wheel.size,
        "upload-time": f"{datetime.fromtimestamp(wheel.published_us / 1e6, UTC):%Y-%m-%dT%H:%M:%S.%fZ}",
    }
    if wheel.requires_python:
        entry["requires-python"] = wheel.requires_python
    entry["yanked"] = False if wheel.yanked is None else wheel.yanked or True
    # PEP 714: older clients know the metadata by its first name.
    return {**entry, "core-metadata": metadata, "dist-info-metadata": metadata}


def _link(wheel: PublishedWheel) -> str:
    attributes = [f'href="{quote(wheel.filename)}#sha256={wheel.sha256}"']
    if wheel.requires_python:
        attributes.append(f'data-requires-python="{html.escape(wheel.requires_python)}"')
    if wheel.yanked is not None:
        attributes.append(f'data-yanked="{html.escape(wheel.yanked)}"')
    metadata = f"sha256={wheel.metadata_sha256}"
    attributes += [f'data-core-metadata="{metadata}"', f'data-dist-info-metadata="{metadata}"']
    return f"<a {' '.join(attributes)}>{html.escape(wheel.filename)}</a><br>"


def _json(record: Mapping[str, Any]) -> bytes:
    return json.dumps(record, indent=1).encode()


def _html(title: str, links: Iterable[str]) -> bytes:
    return _PAGE.format(title=html.escape(title), links="\n".join(links)).encode()
