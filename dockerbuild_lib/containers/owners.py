"""Who made a container: its label tells a running owner from one that died and left it behind."""

from __future__ import annotations

import os
import socket
from pathlib import Path

RUN_LABEL = "dockerbuild.run"
OWNER_LABEL = "dockerbuild.owner"
_PARTS = 5


def this_process() -> str:
    """Return the owner label of this process.

    Host, boot and namespace of process ids say whether another process can judge it; the start time tells a
    reused pid.
    """
    return _label(os.getpid())


def has_died(owner: str) -> bool:
    """Tell whether *owner* was a process of this machine that no longer runs.

    What cannot be judged from here, another machine's or one in another namespace of process ids, is left alone.
    """
    parts = owner.split(" ")
    if len(parts) != _PARTS or parts[0] != socket.gethostname():
        return False
    _, boot, namespace, pid, _ = parts
    if boot != _boot_id():
        return True
    return namespace == _pid_namespace() and _label(pid) != owner


def _label(pid: int | str) -> str:
    return f"{socket.gethostname()} {_boot_id()} {_pid_namespace()} {pid} {_start_time(pid)}"


def _pid_namespace() -> str:
    try:
        return Path("/proc/self/ns/pid").readlink().name
    except OSError:
        return "-"


def _boot_id() -> str:
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    except OSError:
        return "-"


def _start_time(pid: int | str) -> str:
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return "gone"
    return stat.rpartition(")")[2].split()[19]
