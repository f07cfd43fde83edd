"""What a build container gets of the image's zig cache."""

from __future__ import annotations

from pathlib import Path

import pytest

from dockerbuild_lib.images.scripts import prepare_build


def test_zig_gets_links_to_results_copies_of_records_and_none_of_its_parsed_sources(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    image, own = tmp_path / "image", tmp_path / "own"
    for name in ("o/1/libc.so", "h/2.txt", "z/3"):
        (image / "zig-cache" / name).parent.mkdir(parents=True)
        (image / "zig-cache" / name).write_text(name)
    monkeypatch.setattr(prepare_build, "HOME", image)
    monkeypatch.setenv("ZIG_GLOBAL_CACHE_DIR", str(own))
    prepare_build.link_zig_cache()
    assert (own / "o/1").is_symlink()
    assert (own / "o/1/libc.so").read_text() == "o/1/libc.so"
    assert not (own / "h/2.txt").is_symlink()
    assert sorted(path.name for path in own.iterdir()) == ["h", "o"]
