"""The journal: what a run leaves on disk, whatever happens to it."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import threading
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dockerbuild_lib.core.errors import NoSpaceError, PermissionDeniedError
from dockerbuild_lib.core.events import Event, Notice, StepFailed, StepFinished, StepOutput, StepProgress, StepStarted
from dockerbuild_lib.execution.journal import Journal, read_events
from dockerbuild_lib.execution.run_folder import new_run_id

EVENTS: tuple[Event, ...] = (
    StepStarted("build six", "Build six"),
    StepOutput("build six", "compiling"),
    StepProgress("build six", 3, 4),
    StepProgress("build six", 3, None),
    StepFinished("build six", 1.5, "six-1.17.0-py2.py3-none-any.whl"),
    StepFailed("build cffi", 0.5, "it broke\nbadly", cancelled=False),
    Notice("take care", warning=True),
)


def test_every_event_comes_back_with_its_time(tmp_path: Path) -> None:
    with Journal(tmp_path, progress_every=0) as journal:
        for event in EVENTS:
            journal(event)
    recorded = list(read_events(journal.folder))
    assert tuple(one.event for one in recorded) == EVENTS
    assert all(abs(datetime.now(UTC) - one.time) < timedelta(minutes=1) for one in recorded)


def test_a_flood_of_progress_is_not_written_down(tmp_path: Path) -> None:
    with Journal(tmp_path) as journal:
        for done in range(10_000):
            journal(StepProgress("fetch six", done, 10_000))
    assert not list(read_events(journal.folder))


def test_each_line_of_the_events_is_one_json_object(tmp_path: Path) -> None:
    with Journal(tmp_path) as journal:
        journal(StepStarted("a", "Do a"))
    record = json.loads((journal.folder / "events.jsonl").read_text())
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}\+00:00", record.pop("time"))
    assert record == {"type": "StepStarted", "step": "a", "title": "Do a"}


def test_a_step_has_its_full_output_in_a_log_of_its_own(tmp_path: Path) -> None:
    with Journal(tmp_path) as journal:
        journal(StepStarted("a", "Do a"))
        journal(StepStarted("silent", "Say nothing"))
        journal(StepOutput("a", "one"))
        journal(StepOutput("b", "other"))
        journal(StepOutput("a", "two"))
    assert journal.log_path("a").read_text() == "one\ntwo\n"
    assert journal.log_path("b").read_text() == "other\n"
    assert journal.log_path("silent").read_text() == ""


def test_bytes_that_are_no_utf8_reach_the_log_unchanged(tmp_path: Path) -> None:
    raw = b"caf\xe9 \xff\x00 \xf0\x9f\x90\x8d"
    with Journal(tmp_path) as journal:
        journal(StepOutput("a", raw.decode("utf-8", "surrogateescape")))
        journal(StepOutput("b", "half a pair: \ud83d"))
    assert journal.log_path("a").read_bytes() == raw + b"\n"
    assert journal.log_path("b").read_bytes() == b"half a pair: \\ud83d\n"
    assert [one.event.line for one in read_events(journal.folder) if isinstance(one.event, StepOutput)] == [
        raw.decode("utf-8", "surrogateescape"),
        "half a pair: \ud83d",
    ]


@given(cut=st.integers(0, 400))
def test_a_run_that_was_cut_off_anywhere_can_be_read(tmp_path_factory: pytest.TempPathFactory, cut: int) -> None:
    with Journal(tmp_path_factory.mktemp("cut"), progress_every=0) as journal:
        for event in EVENTS:
            journal(event)
    path = journal.folder / "events.jsonl"
    content = path.read_bytes()[:cut]
    path.write_bytes(content)
    events = tuple(one.event for one in read_events(journal.folder))
    assert events == EVENTS[: len(events)]
    assert len(events) >= content.count(b"\n")


@pytest.mark.parametrize("line", [b"\xff\xfe", b"[]", b"null", b'{"time":"soon","type":"Notice"}', b'{"type":"New"}'])
def test_lines_that_are_no_event_are_passed_over(tmp_path: Path, line: bytes) -> None:
    with Journal(tmp_path) as journal:
        journal(EVENTS[0])
    path = journal.folder / "events.jsonl"
    path.write_bytes(line + b"\n" + path.read_bytes())
    assert [one.event for one in read_events(journal.folder)] == [EVENTS[0]]


def test_a_killed_process_loses_nothing_that_it_recorded(tmp_path: Path) -> None:
    code = f"""
import time
from pathlib import Path
from dockerbuild_lib.core.events import StepOutput
from dockerbuild_lib.execution.journal import Journal
journal = Journal(Path({str(tmp_path)!r}))
for number in range(100):
    journal(StepOutput("a", str(number)))
