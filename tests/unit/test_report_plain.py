"""Plain lines, units, listings, and streams that fail."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Mapping
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dockerbuild_lib.core.errors import NoSpaceError
from dockerbuild_lib.core.events import Notice, StepFinished, StepOutput, StepProgress, StepStarted
from dockerbuild_lib.report.listing import Column, render_listing
from dockerbuild_lib.report.plain import PlainReporter, plain_line
from dockerbuild_lib.report.plan_view import PlanRow, plan_json
from dockerbuild_lib.report.reporter import reporter_for
from dockerbuild_lib.report.streams import QuietStream, is_terminal, write_result
from dockerbuild_lib.report.summary import ArtifactRow, summary_document
from dockerbuild_lib.report.units import byte_size, counted, duration, progress

PROJECT = Path(__file__).parents[2]


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0.04, "0.0 s"),
        (12.34, "12.3 s"),
        (59.94, "59.9 s"),
        (59.96, "1 min 00 s"),
        (123.4, "2 min 03 s"),
        (3599.7, "1 h 00 min"),
        (3725, "1 h 02 min"),
    ],
)
def test_times_are_told_in_a_fitting_unit(seconds: float, text: str) -> None:
    assert duration(seconds) == text


@pytest.mark.parametrize(
    ("size", "text"),
    [
        (0, "0 B"),
        (1023, "1023 B"),
        (1024, "1.0 KiB"),
        (1048575, "1.0 MiB"),
        (14541, "14.2 KiB"),
        (3 << 30, "3.0 GiB"),
        (5 << 40, "5.0 TiB"),
    ],
)
def test_sizes_are_told_in_a_fitting_unit(size: int, text: str) -> None:
    assert byte_size(size) == text


@pytest.mark.parametrize(
    ("done", "total", "text"),
    [(0, 10, "0 B of 10 B (0 %)"), (3 << 20, 14 << 20, "3.0 MiB of 14.0 MiB (21 %)"), (5, None, "5 B"), (0, 0, "0 B")],
)
def test_progress_is_told_in_bytes_and_percent(done: int, total: int | None, text: str) -> None:
    assert progress(done, total) == text


def test_numbers_agree_with_their_nouns() -> None:
    assert (counted(0, "step"), counted(1, "step"), counted(2, "step")) == ("0 steps", "1 step", "2 steps")


@given(rows=st.lists(st.tuples(st.text(), st.text(), st.text()), min_size=1))
def test_a_listing_has_one_line_per_row_whatever_the_cells_hold(rows: list[tuple[str, str, str]]) -> None:
    columns = (Column("A"), Column("B", "right"), Column("C"))
    text = render_listing(columns, rows)
    assert text.count("\n") == len(rows) + 1
    assert len(text.splitlines()) == len(rows) + 1
    text.encode()


def test_output_of_a_step_is_not_shown_in_plain_lines() -> None:
    assert plain_line(StepOutput("a", "noise"), "[0/1]") == ""


def test_a_flood_of_progress_is_not_shown_in_plain_lines() -> None:
    stream = io.StringIO()
    with PlainReporter(stream, total=1) as reporter:
        for done in range(10_000):
            reporter(StepProgress("fetch six", done, 10_000))
    assert stream.getvalue() == ""


def test_progress_is_a_plain_line_when_it_is_time() -> None:
    stream = io.StringIO()
    with PlainReporter(stream, total=1, progress_every=0) as reporter:
        reporter(StepProgress("fetch six", 1 << 20, 4 << 20))
    assert stream.getvalue() == "progress  fetch six: 1.0 MiB of 4.0 MiB (25 %)\n"


class SlowStream(io.StringIO):
    def write(self, text: str) -> int:
        half = len(text) // 2
        super().write(text[:half])
        time.sleep(0.0005)
        return half + super().write(text[half:])


def test_lines_of_several_threads_stay_whole() -> None:
    stream = SlowStream()
    with PlainReporter(stream, total=100) as reporter:

        def tell() -> None:
            for _ in range(25):
                reporter(StepFinished("a" * 30, 1.0))

        threads = [threading.Thread(target=tell) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    expected = [f"done      [{number}/100] {'a' * 30} (1.0 s)" for number in range(1, 101)]
    assert stream.getvalue().splitlines() == expected


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize(
    ("stream", "environ", "expected"),
    [
        (Terminal(), {"TERM": "xterm"}, True),
        (Terminal(), {"TERM": "xterm", "NO_COLOR": ""}, True),
        (Terminal(), {"TERM": "xterm", "NO_COLOR": "1"}, False),
        (Terminal(), {"TERM": "dumb"}, False),
        (Terminal(), {}, False),
        (io.StringIO(), {"TERM": "xterm"}, False),
    ],
)
def test_the_live_view_is_for_terminals_that_take_it(
    stream: io.StringIO, environ: Mapping[str, str], *, expected: bool
) -> None:
    assert is_terminal(stream, environ) is expected
    assert (type(reporter_for(stream, total=1, environ=environ)).__name__ == "LiveReporter") is expected


def test_a_result_ends_with_one_newline() -> None:
    stream = io.StringIO()
    write_result(stream, "one")
    write_result(stream, "two\n")
    assert stream.getvalue() == "one\ntwo\n"


def test_characters_that_the_encoding_lacks_are_escaped() -> None:
    behind = io.BytesIO()
    stream = io.TextIOWrapper(behind, encoding="ascii")
    write_result(stream, "caf\xe9 \udcff")
    with PlainReporter(stream, total=1) as reporter:
        reporter(Notice("caf\xe9 \udcff"))
    assert behind.getvalue() == b"caf\\xe9 \\udcff\nnotice    caf\\xe9 \\ufffd\n"


def test_a_result_that_a_full_disk_does_not_take_is_an_error() -> None:
    descriptor = os.open("/dev/full", os.O_WRONLY)
    stream = os.fdopen(descriptor, "w")
    with pytest.raises(NoSpaceError):
        write_result(stream, "x")
    with pytest.raises(OSError, match="space"):
        stream.close()


def test_progress_that_nobody_takes_does_not_stop_the_run() -> None:
    reading, writing = os.pipe()
    os.close(reading)
    with os.fdopen(writing, "w") as stream, PlainReporter(stream, total=1) as reporter:
        reporter(StepStarted("a", "Do a"))
        reporter(StepFinished("a", 1.0))


def test_a_result_that_nobody_reads_is_no_error_now_or_when_the_stream_is_closed() -> None:
    reading, writing = os.pipe()
    os.close(reading)
    with os.fdopen(writing, "w") as stream:
        write_result(stream, "hello")


def test_a_closed_stream_takes_progress_silently() -> None:
    stream = io.StringIO()
    stream.close()
    quiet = QuietStream(stream)
    assert quiet.write("hello") == 5
    quiet.flush()


@pytest.mark.parametrize("target", ["stdout", "stderr"])
def test_a_reader_that_leaves_early_causes_no_noise(target: str) -> None:
    code = f"""
