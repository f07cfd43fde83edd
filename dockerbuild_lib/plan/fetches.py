"""The steps that fetch files: each file once, under a name of its own."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from dockerbuild_lib.catalog.locks import LockedFile
from dockerbuild_lib.plan import step_names as names
from dockerbuild_lib.plan.inventory import Inventory
from dockerbuild_lib.plan.plan import PlannedStep
from dockerbuild_lib.plan.steps import FetchWork, Status, Step


@dataclass
class Fetches:
    """The files of a plan by the names of their steps."""

    files: dict[str, LockedFile] = field(default_factory=dict)

    def add(self, file: LockedFile) -> str:
        """Add a file, and return the name of its step: two indexes may serve other files under one name."""
        name = names.fetch(file)
        if self.files.setdefault(name, file).sha256 != file.sha256:
            name = f"{name} {file.sha256[:12]}"
            self.files[name] = file
        return name

    def steps(self, inventory: Inventory, *, again: bool = False) -> Iterator[PlannedStep]:
        """Yield each step, asking for all files at once; *again*: also those that are interned are to be fetched."""
        sha256s = [file.sha256 for file in self.files.values()]
        interned = inventory.interned(sha256s) if sha256s and not again else frozenset()
        for name, file in self.files.items():
            step = Step(name, name, file.sha256, (), 1 + file.size / 5e6, FetchWork(file))
            if file.sha256 in interned:
                yield PlannedStep(step, Status.HIT, "interned")
            else:
                yield PlannedStep(step, Status.TO_DO, "it is to be fetched again" if again else "not in the store yet")