print(journal.folder, flush=True)
time.sleep(60)
"""
    here = Path(__file__).parents[2]
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True, cwd=here) as process:
        assert process.stdout is not None
        folder = Path(process.stdout.readline().strip())
        process.kill()
    assert len(list(read_events(folder))) == 100
    assert len((folder / "logs" / "a.log").read_text().splitlines()) == 100


def test_threads_do_not_mix_their_lines(tmp_path: Path) -> None:
    with Journal(tmp_path) as journal:

        def write(step: str) -> None:
            for _ in range(200):
                journal(StepOutput(step, step * 50))

        threads = [threading.Thread(target=write, args=(step,)) for step in "abcd"]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert len(list(read_events(journal.folder))) == 800
    for step in "abcd":
        assert set(journal.log_path(step).read_text().splitlines()) == {step * 50}


def test_what_comes_after_the_end_is_dropped(tmp_path: Path) -> None:
    journal = Journal(tmp_path)
    journal.close()
    journal.close()
    journal(Notice("too late"))
    assert list(read_events(journal.folder)) == []


def test_output_after_a_step_ended_still_reaches_its_log(tmp_path: Path) -> None:
    with Journal(tmp_path) as journal:
        journal(StepOutput("a", "one"))
        journal(StepFailed("a", 1.0, "did not stop in time", cancelled=True))
        journal(StepOutput("a", "two"))
    assert journal.log_path("a").read_text() == "one\ntwo\n"


def test_the_summary_is_written_as_json_and_text(tmp_path: Path) -> None:
    with Journal(tmp_path) as journal:
        journal.finish({"steps": []}, "no steps: caf\udce9\n")
    assert json.loads((journal.folder / "summary.json").read_text()) == {"steps": []}
    assert (journal.folder / "summary.txt").read_bytes() == b"no steps: caf\xe9\n"


def test_names_of_runs_sort_by_time() -> None:
    assert re.fullmatch(r"\d{8}T\d{6}\.\d{3}Z-[0-9a-f]{6}", new_run_id())
    assert len({new_run_id() for _ in range(100)}) == 100


def test_latest_leads_to_the_newest_run(tmp_path: Path) -> None:
    Journal(tmp_path).close()
    newest = Journal(tmp_path)
    newest.close()
    assert (tmp_path / "runs" / "latest").resolve() == newest.folder


def test_latest_is_a_file_where_there_are_no_links(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def no_links(_self: Path, _target: object) -> None:
        raise PermissionError("no links here")

    monkeypatch.setattr(Path, "symlink_to", no_links)
    with Journal(tmp_path) as journal:
        assert (tmp_path / "runs" / "latest").read_text() == f"{journal.run_id}\n"


def old_runs(root: Path, number: int) -> list[Path]:
    folders = [root / "runs" / f"20200101T0000{second:02d}.000Z-abcdef" for second in range(number)]
    for folder in folders:
        folder.mkdir(parents=True)
        (folder / "events.jsonl").touch()
    return folders


def test_only_the_newest_runs_are_kept(tmp_path: Path) -> None:
    folders = old_runs(tmp_path, 6)
    stranger = tmp_path / "runs" / "my notes"
    stranger.mkdir()
    with Journal(tmp_path, keep=3) as journal:
        assert {folder for folder in folders if folder.exists()} == set(folders[-2:])
        assert journal.folder.is_dir()
        assert stranger.is_dir()


def test_a_run_that_is_still_being_written_is_kept(tmp_path: Path) -> None:
    with Journal(tmp_path, run_id="20200101T000000.000Z-abcdef") as running:
        Journal(tmp_path, keep=1).close()
        assert running.folder.is_dir()
    Journal(tmp_path, keep=1).close()
    assert not running.folder.exists()


def test_a_full_disk_is_told_with_the_place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    full = os.open("/dev/full", os.O_WRONLY)
    with Journal(tmp_path) as journal:
        monkeypatch.setattr(journal, "_events", full)
        with pytest.raises(NoSpaceError, match=re.escape(str(journal.folder))):
            journal(Notice("hello"))


def test_a_folder_that_cannot_be_made_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_args: object, **_options: object) -> None:
        raise PermissionError(13, "Permission denied", str(tmp_path / "runs"))

    monkeypatch.setattr(Path, "mkdir", refuse)
    with pytest.raises(PermissionDeniedError, match="runs"):
        Journal(tmp_path)


def test_short_writes_are_completed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write = os.write
    with Journal(tmp_path) as journal:
        monkeypatch.setattr(os, "write", lambda descriptor, content: write(descriptor, content[:7]))
        journal(StepOutput("a", "a line that is longer than seven bytes"))
    assert journal.log_path("a").read_text() == "a line that is longer than seven bytes\n"
