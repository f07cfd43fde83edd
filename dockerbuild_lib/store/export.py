"""Packages taken out of a store for ``cipd`` clients that reach no service.

wheels.ensure                what to deploy
wheels.versions              which instance each version means
instances/<instance id>      the package files, when they are copied too
"""

from __future__ import annotations

import fnmatch
import shutil
import tempfile
from collections.abc import Iterable, Sequence
from pathlib import Path

from dockerbuild_lib.core.errors import NotInStoreError, StoreDamagedError, UsageError
from dockerbuild_lib.core.files import translated_os_errors, write_atomic
from dockerbuild_lib.store.ensure_files import Deployment, ensure_file, versions_file
from dockerbuild_lib.store.names import instance_id_of_file
from dockerbuild_lib.store.package_file import read_package
from dockerbuild_lib.store.protocol import Pin, Store

ENSURE_FILE = "wheels.ensure"
VERSIONS_FILE = "wheels.versions"
INSTANCES = "instances"


def select_deployments(
    store: Store, wanted: Iterable[tuple[str, str]], platforms: Sequence[str]
) -> tuple[Deployment, ...]:
    """Return what the *wanted* pairs of a package and a version mean, on these *platforms*; none: on all.

    A package may be a pattern: then those of its packages that have the version are meant. Packages that
    are for no platform in particular are for all.

    Raises:
        NotInStoreError: a package, or its version, is not there.
        UsageError: nothing is left, or two packages of one platform would deploy the same file.

    """
    known = store.packages()
    found: dict[str, Deployment] = {}
    for pattern, version in wanted:
        for deployment in matching(store, known, pattern, version):
            if found.setdefault(deployment.pin.package, deployment) != deployment:
                raise UsageError(f"{deployment.pin.package} is asked for in two versions", where="--package")
    chosen = tuple(each for each in found.values() if _is_on(each.platform, platforms))
    if not chosen:
        raise UsageError("no package is left to export", where="--platform", fix=_platforms_told(found.values()))
    _refuse_collisions(store, chosen)
    return chosen


def matching(store: Store, known: Sequence[str], pattern: str, version: str) -> tuple[Deployment, ...]:
    """Return what a package and a version mean; of a pattern, those of the *known* packages that have the version.

    Raises:
        NotInStoreError: there is none.

    """
    if not any(special in pattern for special in "*?["):
        return (Deployment(store.resolve(pattern, version), version),)
    packages = [name for name in known if fnmatch.fnmatchcase(name, pattern)]
    having = [name for name in packages if store.exists(name, version)]
    if not having:
        raise NotInStoreError(
            f"of {len(packages)} packages that match {pattern!r}, none has the version {version}",
            where="--package",
            fix="store.list shows the packages and their versions",
        )
    return tuple(Deployment(store.resolve(name, version), version) for name in having)


def _is_on(platform: str | None, wanted: Sequence[str]) -> bool:
    return platform is None or not wanted or any(fnmatch.fnmatchcase(platform, pattern) for pattern in wanted)


def _platforms_told(deployments: Iterable[Deployment]) -> str:
    return f"the packages are for {', '.join(sorted({str(each.platform) for each in deployments}))}"


def _refuse_collisions(store: Store, deployments: Sequence[Deployment]) -> None:
    for platform in {each.platform for each in deployments}:
        owners: dict[str, Pin] = {}
        for deployment in deployments:
            if deployment.platform not in (platform, None):
                continue
            for name in _member_names(store, deployment.pin):
                if name in owners:
                    raise UsageError(
                        f"{owners[name]} and {deployment.pin} would both deploy {name}",
                        fix="export the packages of one Python, and one version of each",
                    )
                owners[name] = deployment.pin


def _member_names(store: Store, pin: Pin) -> list[str]:
    with store.opened(pin) as file:
        return [member.name for member in read_package(file).members]


def export_deployments(store: Store, deployments: Sequence[Deployment], folder: Path, *, copy: bool) -> None:
    """Write the files for *deployments* into *folder*, which must be absent or empty: all of them or nothing.

    Every package file is read and checked first, for a client never checks what lies in its cache.

    Raises:
        StoreDamagedError: a package file is damaged.
        UsageError: *folder* holds something already.
        NoSpaceError, PermissionDeniedError: *folder* cannot be written.

    """
    if folder.exists() and not (folder.is_dir() and not any(folder.iterdir())):
        raise UsageError("the folder to export to is not empty", where=str(folder), fix="name a new one")
    with translated_os_errors(folder):
        folder.parent.mkdir(parents=True, exist_ok=True)
        staging = Path(tempfile.mkdtemp(prefix=f".{folder.name}.", suffix=".tmp", dir=folder.parent))
        try:
            tree = staging / "tree"
            tree.mkdir()
            for deployment in deployments:
                _bring(store, deployment.pin, tree / INSTANCES if copy else None)
            write_atomic(tree / VERSIONS_FILE, versions_file(deployments))
            write_atomic(tree / ENSURE_FILE, ensure_file(deployments, VERSIONS_FILE))
            tree.rename(folder)
        finally:
            shutil.rmtree(staging)


def _bring(store: Store, pin: Pin, instances: Path | None) -> None:
    """Copy a package file to the folder *instances*, or where there is none only check it."""
    if instances:
        store.fetch(pin, instances / pin.instance_id)
        return
    with store.opened(pin) as file:
        if instance_id_of_file(file) != pin.instance_id:
            raise StoreDamagedError(f"the instance {pin} has other bytes than its name says", fix="publish it again")
