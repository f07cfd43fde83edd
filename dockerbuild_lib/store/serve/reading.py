"""The calls of ``cipd.Repository`` that only read."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeVar
from urllib.parse import quote

from dockerbuild_lib.core.errors import UsageError
from dockerbuild_lib.store.names import check_prefix
from dockerbuild_lib.store.protocol import Instance, Store
from dockerbuild_lib.store.serve import messages
from dockerbuild_lib.store.serve.messages import (
    DescribeInstanceRequest,
    DescribeInstanceResponse,
    GetInstanceURLRequest,
    InstancesPage,
    ListInstancesRequest,
    ListPrefixRequest,
    ListPrefixResponse,
    ListRefsRequest,
    ListRefsResponse,
    ObjectURL,
    PrefixRequest,
    ResolveVersionRequest,
    Role,
    RoleInPrefix,
    RolesInPrefixResponse,
    SearchInstancesRequest,
)
from dockerbuild_lib.store.serve.objects import instance_of, metadata_of, pin_of, ref_of, tag_of

PAGE_SIZE = 100
"""Instances on a page, where the caller does not say."""
LARGEST_PAGE = 1000

_Paged = TypeVar("_Paged", ListInstancesRequest, SearchInstancesRequest)


@dataclass(frozen=True)
class Call:
    """What a call needs to know of its request."""

    base_url: str
    """How the caller reaches this server, without a slash at the end."""
    may_write: bool


class Reading:
    """Answers from a store."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def resolve_version(self, request: ResolveVersionRequest, _call: Call) -> messages.Instance:
        """Return the instance that a version means."""
        pin = self._store.resolve(request.package, request.version)
        return instance_of(self._store.describe(pin.package, pin.instance_id).instance)

    def get_instance_url(self, request: GetInstanceURLRequest, call: Call) -> ObjectURL:
        """Return where the package file is fetched; a file that is missing is told of here, not there."""
        pin = pin_of(request.package, request.instance)
        with self._store.opened(pin):
            return ObjectURL(f"{call.base_url}/dl/{quote(pin.package)}/+/{pin.instance_id}")

    def describe_instance(self, request: DescribeInstanceRequest, _call: Call) -> DescribeInstanceResponse:
        """Return what is asked for of an instance."""
        pin = pin_of(request.package, request.instance)
        found = self._store.describe(pin.package, pin.instance_id)
        return DescribeInstanceResponse(
            instance=instance_of(found.instance),
            refs=tuple(ref_of(pin.package, ref) for ref in found.refs if request.describe_refs),
            tags=tuple(tag_of(tag) for tag in found.tags if request.describe_tags),
            metadata=tuple(metadata_of(each) for each in found.metadata if request.describe_metadata),
        )

    def list_instances(self, request: ListInstancesRequest, _call: Call) -> InstancesPage:
        """Return a page of a package's instances, the newest first."""
        return _page(self._store.instances(request.package), request)

    def search_instances(self, request: SearchInstancesRequest, _call: Call) -> InstancesPage:
        """Return a page of the instances that carry all of some tags, the last tagged first."""
        if not request.tags:
            raise UsageError("a search needs a tag")
        pins = self._store.search(request.package, [f"{tag.key}:{tag.value}" for tag in request.tags])
        registered = {each.pin: each for each in self._store.instances(request.package)} if pins else {}
        return _page([registered[pin] for pin in pins], request)

    def list_refs(self, request: ListRefsRequest, _call: Call) -> ListRefsResponse:
        """Return the refs of a package, the last moved first."""
        return ListRefsResponse(tuple(ref_of(request.package, ref) for ref in self._store.refs(request.package)))

    def list_prefix(self, request: ListPrefixRequest, _call: Call) -> ListPrefixResponse:
        """Return the packages and prefixes below a prefix."""
        found = self._store.listing(request.prefix, recursive=request.recursive)
        return ListPrefixResponse(found.packages, found.prefixes)

    def get_roles_in_prefix(self, request: PrefixRequest, call: Call) -> RolesInPrefixResponse:
        """Return what the caller may do, which is the same below every prefix."""
        check_prefix(request.prefix)
        roles = (Role.READER, Role.WRITER) if call.may_write else (Role.READER,)
        return RolesInPrefixResponse(tuple(RoleInPrefix(role) for role in roles))


def _page(instances: Sequence[Instance], request: _Paged) -> InstancesPage:
    """Return the page after the instance that the token names: what is registered meanwhile does not shift it."""
    if request.page_size < 0:
        raise UsageError("the page size is negative")
    ids = [each.pin.instance_id for each in instances]
    if request.page_token and request.page_token not in ids:
        raise UsageError("the page token is not one of this list")
    start = ids.index(request.page_token) + 1 if request.page_token else 0
    end = start + min(request.page_size or PAGE_SIZE, LARGEST_PAGE)
    return InstancesPage(tuple(map(instance_of, instances[start:end])), ids[end - 1] if end < len(ids) else "")
