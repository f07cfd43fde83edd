"""Text from outside, made safe to show and to store."""

from __future__ import annotations

import re

FLAGS = {"true": True, "1": True, "false": False, "0": False}
"""What an environment variable says to a question."""

# ECMA-48: CSI (colours, cursor), OSC (titles, links; ended by BEL or ST), and the two-character escapes.
_ESCAPES = re.compile(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)?|[ -/]*[0-~])")
_CONTROLS = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]")
_SURROGATES = re.compile(r"[\ud800-\udfff]")


def displayable(text: str) -> str:
    """Return *text* without escape sequences and control characters: it cannot change a terminal's state.

    Newlines and tabs stay. Bytes that were no UTF-8 (lone surrogates, PEP 383) become U+FFFD.
    """
    return _SURROGATES.sub("\ufffd", _CONTROLS.sub("", _ESCAPES.sub("", text)))


def encoded(text: str) -> bytes:
    """Return *text* as UTF-8, giving back the very bytes that were decoded with ``surrogateescape`` (PEP 383)."""
    try:
        return text.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError:
        return text.encode("utf-8", "backslashreplace")
