"""Packages and wheels for tests of the store."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path

from dockerbuild_lib.store.package_file import write_package
from dockerbuild_lib.store.package_tree import FileMember
from dockerbuild_lib.store.protocol import Publication

PACKAGE = "infra/python/wheels/markupsafe/linux-arm64_cp311_cp311"


def package_file(folder: Path, content: str = "x", package: str = PACKAGE) -> Path:
    """Write a package with one file of that content, and return where it is."""
    folder.mkdir(parents=True, exist_ok=True)
    payload = folder / "payload"
    payload.write_text(content)
    target = folder / f"{len(list(folder.iterdir()))}.package"
    write_package(target, package, [FileMember("file", payload)])
    return target


def publication(
    folder: Path, version: str | None = "3.0.4", content: str = "x", *tags: str, package: str = PACKAGE
) -> Publication:
    """Return a publication of a package with one file of that content."""
    unique = f"version:{version}" if version else None
    return Publication(package, package_file(folder, content, package), tags, unique)


def wheel_file(  # noqa: PLR0913  # each is a fact of a wheel
    folder: Path,
    *,
    name: str = "markupsafe",
    version: str = "3.0.4",
    tag: str = "py3-none-any",
    requires_python: str | None = ">=3.9",
    code: str = "answer = 42\n",
    declared_tag: str | None = None,
) -> Path:
    """Write a wheel with one module, and return where it is."""
    folder.mkdir(parents=True, exist_ok=True)
    wheel = folder / f"{name}-{version}-{tag}.whl"
    requires = f"Requires-Python: {requires_python}\n" if requires_python else ""
    info = f"{name}-{version}.dist-info"
    tags = "".join(f"Tag: {each}\n" for each in (declared_tag or tag).split())
    members = {
        f"{name}.py": code,
        f"{info}/METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n{requires}",
        f"{info}/WHEEL": f"Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\n{tags}",
    }
    record = "".join(f"{path},,\n" for path in (*members, f"{info}/RECORD"))
    with zipfile.ZipFile(wheel, "w") as archive:
        for path, content in {**members, f"{info}/RECORD": record}.items():
            archive.writestr(zipfile.ZipInfo(path), content)
    return wheel


def listed_wheels(store: Path, project: str = "markupsafe") -> tuple[str, ...]:
    """Return the file names that the page of a project shows."""
    page = json.loads((store / "simple" / project / "index.json").read_text())
    return tuple(file["filename"] for file in page["files"])
