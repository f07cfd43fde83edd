"""The plan of a request: what is there already and which steps must run, and why."""

from __future__ import annotations

from collections.abc import Iterable

from dockerbuild_lib.catalog.catalog import Catalog
from dockerbuild_lib.catalog.locks import LockedFile
from dockerbuild_lib.plan.fetches import Fetches
from dockerbuild_lib.plan.goals import GoalMaker
from dockerbuild_lib.plan.inventory import Inventory, PackageVersion
from dockerbuild_lib.plan.judge import judge
from dockerbuild_lib.plan.plan import Plan
from dockerbuild_lib.plan.planner import BUILT_WITH, Planner
from dockerbuild_lib.plan.products import LibraryWork, PythonWork, WheelWork
from dockerbuild_lib.plan.request import ImageRequest, LibraryRequest, Request, select, select_libraries
from dockerbuild_lib.plan.workshops import ImageFiles


def make_plan(request: Request, catalog: Catalog, inventory: Inventory, image_files: ImageFiles) -> Plan:
    """Work out the plan of a request.

    Raises:
        UsageError: the request names what is not in the catalogue.
        LockError: something that must be built has no pin.

    """
    maker = GoalMaker(catalog, image_files)
    goals = [goal for selection in select(request, catalog) for goal in maker.goals(selection)]
    published = inventory.published({PackageVersion(goal.package, goal.version_text) for goal in goals})
    judged = [judge(goal, request, published, inventory) for goal in goals]
    planner = Planner(maker, inventory)
    for planned in judged:
        planner.add_goal(planned)
    return Plan(tuple(judged), planner.finish())


def plan_images(request: ImageRequest, catalog: Catalog, inventory: Inventory, image_files: ImageFiles) -> Plan:
    """Work out what making images takes."""
    planner = Planner(GoalMaker(catalog, image_files), inventory, fresh_images=request.rebuild)
    for platform in request.platforms:
        planner.image(platform)
        if request.upload:
            planner.upload_image(platform)
    return Plan((), planner.finish())


def plan_libraries(request: LibraryRequest, catalog: Catalog, inventory: Inventory, image_files: ImageFiles) -> Plan:
    """Work out what building libraries takes.

    Raises:
        UsageError: the request names what is not in the catalogue.
        LockError: the source of a library is not pinned.
        VersionConflictError: a version that is to be published is published from another recipe.

    """
    maker = GoalMaker(catalog, image_files)
    works = [maker.library(name, maker.workshop(platform)) for name, platform in select_libraries(request, catalog)]
    versions = [PackageVersion(work.package, work.version_text) for work in works]
    published = inventory.published(set(versions)) if request.upload else {}
    planner = Planner(maker, inventory)
    for work, version in zip(works, versions, strict=True):
        planner.add_library(work, request, published.get(version))
    return Plan((), planner.finish())


def plan_fetches(files: Iterable[LockedFile], inventory: Inventory, *, again: bool) -> Plan:
    """Work out what interning these files takes; *again*: also where the store has them."""
    fetches = Fetches()
    for file in {file.sha256: file for file in files}.values():
        fetches.add(file)
    return Plan((), tuple(fetches.steps(inventory, again=again)))


def plan_here(wheel: WheelWork, maker: GoalMaker, inventory: Inventory) -> Plan:
    """Work out what it takes to have a wheel that others are built with in the work area."""
    planner = Planner(maker, inventory)
    planner.finished(wheel, BUILT_WITH)
    return Plan((), planner.finish())


def plan_needed_libraries(libraries: Iterable[LibraryWork], maker: GoalMaker, inventory: Inventory) -> Plan:
    """Work out what it takes to have libraries, and the image of their platform."""
    planner = Planner(maker, inventory)
    for library in libraries:
        planner.image(library.workshop.platform_name)
        planner.library(library)
    return Plan((), planner.finish())


def plan_python(work: PythonWork, maker: GoalMaker, inventory: Inventory) -> Plan:
    """Work out what it takes to have a Python that comes from source in the store."""
    planner = Planner(maker, inventory)
    planner.python(work)
    return Plan((), planner.finish())
