"""Where everything is put together: settings and catalogue to the rooms that carry a task out."""

from __future__ import annotations

import os
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from dockerbuild_lib.cli.environment import say
from dockerbuild_lib.cli.tasks_base import PROJECT
from dockerbuild_lib.core.connections import CONNECTIONS

if TYPE_CHECKING:
    from pathlib import Path

    from dockerbuild_lib.catalog.catalog import Catalog
    from dockerbuild_lib.catalog.settings import Settings
    from dockerbuild_lib.containers.engine import Engine
    from dockerbuild_lib.containers.image_registry import ImageRegistry
    from dockerbuild_lib.containers.worker import Limits
    from dockerbuild_lib.core.processes import Processes
    from dockerbuild_lib.execution.inventory import RealInventory
    from dockerbuild_lib.execution.workbench import Workbench
    from dockerbuild_lib.images.mirror import Mirror
    from dockerbuild_lib.plan.plan import Plan
    from dockerbuild_lib.plan.request import Request
    from dockerbuild_lib.sources.intern import SourceFetcher
    from dockerbuild_lib.sources.outside import Origins, Outside
    from dockerbuild_lib.sources.trees import SourceTrees
    from dockerbuild_lib.sources.upstream import Upstream
    from dockerbuild_lib.store.cipd.store import CipdStore
    from dockerbuild_lib.store.local import LocalStore
    from dockerbuild_lib.store.protocol import Store
    from dockerbuild_lib.store.shared_sources import SharedSources
    from dockerbuild_lib.wheels.results import WorkArea

# Imports stand inside the functions: a task that finds nothing to do never pays for the rooms that would do it.


