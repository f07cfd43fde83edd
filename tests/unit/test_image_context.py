"""The build context of an image: the same bytes wherever its tools were installed."""

from __future__ import annotations

import io
import tarfile
from pathlib import Path

from dockerbuild_lib.images.context import write_context


def installed(folder: Path, place: str) -> Path:
    """Make a folder of tools as uv leaves it, on a machine whose things lie in *place*."""
    (folder / "bin").mkdir(parents=True)
    (folder / "bin/tool").write_text(f"#!{place}/.venv/bin/python\nimport tool\n")
    (folder / "bin/tool").chmod(0o755 if place == "/a" else 0o700)
    (folder / "bin/binary").write_bytes(b"\x7fELF#!python\n")
    (folder / "tool-1.dist-info").mkdir()
    (folder / "tool-1.dist-info/METADATA").write_text("Name: tool\n")
    (folder / "tool-1.dist-info/RECORD").write_text(f"bin/tool,sha256={place},3\n")
    (folder / "tool-1.dist-info/direct_url.json").write_text(f'{{"url": "file://{place}/tool-1-py3-none-any.whl"}}')
    (folder / "tool-1.dist-info/uv_cache.json").write_text(f'{{"timestamp": {len(place)}}}')
    (folder / "__pycache__").mkdir()
    (folder / "__pycache__/tool.pyc").write_text(place)
    return folder


def context(tools: Path) -> bytes:
    stream = io.BytesIO()
    write_context({"Dockerfile": "FROM x\n", "files/run": "#!/bin/sh\n"}, tools, stream)
    return stream.getvalue()


def test_a_context_does_not_tell_where_it_was_made(tmp_path: Path) -> None:
    first = context(installed(tmp_path / "first", "/a"))
    assert first == context(installed(tmp_path / "second", "/somewhere/else"))
    with tarfile.open(fileobj=io.BytesIO(first)) as tar:
        modes = {member.name: member.mode for member in tar}
        assert modes == {
            "Dockerfile": 0o644,
            "files/run": 0o755,
            "tools": 0o755,
            "tools/bin/binary": 0o644,
            "tools/bin/tool": 0o755,
            "tools/tool-1.dist-info/METADATA": 0o644,
        }
        content = tar.extractfile("tools/bin/tool")
        assert content
        assert content.read() == b"#!/usr/bin/python3.11\nimport tool\n"


def test_a_context_has_a_folder_of_tools_also_where_there_are_none() -> None:
    stream = io.BytesIO()
    write_context({"Dockerfile": "FROM x\nCOPY tools /tools\n"}, None, stream)
    stream.seek(0)
    with tarfile.open(fileobj=stream) as tar:
        assert tar.getmember("tools").isdir()
