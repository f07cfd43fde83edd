"""Collects the steps of a plan, from what is wanted backwards: what is there already ends the way."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from dockerbuild_lib.core.errors import VersionConflictError
from dockerbuild_lib.plan import step_names as names
from dockerbuild_lib.plan.fetches import Fetches
from dockerbuild_lib.plan.goals import GoalMaker
from dockerbuild_lib.plan.inventory import Inventory, Published
from dockerbuild_lib.plan.judge import PlannedGoal
from dockerbuild_lib.plan.keys import ContentKey
from dockerbuild_lib.plan.plan import PlannedStep
from dockerbuild_lib.plan.products import (
    ForeignWork,
    Goal,
    LibraryWork,
    PrebuiltWork,
    Pythons,
    PythonWork,
    TriedWork,
    UniversalWork,
    WheelWork,
)
from dockerbuild_lib.plan.request import LibraryRequest
from dockerbuild_lib.plan.steps import (
    BaseWork,
    BuildWork,
    CheckWork,
    ImageWork,
    PackageWork,
    PublishLibraryWork,
    PublishWork,
    PullWork,
    PushWork,
    Status,
    Step,
    TrialWork,
    Work,
)

BUILT_WITH = "others are built with it"
_WEIGHTS = {BuildWork: 20, TrialWork: 3}
"""Seconds that a step of a kind is expected to take, where it is more than one."""


@dataclass
class Planner:
    """Collects the steps behind goals that are to do; what is there already ends the way backwards."""

    maker: GoalMaker
    inventory: Inventory
    fresh_images: bool = False
    steps: dict[str, PlannedStep] = field(default_factory=dict)
    fetches: Fetches = field(default_factory=Fetches)

    def add_goal(self, planned: PlannedGoal) -> None:
        """Add a wheel, and where it is to do all that it takes."""
        goal = planned.goal
        if planned.status is not Status.TO_DO:
            step = Step(names.goal(goal), names.goal(goal), goal.key.full, (), 0, PackageWork(goal))
            self._put(step, planned.status, planned.why)
            return
        built = planned.key is not None
        needs = () if built else self._result(goal, planned.why)
        if planned.publish:
            why = planned.why if built else "after its packaging"
            self._add(names.publish(goal), goal.key, needs, PublishWork(planned.result), why)

    def _result(self, goal: Goal, why: str) -> tuple[str, ...]:
        needs = self._needs(goal, why)
        after = f"after its check; {goal.untried}" if isinstance(goal, ForeignWork) else "after its checks"
        return (self._add(names.package(goal), goal.key, needs, PackageWork(goal), after),)

    def _needs(self, goal: Goal, why: str) -> tuple[str, ...]:
        match goal:
            case WheelWork():
                return self._wheel(goal, why)
            case PrebuiltWork():
                pythons = self._pythons(Pythons(target=goal.pythons.target))
                needs = (self._check_of_taken(goal, why), self.image(goal.workshop.platform_name), *pythons)
                return (self._trial(goal, needs),)
            case ForeignWork():
                return (self._check_of_taken(goal, why),)
            case UniversalWork():
                return (self.fetches.add(goal.source),)

    def _check_of_taken(self, goal: PrebuiltWork | ForeignWork, why: str) -> str:
        return self._add(names.check(goal), goal.key, (self.fetches.add(goal.source),), CheckWork(goal), why)

    def _trial(self, goal: TriedWork, needs: Iterable[str]) -> str:
        used = [self.finished(required, "the trial of another uses it") for required in goal.trial_requires]
        return self._add(names.trial(goal), goal.key, (*needs, *used), TrialWork(goal), "after its check")

    def _wheel(self, wheel: WheelWork, why: str) -> tuple[str, ...]:
        crates = (wheel.crates,) if wheel.crates else ()
        needs = [self.fetches.add(file) for file in (wheel.source, *crates, *wheel.build_requires)]
        needs.append(self.image(wheel.workshop.platform_name))
        needs += [self.library(library) for library in wheel.libraries]
        needs += [self.finished(required, BUILT_WITH) for required in wheel.here]
        needs += self._pythons(wheel.pythons)
        build = self._add(names.build(wheel), wheel.key, needs, BuildWork(wheel), why)
        check = self._add(names.check(wheel), wheel.key, (build,), CheckWork(wheel), "after its build")
        return (self._trial(wheel, (check,)),)

    def finished(self, goal: Goal, why: str) -> str:
        """Add a wheel that others need, and what it is made from where the work area does not have it; *why* then."""
        name = names.package(goal)
        if name not in self.steps:
            if goal.key in self.inventory.built(goal):
                step = Step(name, name, goal.key.full, (), 0, PackageWork(goal))
                self._put(step, Status.HIT, "built; its wheel is in the work area")
            else:
                self._result(goal, why)
        return name

    def image(self, platform: str) -> str:
        """Add a platform's image; where the engine does not hold it, also where it comes from."""
        work = self.maker.image(platform)
        name = names.image(platform)
        if name not in self.steps:
            status, why = self._judge_image(work.key)
            if status is Status.HIT:
                self._put(Step(name, name, work.key, (), 0, work), status, why)
            elif not self.fresh_images and self.inventory.in_registry(platform, work.key):
                self._put(Step(name, name, work.key, (), 60, PullWork(platform, work.key)), status, "in the registry")
            else:
                self._put(Step(name, name, work.key, self._image_needs(work), 120, work), status, why)
        return name

    def upload_image(self, platform: str) -> None:
        """Add the upload of a platform's image; where the registry has it, nothing must be done for that."""
        key, name = self.maker.image(platform).key, names.upload(platform)
        there = not self.fresh_images and self.inventory.in_registry(platform, key)
        needs = () if there else (self.image(platform),)
        status, why = (Status.HIT, "in the registry") if there else (Status.TO_DO, "not in the registry yet")
        self._put(Step(name, name, key, needs, 60, PushWork(platform, key)), status, why)

    def _judge_image(self, key: str) -> tuple[Status, str]:
        if self.fresh_images:
            return Status.TO_DO, "a rebuild was asked for"
        if self.inventory.image(key):
            return Status.HIT, "the engine holds it"
        return Status.TO_DO, "the engine does not hold it"

    def _image_needs(self, work: ImageWork) -> tuple[str, ...]:
        files = (*work.tools, *(source.file for source in work.added.sources))
        return (self._base(self.maker.base(work.platform_name)), *(self.fetches.add(file) for file in files))

    def _base(self, work: BaseWork) -> str:
        name = names.base(work)
        self._put(Step(name, name, work.key, (), 30, work), *self._judge_image(work.key))
        return name

    def library(self, work: LibraryWork, *, rebuild: bool = False) -> str:
        """Add a library; where the work area does not have it, also all that it is built with."""
        name = names.library(work)
        if name not in self.steps:
            there = not rebuild and self.inventory.library(work)
            needs = () if there else self._library_needs(work)
            why = "built" if there else "not built from this recipe in this environment"
            step = Step(name, name, work.key.full, needs, 30, work)
            self._put(step, Status.HIT if there else Status.TO_DO, "a rebuild was asked for" if rebuild else why)
        return name

    def _library_needs(self, work: LibraryWork) -> tuple[str, ...]:
        libraries = tuple(self.library(needed) for needed in reversed(work.libraries))
        return (self.fetches.add(work.source), self.image(work.workshop.platform_name), *libraries)

    def add_library(self, work: LibraryWork, request: LibraryRequest, published: Published | None) -> None:
        """Add a library that was asked for, and with ``upload`` its publishing.

        Raises:
            VersionConflictError: its version is published from another recipe.

        """
        name = names.publish_library(work)
        is_published = published is not None and work.key.recipe in published.recipe_keys
        if request.upload and published and not is_published:
            what = f"{names.library(work)} is published as {published.instance_id} from another recipe"
            raise VersionConflictError(what, fix="raise revision in its recipe to publish it again")
        if request.upload and published and not request.rebuild:
            step = Step(name, name, work.key.full, (), 0, PublishLibraryWork(work))
            self._put(step, Status.HIT, f"published as {published.instance_id}")
            return
        needs = (self.library(work, rebuild=request.rebuild),)
        if request.upload:
            self._add(name, work.key, needs, PublishLibraryWork(work), "not published yet")

    def _pythons(self, pythons: Pythons) -> list[str]:
        return [self.python(work) for work in pythons.works]

    def python(self, work: PythonWork) -> str:
        """Add a Python that is built from source; where the store lacks it, also all that it is built with."""
        name = names.python(work)
        if name not in self.steps:
            there = self.inventory.python(work)
            needs = () if there else self._python_needs(work)
            why = "the store has it" if there else "the store does not have it"
            step = Step(name, name, work.key.full, needs, 240, work)
            self._put(step, Status.HIT if there else Status.TO_DO, why)
        return name

    def _python_needs(self, work: PythonWork) -> tuple[str, ...]:
        others = [self.library(library) for library in work.libraries]
        others += [self.python(work.build_python)] if work.build_python else []
        return (self.fetches.add(work.source), self.image(work.workshop.platform_name), *others)

    def _add(self, name: str, key: ContentKey, needs: Iterable[str], work: Work, why: str) -> str:
        weight = _WEIGHTS.get(type(work), 1)
        self._put(Step(name, name, key.full, tuple(dict.fromkeys(needs)), weight, work), Status.TO_DO, why)
        return name

    def _put(self, step: Step, status: Status, why: str) -> None:
        self.steps[step.id] = PlannedStep(step, status, why)

    def finish(self) -> tuple[PlannedStep, ...]:
        """Ask for all files at once, and return every step, what is needed before what needs it."""
        return (*self.fetches.steps(self.inventory), *self.steps.values())
