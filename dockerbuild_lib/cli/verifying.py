"""Reproducibility: a wheel is built again under other conditions and compared with the first."""

from __future__ import annotations

import sys
from dataclasses import replace

from dockerbuild_lib.cli.running import run_plan, run_plan_steps
from dockerbuild_lib.cli.session import Session
from dockerbuild_lib.core.errors import NotReproducibleError, UsageError
from dockerbuild_lib.core.events import ProgressLog
from dockerbuild_lib.execution.workbench import Workbench
from dockerbuild_lib.plan import step_names
from dockerbuild_lib.plan.products import WheelWork
from dockerbuild_lib.plan.request import Request
from dockerbuild_lib.plan.steps import BuildWork, Step
from dockerbuild_lib.report.streams import write_result
from dockerbuild_lib.wheels.compare import compare_wheels
from dockerbuild_lib.wheels.environment import Conditions

OTHER_CONDITIONS = Conditions(hostname="elsewhere", time_zone="Asia/Kathmandu", umask="077", cpus="0")
"""All that may differ between two machines; the host's path never enters a container at all."""


def verify_wheels(session: Session, request: Request, jobs: int) -> None:
    """Build the request's wheels again, and compare.

    Those that are not in the work area as built from today's recipe and environment are built there first, with what
    the catalogue builds for them.

    Raises:
        NotReproducibleError: a wheel differs; the message says in which member and how.

    """
    plan = session.plan(request)
    wheels = [planned.goal for planned in plan.goals if isinstance(planned.goal, WheelWork)]
    taken = [step_names.goal(planned.goal) for planned in plan.goals if not isinstance(planned.goal, WheelWork)]
    if not wheels:
        what = "no wheel of this selection is built from source: there is nothing to build again"
        raise UsageError(what, fix=f"the package index has: {', '.join(taken)}")
    needed = [one for wheel in wheels for one in (wheel, *wheel.here)]
    if any(one.key not in session.area.keys(one) for one in needed):
        plan = session.plan(replace(request, rebuild=True))
    bench = session.workbench()
    run_plan(session, plan, lambda: bench.perform, jobs)

    def perform(step: Step, log: ProgressLog) -> str:
        assert isinstance(step.work, BuildWork)  # noqa: S101 - so they are made below
        return _verify(bench, step.work.wheel, log)

    run_plan_steps(session, [_step(wheel) for wheel in wheels], perform, jobs)
    lines = [f"{step_names.goal(wheel)}: identical" for wheel in wheels]
    lines += [f"{name}: not built, but taken from the package index" for name in taken]
    write_result(sys.stdout, "\n".join(lines))


def _step(wheel: WheelWork) -> Step:
    name = f"verify {step_names.goal(wheel)}"
    return Step(name, name, wheel.key.full, (), 20, BuildWork(wheel))


def _verify(bench: Workbench, wheel: WheelWork, log: ProgressLog) -> str:
    first = bench.area.result(wheel)
    folder = bench.area.empty(bench.area.root / "staging" / f"verify-{wheel.key.full}")
    second = bench.build(wheel, folder, log, OTHER_CONDITIONS).wheel
    differences = compare_wheels(first.wheel, second)
    if second.name != first.wheel.name or differences:
        told = "\n".join(str(difference) for difference in differences)
        raise NotReproducibleError(f"built again, it differs:\n{told}", where=first.wheel.name)
    bench.area.remove(folder)
    return f"identical, sha256 {first.sha256}"
