"""What an examination of the installation finds: a fact, or what is wrong and how to mend it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from dockerbuild_lib.core.errors import DockerbuildError

Verdict = Literal["ok", "note", "problem"]


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at.

    A *note* is worth knowing and stops nothing that was asked for; a *problem* does, with the *error* that a task
    would end with.
    """

    subject: str
    verdict: Verdict
    what: str
    fix: str = ""
    error: DockerbuildError | None = None

    @classmethod
    def problem(cls, subject: str, error: DockerbuildError) -> Finding:
        """Return the finding that a task would fail with *error*."""
        located = f"{error.where}: {error.what}" if error.where else error.what
        return cls(subject, "problem", located, error.fix or "", error)
