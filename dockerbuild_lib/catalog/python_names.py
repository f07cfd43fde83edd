"""What the name of a Python says: ``3.13``, or ``3.13t`` for the one without the global lock (PEP 703, PEP 779)."""

from __future__ import annotations

FREE_THREADED = "t"
"""Ends the names of such Pythons, as CPython's own programs and folders have it."""


def release_of(python: str) -> str:
    """Return the major and minor version of a Python: 3.13 for ``3.13t``."""
    return python.removesuffix(FREE_THREADED)


def interpreter_tag(python: str) -> str:
    """Return the PEP 425 Python tag: ``cp313``."""
    return f"cp{release_of(python).replace('.', '')}"


def abi_tag(python: str) -> str:
    """Return the PEP 425 ABI tag: ``cp313``, or ``cp313t``."""
    return interpreter_tag(python) + (FREE_THREADED if is_free_threaded(python) else "")


def is_free_threaded(python: str) -> bool:
    """Tell whether a Python has no global lock."""
    return python.endswith(FREE_THREADED)


def target_name(platform: str, python: str) -> str:
    """Return how a platform and a Python are called together: ``linux-arm64-py3.11``."""
    return f"{platform}-py{python}"
