"""Times and sizes, as people read them."""

from __future__ import annotations

_MINUTE = 60
_KIB = 1024


def duration(seconds: float) -> str:
    """Return *seconds* as ``0.4 s``, ``12.3 s``, ``2 min 03 s`` or ``1 h 02 min``."""
    if round(seconds, 1) < _MINUTE:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), _MINUTE)
    if minutes < _MINUTE:
        return f"{minutes} min {rest:02d} s"
    hours, minutes = divmod(minutes, _MINUTE)
    return f"{hours} h {minutes:02d} min"


def byte_size(size: int) -> str:
    """Return a number of bytes with a binary unit (IEC 80000-13): ``512 B``, ``14.2 KiB``, ``3.0 MiB``."""
    if size < _KIB:
        return f"{size} B"
    amount = float(size)
    for unit in ("KiB", "MiB", "GiB"):
        amount /= _KIB
        if round(amount, 1) < _KIB:
            return f"{amount:.1f} {unit}"
    return f"{amount / _KIB:.1f} TiB"


def progress(done: int, total: int | None) -> str:
    """Return how far something has come, in bytes: ``3.0 MiB of 14.2 MiB (21 %)``."""
    if not total:
        return byte_size(done)
    return f"{byte_size(done)} of {byte_size(total)} ({100 * done // total} %)"


def counted(number: int, noun: str) -> str:
    """Return ``1 step`` or ``3 steps``."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
