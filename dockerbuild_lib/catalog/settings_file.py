"""What ``invoke.yaml`` may say, as models."""

from __future__ import annotations

import re
from typing import Annotated, Literal

from pydantic import AfterValidator, ConfigDict, Field

from dockerbuild_lib.catalog.base import Flag, Model
from dockerbuild_lib.catalog.kinds import FileKind
from dockerbuild_lib.catalog.work_area import DEFAULT_ROOT

INVOKE_KEYS = frozenset({"run", "runners", "sudo", "tasks", "timeouts"})
"""Top-level keys of invoke.yaml that are invoke's own."""

MEMORY_PATTERN = r"^[1-9][0-9]*[kmgKMG]$"
SIZE_PATTERN = r"^[1-9][0-9]*[mgtMGT]$"
REGISTRY_PATTERN = r"^[a-z0-9][a-z0-9.-]*(:[0-9]+)?(/[a-z0-9._/-]+)?$"
SERVICE_PATTERN = re.compile(r"https?://(?:[A-Za-z0-9.-]+|\[[0-9A-Fa-f:]+\])(?::[0-9]{1,5})?/?")
_UNITS = {"k": 1 << 10, "m": 1 << 20, "g": 1 << 30, "t": 1 << 40}
_LEAST_MEMORY = 6 << 20
"""Docker refuses containers with less."""


def bytes_of(amount: str) -> int:
    """Return an amount such as ``512m`` or ``4g`` in bytes; the units are powers of 1024."""
    return int(amount[:-1]) * _UNITS[amount[-1].lower()]


def _enough(amount: str) -> str:
    if bytes_of(amount) < _LEAST_MEMORY:
        raise ValueError(f"{amount!r} is less memory than an engine gives; write 6m or more")
    return amount


def is_service(text: str) -> bool:
    """Tell whether a store's place is the address of a service, and not a folder."""
    return "://" in text


def _folder_or_service(text: str) -> str:
    if is_service(text) and SERVICE_PATTERN.fullmatch(text) is None:
        raise ValueError(f"{text!r} is no service; write https://HOST, perhaps with a port, and no path")
    return text


PathText = Annotated[str, Field(min_length=1)]
StoreText = Annotated[PathText, AfterValidator(_folder_or_service)]
MemorySize = Annotated[str, Field(pattern=MEMORY_PATTERN), AfterValidator(_enough)]
Size = Annotated[str, Field(pattern=SIZE_PATTERN)]
Jobs = Annotated[int, Field(ge=1, le=1024, strict=True)]
Downloads = Annotated[int, Field(ge=1, le=64, strict=True)]
Days = Annotated[int, Field(ge=0, le=3650, strict=True)]
Processes = Annotated[int, Field(ge=1, le=1 << 22, strict=True)]  # Linux's PID_MAX_LIMIT
Minutes = Annotated[int, Field(ge=1, le=7 * 24 * 60, strict=True)]
Ratio = Annotated[int, Field(ge=1, le=1 << 20, strict=True)]
Members = Annotated[int, Field(ge=1, le=10_000_000, strict=True)]


class _Section(Model):
    # Not the catalogue's hyphens: invoke makes INVOKE_DOCKERBUILD_CONFIG_DIR of config_dir.
    model_config = ConfigDict(alias_generator=None)


class LimitsSection(_Section):
    """What a build container may use."""

    memory: MemorySize = Field(default="4g", description="Memory, without swap: 512m, 4g.")
    processes: Processes = Field(default=4096, description="Processes and threads at a time.")
    minutes: Minutes = Field(default=120, description="Time of one build.")


class ArchivesSection(_Section):
    """What an archive from outside may unpack to."""

    size: Size = Field(default="8g", description="Bytes, with all that describes its members: 512m, 8g.")
    ratio: Ratio = Field(default=200, description="Times its own size, once that is more than 64 MiB.")
    members: Members = Field(default=200_000, description="Files, folders and links.")


class DockerbuildSection(_Section):
    """``dockerbuild:`` in invoke.yaml."""

    root: PathText = Field(default=DEFAULT_ROOT, description="The work area.")
    config_dir: PathText = Field(default="config", description="The catalogue's folder.")
    store: StoreText | None = Field(
        default=None,
        description="The store: a folder, or the address of a CIPD service; default: store in the work area.",
    )
    cipd_client: PathText = Field(default="cipd", description="The cipd client: its name on PATH, or its path.")
    remote_store: PathText | None = Field(
        default=None, description="The store that a team shares, for sources: a folder, or a service; default: none."
    )
    registry: Annotated[str, Field(pattern=REGISTRY_PATTERN)] | None = Field(
        default=None, description="Container registry that keeps the images; default: none."
    )
    jobs: Jobs | None = Field(default=None, description="Steps at a time; default: the number of cores.")
    downloads: Downloads = Field(default=8, description="Downloads at a time, beside the steps that jobs counts.")
    cooldown_days: Days = Field(
        default=0, description="How long a release must have been out before it is locked; 0: not at all."
    )
    offline: Flag = Field(default=False, description="True: nothing but the Docker engine is connected to.")
    executor: Literal["threads"] = Field(default="threads", description="Where steps run.")
    limits: LimitsSection | None = None
    archives: ArchivesSection | None = None


class InvokeFile(_Section):
    """invoke.yaml: our section beside invoke's own, which are invoke's to judge."""

    dockerbuild: DockerbuildSection | None = None
    run: object = None
    runners: object = None
    sudo: object = None
    tasks: object = None
    timeouts: object = None


INVOKE_FILE = FileKind("invoke", InvokeFile)
