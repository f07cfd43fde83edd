"""The questions of a store, put to a CIPD service."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from dockerbuild_lib.core.errors import NotInStoreError
from dockerbuild_lib.store.cipd import answers
from dockerbuild_lib.store.cipd.client import CipdClient
from dockerbuild_lib.store.names import check_package, check_prefix, check_tag, check_version, is_instance_id
from dockerbuild_lib.store.protocol import Description, Instance, Listing, Pin, Ref, TagQuery

AT_ONCE = 8
"""Commands that run at the same time, where one question takes several."""

_Asked = TypeVar("_Asked")
_Answer = TypeVar("_Answer")


class CipdQuestions:
    """What a service knows. Nothing of it is kept: refs and tags move, which the client's cache of tags never sees."""

    def __init__(self, client: CipdClient) -> None:
        self._client = client

    def exists(self, package: str, version: str) -> bool:
        """Tell whether *version* of *package* is there; a service that cannot be asked raises its error."""
        try:
            self.resolve(package, version)
        except NotInStoreError:
            return False
        return True

    def resolve(self, package: str, version: str) -> Pin:
        """Return the instance that *version* means."""
        check_package(package)
        check_version(version)
        if is_instance_id(version):  # `resolve` takes the client's own word for it
            return self.describe(package, version).instance.pin
        return answers.resolved(self._client.run("resolve", package, "-version", version))

    def describe(self, package: str, version: str) -> Description:
        """Return all that is known of the instance that *version* means."""
        check_package(package)
        check_version(version)
        return answers.described(self._client.run("describe", package, "-version", version))

    def packages(self, prefix: str = "") -> tuple[str, ...]:
        """Return the names of all packages below *prefix*, sorted."""
        return self.listing(prefix, recursive=True).packages

    def listing(self, prefix: str = "", *, recursive: bool = False) -> Listing:
        """Return the packages and prefixes right below *prefix*, or all that are below it."""
        folder = check_prefix(prefix)
        options = ("-r",) if recursive else ()
        names = answers.listed(self._client.run("ls", *((folder,) if folder else ()), *options))
        return Listing(
            tuple(sorted(name for name in names if not name.endswith("/"))),
            tuple(sorted(name.removesuffix("/") for name in names if name.endswith("/"))),
        )

    def instances(self, package: str) -> tuple[Instance, ...]:
        """Return the instances of *package*, the newest first."""
        return tuple(instance for instance, _ in self._instances_with_refs(package))

    def _instances_with_refs(self, package: str) -> tuple[tuple[Instance, tuple[str, ...]], ...]:
        check_package(package)
        return answers.instances(self._client.run("instances", package, "-limit", "0"))

    def refs(self, package: str) -> tuple[Ref, ...]:
        """Return the refs of *package*, the last moved first."""
        referred = [instance.pin for instance, refs in self._instances_with_refs(package) if refs]
        refs = [ref for description in self._each(self._describe, referred) for ref in description.refs]
        return tuple(sorted(refs, key=lambda ref: (-ref.modified_ts, ref.ref)))

    def tags(self, pin: Pin) -> tuple[str, ...]:
        """Return the tags of an instance."""
        return tuple(tag.tag for tag in self._describe(pin).tags)

    def tags_of(self, pins: Iterable[Pin]) -> Mapping[Pin, tuple[str, ...]]:
        """Return the tags of many instances; those that are not there have none."""
        asked = tuple(dict.fromkeys(pins))
        return {pin: tags for pin, tags in zip(asked, self._each(self._tags_if_there, asked), strict=True) if tags}

    def _tags_if_there(self, pin: Pin) -> tuple[str, ...]:
        try:
            return self.tags(pin)
        except NotInStoreError:
            return ()

    def search(self, package: str, tags: Iterable[str]) -> tuple[Pin, ...]:
        """Return the instances of *package* that carry all *tags*."""
        check_package(package)
        options = [option for tag in tags for option in ("-tag", check_tag(tag))]
        return answers.searched(self._client.run("search", package, *options)) if options else ()

    def pins_by_tags(self, queries: Iterable[TagQuery]) -> Mapping[TagQuery, tuple[Pin, ...]]:
        """Return, for each query that has an answer, the instances that carry the tag, the first tagged first."""
        asked = tuple(dict.fromkeys(queries))
        for query in asked:
            check_package(query.package)
            check_tag(query.tag)
        found = self._each(lambda query: self.search(query.package, [query.tag]), asked)
        return {query: pins[::-1] for query, pins in zip(asked, found, strict=True) if pins}

    def _describe(self, pin: Pin) -> Description:
        return self.describe(pin.package, pin.instance_id)

    @staticmethod
    def _each(ask: Callable[[_Asked], _Answer], asked: Sequence[_Asked]) -> list[_Answer]:
        """Ask each question, several at a time; the first error of any ends it."""
        with ThreadPoolExecutor(AT_ONCE) as pool:
            try:
                return list(pool.map(ask, asked))
            except BaseException:
                pool.shutdown(cancel_futures=True)
                raise
