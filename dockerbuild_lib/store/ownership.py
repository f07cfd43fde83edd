"""One owner for each version and for each wheel's name: what a publication must not take from another instance."""

from __future__ import annotations

from collections.abc import Collection

from dockerbuild_lib.core.errors import VersionConflictError
from dockerbuild_lib.store.index import IndexReader
from dockerbuild_lib.store.protocol import Pin, Publication
from dockerbuild_lib.store.wheel_file import WheelFacts

_RECIPE, _CONTENT = "recipe_key:", "content_key:"
_FIX = "raise `revision` of this version in its recipe"


def check_free(index: IndexReader, publication: Publication, instance_id: str, wheel: WheelFacts | None) -> None:
    """Refuse a publication whose unique tag, or whose wheel's name, belongs to other bytes.

    Raises:
        VersionConflictError: it does; the message names the owner and what it was made from.

    """
    if publication.unique_tag:
        _check_tag_is_free(index, publication, publication.unique_tag, instance_id)
        _check_recipe_is_that_of_the_lost(index, publication, publication.unique_tag, instance_id)
    owner = index.wheels.owner_of_other_bytes(wheel) if wheel else None
    if wheel and owner:
        raise VersionConflictError(
            f"a wheel {wheel.filename} with other contents is already published with {owner}",
            where=publication.package,
            fix=_FIX,
        )


def _check_tag_is_free(index: IndexReader, publication: Publication, tag: str, instance_id: str) -> None:
    owners = [pin for pin in index.search(publication.package, [tag]) if pin.instance_id != instance_id]
    if owners:
        raise _conflict(publication, tag, owners[0], index.tags(owners[0]))


def _check_recipe_is_that_of_the_lost(index: IndexReader, publication: Publication, tag: str, instance_id: str) -> None:
    """Refuse another recipe for a version whose owner is in quarantine: it was published all the same.

    From the same recipe the version may be made anew, also with other bytes.
    """
    for lost, tags in index.quarantine.tags_of_owners(publication.package, tag).items():
        if lost != instance_id and _origin(publication.all_tags, tags) != _SAME_RECIPE:
            raise _conflict(publication, tag, Pin(publication.package, lost), tags)


_SAME_RECIPE = "from the same recipe in another environment"
_OTHER_RECIPE = "from another recipe"
_UNKNOWN = "with other contents"


def _origin(tags: Collection[str], owners_tags: Collection[str]) -> str:
    """Say what the owner of a version was made from, compared with what comes now."""
    own, owners = ({tag for tag in each if tag.startswith(_RECIPE)} for each in (tags, owners_tags))
    if not own or not owners:
        return _UNKNOWN
    return _SAME_RECIPE if own & owners else _OTHER_RECIPE


def _conflict(publication: Publication, tag: str, owner: Pin, owners_tags: Collection[str]) -> VersionConflictError:
    keys = [each for each in owners_tags if each.startswith(_CONTENT)]
    made_from = f" ({keys[0]})" if keys else ""
    origin = _origin(publication.all_tags, owners_tags)
    return VersionConflictError(
        f"{tag} is already published as instance {owner.instance_id}{made_from}, {origin}; it stays as it is",
        where=publication.package,
        fix=_FIX,
    )
