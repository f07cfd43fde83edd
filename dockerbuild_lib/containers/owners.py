"""Who made a container: its label tells a running owner from one that died and left it behind."""

from __future__ import annotations

import os
import socket
from pathlib import Path

RUN_LABEL = "dockerbuild.run"
OWNER_LABEL = "dockerbuild.owner"


def this_process() -> str:
    """Return the owner label of this process: host, boot, pid and start time, so that a reused pid differs."""
    return _label(os.getpid())


def has_died(owner: str) -> bool:
    """Tell whether *owner* was a process of this machine that no longer runs. Another machine's is left alone."""
    host, _, rest = owner.partition(" ")
    if host != socket.gethostname():
        return False
    pid = rest.split(" ")[1] if rest.count(" ") else ""
    return not pid.isdecimal() or _label(int(pid)) != owner


def _label(pid: int) -> str:
    return f"{socket.gethostname()} {_boot_id()} {pid} {_start_time(pid)}"


def _boot_id() -> str:
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    except OSError:
        return "-"


def _start_time(pid: int) -> str:
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return "gone"
    return stat.rpartition(")")[2].split()[19]
