"""Small sdists and other archives, made for tests."""

from __future__ import annotations

import io
import tarfile
from pathlib import Path


def member(name: str, content: bytes = b"", **fields: object) -> tuple[tarfile.TarInfo, bytes]:
    """Return a member of a tar archive, with *fields* of its header as given."""
    info = tarfile.TarInfo(name)
    info.size = len(content)
    for field, value in fields.items():
        setattr(info, field, value)
    return info, content


def write_tar(file: Path, *members: tuple[tarfile.TarInfo, bytes]) -> Path:
    """Write a tar archive, compressed as its name says."""
    kind = file.suffix.removeprefix(".")
    mode = f"w:{kind}" if kind in ("gz", "xz", "bz2") else "w"
    with tarfile.open(file, mode) as archive:  # type: ignore[call-overload]  # the modes are listed one by one there
        for info, content in members:
            archive.addfile(info, io.BytesIO(content))
    return file


def write_sdist(folder: Path, name: str, version: str, pyproject: str | None, **modules: str) -> Path:
    """Write a small sdist with *modules*, Python files at its top."""
    top = f"{name}-{version}"
    members = [member(f"{top}/PKG-INFO", f"Name: {name}\nVersion: {version}\n".encode())]
    if pyproject is not None:
        members.append(member(f"{top}/pyproject.toml", pyproject.encode()))
    members += [member(f"{top}/{module}.py", text.encode()) for module, text in modules.items()]
    return write_tar(folder / f"{top}.tar.gz", *members)
