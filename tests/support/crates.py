"""A registry of crates on the loopback, and sources whose Cargo.lock names them."""

from __future__ import annotations

import hashlib
import io
import json
import tarfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from tests.support.local_server import LocalServer, body, serving
from tests.support.sdists import member, write_tar

TINY_FILES = {
    "Cargo.toml": '[package]\nname = "tiny"\nversion = "1.0.0"\nedition = "2021"\n',
    "src/lib.rs": "pub fn answer() -> i32 { 42 }\n",
    "tools/run.sh": "#!/bin/sh\n",
}


def crate(label: str, files: Mapping[str, str], *more: tuple[tarfile.TarInfo, bytes]) -> bytes:
    """Return the file of a crate, as a registry has it; what ends in ``.sh`` may be run."""
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w:gz") as tar:
        for path, text in files.items():
            info, content = member(f"{label}/{path}", text.encode(), mode=0o755 if path.endswith(".sh") else 0o644)
            tar.addfile(info, io.BytesIO(content))
        for info, content in more:
            tar.addfile(info, io.BytesIO(content))
    return stream.getvalue()


@dataclass
class Registry:
    """A running registry (a sparse index), which cargo calls ``test``."""

    server: LocalServer
    checksums: dict[str, str] = field(default_factory=dict)

    @property
    def index(self) -> str:
        """Its address, as Cargo.lock has it."""
        return f"sparse+{self.server.url}/index/"

    def publish(self, name: str, version: str, content: bytes, *, served: bytes | None = None) -> None:
        """Have a crate, and serve *served* for it."""
        checksum = hashlib.sha256(content).hexdigest()
        self.checksums[name] = checksum
        line = {"name": name, "vers": version, "deps": [], "cksum": checksum, "features": {}, "yanked": False}
        self.server.answers[f"/index/{name[:2]}/{name[2:4]}/{name}"] = body(json.dumps(line).encode() + b"\n")
        self.server.answers[f"/crates/{name}/{version}/download"] = body(content if served is None else served)

    def configure(self, home: Path) -> Path:
        """Make a $CARGO_HOME that knows the registry."""
        home.mkdir(parents=True, exist_ok=True)
        (home / "config.toml").write_text(f'[registries.test]\nindex = "{self.index}"\n')
        return home

    def lock(self, *packages: str, checksum: str | None = None) -> str:
        """Return the Cargo.lock of a project that needs the crate tiny, with *packages* beside it."""
        tiny = f'name = "tiny"\nversion = "1.0.0"\nsource = "{self.index}"\n'
        tiny += f'checksum = "{checksum or self.checksums["tiny"]}"\n'
        demo = 'name = "demo"\nversion = "0.1.0"\ndependencies = [\n "tiny",\n]\n'
        return "\n".join(["version = 3\n", *(f"[[package]]\n{text}" for text in (demo, *packages, tiny))])


@contextmanager
def serving_crates() -> Iterator[Registry]:
    """Serve a registry with the crate tiny."""
    with serving() as server:
        server.answers["/index/config.json"] = body(json.dumps({"dl": f"{server.url}/crates"}).encode())
        registry = Registry(server)
        registry.publish("tiny", "1.0.0", crate("tiny-1.0.0", TINY_FILES))
        yield registry


MANIFEST = """\
[package]
name = "demo"
version = "0.1.0"
edition = "2021"
[dependencies]
tiny = { version = "1.0.0", registry = "test" }
"""
LIBRARY = "pub fn answer() -> i32 { tiny::answer() }\n"


def write_source(file: Path, lock: str | None, **files: str) -> Path:
    """Write an sdist with that Cargo.lock; *files* by path, ``__`` for a slash and ``_toml`` for ``.toml``."""
    named = {path.replace("__", "/").replace("_toml", ".toml"): text for path, text in files.items()}
    whole = {"Cargo.toml": MANIFEST, "src/lib.rs": LIBRARY, **({} if lock is None else {"Cargo.lock": lock}), **named}
    return write_tar(file, *(member(f"demo-0.1.0/{path}", text.encode()) for path, text in whole.items()))
