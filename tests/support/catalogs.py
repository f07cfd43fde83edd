"""Small catalogues for tests: one that is right, and what is said about one that is not."""

from __future__ import annotations

from pathlib import Path

import pytest

from dockerbuild_lib.catalog.load import load_catalog
from dockerbuild_lib.core.errors import CatalogError

GOOD = {
    "platforms.yaml": (
        "linux-arm64: {triple: aarch64-linux-gnu, cipd: linux-arm64, tags: [linux_aarch64], image: debian, "
        "toolchain: zig}\n"
        "linux-amd64: {triple: x86_64-linux-gnu, cipd: linux-amd64, tags: [linux_x86_64], image: debian, "
        "toolchain: zig}\n"
    ),
    "pythons.yaml": '"3.11": {source: debian}\n',
    "toolchains.yaml": "zig: {compiler: zig}\ngcc: {compiler: gcc}\n",
    "images.yaml": "debian: {suite: bookworm, base-packages: [gcc]}\n",
    "libraries.yaml": "libffi: {version: 3.4.4, source: {type: debian, package: libffi}}\n",
    "wheels/six.yaml": "six: {kind: universal, versions: {1.17.0: {}}}\n",
}


MAC = "mac-arm64: {system: macos, cipd: mac-arm64, tags: [macosx_11_0_arm64]}\n"
WINDOWS = "windows-386: {system: windows, cipd: windows-386, tags: [win32], windows: '10.0'}\n"
PLATFORMS = GOOD["platforms.yaml"] + MAC + WINDOWS
"""Those of the right catalogue, and some without an image."""


def write_catalog(folder: Path, **changed: str | bytes | None) -> Path:
    """Write a right catalogue to *folder*/config, then *changed* files by path; None leaves the file out.

    A path is given with ``__`` for its slash and without its ``.yaml``: ``wheels__x="..."``.
    """
    files: dict[str, str | bytes | None] = {**GOOD}
    files |= {f"{name.replace('__', '/')}.yaml": content for name, content in changed.items()}
    for name, content in files.items():
        if content is not None:
            add_file(folder / "config", name, content)
    return folder / "config"


def add_file(config: Path, name: str, content: str | bytes) -> None:
    """Write one file of a catalogue."""
    path = config / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content if isinstance(content, bytes) else content.encode())


def problems_of(config: Path) -> list[str]:
    """Return the lines of the error that loading *config* ends with; paths start at ``config/``."""
    with pytest.raises(CatalogError) as caught:
        load_catalog(config)
    return str(caught.value).replace(f"{config.parent}/", "").split("\n")
