"""Where everything is put together: settings and catalogue to the rooms that carry a task out."""

from __future__ import annotations

import os
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from dockerbuild_lib.cli.environment import say
from dockerbuild_lib.cli.tasks_base import PROJECT

if TYPE_CHECKING:
    from pathlib import Path

    from dockerbuild_lib.catalog.catalog import Catalog
    from dockerbuild_lib.catalog.locks import LockedFile
    from dockerbuild_lib.catalog.settings import Settings
    from dockerbuild_lib.containers.engine import Engine
    from dockerbuild_lib.containers.worker import Limits
    from dockerbuild_lib.core.processes import Processes
    from dockerbuild_lib.execution.inventory import RealInventory
    from dockerbuild_lib.execution.workbench import Workbench
    from dockerbuild_lib.plan.make import Plan
    from dockerbuild_lib.plan.request import Request
    from dockerbuild_lib.sources.intern import SourceFetcher
    from dockerbuild_lib.sources.outside import Origins, Outside
    from dockerbuild_lib.store.local import LocalStore
    from dockerbuild_lib.wheels.results import WorkArea

# Imports stand inside the functions: a task that finds nothing to do never pays for the rooms that would do it.


@dataclass(frozen=True)
class Session:
    """One task's view of the installation. What it does not use is not made."""

    settings: Settings
    run_id: str

    @cached_property
    def catalog(self) -> Catalog:
        """The catalogue, checked as a whole."""
        from dockerbuild_lib.catalog.load import load_catalog  # noqa: PLC0415

        return load_catalog(self.settings.config_dir)

    @cached_property
    def store(self) -> LocalStore:
        """The embedded store."""
        from dockerbuild_lib.store.local import LocalStore  # noqa: PLC0415

        return LocalStore(self.settings.store)

    @cached_property
    def engine(self) -> Engine:
        """The Docker engine; not connected before its first use."""
        from dockerbuild_lib.containers.engine import Engine  # noqa: PLC0415

        return Engine(self.run_id)

    @property
    def limits(self) -> Limits:
        """What a container of this run may use."""
        from dockerbuild_lib.containers.worker import Limits  # noqa: PLC0415

        asked = self.settings.limits
        return Limits(asked.memory, asked.processes, asked.minutes * 60)

    @cached_property
    def processes(self) -> Processes:
        """The programs of this machine that the run starts."""
        from dockerbuild_lib.core.processes import Processes  # noqa: PLC0415

        return Processes()

    @cached_property
    def area(self) -> WorkArea:
        """The results in the work area."""
        from dockerbuild_lib.wheels.results import WorkArea  # noqa: PLC0415

        return WorkArea(self.settings.root)

    @cached_property
    def inventory(self) -> RealInventory:
        """What is there already."""
        from dockerbuild_lib.execution.inventory import RealInventory  # noqa: PLC0415

        return RealInventory(self.store, self.area, self.engine)

    @cached_property
    def fetcher(self) -> SourceFetcher:
        """Brings pinned files from the store, or from outside into it."""
        from dockerbuild_lib.sources.intern import SourceFetcher  # noqa: PLC0415
        from dockerbuild_lib.sources.upstream import MachineUpstream  # noqa: PLC0415
        from dockerbuild_lib.store.sources_packages import InternedSources  # noqa: PLC0415

        upstream = MachineUpstream(self.outside)
        return SourceFetcher(self.settings.root / "sources", InternedSources(self.store), upstream)

    @cached_property
    def outside(self) -> Outside:
        """The world outside, for what is locked already."""
        from dockerbuild_lib.sources.outside import Outside  # noqa: PLC0415

        return Outside(self.settings.config_dir, self.origins)

    @cached_property
    def origins(self) -> Origins:
        """Where sources come from: as this machine is configured, with programs that are installed when needed."""
        from dockerbuild_lib.core.machine import ensure_program  # noqa: PLC0415
        from dockerbuild_lib.sources.cargo_program import Cargo  # noqa: PLC0415
        from dockerbuild_lib.sources.git_program import Git  # noqa: PLC0415
        from dockerbuild_lib.sources.outside import Origins  # noqa: PLC0415

        return Origins(
            git=Git(program=lambda: ensure_program("git", say=say), processes=self.processes),
            cargo=Cargo(program=lambda: ensure_program("cargo", say=say), processes=self.processes),
            fetch=self._fetched,
        )

    def _fetched(self, locked: LockedFile) -> Path:
        return self.fetcher.fetch(locked)  # which is made of the origins itself

    def plan(self, request: Request) -> Plan:
        """Work out a request."""
        from dockerbuild_lib.images.context import image_files  # noqa: PLC0415
        from dockerbuild_lib.plan.make import make_plan  # noqa: PLC0415

        return make_plan(request, self.catalog, self.inventory, image_files)

    def workbench(self, *, git_revision: str | None = None, fresh_images: bool = False) -> Workbench:
        """Return what carries out steps."""
        from dockerbuild_lib.core.machine import ensure_program  # noqa: PLC0415
        from dockerbuild_lib.execution.workbench import Workbench  # noqa: PLC0415
        from dockerbuild_lib.images.generate import ImageMaker  # noqa: PLC0415
        from dockerbuild_lib.sources.debian import debian_sources_list  # noqa: PLC0415
        from dockerbuild_lib.wheels.build import WheelBuilder  # noqa: PLC0415
        from dockerbuild_lib.wheels.library import LibraryBuilder  # noqa: PLC0415
        from dockerbuild_lib.wheels.packaging import Publisher  # noqa: PLC0415
        from dockerbuild_lib.wheels.trial import Trial  # noqa: PLC0415

        return Workbench(
            config_dir=self.settings.config_dir,
            area=self.area,
            fetcher=self.fetcher,
            images=ImageMaker(
                engine=self.engine,
                processes=self.processes,
                scratch=self.settings.root / "tmp",
                sources_list=debian_sources_list,
                mmdebstrap=lambda: ensure_program("mmdebstrap", say=say),
            ),
            libraries=LibraryBuilder(self.engine, self.limits),
            wheels=WheelBuilder(self.engine, self.limits),
            trial=Trial(self.engine, self.limits),
            publisher=Publisher(self.store, git_revision),
            fresh_images=fresh_images,
        )

    def stop(self) -> None:
        """End everything that the run has started."""
        self.processes.stop_all()
        self.engine.stop_run()


def open_session() -> Session:
    """Read the settings and return a session.

    Raises:
        CatalogError: ``invoke.yaml`` or a variable is wrong.

    """
    from dockerbuild_lib.catalog.settings import load_settings  # noqa: PLC0415
    from dockerbuild_lib.execution.run_folder import new_run_id  # noqa: PLC0415

    return Session(load_settings(PROJECT, os.environ), new_run_id())
