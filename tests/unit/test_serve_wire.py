"""Protocol buffers for dataclasses: the bytes are those of the encoding's specification."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dockerbuild_lib.core.errors import UsageError
from dockerbuild_lib.store.serve import messages as m
from dockerbuild_lib.store.serve.wire import decode, encode

NUMBERS = st.integers(0, 2**63 - 1)
TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
OBJECTS = st.builds(m.ObjectRef, NUMBERS, TEXTS)
TIMES = st.none() | st.builds(m.Timestamp, NUMBERS, NUMBERS)
INSTANCES = st.builds(m.Instance, TEXTS, st.none() | OBJECTS, TEXTS, TIMES)
METADATA = st.builds(m.InstanceMetadata, TEXTS, st.binary(max_size=20), TEXTS, TEXTS, TEXTS, TIMES)
ANY_MESSAGE = st.one_of(
    INSTANCES,
    st.builds(m.InstancesPage, st.lists(INSTANCES, max_size=3).map(tuple), TEXTS),
    st.builds(m.AttachMetadataRequest, TEXTS, OBJECTS, st.lists(METADATA, max_size=3).map(tuple)),
    st.builds(m.ListPrefixRequest, TEXTS, st.booleans()),
    st.builds(m.ListPrefixResponse, st.lists(TEXTS, max_size=3).map(tuple), st.lists(TEXTS, max_size=3).map(tuple)),
    st.builds(m.UploadOperation, TEXTS, TEXTS, NUMBERS, st.none() | OBJECTS, TEXTS),
    st.just(m.Empty()),
)


@given(ANY_MESSAGE)
def test_what_is_encoded_is_decoded(message: m.Instance) -> None:
    assert decode(type(message), encode(message)) == message


def test_the_bytes_are_those_of_the_specification() -> None:
    # tag = number << 3 | wire type; 2: length-delimited, 0: varint
    request = m.DescribeInstanceRequest("a/b", m.ObjectRef(2, "ff"), describe_tags=True, describe_metadata=True)
    assert encode(request) == b"\x0a\x03a/b\x12\x06\x08\x02\x12\x02ff\x20\x01\x30\x01"
    page = m.InstancesPage((m.Instance("p"), m.Instance("q")), "next")
    assert encode(page) == b"\x0a\x03\x0a\x01p\x0a\x03\x0a\x01q\xa2\x01\x04next"


def test_defaults_are_not_sent() -> None:
    assert encode(m.Instance()) == b""
    assert encode(m.Instance(instance=m.ObjectRef())) == b"\x12\x00"
    assert decode(m.Instance, b"\x12\x00") == m.Instance(instance=m.ObjectRef())


def test_unknown_fields_are_passed_over() -> None:
    assert decode(m.PrefixRequest, b"\x0a\x01p\x98\x06\x01\x7a\x02xx") == m.PrefixRequest("p")


@pytest.mark.parametrize("body", [b"\x0a", b"\x0a\x05abc", b"\xff" * 20, b"\x0a\x01\xff"])
def test_what_is_no_message_is_refused(body: bytes) -> None:
    with pytest.raises(UsageError, match="PrefixRequest"):
        decode(m.PrefixRequest, body)
