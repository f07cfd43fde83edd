"""Content keys: what can change a step's result, hashed. This file alone says what enters one.

A key has two halves. The recipe half is what the catalogue says about the thing itself; the environment half
is where it is made. Never in a key: jobs, executor, store, log level, comments and positions in YAML, checks and
trials (they judge a result and do not change it). A source is its sha256: wherever it comes from, and under
whichever name, the same bytes give the same result.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from dockerbuild_lib.catalog.base import Model
from dockerbuild_lib.catalog.libraries import Library
from dockerbuild_lib.catalog.locks import CratesArchive, IndexFile, LockedFile
from dockerbuild_lib.catalog.machines import ImageRecipe, PythonUpstream, Toolchain
from dockerbuild_lib.catalog.wheels import BuiltWheel, PureWheel, SourceWheel, UniversalWheel, VersionRecipe, Wheel
from dockerbuild_lib.plan.naming import universal_filename

RECIPE_SCHEMA = 2
"""Raise it when the code that builds wheels changes what comes out of the same recipe."""

LIBRARY_SCHEMA = 3
"""As RECIPE_SCHEMA, of the code that builds libraries."""
_LIBRARY_PARTS = ("build_system", "subfolder", "configure", "environment", "autoreconf", "revision")

UPSTREAM_BASE_SCHEMA = 1
"""Raise it when the code that makes bases from upstream's images changes what comes out of the same recipe."""


@dataclass(frozen=True)
class ContentKey:
    """The identity of a result: sha256 in hexadecimal of its recipe, and of its environment."""

    recipe: str
    environment: str

    @property
    def full(self) -> str:
        """Both halves in one sha256: the ``content_key`` tag of packages."""
        return digest({"recipe": self.recipe, "environment": self.environment})


def digest(value: object) -> str:
    """Return the sha256 of a value made of JSON's types and models, the same on every machine."""
    text = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=True, default=_plain)
    return hashlib.sha256(text.encode()).hexdigest()


def _plain(value: object) -> object:
    if isinstance(value, Model):
        return value.model_dump(mode="json")
    raise TypeError(f"a content key cannot hold {type(value).__name__}")


def base_key(recipe: ImageRecipe, upstream: str | None = None) -> str:
    """Return the key of a base image; *upstream* is the digest of the image that it starts from, if any."""
    started = {"upstream": upstream, "schema": UPSTREAM_BASE_SCHEMA} if upstream else {}
    return digest({"suite": recipe.suite, "packages": sorted(recipe.base_packages), **started})


def image_key(
    base: str, files: Mapping[str, str], tools: Sequence[IndexFile], added: Mapping[str, Sequence[str]]
) -> str:
    """Return the key of an image: its base, every file of its recipe (the Dockerfile too), its Python tools.

    *added* is what is added to it: path -> what lies there.
    """
    parts = {"base": base, "files": dict(files), "tools": sorted(tool.sha256 for tool in tools)}
    return digest({**parts, **_present(added=dict(added))})


def environment_key(  # noqa: PLR0913 - this is what an environment is
    image: str,
    toolchain_name: str,
    toolchain: Toolchain,
    python: str | None,
    *,
    here: Iterable[str] = (),
    pythons: Sequence[str] = (),
) -> str:
    """Return where something is built: image, toolchain, and the target's Python (None for libraries).

    *here* are the environments of those build requirements that are built by this catalogue; *pythons* the keys of
    the Pythons that were built from source: what runs there, and what is built for.
    """
    parts = {"image": image, "toolchain": [toolchain_name, toolchain], "python": python}
    return digest({**parts, **_present(here=sorted(set(here)), pythons=list(pythons))})


def library_recipe_key(library: Library, source: LockedFile, libraries: Mapping[str, str]) -> str:
    """Return the recipe half of a library; *libraries* are those that it is built with, name -> recipe key."""
    return digest(
        {
            "schema": LIBRARY_SCHEMA,
            "source": source.sha256,
            "recipe": library.model_dump(mode="json", include=set(_LIBRARY_PARTS)),
            "libraries": dict(libraries),
        }
    )


