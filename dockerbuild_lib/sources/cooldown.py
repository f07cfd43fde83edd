"""How long a release must have been out before it is locked: time for others to find out what is wrong with it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from dockerbuild_lib.core.errors import LockError
from dockerbuild_lib.sources.index_page import IndexEntry

SETTING = "cooldown_days"


@dataclass(frozen=True)
class Cooldown:
    """Refuses files that were uploaded less than *days* before *now*."""

    days: int
    now: datetime

    @property
    def newest(self) -> datetime:
        """When the youngest file may have been uploaded that is taken."""
        return self.now - timedelta(days=self.days)

    def allows(self, entry: IndexEntry) -> bool:
        """Tell whether a file is old enough.

        Raises:
            LockError: the index does not tell.

        """
        return self._uploaded(entry) <= self.newest

    def refuse_young(self, entry: IndexEntry) -> None:
        """Refuse a file that is not old enough.

        Raises:
            LockError: it is too young, or the index does not tell.

        """
        if not self.allows(entry):
            age = (self.now - self._uploaded(entry)).days
            what = f"it was uploaded {age} days ago, and {SETTING} asks for {self.days}"
            fix = f"name an older version in the recipe, wait, or take it now with --cooldown={max(age, 0)}"
            raise LockError(what, where=entry.filename, fix=fix)

    def _uploaded(self, entry: IndexEntry) -> datetime:
        if entry.uploaded is None:
            raise untold(entry.filename)
        return entry.uploaded


def untold(filename: str) -> LockError:
    """Return the error for a file of unknown age."""
    what = f"the package index does not tell when it was uploaded (PEP 700), which {SETTING} must know"
    return LockError(what, where=filename, fix="use an index that tells, or lock it with --cooldown=0")
