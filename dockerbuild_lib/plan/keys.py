"""Content keys: what can change a step's result, hashed. This file alone says what enters one.

A key has two halves. The recipe half is what the catalogue says about the thing itself; the environment half
is where it is made. Never in a key: jobs, executor, store, log level, comments and positions in YAML, checks and
trials (they judge a result and do not change it). A source is its sha256: wherever it comes from, and under
whichever name, the same bytes give the same result.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from dockerbuild_lib.catalog.base import Model
from dockerbuild_lib.catalog.locks import IndexFile, LockedFile
from dockerbuild_lib.catalog.machines import ImageRecipe, Library, Toolchain
from dockerbuild_lib.catalog.wheels import BuiltWheel, PureWheel, UniversalWheel, VersionRecipe, Wheel
from dockerbuild_lib.plan.naming import universal_filename

RECIPE_SCHEMA = 2
"""Raise it when the code that builds wheels or libraries changes what comes out of the same recipe."""

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


def image_key(base: str, files: Mapping[str, str], tools: Sequence[IndexFile]) -> str:
    """Return the key of an image: its base, every file of its recipe (the Dockerfile too), its Python tools."""
    return digest({"base": base, "files": dict(files), "tools": sorted(tool.sha256 for tool in tools)})


def environment_key(image: str, toolchain_name: str, toolchain: Toolchain, python: str | None) -> str:
    """Return where something is built: image, toolchain, and the target's Python (None for libraries)."""
    return digest({"image": image, "toolchain": [toolchain_name, toolchain], "python": python})


def library_recipe_key(library: Library, source: LockedFile) -> str:
    """Return the recipe half of a library."""
    return digest(
        {
            "schema": RECIPE_SCHEMA,
            "source": source.sha256,
            "configure": library.configure,
            "autoreconf": library.autoreconf,
            "revision": library.revision,
        }
    )


def wheel_recipe_key(  # noqa: PLR0913 - these are what a wheel is made from
    distribution: str,
    recipe: BuiltWheel,
    version: VersionRecipe,
    *,
    source: LockedFile,
    build_requires: Sequence[IndexFile],
    patches: Sequence[tuple[str, str]],
    libraries: Mapping[str, str],
    unusual: Mapping[str, object],
) -> str:
    """Return the recipe half of a wheel.

    *patches* are (name, sha256) in order, *libraries* name -> recipe key, *unusual* what :func:`unusual_names` says.
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
            **unusual,
        }
    )


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
