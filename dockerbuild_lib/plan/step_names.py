"""How steps are called: in plans, progress and log files."""

from __future__ import annotations

from dockerbuild_lib.catalog.locks import DebianFile, IndexFile, LockedFile
from dockerbuild_lib.plan.products import CheckedWork, Goal, LibraryWork, PythonWork, TriedWork, WheelWork, place_of
from dockerbuild_lib.plan.steps import BaseWork


def goal(goal: Goal) -> str:
    """Name a wheel: ``markupsafe 3.0.4 linux-arm64-py3.11``."""
    return f"{goal.distribution} {goal.version_text} {place_of(goal)}"


def fetch(file: LockedFile) -> str:
    """Name the fetching of a file; where its name is one that this project gave it, others may bear it too."""
    given = not isinstance(file, (IndexFile, DebianFile))
    return f"fetch {file.filename} {file.sha256[:12]}" if given else f"fetch {file.filename}"


def base(work: BaseWork) -> str:
    """Name the making of a base image."""
    return f"base {work.upstream.reference if work.upstream else work.recipe.suite}"


def image(platform: str) -> str:
    """Name the making of a platform's image."""
    return f"image {platform}"


def upload(platform: str) -> str:
    """Name the uploading of a platform's image."""
    return f"upload image {platform}"


def library(work: LibraryWork) -> str:
    """Name the building of a library."""
    shop = work.workshop
    toolchain = "" if shop.toolchain_name == shop.platform.toolchain else f" {shop.toolchain_name}"
    return f"library {work.name} {shop.platform_name}{toolchain}"


def publish_library(work: LibraryWork) -> str:
    """Name the publishing of a library."""
    return f"publish {library(work)}"


def python(work: PythonWork) -> str:
    """Name the building of a Python."""
    return f"python {work.name} {work.workshop.platform_name}"


def build(wheel: WheelWork) -> str:
    """Name the building of a wheel."""
    return f"build {goal(wheel)}"


def check(wheel: CheckedWork) -> str:
    """Name the checking of a wheel."""
    return f"check {goal(wheel)}"


def trial(wheel: TriedWork) -> str:
    """Name the trial of a wheel."""
    return f"trial {goal(wheel)}"


def package(of: Goal) -> str:
    """Name the packaging of a wheel."""
    return f"package {goal(of)}"


def publish(of: Goal) -> str:
    """Name the publishing of a wheel."""
    return f"publish {goal(of)}"
