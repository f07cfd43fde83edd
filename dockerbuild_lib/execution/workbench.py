"""Carries out steps: each kind of work goes to its room, results lie where their content keys say."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from dockerbuild_lib.catalog.catalog import patch_path
from dockerbuild_lib.catalog.platform_tags import accepted_tags, claimable_tags
from dockerbuild_lib.catalog.wheels import PureWheel
from dockerbuild_lib.core.errors import DockerbuildError
from dockerbuild_lib.core.events import ProgressLog
from dockerbuild_lib.core.files import write_atomic
from dockerbuild_lib.images.generate import ImageMaker
from dockerbuild_lib.plan.naming import python_tags
from dockerbuild_lib.plan.products import (
    CheckedWork,
    ForeignWork,
    Goal,
    LibraryWork,
    PrebuiltWork,
    Pythons,
    PythonWork,
    UniversalWork,
    WheelWork,
)
from dockerbuild_lib.plan.steps import (
    BaseWork,
    BuildWork,
    CheckWork,
    FetchWork,
    ImageSteps,
    ImageWork,
    LibrarySteps,
    MirrorWork,
    PackageWork,
    PublishLibraryWork,
    PublishWork,
    PullWork,
    PushWork,
    Step,
    TrialWork,
)
from dockerbuild_lib.sources.intern import SourceFetcher
from dockerbuild_lib.store.kept_pythons import KeptPythons
from dockerbuild_lib.wheels.build import BuildOutcome, RequiredWheel, WheelBuilder, WheelInputs
from dockerbuild_lib.wheels.environment import DEFAULT_CONDITIONS, Conditions
from dockerbuild_lib.wheels.gate import WheelExpectation, check_wheel
from dockerbuild_lib.wheels.library import LibraryBuilder, LibraryInputs
from dockerbuild_lib.wheels.packaging import Publisher, package_wheel
from dockerbuild_lib.wheels.python import PythonBuilder, PythonInputs
from dockerbuild_lib.wheels.results import SOURCE_TREE, WorkArea
from dockerbuild_lib.wheels.trial import Trial


@dataclass(frozen=True)
class Workbench:
    """The rooms that carry out steps. Every step can run twice: it makes its result anew, whole or not at all."""

    config_dir: Path
    area: WorkArea
    fetcher: SourceFetcher
    images: ImageMaker
    libraries: LibraryBuilder
    python_builder: PythonBuilder
    kept_pythons: KeptPythons
    wheels: WheelBuilder
    trial: Trial
    publisher: Publisher
    fresh_images: bool = False

    def perform(self, step: Step, log: ProgressLog) -> str:  # noqa: PLR0911 - one per kind of work
        """Carry out a step; return its result in a few words."""
        match step.work:
            case FetchWork(file):
                return str(self.fetcher.fetch(file, log).stat().st_size) + " bytes"
            case MirrorWork() | BaseWork() | ImageWork() | PullWork() | PushWork() as work:
                return self._image(work, log)
            case LibraryWork() | PublishLibraryWork() as work:
                return self._library(work, log)
            case PythonWork() as work:
                return self._python(work, log)
            case BuildWork(wheel):
                staging = self.area.empty(self.area.staging(wheel))
                built = self.build(wheel, staging, log)
                write_atomic(staging / SOURCE_TREE, built.tree_sha256)
                return built.wheel.name
            case CheckWork(wheel):
                return self._check(wheel)
            case TrialWork(wheel):
                pythons = self._pythons(Pythons(target=wheel.pythons.target).works)
                used = tuple(self.area.result(required).wheel for required in wheel.trial_requires)
                self.trial.run(wheel, (self._candidate(wheel), *used), log, pythons)
                return "installed and used"
            case PackageWork(goal):
                result = package_wheel(goal, self._passed(goal), self.area)
                return str(result.wheel)
            case PublishWork(goal):
                return str(self.publisher.publish(goal, self.area.result(goal)))

    def _library(self, work: LibrarySteps, log: ProgressLog) -> str:
        match work:
            case LibraryWork():
                libraries = tuple(self.area.library(needed) for needed in work.libraries)
                inputs = LibraryInputs(self.fetcher.fetch(work.source, log), libraries)
                self.libraries.build(work, inputs, self.area.library(work), log)
                return self.area.library(work).name
            case PublishLibraryWork(library):
                return str(self.publisher.publish_library(library, self.area.library(library), self.libraries.trees))

    def _image(self, work: ImageSteps, log: ProgressLog) -> str:
        match work:
            case MirrorWork():
                return self.images.mirror_base(work, log)
            case BaseWork():
                return self.images.make_base(work, log, fresh=self.fresh_images)
            case ImageWork():
                tools = [self.fetcher.fetch(tool, log) for tool in work.tools]
                sources = {source.folder: self.fetcher.fetch(source.file, log) for source in work.added.sources}
                return self.images.make_image(work, tools, sources, log, fresh=self.fresh_images)
            case PullWork():
                return self.images.pull(work, log)
            case PushWork():
                return self.images.push(work, log)

    def build(
        self, wheel: WheelWork, target: Path, log: ProgressLog, conditions: Conditions = DEFAULT_CONDITIONS
    ) -> BuildOutcome:
        """Build a wheel into the folder *target*."""
        inputs = WheelInputs(
            source=self.fetcher.fetch(wheel.source, log),
            build_requires=tuple(self._required(wheel, log)),
            patches=tuple(patch_path(self.config_dir, wheel.distribution, wheel.version, p) for p in wheel.patches),
            libraries={library.name: self.area.library(library) for library in wheel.libraries},
            crates=self.fetcher.fetch(wheel.crates, log) if wheel.crates else None,
            pythons=self._pythons(wheel.pythons.works),
        )
        return self.wheels.build(wheel, inputs, target, log, conditions)

    def _required(self, wheel: WheelWork, log: ProgressLog) -> Iterator[RequiredWheel]:
        for pin in wheel.build_requires:
            yield RequiredWheel(pin.distribution, pin.version, pin.sha256, self.fetcher.fetch(pin, log))
        for built in wheel.here:
            result = self.area.result(built)
            yield RequiredWheel(built.distribution, built.version, result.sha256, result.wheel)

    def _python(self, work: PythonWork, log: ProgressLog) -> str:
        inputs = PythonInputs(
            source=self.fetcher.fetch(work.source, log),
            libraries={library.name: self.area.library(library) for library in work.libraries},
            build_python=self.python_tar(work.build_python) if work.build_python else None,
        )
        tar = self.area.python(work)
        self.python_builder.build(work, inputs, tar, log)
        return str(self.kept_pythons.keep(work, tar))

    def _pythons(self, works: Iterable[PythonWork]) -> dict[str, Path]:
        """Return the tars of Pythons by content key, out of the store where the work area has none yet."""
        return {work.key.full: self.python_tar(work) for work in works}

    def python_tar(self, work: PythonWork) -> Path:
        """Return the tar of a Python that the store has, or that was built here."""
        tar = self.area.python(work)
        if not tar.exists():
            self.kept_pythons.fetch(work, tar)
        return tar

    def _candidate(self, goal: Goal) -> Path:
        """Return the wheel that is to be checked, tried and packaged: what was built, else what the index has."""
        return self._staged(goal) if isinstance(goal, WheelWork) else self.fetcher.fetch(goal.source)

    def _staged(self, wheel: WheelWork) -> Path:
        found = sorted(self.area.staging(wheel).glob("*.whl"))
        if len(found) != 1:
            raise DockerbuildError("the built wheel is gone", where=str(self.area.staging(wheel)), fix="build it again")
        return found[0]

    def _check(self, wheel: CheckedWork) -> str:
        facts = check_wheel(self._candidate(wheel), expectation_of(wheel))
        needs = facts.system or f"glibc {facts.glibc or 'not needed'}"
        return f"{', '.join(facts.tags)}; {needs}" + (f"; {wheel.untried}" if isinstance(wheel, ForeignWork) else "")

    def _passed(self, goal: Goal) -> Path:
        wheel = self._candidate(goal)
        if isinstance(goal, UniversalWork):
            check_wheel(wheel, WheelExpectation(goal.distribution, goal.version, python="cp311"))
        return wheel


def expectation_of(wheel: CheckedWork) -> WheelExpectation:
    """Return what the gate must find."""
    if isinstance(wheel, ForeignWork):
        return WheelExpectation(
            distribution=wheel.distribution,
            version=wheel.version,
            python=wheel.target.python_tag,
            foreign=wheel.platform,
            platform_tags=accepted_tags(wheel.tags),
            extensions=wheel.extensions,
        )
    if isinstance(wheel.recipe, PureWheel):
        return WheelExpectation(
            distribution=wheel.distribution,
            version=wheel.version,
            python=wheel.target.python_tag,
            python_tags=python_tags(wheel.names.filename),
        )
    return WheelExpectation(
        distribution=wheel.distribution,
        version=wheel.version,
        python=wheel.target.python_tag,
        abi=None if wheel.target.abi_tag == wheel.target.python_tag else wheel.target.abi_tag,
        triple=wheel.workshop.platform.triple,
        # What is built here claims the platform's tags; others' wheels name older and newer systems too.
        platform_tags=claimable_tags(wheel.tags) if isinstance(wheel, PrebuiltWork) else wheel.tags,
        extensions=wheel.extensions,
        glibc_floor=wheel.glibc,
    )
