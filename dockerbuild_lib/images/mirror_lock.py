"""``mirror.lock``: what upstream's tags are today, written to ``config/locks/bases.json``."""

from __future__ import annotations

from collections.abc import Callable, Collection

from dockerbuild_lib.catalog.catalog import Catalog
from dockerbuild_lib.catalog.image_references import ImageReference
from dockerbuild_lib.catalog.locks import BasesLock
from dockerbuild_lib.plan.mirror import UpstreamBase, upstream_bases
from dockerbuild_lib.sources.lock_changes import LockChange
from dockerbuild_lib.sources.lock_files import LockFolder, write_lock

_LOCK = "bases"


def lock_bases(
    catalog: Catalog,
    bases: Collection[UpstreamBase],
    digest_of: Callable[[ImageReference], str],
    *,
    update: bool,
) -> tuple[LockChange, ...]:
    """Lock those *bases* that have no pin, with *update* all of them anew; return what changed.

    Pins of what the catalogue no longer names are dropped. *digest_of* asks upstream; what is locked already and is
    not to be renewed is not asked for.

    Raises:
        DockerbuildError: what *digest_of* raises; then nothing is written.

    """
    old = catalog.locks.bases
    named = {str(base.reference) for base in upstream_bases(catalog, catalog.platforms)}
    digests = {reference: digest for reference, digest in old.digests.items() if reference in named}
    for base in bases:
        if update or base.digest is None:
            digests[str(base.reference)] = digest_of(base.reference)
    new = BasesLock(digests=digests)
    if new != old:
        write_lock(LockFolder(catalog.folder / "locks").bases, new)
    return tuple(
        LockChange(_LOCK, reference, old.digests.get(reference), new.digests.get(reference))
        for reference in sorted({*old.digests, *new.digests})
        if old.digests.get(reference) != new.digests.get(reference)
    )
