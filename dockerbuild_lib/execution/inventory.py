"""What is there already: in the store, the work area and the engine."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from dockerbuild_lib.containers.engine import Engine
from dockerbuild_lib.containers.image_registry import ImageRegistry
from dockerbuild_lib.plan.inventory import PackageVersion, Published
from dockerbuild_lib.plan.keys import ContentKey
from dockerbuild_lib.plan.products import Goal, LibraryWork, PythonWork
from dockerbuild_lib.store.kept_pythons import KeptPythons
from dockerbuild_lib.store.protocol import EmbeddedStore, Store, TagQuery
from dockerbuild_lib.store.sources_packages import InternedSources
from dockerbuild_lib.wheels.results import WorkArea


@dataclass(frozen=True)
class RealInventory:
    """Answers the plan's questions; the engine is only asked when something must be built."""

    store: Store
    """Has the wheels."""
    sources: EmbeddedStore
    area: WorkArea
    engine: Engine
    registry: ImageRegistry | None = None

    def interned(self, sha256s: Collection[str]) -> frozenset[str]:
        """Return those files that the store holds."""
        return InternedSources(self.sources).interned(sha256s)

    def published(self, wanted: Collection[PackageVersion]) -> Mapping[PackageVersion, Published]:
        """Return what the store has of these versions: two questions to it, however many there are."""
        queries = {TagQuery(item.package, f"version:{item.version}"): item for item in wanted}
        pins = self.store.pins_by_tags(queries)
        tags = self.store.tags_of({pin for found in pins.values() for pin in found})
        return {
            queries[query]: Published(
                found[0].instance_id,
                frozenset(_values(tags[found[0]], "content_key")),
                frozenset(_values(tags[found[0]], "recipe_key")),
            )
            for query, found in pins.items()
        }

    def built(self, goal: Goal) -> tuple[ContentKey, ...]:
        """Return the keys of the goal's results in the work area."""
        return self.area.keys(goal)

    def library(self, work: LibraryWork) -> bool:
        """Tell whether the work area holds this library."""
        return self.area.library(work).exists()

    def python(self, work: PythonWork) -> bool:
        """Tell whether the store has this Python."""
        return KeptPythons(self.sources).holds(work)

    def image(self, key: str) -> bool:
        """Tell whether the engine holds the image with this key."""
        return self.engine.find_image(key) is not None

    def in_registry(self, platform: str, key: str) -> bool:
        """Tell whether the registry, where one is configured, has this image."""
        return self.registry is not None and self.registry.holds(platform, key)


def _values(tags: Collection[str], key: str) -> list[str]:
    return [tag.partition(":")[2] for tag in tags if tag.startswith(f"{key}:")]
