"""The store over a CIPD service, through the unmodified ``cipd`` client: publishing, and all that it stands on."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterable, Mapping
from pathlib import Path

from dockerbuild_lib.core.errors import NotInStoreError, StoreAmbiguousError, VersionConflictError
from dockerbuild_lib.core.files import translated_os_errors
from dockerbuild_lib.plan.refs import refs_of
from dockerbuild_lib.store.arrival import check_is_package_of, check_is_there
from dockerbuild_lib.store.cipd.client import TRANSFER_SECONDS, CipdClient
from dockerbuild_lib.store.cipd.packages import CipdPackages
from dockerbuild_lib.store.index_writer import check_publication
from dockerbuild_lib.store.locking import exclusive_lock
from dockerbuild_lib.store.names import VERSION_KEY, instance_id_of_file, version_of
from dockerbuild_lib.store.protocol import Instance, Pin, Publication, Published
from dockerbuild_lib.store.wheel_file import read_wheel


class CipdStore(CipdPackages):
    """The packages of a service. *folder* is this program's own: the client's cache of package files, and locks.

    The service changes nothing in one step: what a publication that was cut has not done, the next one does. And it
    lets two machines that publish a version at the same time both do so; the tag is ambiguous then, and said to be.
    """

    def __init__(self, client: CipdClient, folder: Path) -> None:
        super().__init__(client, folder / "cache")
        self._locks = folder / "locks"

    def close(self) -> None:
        """Do nothing: every command ends by itself."""

    def publish(self, publication: Publication) -> Published:
        """Register the instance, attach its tags, move the package's refs; a wheel is checked, but goes nowhere."""
        check_publication(publication)
        check_is_there(publication.file)
        check_is_package_of(publication.file, publication.package, publication.file)
        if publication.wheel:
            read_wheel(publication.wheel)
        pin = Pin(publication.package, instance_id_of_file(publication.file))
        with translated_os_errors(self._locks), exclusive_lock(self._lock_of(publication.package)):
            return self._publish(publication, pin)

    def _lock_of(self, package: str) -> Path:
        return self._locks / hashlib.sha256(package.encode()).hexdigest()

    def _publish(self, publication: Publication, pin: Pin) -> Published:
        known = self._known(pin.package)
        refs: Mapping[str, Pin] = {}
        if publication.unique_tag:
            owners = _owners(self.tags_of(instance.pin for instance, _ in reversed(known)))
            self._check_free(publication.unique_tag, owners, pin)
            current = {ref: instance.pin for instance, own in known for ref in own}
            refs = _moves(current, {**_owners({pin: publication.all_tags}), **owners})
        self._upload(publication, [ref for ref, target in refs.items() if target == pin])
        for target in dict.fromkeys(target for target in refs.values() if target != pin):
            self.set_refs(target, [ref for ref, to in refs.items() if to == target])
        if publication.unique_tag:
            self._check_alone(publication.unique_tag, pin)
        return Published(pin, is_new=pin not in {instance.pin for instance, _ in known}, moved_refs=tuple(refs))

    def _known(self, package: str) -> tuple[tuple[Instance, tuple[str, ...]], ...]:
        try:
            return self._instances_with_refs(package)
        except NotInStoreError:
            return ()

    def _upload(self, publication: Publication, refs: Iterable[str]) -> None:
        """Register the package file, which uploads it if the service does not have it, with its tags and refs."""
        options = [part for tag in publication.all_tags for part in ("-tag", tag)]
        options += [part for ref in refs for part in ("-ref", ref)]
        self._client.run("pkg-register", str(publication.file), *options, seconds=TRANSFER_SECONDS)

    def _check_free(self, tag: str, owners: Mapping[str, tuple[Pin, ...]], pin: Pin) -> None:
        others = [owner for owner in owners.get(tag, ()) if owner != pin]
        if others:
            keys = [each for each in self.tags(others[0]) if each.startswith("content_key:")]
            made_from = f" ({keys[0]})" if keys else ""
            raise VersionConflictError(
                f"{tag} is already published as instance {others[0].instance_id}{made_from}, with other contents",
                where=f"{self.where}: {pin.package}",
                fix="raise `revision` of this version in its recipe",
            )

    def _check_alone(self, tag: str, pin: Pin) -> None:
        """Find out whether another machine has published *tag* meanwhile: the service knows no unique tags."""
        owners = self.search(pin.package, [tag])
        if owners != (pin,):
            raise StoreAmbiguousError(
                f"{tag} has more than one owner: {', '.join(owner.instance_id for owner in owners)}",
                where=f"{self.where}: {pin.package}",
                fix="somebody published it at the same time; an owner of the prefix must detach it from one of them",
            )


def _owners(tags: Mapping[Pin, Collection[str]]) -> dict[str, tuple[Pin, ...]]:
    """Return ``version:`` tag -> the instances that carry it, in the order of *tags*."""
    owners: dict[str, tuple[Pin, ...]] = {}
    for pin, tag in ((pin, tag) for pin, carried in tags.items() for tag in carried):
        if version_of(tag) is not None:
            owners[tag] = (*owners.get(tag, ()), pin)
    return owners


def _moves(current: Mapping[str, Pin], owners: Mapping[str, tuple[Pin, ...]]) -> Mapping[str, Pin]:
    """Return where refs must be moved to for all to be where the versions say, whatever happened to earlier runs."""
    wanted = refs_of(tag.partition(":")[2] for tag in owners)
    targets = {ref: owners[f"{VERSION_KEY}:{version}"][0] for ref, version in wanted.items()}
    return {ref: target for ref, target in targets.items() if current.get(ref) != target}
