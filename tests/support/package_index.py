"""A package index on the loopback, with what it tells of each file chosen by the test."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from dockerbuild_lib.sources.index_page import JSON_TYPE
from tests.support.local_server import LocalServer, body, file_body, serving

Facts = Mapping[str, object]
"""Fields of a file beside its name, address, hash and size: ``upload-time``, ``yanked``."""


@contextmanager
def telling_index(files: Mapping[Path, Facts]) -> Iterator[LocalServer]:
    """Serve *files* as a package index (PEP 691) at ``/simple/``."""
    with serving() as server:
        pages: dict[str, list[Facts]] = {}
        for file, facts in files.items():
            server.answers[f"/f/{file.name}"] = file_body(file)
            project = file.name.partition("-")[0].replace("_", "-")
            pages.setdefault(project, []).append({**_known(file), **facts})
        for project, listed in pages.items():
            page = {"meta": {"api-version": "1.1"}, "name": project, "versions": [], "files": listed}
            server.answers[f"/simple/{project}/"] = body(json.dumps(page).encode(), content_type=JSON_TYPE)
        yield server


def _known(file: Path) -> Facts:
    sha256 = hashlib.sha256(file.read_bytes()).hexdigest()
    url = f"../../f/{file.name}"
    return {"filename": file.name, "url": url, "hashes": {"sha256": sha256}, "size": file.stat().st_size}