def python_recipe_key(upstream: PythonUpstream, source: LockedFile, libraries: Mapping[str, str]) -> str:
    """Return the recipe half of a Python that is built from source; *libraries* are name -> recipe key."""
    unusual = {"free-threaded": True} if upstream.free_threaded else {}
    return digest({"schema": RECIPE_SCHEMA, "source": source.sha256, "libraries": dict(libraries), **unusual})


def wheel_recipe_key(  # noqa: PLR0913 - these are what a wheel is made from
    distribution: str,
    recipe: BuiltWheel,
    version: VersionRecipe,
    *,
    source: LockedFile,
    build_requires: Sequence[IndexFile],
    patches: Sequence[tuple[str, str]],
    libraries: Mapping[str, str],
    here: Mapping[str, str],
    crates: CratesArchive | None,
    glibc: str | None,
    unusual: Mapping[str, object],
) -> str:
    """Return the recipe half of a wheel.

    *patches* are (name, sha256) in order, *libraries* name -> recipe key, *here* distribution -> recipe key of those
    build requirements that are built by this catalogue, *glibc* what the recipe names instead of the toolchain's,
    *unusual* what :func:`unusual_names` says.
    """
    return digest(
        {
            "schema": RECIPE_SCHEMA,
            "distribution": distribution,
            "source": source.sha256,
            "revision": version.revision,
            "environment": {**recipe.environment, **version.environment},
            "config-settings": recipe.config_settings,
            "build-requires": sorted(file.sha256 for file in build_requires),
            "patches": list(patches),
            "libraries": dict(libraries),
            **_present(here=dict(here), crates=crates.sha256 if crates else None, glibc=glibc),
            **unusual,
        }
    )


def requirements_key(
    recipe: BuiltWheel,
    version: VersionRecipe,
    *,
    source: LockedFile,
    patches: Sequence[tuple[str, str]],
    here: Mapping[str, Mapping[str, str | None]],
) -> str:
    """Return what a wheel's build requirements were found out from; *patches* are (name, sha256) in order.

    *here* are distribution -> version -> the same key, for what is built by this catalogue.
    """
    compiled = recipe if isinstance(recipe, SourceWheel) else None
    return digest(
        {
            "source": source.sha256,
            "patches": list(patches),
            "build-requires": recipe.build_requires,
            "environment": {**recipe.environment, **version.environment},
            "config-settings": recipe.config_settings,
            "libraries": sorted(compiled.libraries) if compiled else [],
            "toolchain": compiled.toolchain if compiled else None,
            "here": {name: dict(versions) for name, versions in here.items()},
        }
    )


def _present(**parts: object) -> dict[str, object]:
    """Return what few results are made from where it is there: so the keys of all others need not know of it."""
    return {name: part for name, part in parts.items() if part}


def taken_recipe_key(
    distribution: str, version: VersionRecipe, source: IndexFile, unusual: Mapping[str, object]
) -> str:
    """Return the recipe half of a wheel that is published as it is; *unusual* is as for one that is built."""
    return digest({"distribution": distribution, "source": source.sha256, "revision": version.revision, **unusual})


def unusual_names(
    distribution: str, recipe: Wheel, version: str, platform: str | None, packaged_filename: str
) -> Mapping[str, object]:
    """Return what of a wheel's names and tags enters its key: only what its recipe makes unusual, as few do."""
    version_recipe = recipe.versions[version]
    usual = packaged_filename
    if not isinstance(recipe, UniversalWheel):
        usual = universal_filename(distribution, version, "py3" if isinstance(recipe, PureWheel) else "py2.py3")
    parts = {
        "suffix": version_recipe.suffix,
        "tags": version_recipe.tags.get(platform) if platform else None,
        "packaged": packaged_filename if packaged_filename != usual else None,
    }
    return {part: value for part, value in parts.items() if value is not None}


NO_ENVIRONMENT = digest(None)
"""The environment half of what is not built at all."""
