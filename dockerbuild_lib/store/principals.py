"""Who does something to a store, in the form of CIPD's identities: ``user:NAME@HOST``."""

from __future__ import annotations

import os
import platform
import pwd


def current_principal() -> str:
    """Return the user of this process on this machine."""
    try:
        user = pwd.getpwuid(os.getuid()).pw_name
    except KeyError:  # a container's user needs no name
        user = str(os.getuid())
    return f"user:{user}@{platform.node() or 'localhost'}"
