"""The calls that this server answers: what they take, who carries them out, and whether they write."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Generic

from dockerbuild_lib.store.serve import messages as m
from dockerbuild_lib.store.serve.reading import Call, Reading
from dockerbuild_lib.store.serve.wire import AnyMessage, Message, decode
from dockerbuild_lib.store.serve.writing import Writing


@dataclass(frozen=True)
class Method(Generic[AnyMessage]):
    """One call."""

    request: type[AnyMessage]
    answer: Callable[[AnyMessage, Call], Message]
    writes: bool = False

    def __call__(self, body: bytes, call: Call) -> Message:
        """Answer the encoded request *body*."""
        return self.answer(decode(self.request, body), call)


Methods = Mapping[str, Method[Any]]
"""Service and method, with a dot between -> the call."""


def methods_of(reading: Reading, writing: Writing) -> Methods:
    """Return all calls."""
    return {
        "cipd.Repository.ResolveVersion": Method(m.ResolveVersionRequest, reading.resolve_version),
        "cipd.Repository.GetInstanceURL": Method(m.GetInstanceURLRequest, reading.get_instance_url),
        "cipd.Repository.DescribeInstance": Method(m.DescribeInstanceRequest, reading.describe_instance),
        "cipd.Repository.ListInstances": Method(m.ListInstancesRequest, reading.list_instances),
        "cipd.Repository.SearchInstances": Method(m.SearchInstancesRequest, reading.search_instances),
        "cipd.Repository.ListRefs": Method(m.ListRefsRequest, reading.list_refs),
        "cipd.Repository.ListPrefix": Method(m.ListPrefixRequest, reading.list_prefix),
        "cipd.Repository.GetRolesInPrefix": Method(m.PrefixRequest, reading.get_roles_in_prefix),
        "cipd.Repository.RegisterInstance": Method(m.Instance, writing.register_instance, writes=True),
        "cipd.Repository.CreateRef": Method(m.Ref, writing.create_ref, writes=True),
        "cipd.Repository.AttachTags": Method(m.AttachTagsRequest, writing.attach_tags, writes=True),
        "cipd.Repository.AttachMetadata": Method(m.AttachMetadataRequest, writing.attach_metadata, writes=True),
        "cipd.Storage.FinishUpload": Method(m.FinishUploadRequest, writing.finish_upload, writes=True),
    }