import sys
from dockerbuild_lib.core.events import Notice
from dockerbuild_lib.report.plain import PlainReporter
from dockerbuild_lib.report.streams import write_result
reporter = PlainReporter(sys.stderr, total=1)
for number in range(20000):
    if {target!r} == "stderr":
        reporter(Notice(str(number)))
    else:
        write_result(sys.stdout, str(number))
"""
    command, pipe = [sys.executable, "-c", code], subprocess.PIPE
    with subprocess.Popen(command, cwd=PROJECT, stdout=pipe, stderr=pipe) as process:
        read, other = (process.stdout, process.stderr) if target == "stdout" else (process.stderr, process.stdout)
        assert read is not None
        assert other is not None
        assert read.readline()
        read.close()
        assert other.read() == b""
        assert process.wait(10) == 0


def test_rich_is_imported_only_for_terminals() -> None:
    code = """
import io, sys
import dockerbuild_lib.report.listing, dockerbuild_lib.report.plan_view
from dockerbuild_lib.report.reporter import reporter_for
from dockerbuild_lib.report.summary import print_summary
reporter_for(io.StringIO(), total=1)
print_summary(io.StringIO(), (), (), 1.0, environ={})
sys.exit("rich" in sys.modules)
"""
    subprocess.run([sys.executable, "-c", code], cwd=PROJECT, check=True)


def test_the_plan_as_json_counts_every_status() -> None:
    document = json.loads(plan_json([PlanRow("a", "to do", "caf\xe9")]))
    assert document == {
        "steps": [{"step": "a", "status": "to do", "why": "caf\xe9"}],
        "counts": {"hit": 0, "to do": 1, "older environment": 0, "conflict": 0},
    }


def test_the_summary_as_a_document_keeps_exact_sizes_and_hashes() -> None:
    document = summary_document((), [ArtifactRow("a", "a.whl", 24301, "ab" * 32)], 1.23456)
    artifact = {"step": "a", "filename": "a.whl", "size": 24301, "sha256": "ab" * 32}
    assert document == {"seconds": 1.235, "steps": [], "artifacts": [artifact]}
