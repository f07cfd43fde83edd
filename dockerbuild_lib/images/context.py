"""The build context of a platform's image: rendered text files, and the tar that the engine takes."""

from __future__ import annotations

import io
import tarfile
from collections.abc import Mapping
from importlib import resources
from pathlib import Path
from typing import BinaryIO

from dockerbuild_lib.catalog.catalog import Catalog
from dockerbuild_lib.images import layout
from dockerbuild_lib.images.dockerfile import dockerfile
from dockerbuild_lib.images.toolchain_files import toolchain_files

REPOSITORY = "dockerbuild"
EXECUTABLE = 0o755
PLAIN = 0o644


def base_tag(key: str) -> str:
    """Return the tag under which the engine holds a base image."""
    return f"{REPOSITORY}/base:{key[:16]}"


def image_tag(platform: str, key: str) -> str:
    """Return the tag under which the engine holds a platform's image."""
    return f"{REPOSITORY}/{platform}:{key[:16]}"


def image_files(catalog: Catalog, platform_name: str, base: str) -> dict[str, str]:
    """Return every text file of the build context, by its path there: it is the image's recipe, whole."""
    platform = catalog.platforms[platform_name]
    files = {
        path: text
        for name, toolchain in catalog.toolchains.items()
        if catalog.has_toolchain(platform_name, name)
        for path, text in toolchain_files(name, toolchain, platform).items()
    }
    files |= {f"{layout.SCRIPTS}/{name}": text for name, text in _scripts().items()}
    recipe = catalog.images[platform.image]
    context = {f"files{path}": text for path, text in files.items()}
    return {"Dockerfile": dockerfile(recipe, platform, tuple(catalog.pythons), base_tag(base)), **context}


def _scripts() -> Mapping[str, str]:
    folder = resources.files("dockerbuild_lib.images") / "scripts"
    return {
        entry.name: entry.read_text()
        for entry in folder.iterdir()
        if entry.name.endswith(".py") and entry.name != "__init__.py"
    }


def write_context(files: Mapping[str, str], tools: Path | None, stream: BinaryIO) -> None:
    """Write the context as a tar: the text files, and the folder *tools*, if any, under that name.

    Times and owners are the same for all, so that the engine's layer cache sees only content.
    """
    with tarfile.open(fileobj=stream, mode="w") as tar:
        for path, text in sorted(files.items()):
            content = text.encode()
            member = tarfile.TarInfo(path)
            member.size = len(content)
            member.mode = EXECUTABLE if text.startswith("#!") else PLAIN
            tar.addfile(member, io.BytesIO(content))
        if tools is not None:
            tar.add(tools, arcname="tools", filter=_anonymous)


def _anonymous(member: tarfile.TarInfo) -> tarfile.TarInfo | None:
    if "__pycache__" in member.name:
        return None
    member.uid = member.gid = member.mtime = 0
    member.uname = member.gname = ""
    member.mode = EXECUTABLE if member.mode & 0o111 else PLAIN
    return member
