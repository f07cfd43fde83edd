"""The sources' build backends for a task: an engine, and the build machine's image, which is made where missing."""

from __future__ import annotations

import os
from pathlib import Path

from dockerbuild_lib.catalog.catalog import Catalog
from dockerbuild_lib.cli.engine_setup import ensure_engine
from dockerbuild_lib.cli.environment import say
from dockerbuild_lib.cli.running import run_plan
from dockerbuild_lib.cli.session import Session
from dockerbuild_lib.plan.goals import GoalMaker
from dockerbuild_lib.plan.make import plan_here, plan_images, plan_python
from dockerbuild_lib.plan.plan import Plan
from dockerbuild_lib.plan.products import PythonWork, WheelWork
from dockerbuild_lib.plan.request import ImageRequest
from dockerbuild_lib.sources.backends import HereWheel
from dockerbuild_lib.wheels.backends import ContainedBackends
from dockerbuild_lib.wheels.entrypoint import image_files


def open_backends(session: Session, catalog: Catalog) -> ContainedBackends:
    """Return the backends; *catalog* has the locked tools that the image is made with.

    Raises:
        EngineUnavailableError, EnginePermissionError: there is no engine, and none can be had.
        LockError: the tools are not locked.
        DockerbuildError: the image cannot be made.

    """

    def build_here(wheel: WheelWork) -> HereWheel:
        _run(session, plan_here(wheel, GoalMaker(catalog, image_files), session.inventory))
        result = session.area.result(wheel)
        return HereWheel(wheel.distribution, wheel.version, result.wheel, result.sha256)

    def python_tar(work: PythonWork) -> Path:
        _run(session, plan_python(work, GoalMaker(catalog, image_files), session.inventory))
        return session.workbench().python_tar(work)

    ensure_engine(os.environ, lambda: session.settings.root, say=say)
    _run(session, plan_images(ImageRequest((catalog.build_platform,)), catalog, session.inventory, image_files))
    goals = GoalMaker(catalog, image_files)
    engine, limits, trees, fetch = session.engine, session.limits, session.trees, session.fetcher.fetch
    return ContainedBackends(engine, limits, trees, goals, fetch, build_here, python_tar)


def _run(session: Session, plan: Plan) -> None:
    run_plan(session, plan, lambda: session.workbench().perform, session.settings.jobs)
