"""References to images: what Docker takes, and what it refuses."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dockerbuild_lib.catalog.image_references import HUB, ImageReference

labels = st.from_regex(r"[a-z0-9]([a-z0-9-]{0,5}[a-z0-9])?", fullmatch=True)
ports = st.one_of(st.just(""), st.integers(1, 65535).map(":{}".format))
hosts = st.one_of(
    st.just(HUB),
    st.builds("localhost{}".format, ports),
    st.builds("{}.{}{}".format, labels, labels, ports),
    st.builds("[::1]{}".format, ports),
)
parts = st.from_regex(r"[a-z0-9]{1,5}((\.|_|__|-{1,3})[a-z0-9]{1,5}){0,2}", fullmatch=True)
paths = st.lists(parts, min_size=2, max_size=4).map("/".join)
tags = st.from_regex(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,20}", fullmatch=True)
references = st.builds(ImageReference, hosts, paths, tags)


@given(references)
def test_what_is_written_is_read_as_the_same(reference: ImageReference) -> None:
    assert ImageReference.parse(str(reference)) == reference
    assert ImageReference.parse(f"{reference.registry}/{reference.repository}:{reference.tag}") == reference


@given(st.text(max_size=40))
def test_any_text_is_a_reference_that_reads_the_same_again_or_is_refused(text: str) -> None:
    try:
        reference = ImageReference.parse(text)
    except ValueError:
        return
    assert ImageReference.parse(str(reference)) == reference
    assert reference.is_valid
    assert not set(str(reference)) & set(" \n\t@?#%\\'\"")


@pytest.mark.parametrize(
    ("text", "registry", "repository", "tag"),
    [
        ("dockcross/linux-arm64-lts", HUB, "dockcross/linux-arm64-lts", "latest"),
        ("debian", HUB, "library/debian", "latest"),
        ("debian:bookworm-slim", HUB, "library/debian", "bookworm-slim"),
        (f"{HUB}/debian", HUB, "library/debian", "latest"),
        (f"index.{HUB}/dockcross/base:1", HUB, "dockcross/base", "1"),
        ("localhost/base", "localhost", "base", "latest"),
        ("127.0.0.1:5000/a/b__c:v1.2", "127.0.0.1:5000", "a/b__c", "v1.2"),
        ("registry.example/base", "registry.example", "base", "latest"),
        ("[::1]:5000/base", "[::1]:5000", "base", "latest"),
    ],
)
def test_what_names_no_registry_is_docker_s_own(text: str, registry: str, repository: str, tag: str) -> None:
    assert ImageReference.parse(text) == ImageReference(registry, repository, tag)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "/base",
        "Base",
        "team/Base",
        "a//b",
        "a/../b",
        "-a/b",
        "a..b",
        "a___b",
        "base:",
        "base:.tag",
        f"base:{'t' * 129}",
        "a" * 256,
        "https://registry.example/base",
        "registry.example:port/base",
        "user@registry.example/base",
        f"base@sha256:{'0' * 64}",
        "base:tag\n",
    ],
)
def test_what_docker_refuses_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"is no image|has a digest"):
        ImageReference.parse(text)
