"""Writing to streams that may go away, cannot show every character, or are full."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import TextIO

from dockerbuild_lib.core.files import translated_os_errors


def is_terminal(stream: TextIO, environ: Mapping[str, str]) -> bool:
    """Tell whether *stream* is a terminal that takes colours and cursor movements.

    ``NO_COLOR`` (when not empty, see no-color.org) and ``TERM=dumb`` say that it does not.
    """
    return stream.isatty() and not environ.get("NO_COLOR") and environ.get("TERM", "dumb") != "dumb"


def write_result(stream: TextIO, text: str) -> None:
    """Write a task's result, ending with a newline, to *stream* (standard output).

    A reader that went away (``| head``) is no error: it has what it wanted. Raises NoSpaceError when the file
    that the output is redirected to cannot grow.
    """
    name = Path(str(getattr(stream, "name", "the output")))
    try:
        with translated_os_errors(name):
            stream.write(_encodable(text if text.endswith("\n") else f"{text}\n", stream))
            stream.flush()
    except BrokenPipeError:
        _silence(stream)


class QuietStream:
    """A text stream for progress: once it cannot be written, it is silent, and the run goes on.

    A build must not fail because the pipe, terminal or log file that showed its progress went away.
    """

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._gone = False

    @property
    def encoding(self) -> str:
        """The encoding of the stream behind."""
        return self._stream.encoding or "utf-8"

    def write(self, text: str) -> int:
        """Write *text*, if there is still somewhere to write to."""
        if not self._gone:
            try:
                self._stream.write(_encodable(text, self._stream))
            except (OSError, ValueError):
                self._lose()
        return len(text)

    def flush(self) -> None:
        """Flush the stream behind."""
        if not self._gone:
            try:
                self._stream.flush()
            except (OSError, ValueError):
                self._lose()

    def isatty(self) -> bool:
        """Tell whether the stream behind is a terminal."""
        return self._stream.isatty()

    def fileno(self) -> int:
        """Return the descriptor of the stream behind."""
        return self._stream.fileno()

    def _lose(self) -> None:
        self._gone = True
        _silence(self._stream)


def _encodable(text: str, stream: TextIO) -> str:
    """Replace what the stream's encoding lacks: output to a terminal in the C locale must not fail."""
    encoding = stream.encoding or "utf-8"
    return text.encode(encoding, "backslashreplace").decode(encoding)


def _silence(stream: TextIO) -> None:
    """Let what is still buffered, which Python writes when it exits, go nowhere instead of failing again."""
    try:
        descriptor = stream.fileno()
    except (OSError, ValueError):
        return  # no file behind it, or closed already
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, descriptor)
    os.close(nowhere)
