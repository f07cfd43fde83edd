"""Wheels made by the tests, right or wrong in one chosen way, with machine code from the machine's own compilers."""

from __future__ import annotations

import base64
import dataclasses
import hashlib
import subprocess
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from packaging.tags import parse_tag

from dockerbuild_lib.wheels.gate import WheelExpectation

INIT = "void *PyInit_{0}(void) {{ extern void *PyModule_Create2(void *, int); return PyModule_Create2(0, 0); }}\n"
X86_64 = ("manylinux_2_17_x86_64", "manylinux2014_x86_64", "linux_x86_64")
AARCH64 = ("manylinux_2_17_aarch64", "manylinux2014_aarch64", "linux_aarch64")


def compiled(folder: Path, source: str, *options: str, compiler: str = "gcc", name: str = "module.so") -> bytes:
    """Return a shared library made of the C *source*."""
    unit, result = folder / f"{name}.c", folder / name
    unit.write_text(source)
    command = (compiler, "-shared", "-fPIC", "-O1", "-o", str(result), str(unit), *options)
    subprocess.run(command, check=True, capture_output=True, text=True)
    return result.read_bytes()


@dataclass
class Forge:
    """A wheel to be written; every field may be made wrong."""

    name: str = "demo"
    version: str = "1.0"
    tag: str = "cp311-cp311-manylinux_2_17_x86_64"
    members: dict[str, bytes] = field(default_factory=dict)
    purelib: bool = False
    metadata_name: str | None = None
    metadata_version: str | None = None
    requires_python: str = ">=3.8"
    wheel_tags: Sequence[str] | None = None
    wheel_version: str = "1.0"
    unlisted: frozenset[str] = frozenset()
    extra_rows: tuple[str, ...] = ()
    record_of: Mapping[str, bytes] = field(default_factory=dict)
    """Members whose RECORD row is that of other bytes."""

    @property
    def filename(self) -> str:
        return f"{self.name}-{self.version}-{self.tag}.whl"

    @property
    def dist_info(self) -> str:
        return f"{self.name}-{self.version}.dist-info"

    def contents(self) -> dict[str, bytes]:
        stated = self.wheel_tags if self.wheel_tags is not None else sorted(map(str, parse_tag(self.tag)))
        lines = [f"Wheel-Version: {self.wheel_version}", f"Root-Is-Purelib: {str(self.purelib).lower()}"]
        lines += [f"Tag: {tag}" for tag in stated]
        name, version = self.metadata_name or self.name, self.metadata_version or self.version
        metadata = f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\nRequires-Python: {self.requires_python}\n"
        members = {
            **self.members,
            f"{self.dist_info}/WHEEL": ("\n".join(lines) + "\n").encode(),
            f"{self.dist_info}/METADATA": metadata.encode(),
        }
        return {**members, f"{self.dist_info}/RECORD": self._record(members)}

    def _record(self, members: Mapping[str, bytes]) -> bytes:
        rows = [_row(name, self.record_of.get(name, content)) for name, content in members.items()]
        rows = [row for row in rows if row.partition(",")[0] not in self.unlisted]
        return "\n".join([*rows, *self.extra_rows, f"{self.dist_info}/RECORD,,", ""]).encode()

    def write(self, folder: Path, filename: str | None = None) -> Path:
        path = folder / (filename or self.filename)
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
            for name, content in self.contents().items():
                archive.writestr(zipfile.ZipInfo(name, (2020, 1, 1, 0, 0, 0)), content)
        return path


def _row(name: str, content: bytes) -> str:
    digest = base64.urlsafe_b64encode(hashlib.sha256(content).digest()).rstrip(b"=").decode()
    return f"{name},sha256={digest},{len(content)}"


def expecting(triple: str | None = "x86_64-linux-gnu", **fields: Any) -> WheelExpectation:  # noqa: ANN401 - as replace
    """Return the expectation of a wheel of demo 1.0 with the tags of the catalogue's platform, changed by *fields*."""
    tags = {"x86_64-linux-gnu": X86_64, "aarch64-linux-gnu": AARCH64, None: ("any",)}[triple]
    usual = WheelExpectation("demo", "1.0", python="cp311", triple=triple, platform_tags=tags)
    return dataclasses.replace(usual, **fields)