@dataclass(frozen=True)
class Session:
    """One task's view of the installation. What it does not use is not made."""

    settings: Settings
    run_id: str
    upload_sources: bool = False
    """Whether sources are published to the remote store when a run ends."""

    @cached_property
    def catalog(self) -> Catalog:
        """The catalogue, checked as a whole."""
        from dockerbuild_lib.catalog.load import load_catalog  # noqa: PLC0415

        return load_catalog(self.settings.config_dir)

    @cached_property
    def store(self) -> Store:
        """The store that wheels are published to: a folder, or a CIPD service."""
        return self.service_store(self.settings.service) if self.settings.service else self.local_store

    def service_store(self, address: str) -> CipdStore:
        """Return the store of a CIPD service, through the ``cipd`` client.

        Raises:
            ToolMissingError: the client is not installed; said here, before a run begins that will need it.

        """
        from dockerbuild_lib.store.cipd.client import CipdClient  # noqa: PLC0415
        from dockerbuild_lib.store.cipd.store import CipdStore  # noqa: PLC0415

        client = CipdClient(self.settings.cipd_client, address, os.environ)
        client.path()
        return CipdStore(client, self.settings.root / "cipd")

    def store_at(self, place: str, setting: str) -> Store:
        """Return another store: a folder that exists, or the address of a service; *setting* is what names it.

        Raises:
            CatalogError: there is no such folder, or it is no address of a service.

        """
        from dockerbuild_lib.store.opening import open_store  # noqa: PLC0415

        return open_store(place, setting, self.service_store)

    @property
    def store_place(self) -> str:
        """Where the store is: its folder, or the service's address."""
        return self.settings.service or str(self.settings.store)

    @cached_property
    def local_store(self) -> LocalStore:
        """The store in a folder: all packages, or beside a service the sources only."""
        from dockerbuild_lib.store.local import LocalStore  # noqa: PLC0415

        return LocalStore(self.settings.store)

    @property
    def embedded_store(self) -> LocalStore:
        """The store, for what only a folder can do.

        Raises:
            UsageError: the store is a service.

        """
        from dockerbuild_lib.core.errors import UsageError  # noqa: PLC0415

        if self.settings.service is not None:
            raise UsageError(
                "this task needs a store in a folder", where=self.settings.service, fix="set store to a folder"
            )
        return self.local_store

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

    @property
    def trees(self) -> SourceTrees:
        """Unpacks and patches sources."""
        from dockerbuild_lib.sources.trees import SourceTrees  # noqa: PLC0415

        return SourceTrees(self.settings.archives, self._scratch)

    @property
    def _scratch(self) -> Path:
        return self.settings.root / "tmp"

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

        return RealInventory(self.store, self.local_store, self.area, self.engine, self.registry)

    @cached_property
    def registry(self) -> ImageRegistry | None:
        """The container registry of the images, where the settings name one."""
        if self.settings.registry is None:
            return None
        from dockerbuild_lib.containers.image_registry import ImageRegistry  # noqa: PLC0415

        return ImageRegistry(self.engine, self.settings.registry)

    @cached_property
    def mirror(self) -> Mirror | None:
        """The mirror of the bases' images, in the same registry."""
        if self.settings.registry is None:
            return None
        from dockerbuild_lib.images.mirror import Mirror  # noqa: PLC0415

        return Mirror(self.settings.registry)

    @cached_property
    def fetcher(self) -> SourceFetcher:
        """Brings pinned files from the store, or from outside into it."""
        from dockerbuild_lib.sources.shared import SharedFirst  # noqa: PLC0415

        upstream = self.upstream
        if self.settings.remote_store is not None:
            upstream = SharedFirst(lambda: self.shared_sources, upstream)
        return self.fetcher_from(upstream)

    def fetcher_from(self, upstream: Upstream) -> SourceFetcher:
        """Return what brings pinned files from the store, or from *upstream* into it."""
        from dockerbuild_lib.sources.intern import SourceFetcher  # noqa: PLC0415
        from dockerbuild_lib.store.sources_packages import InternedSources  # noqa: PLC0415

        return SourceFetcher(self.settings.root / "sources", InternedSources(self.local_store), upstream)

    @property
    def upstream(self) -> Upstream:
        """The world outside."""
        from dockerbuild_lib.sources.upstream import MachineUpstream  # noqa: PLC0415

        return MachineUpstream(self.outside)

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
            limits=self.settings.archives,
            interning=lambda: self.fetcher,  # which is made of the origins itself
        )

    @cached_property
    def shared_sources(self) -> SharedSources:
        """The sources of the store that a team shares.

        Raises:
            CatalogError: the settings name none, or it is not there.

        """
        from dockerbuild_lib.core.errors import CatalogError  # noqa: PLC0415
        from dockerbuild_lib.store.shared_sources import SharedSources  # noqa: PLC0415

        if self.settings.remote_store is None:
            raise CatalogError("no remote store is set", fix="name it as remote_store in invoke.yaml")
        return SharedSources(self.store_at(self.settings.remote_store, "remote_store"))

    def plan(self, request: Request) -> Plan:
        """Work out a request."""
        from dockerbuild_lib.plan.make import make_plan  # noqa: PLC0415
        from dockerbuild_lib.wheels.entrypoint import image_files  # noqa: PLC0415

        return make_plan(request, self.catalog, self.inventory, image_files)

    def workbench(self, *, git_revision: str | None = None, fresh_images: bool = False) -> Workbench:
        """Return what carries out steps."""
        from dockerbuild_lib.core.machine import ensure_program  # noqa: PLC0415
        from dockerbuild_lib.execution.workbench import Workbench  # noqa: PLC0415
        from dockerbuild_lib.images.generate import ImageMaker  # noqa: PLC0415
        from dockerbuild_lib.sources.debian import debian_sources_list  # noqa: PLC0415
        from dockerbuild_lib.store.kept_pythons import KeptPythons  # noqa: PLC0415
        from dockerbuild_lib.wheels.build import WheelBuilder  # noqa: PLC0415
        from dockerbuild_lib.wheels.library import LibraryBuilder  # noqa: PLC0415
        from dockerbuild_lib.wheels.packaging import Publisher  # noqa: PLC0415
        from dockerbuild_lib.wheels.python import PythonBuilder  # noqa: PLC0415
        from dockerbuild_lib.wheels.trial import Trial  # noqa: PLC0415

        return Workbench(
            config_dir=self.settings.config_dir,
            area=self.area,
            fetcher=self.fetcher,
            images=ImageMaker(
                engine=self.engine,
                processes=self.processes,
                scratch=self._scratch,
                sources_list=debian_sources_list,
                mmdebstrap=lambda: ensure_program("mmdebstrap", say=say),
                trees=self.trees,
                registry=self.registry,
                mirror=self.mirror,
            ),
            libraries=LibraryBuilder(self.engine, self.limits, self.trees),
            python_builder=PythonBuilder(self.engine, self.limits, self.trees),
            kept_pythons=KeptPythons(self.local_store),
            wheels=WheelBuilder(self.engine, self.limits, self.trees),
            trial=Trial(self.engine, self.limits),
            publisher=Publisher(self.store, git_revision),
            fresh_images=fresh_images,
        )

    def stop(self) -> None:
        """End everything that the run has started."""
        CONNECTIONS.end("the run was stopped")
        self.processes.stop_all()
        self.engine.stop_run()


def open_session(*, upload_sources: bool = False) -> Session:
    """Read the settings and return a session; with *upload_sources* one whose runs publish their sources.

    Raises:
        CatalogError: ``invoke.yaml`` or a variable is wrong, or there is no store to publish to.

    """
    from dockerbuild_lib.catalog.settings import load_settings  # noqa: PLC0415
    from dockerbuild_lib.execution.run_folder import new_run_id  # noqa: PLC0415

    session = Session(load_settings(PROJECT, os.environ), new_run_id(), upload_sources)
    if upload_sources:
        session.shared_sources  # noqa: B018 - a store that is missing is told before the work, not after it
    return session
