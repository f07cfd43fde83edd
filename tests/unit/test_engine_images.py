"""What an engine says of its images."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any, cast

import pytest

from dockerbuild_lib.containers.engine import KEY_LABEL, Engine, ImageFacts


def engine_with(monkeypatch: pytest.MonkeyPatch, *names: list[str] | None) -> Engine:
    """Return an engine that holds an image for each list of names, as its API tells them."""
    listed: list[dict[str, Any]] = [{"Id": "sha256:1", "RepoTags": tags, "Size": 1, "Labels": {}} for tags in names]
    client = SimpleNamespace(api=SimpleNamespace(images=lambda **_options: listed))
    monkeypatch.setattr(Engine, "client", client)
    return Engine("run")


@pytest.mark.parametrize("unnamed", [None, [], ["<none>:<none>"]])
def test_an_image_that_lost_its_name_is_not_held(monkeypatch: pytest.MonkeyPatch, unnamed: list[str] | None) -> None:
    assert engine_with(monkeypatch, unnamed).find_image("key") is None
    found = engine_with(monkeypatch, unnamed, ["dockerbuild/base:1"]).find_image("key")
    assert cast("ImageFacts", found).tags == ("dockerbuild/base:1",)


@pytest.mark.parametrize(("labels", "held"), [({KEY_LABEL: "key"}, True), ({KEY_LABEL: "other"}, False), ({}, False)])
def test_a_tag_is_trusted_only_with_its_key(
    monkeypatch: pytest.MonkeyPatch, labels: dict[str, str], *, held: bool
) -> None:
    images = SimpleNamespace(get=lambda _tag: SimpleNamespace(labels=labels))
    monkeypatch.setattr(Engine, "client", SimpleNamespace(images=images))
    assert Engine("run").has_image("dockerbuild/linux-arm64:key", "key") is held
