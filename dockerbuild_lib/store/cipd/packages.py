"""The packages of a CIPD service: fetched, verified, uploaded, and what is attached to them."""

from __future__ import annotations

import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from dockerbuild_lib.core.errors import ServiceFailedError, StoreDamagedError
from dockerbuild_lib.core.files import atomic_writer, copy_stream, translated_os_errors
from dockerbuild_lib.store.arrival import check_is_package_of, check_is_there
from dockerbuild_lib.store.cipd.client import TRANSFER_SECONDS, CipdClient
from dockerbuild_lib.store.cipd.questions import CipdQuestions
from dockerbuild_lib.store.metadata import check_metadata, content_type, fingerprint
from dockerbuild_lib.store.names import (
    check_package,
    check_prefix,
    check_ref,
    check_tag,
    instance_id_of_file,
)
from dockerbuild_lib.store.package_file import verify_package
from dockerbuild_lib.store.protocol import Damage, Metadata, Pin, Registered


class CipdPackages(CipdQuestions):
    """The packages of a service; *cache* is the folder of the client's own cache of package files."""

    def __init__(self, client: CipdClient, cache: Path) -> None:
        super().__init__(client)
        self._cache = cache

    @property
    def where(self) -> str:
        """The service's address."""
        return self._client.service_url

    @contextmanager
    def opened(self, pin: Pin) -> Iterator[Path]:
        """Yield a copy of the package file, which was checked."""
        with tempfile.TemporaryDirectory(prefix="dockerbuild-cipd.") as folder:
            yield self._fetched(pin, Path(folder))

    def fetch(self, pin: Pin, target: Path) -> None:
        """Write the package file to *target*, whole or not at all, after checking its hash."""
        with (
            self.opened(pin) as file,
            translated_os_errors(target),
            atomic_writer(target) as copy,
            file.open("rb") as stream,
        ):
            copy_stream(stream, copy)

    def _fetched(self, pin: Pin, folder: Path) -> Path:
        """Bring the package file into *folder*, from the client's cache if it is there and whole."""
        self._describe(pin)  # the client would search its cache first, and take long to see that the service is down
        try:
            return self._fetched_once(pin, folder / "cached", "-cache-dir", str(self._cache))
        except (ServiceFailedError, StoreDamagedError):
            # Perhaps it is the cache: the client does not look at what it takes from there.
            (self._cache / "instances" / pin.instance_id).unlink(missing_ok=True)
            return self._fetched_once(pin, folder / "again")

    def _fetched_once(self, pin: Pin, file: Path, *options: str) -> Path:
        """Fetch the package file to *file*, which must not exist: the client overwrites without cutting off."""
        arguments = ("pkg-fetch", pin.package, "-version", pin.instance_id, "-out", str(file), *options)
        self._client.run(*arguments, seconds=TRANSFER_SECONDS)
        if instance_id_of_file(file) != pin.instance_id:
            raise StoreDamagedError(f"the instance {pin} has other bytes than its name says", where=self.where)
        return file

    def verify(self, prefix: str = "") -> tuple[Damage, ...]:
        """Fetch every instance of every package below *prefix* from the service, and return what is damaged."""
        check_prefix(prefix)
        pins = [instance.pin for package in self.packages(prefix) for instance in self.instances(package)]
        return tuple(damage for pin in pins if (damage := self._damage(pin)))

    def _damage(self, pin: Pin) -> Damage | None:
        with tempfile.TemporaryDirectory(prefix="dockerbuild-cipd.") as folder:
            try:
                verify_package(self._fetched_once(pin, Path(folder, "package")))
            except (ServiceFailedError, StoreDamagedError) as error:  # what a service has lost, it fails to send
                return Damage(str(error), (pin,))
        return None

    def register(self, package: str, file: Path) -> Registered:
        """Upload the package *file* as an instance of *package*, unless the service has it."""
        check_package(package)
        check_is_there(file)
        check_is_package_of(file, package, file)
        pin = Pin(package, instance_id_of_file(file))
        is_new = not self.exists(package, pin.instance_id)
        if is_new:
            self._client.run("pkg-register", str(file), seconds=TRANSFER_SECONDS)
        return Registered(pin, is_new=is_new)

    def attach_tags(self, pin: Pin, tags: Iterable[str]) -> None:
        """Attach *tags* to an instance."""
        self._attach(pin, "-tag", [check_tag(tag) for tag in tags])

    def set_refs(self, pin: Pin, refs: Iterable[str]) -> None:
        """Point *refs* to an instance, one after the other."""
        self._attach(pin, "-ref", [check_ref(ref) for ref in refs])

    def attach_metadata(self, pin: Pin, entries: Iterable[Metadata]) -> None:
        """Attach *entries* to an instance."""
        checked: dict[str, Metadata] = {}
        for each in entries:
            checked.setdefault(fingerprint(each), check_metadata(each))
        with tempfile.TemporaryDirectory(prefix="dockerbuild-cipd.") as folder:
            options = []
            for name, entry in checked.items():
                Path(folder, name).write_bytes(entry.value)
                options.append(f"{entry.key}({content_type(entry)}):{folder}/{name}")
            self._attach(pin, "-metadata-from-file", options)

    def _attach(self, pin: Pin, option: str, values: Iterable[str]) -> None:
        options = [part for value in dict.fromkeys(values) for part in (option, value)]
        if options:
            self._client.run("attach", pin.package, "-version", pin.instance_id, *options)
