"""What images hold and weigh, asked of the engine that holds them."""

from __future__ import annotations

import io
import tarfile
from collections.abc import Iterable
from typing import Any

from dockerbuild_lib.containers.engine import Engine
from dockerbuild_lib.containers.errors import engine_stream, translated_engine_errors
from dockerbuild_lib.containers.removal import remove_container


def base_layer(engine: Engine, tag: str) -> str:
    """Return the digest of an image's lowest layer, ``sha256:...``: its base, wherever the image came from."""
    with translated_engine_errors():
        layers: list[str] = engine.client.images.get(tag).attrs["RootFS"]["Layers"]
    return layers[0]


def read_file(engine: Engine, tag: str, path: str) -> bytes:
    """Return the bytes of a file of an image; nothing of the image is run."""
    with translated_engine_errors():
        container = engine.client.api.create_container(tag, command=["true"], labels=engine.labels())["Id"]
    try:
        with translated_engine_errors():
            chunks, _ = engine.client.api.get_archive(container, path)
        archive = io.BytesIO(b"".join(engine_stream(chunks)))
    finally:
        with translated_engine_errors():
            remove_container(engine.client, container)
    with tarfile.open(fileobj=archive) as tar:
        member = tar.next()
        stream = tar.extractfile(member) if member else None
        return stream.read() if stream else b""


def bytes_on_disk(engine: Engine, image_ids: Iterable[str]) -> int:
    """Return what these images weigh together: a layer that several of them stand on counts once."""
    sizes: dict[tuple[tuple[Any, ...], ...], int] = {}
    for image_id in image_ids:
        with translated_engine_errors():
            history = engine.client.api.history(image_id)  # type: ignore[no-untyped-call]
        below: tuple[tuple[Any, ...], ...] = ()
        for step in reversed(history):  # a layer is what it is by all the steps that led to it
            below = (*below, (step["CreatedBy"], step["Created"], step["Size"]))
            sizes[below] = step["Size"]
    return sum(sizes.values())
