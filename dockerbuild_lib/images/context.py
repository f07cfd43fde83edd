"""The build context of a platform's image: rendered text files, and the tar that the engine takes."""

from __future__ import annotations

import io
import re
import tarfile
from collections.abc import Mapping, Sequence
from importlib import resources
from pathlib import Path
from typing import BinaryIO

from dockerbuild_lib.catalog.catalog import Catalog
from dockerbuild_lib.images import layout
from dockerbuild_lib.images.additions import add_additions
from dockerbuild_lib.images.dockerfile import dockerfile
from dockerbuild_lib.images.toolchain_files import toolchain_files
from dockerbuild_lib.plan.image_additions import Additions

REPOSITORY = "dockerbuild"
EXECUTABLE = 0o755
PLAIN = 0o644
_TOLD_BY_INSTALLERS = frozenset({"RECORD", "direct_url.json", "uv_cache.json"})
"""Of a distribution that is installed: the hashes of what differs, and where its wheel lay and since when."""
NOTHING = Additions()
_PYTHON_LINE = re.compile(rb"\A#!.*python.*\n")


def base_tag(key: str) -> str:
    """Return the tag under which the engine holds a base image."""
    return f"{REPOSITORY}/base:{key[:16]}"


def image_tag(platform: str, key: str) -> str:
    """Return the tag under which the engine holds a platform's image."""
    return f"{REPOSITORY}/{platform}:{key[:16]}"


def context_files(catalog: Catalog, platform_name: str, base: str) -> dict[str, str]:
    """Return every text file of the build context, by its path there: it is the image's recipe, whole."""
    platform = catalog.image_platform(platform_name)
    files = {
        path: text
        for name, toolchain in catalog.toolchains.items()
        if catalog.has_toolchain(platform_name, name)
        for path, text in toolchain_files(name, toolchain, platform).items()
    }
    files |= {f"{layout.SCRIPTS}/{name}": text for name, text in _scripts().items()}
    recipe = catalog.images[platform.image]
    pythons = tuple(name for name in catalog.pythons if catalog.takes_debian(name, platform_name))
    context = {f"files{path}": text for path, text in files.items()}
    return {"Dockerfile": dockerfile(recipe, platform, pythons, base_tag(base)), **context}


def _scripts() -> Mapping[str, str]:
    folder = resources.files("dockerbuild_lib.images") / "scripts"
    return {
        entry.name: entry.read_text()
        for entry in folder.iterdir()
        if entry.name.endswith(".py") and entry.name != "__init__.py"
    }


def write_context(
    files: Mapping[str, str],
    tools: Path | None,
    stream: BinaryIO,
    added: Additions = NOTHING,
    trees: Sequence[BinaryIO] = (),
) -> None:
    """Write the context as a tar: the text files, the folder *tools*, if any, under that name, and what is *added*.

    *trees* are tars of the sources that are added.

    Times and owners are the same for all, and nothing tells where the tools were installed: so the engine's layer cache
    sees only content, on every machine.
    """
    with tarfile.open(fileobj=stream, mode="w") as tar:
        for path, text in sorted(files.items()):
            mode = EXECUTABLE if text.startswith("#!") else PLAIN
            _add(tar, path, text.encode(), mode)
        folder = tarfile.TarInfo("tools")
        folder.type, folder.mode = tarfile.DIRTYPE, EXECUTABLE
        tar.addfile(folder)  # also where there are none: the Dockerfile copies it
        if tools:
            _add_tools(tar, tools)
        add_additions(tar, added, trees)


def _add_tools(tar: tarfile.TarFile, tools: Path) -> None:
    for file in sorted(tools.rglob("*")):
        if file.is_file() and "__pycache__" not in file.parts and file.name not in _TOLD_BY_INSTALLERS:
            mode = EXECUTABLE if file.stat().st_mode & 0o100 else PLAIN
            _add(tar, f"tools/{file.relative_to(tools)}", _with_own_python(file.read_bytes()), mode)


def _add(tar: tarfile.TarFile, path: str, content: bytes, mode: int) -> None:
    member = tarfile.TarInfo(path)
    member.size = len(content)
    member.mode = mode
    tar.addfile(member, io.BytesIO(content))


def _with_own_python(content: bytes) -> bytes:
    """Return a script of a Python tool as it starts in the image: installed here, it names this machine's Python."""
    return _PYTHON_LINE.sub(b"#!" + str(layout.BUILD_PYTHON).encode() + b"/python3.11\n", content, count=1)
