"""Answers that took long to work out, kept in a file for as long as nothing that they came from has changed.

A file that is missing, damaged or cannot be written costs time, and nothing else.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dockerbuild_lib import STARTED_AT
from dockerbuild_lib.core.errors import DockerbuildError
from dockerbuild_lib.core.files import write_atomic
from dockerbuild_lib.core.fingerprint import Fingerprint, fingerprint

_FORMAT = b"dockerbuild remembered 1\n"
_SURELY_BEFORE = 2.0  # seconds: file systems round the times of changes, at most to this


@dataclass(frozen=True)
class RememberedAnswers:
    """The answers in *file*, all worked out from the same bytes."""

    file: Path
    places: tuple[Path, ...]
    """Files and folders that every answer comes from."""
    texts: tuple[str, ...]
    """What else it comes from."""

    def get(self, question: str) -> Any | None:  # noqa: ANN401 - what JSON holds
        """Return the answer to *question*; None when there is none, or it may be true no more."""
        record = self._record()
        if record is None:
            return None
        seen = self.look(*map(Path, record["found_places"]))
        return record["answers"].get(question) if seen and seen.digest == record["digest"] else None

    def look(self, *found_places: Path) -> Fingerprint | None:
        """Return what is there now, in *found_places* too, which the other places lead to; None: it cannot be read."""
        with suppress(OSError):
            return fingerprint((*self.places, *found_places), (*self.texts, *map(str, found_places)))
        return None

    def put(self, question: str, answer: Mapping[str, Any], before: Fingerprint | None, *found_places: Path) -> None:
        """Keep the answer to *question*; *before* is what was seen before it was worked out.

        What changed after this program began may have been read before that, or after it: then nothing is kept.
        """
        if before is None or before.changed_at > STARTED_AT - _SURELY_BEFORE or before != self.look(*found_places):
            return
        found = [str(place) for place in found_places]
        with suppress(OSError, DockerbuildError):
            self._write({"digest": before.digest, "found_places": found, "answers": {question: answer}})

    def _write(self, record: dict[str, Any]) -> None:
        before = self._record()
        if before is not None and before["digest"] == record["digest"]:
            record["answers"] = {**before["answers"], **record["answers"]}
        text = json.dumps(record).encode()
        write_atomic(self.file, _checksum(text) + b"\n" + text)

    def _record(self) -> dict[str, Any] | None:
        """Return what the file holds, when it is whole."""
        try:
            checksum, _, text = self.file.read_bytes().partition(b"\n")
        except OSError:
            return None
        if checksum != _checksum(text):
            return None
        record: dict[str, Any] = json.loads(text)
        return record


def _checksum(text: bytes) -> bytes:
    return hashlib.sha256(_FORMAT + text).hexdigest().encode()
