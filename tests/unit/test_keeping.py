"""What is kept of a step's container, and for how long."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dockerbuild_lib.containers import keeping
from dockerbuild_lib.containers.keeping import RECORD, TREE, KeptCommand, KeptContainer, keep, kept, kept_in
from dockerbuild_lib.core.errors import EngineUnavailableError, StoreDamagedError
from dockerbuild_lib.execution.run_folder import KEPT_TREES, STEPS, prune_runs

TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=10)
COMMANDS = st.builds(KeptCommand, st.lists(TEXTS).map(tuple), st.dictionaries(TEXTS, TEXTS, max_size=4), TEXTS)
PLAIN = KeptCommand(("prepare",), {"PATH": "/bin"}, "/work")
BUILD = KeptCommand(("build",), {"PATH": "/bin", "CC": "cc"}, "/work/src")


@given(st.lists(COMMANDS, min_size=1))
def test_what_is_kept_is_read_back(tmp_path_factory: pytest.TempPathFactory, commands: list[KeptCommand]) -> None:
    folder = tmp_path_factory.mktemp("step")
    with kept_in(folder):
        keep("image", commands, [b"one", b"two"])
    assert kept(folder) == KeptContainer("image", tuple(commands))
    assert (folder / TREE).read_bytes() == b"onetwo"


def test_the_build_s_own_command_is_the_one_that_is_opened() -> None:
    assert KeptContainer("image", (PLAIN, BUILD, PLAIN)).main_command == BUILD


def test_without_a_folder_nothing_is_kept_or_asked_for(tmp_path: Path) -> None:
    def chunks() -> Iterator[bytes]:
        raise AssertionError("asked for")
        yield b""

    keep("image", [PLAIN], chunks())
    with kept_in(tmp_path / "step"):
        keep("image", [], chunks())
    assert list(tmp_path.iterdir()) == []


def broken() -> Iterator[bytes]:
    yield b"a"
    raise EngineUnavailableError("it is gone")


def test_files_that_cannot_be_had_are_noted(tmp_path: Path) -> None:
    with kept_in(tmp_path):
        keep("image", [PLAIN], broken())
    assert kept(tmp_path) == KeptContainer("image", (PLAIN,), "it is gone")
    assert [path.name for path in tmp_path.iterdir()] == [RECORD]


def test_files_that_are_too_many_are_noted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(keeping, "LARGEST_TREE", 10)
    with kept_in(tmp_path):
        keep("image", [PLAIN], [b"12345678", b"90", b"1"])
    assert "more than" in kept(tmp_path).missing
    assert not (tmp_path / TREE).exists()


@pytest.mark.parametrize("text", ["", "[]", '{"image": "a", "commands": [1], "missing": ""}', "{}"])
def test_a_damaged_record_is_told(tmp_path: Path, text: str) -> None:
    (tmp_path / RECORD).write_text(text)
    with pytest.raises(StoreDamagedError, match="what was kept cannot be read"):
        kept(tmp_path)


def test_only_the_newest_runs_keep_containers(tmp_path: Path) -> None:
    names = [f"2026112{day}T000000.000Z-abcdef" for day in range(5)]
    for name in names:
        (tmp_path / "runs" / name / STEPS / "build").mkdir(parents=True)
        (tmp_path / "runs" / name / STEPS / "build" / TREE).touch()
    prune_runs(tmp_path)
    keeping_runs = [path.name for path in sorted((tmp_path / "runs").iterdir()) if any((path / STEPS).iterdir())]
    assert keeping_runs == names[-KEPT_TREES:]
