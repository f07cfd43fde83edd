"""Everything in the folder of a store compared with everything in its index, in both directions."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress

from dockerbuild_lib.core.errors import PermissionDeniedError
from dockerbuild_lib.store.folder import StoreFolder
from dockerbuild_lib.store.protocol import Damage, Part, Pin, PublishedWheel


class Verification:
    """Reads the packages below *prefix*, and without one everything else in *folder* too."""

    def __init__(self, folder: StoreFolder, prefix: str) -> None:
        self._folder = folder
        self._prefix = prefix

    def damages(self) -> tuple[Damage, ...]:
        """Return what is not as it must be; what others change meanwhile is never taken for damage."""
        with self._folder.reading() as index:
            found = [Damage(problem, part=Part.INDEX) for problem in index.problems()]
            sizes, wheels = index.sizes_below(self._prefix), index.wheels.all()
        found += self._of_wheels([wheel for wheel in wheels if wheel.pin in sizes])
        found += self._of_instances(sizes)
        return (*found, *(() if self._prefix else self._of_the_rest()))

    def _of_instances(self, sizes: Mapping[Pin, int]) -> Iterator[Damage]:
        files = self._folder.files
        if sizes and not files.folder.is_dir():
            yield Damage(f"{files.folder} is missing, and with it every package file", part=Part.INDEX)
            return
        for pin, size in sizes.items():
            problem = files.problem(pin.instance_id, pin.package, size)
            if problem and self._is_registered(pin):
                yield Damage(problem, (pin,))

    def _of_wheels(self, wheels: Iterable[PublishedWheel]) -> Iterator[Damage]:
        for wheel in wheels:
            problem = self._folder.simple.wheel_problem(wheel)
            if problem and self._is_published(wheel.filename):
                yield Damage(problem, (wheel.pin,), Part.WHEEL)

    def _is_registered(self, pin: Pin) -> bool:
        with self._folder.reading() as index:
            return index.is_registered(pin)

    def _is_published(self, filename: str) -> bool:
        with self._folder.reading() as index:
            return index.wheels.has(filename)

    def _of_the_rest(self) -> tuple[Damage, ...]:
        """Look at pages and files, and once more under the lock where something is amiss: it may only be on its way."""
        found = tuple(self._look_around())
        if found:
            with suppress(PermissionDeniedError), self._folder.locked():
                found = tuple(self._look_around())
        return found

    def _look_around(self) -> Iterator[Damage]:
        folder = self._folder
        with folder.reading() as index:
            wheels, instances = index.wheels.all(), index.instance_ids()
            known = {wheel.filename for wheel in wheels} | index.quarantine.wheels()
            unread = [name for name in index.wheels.stale() if index.wheels.lacks_facts(name)]
        for problem in folder.simple.page_problems(_by_project(wheels)):
            yield Damage(problem, part=Part.PAGE)
        for name in unread:
            yield Damage(f"the wheel {name} is missing, in the simple index and in its package", part=Part.WHEEL)
        for path in folder.files.strays(instances):
            yield Damage(f"{path} is no instance of any package", part=Part.STRAY)
        for path in folder.simple.strays(known.union(unread)):
            yield Damage(f"{path} belongs to no published wheel", part=Part.STRAY)
        for path in folder.staging.leftovers():
            yield Damage(f"{path} was left by a process that was stopped", part=Part.STRAY)


def _by_project(wheels: Iterable[PublishedWheel]) -> Mapping[str, list[PublishedWheel]]:
    projects: dict[str, list[PublishedWheel]] = {}
    for wheel in wheels:
        projects.setdefault(wheel.project, []).append(wheel)
    return projects
