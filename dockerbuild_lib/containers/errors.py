"""The Docker SDK's exceptions, in this project's words."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager

from dockerbuild_lib.core.errors import (
    DockerbuildError,
    EnginePermissionError,
    EngineUnavailableError,
    ImageFailedError,
    NoSpaceError,
)

PERMISSION_FIX = "add yourself to the docker group (sudo usermod -aG docker $USER) and log in again"
ENGINE_FIX = "start it, run ./dockerbuild as root on Debian or Ubuntu (it installs one), or set DOCKER_HOST"


@contextmanager
def translated_engine_errors() -> Iterator[None]:
    """Turn what the SDK raises inside the block into this project's errors."""
    import docker.errors  # noqa: PLC0415 - the SDK takes 0.3 s to import
    import requests  # noqa: PLC0415

    try:
        yield
    except (docker.errors.DockerException, requests.exceptions.RequestException, OSError) as error:
        raise engine_error(error) from error


def engine_error(error: Exception) -> DockerbuildError:
    """Return this project's error for one of the SDK's, judged by its text: the engine's codes mislead."""
    text = str(error)
    lowered = text.lower()
    where = os.environ.get("DOCKER_HOST", "the Docker engine")
    if "permission denied" in lowered and ("socket" in lowered or "connection" in lowered):
        return EnginePermissionError("permission denied on the engine's socket", where=where, fix=PERMISSION_FIX)
    if "no space left" in lowered:
        return NoSpaceError("no space left on the engine's disk", where=where, fix="docker system prune frees some")
    if _is_unreachable(lowered):
        return EngineUnavailableError(f"no Docker engine answers ({_first_line(text)})", where=where, fix=ENGINE_FIX)
    return ImageFailedError(f"the Docker engine refused: {_first_line(text)}", where=where)


def _is_unreachable(lowered: str) -> bool:
    signs = ("connection refused", "no such file or directory", "error while fetching server api version")
    more = ("connection aborted", "read timed out", "name or service not known", "connection reset")
    return any(sign in lowered for sign in signs + more)


def _first_line(text: str) -> str:
    return text.strip().splitlines()[0] if text.strip() else "no reason given"
