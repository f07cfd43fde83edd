"""The Docker SDK's exceptions, in this project's words."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager

from dockerbuild_lib.core.errors import (
    DockerbuildError,
    EnginePermissionError,
    EngineUnavailableError,
    ImageFailedError,
    NoSpaceError,
)

PERMISSION_FIX = "add yourself to the docker group (sudo usermod -aG docker $USER) and log in again"
_CONFIGURATION = "/etc/containers/containers.conf"
_LIMITS_FIX = f'put default_ulimits = ["nofile=1024:1024", "nproc=4096:4096"] below [containers] in {_CONFIGURATION}'
_PODMAN_FIXES = {
    "container-init binary not found": "install it where podman runs (Debian, Ubuntu: apt-get install catatonit)",
    "error setting rlimit": _LIMITS_FIX,  # runc
    "crun: setrlimit": _LIMITS_FIX,
    "cgroups in hybrid mode": f'install runc, and put runtime = "runc" below [engine] in {_CONFIGURATION}',
}
"""What podman is in want of, by what it then says."""
ENGINE_FIX = "start it, run ./dockerbuild as root on Debian or Ubuntu (it installs one), or set DOCKER_HOST"


@contextmanager
def translated_engine_errors() -> Iterator[None]:
    """Turn what the SDK raises inside the block into this project's errors.

    Only for calls of the engine: an error of a local file would be taken for the engine's.
    """
    import docker.errors  # noqa: PLC0415 - the SDK takes 0.3 s to import
    import requests  # noqa: PLC0415

    try:
        yield
    except (docker.errors.DockerException, requests.exceptions.RequestException, OSError) as error:
        raise engine_error(error) from error


def engine_error(error: Exception) -> DockerbuildError:
    """Return this project's error for one of the SDK's."""
    import docker.errors  # noqa: PLC0415 - the SDK takes 0.3 s to import

    text = str(error)
    if isinstance(error, docker.errors.APIError):  # an answer, so the engine is there
        return refusal(f"the Docker engine refused: {_first_line(text)}")
    if "permission denied" in text.lower():
        return EnginePermissionError("permission denied on the engine's socket", where=_where(), fix=PERMISSION_FIX)
    return EngineUnavailableError(f"no Docker engine answers ({_first_line(text)})", where=_where(), fix=ENGINE_FIX)


def refusal(text: str) -> DockerbuildError:
    """Return the error for what an engine that answers says, judged by its text: the engine's codes mislead."""
    if "no space left" in text.lower():
        return NoSpaceError("no space left on the engine's disk", where=_where(), fix="docker system prune frees some")
    fix = next((fix for said, fix in _PODMAN_FIXES.items() if said in text), None)
    return ImageFailedError(text, where=_where(), fix=fix)


def engine_stream(chunks: Iterable[bytes]) -> Iterator[bytes]:
    """Yield what the engine sends, with its errors translated there, where the reader's own are not mixed in."""
    with translated_engine_errors():
        yield from chunks


def _where() -> str:
    return os.environ.get("DOCKER_HOST", "the Docker engine")


def _first_line(text: str) -> str:
    return text.strip().splitlines()[0] if text.strip() else "no reason given"
