"""Logs of steps: their names, their last lines, and errors that quote them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dockerbuild_lib.core.errors import BuildFailedError, DockerbuildError, HashMismatchError, TrialFailedError
from dockerbuild_lib.core.events import Event, StepFailed, StepLog, silent
from dockerbuild_lib.core.text import displayable
from dockerbuild_lib.execution.executor import ThreadExecutor
from dockerbuild_lib.execution.journal import Journal
from dockerbuild_lib.execution.logs import log_name, quoting_logs, tail
from dockerbuild_lib.execution.scheduler import run_steps


@dataclass(frozen=True)
class Step:
    id: str
    needs: tuple[str, ...] = ()
    weight: float = 1.0
    lane: str = "cores"
    title: str = "a step"


def test_usual_ids_stay_readable() -> None:
    assert log_name("build markupsafe 3.0.4 linux-arm64-py3.11") == "build_markupsafe_3.0.4_linux-arm64-py3.11.log"


@given(ids=st.sets(st.text(alphabet="aAb :_/.\0é\udc80", max_size=6) | st.text(), min_size=2, max_size=8))
def test_every_id_has_a_safe_name_of_its_own_even_where_case_does_not_count(ids: set[str]) -> None:
    names = [log_name(step) for step in ids]
    assert len({name.casefold() for name in names}) == len(ids)
    for name in names:
        assert "/" not in name
        assert "\0" not in name
        assert not name.startswith(".")
        assert len(name.encode()) < 255


def test_the_tail_is_the_last_lines(tmp_path: Path) -> None:
    path = tmp_path / "log"
    path.write_text("".join(f"{number}\n" for number in range(100)))
    assert tail(path) == tuple(str(number) for number in range(70, 100))
    assert tail(path, 2) == ("98", "99")


def test_the_tail_of_a_short_an_empty_and_a_missing_log(tmp_path: Path) -> None:
    path = tmp_path / "log"
    assert tail(path) == ()
    path.write_text("")
    assert tail(path) == ()
    path.write_text("no end of line")
    assert tail(path) == ("no end of line",)


def test_the_tail_can_be_shown_whatever_a_program_wrote(tmp_path: Path) -> None:
    path = tmp_path / "log"
    path.write_bytes(b"10%\r55%\r100%\r\n\x1b[31mred\x1b[0m \x1b]0;title\x07bell\x07\ncaf\xe9\n" + b"x" * 5000)
    lines = tail(path)
    assert lines[:3] == ("100%", "red bell", "caf\ufffd")
    assert lines[3] == "x" * 1000 + " ..."


def test_the_tail_of_a_huge_log_reads_only_its_end(tmp_path: Path) -> None:
    path = tmp_path / "log"
    with path.open("wb") as stream:
        stream.truncate(1 << 36)  # sparse: takes no room, and no test could read it all
        stream.seek(0, 2)
        stream.write(b"\nthe end\n")
    assert tail(path, 1) == ("the end",)


@given(st.text())
def test_shown_text_holds_no_controls_and_is_always_encodable(text: str) -> None:
    shown = displayable(text)
    shown.encode()
    assert not set(shown) & {chr(code) for code in (*range(9), *range(11, 32), *range(127, 160))}


def run_one(tmp_path: Path, error: DockerbuildError, lines: int = 40) -> tuple[str, Path]:
    def perform(_step: Step, log: StepLog) -> str:
        for number in range(lines):
            log(f"line {number}")
        raise error

    events: list[str] = []
    with Journal(tmp_path) as journal:

        def emit(event: Event) -> None:
            journal(event)
            if isinstance(event, StepFailed):
                events.append(event.error)

        quoting = quoting_logs(perform, lambda step: journal.log_path(step.id))
        run_steps(
            [Step("build a")], quoting, places={"cores": 1}, executor=ThreadExecutor(), emit=emit, cancel=lambda: None
        )
        return events[0], journal.log_path("build a")


@pytest.mark.parametrize("kind", [BuildFailedError, TrialFailedError])
def test_a_failed_build_names_its_log_and_quotes_the_last_thirty_lines(
    tmp_path: Path, kind: type[DockerbuildError]
) -> None:
    message, path = run_one(tmp_path, kind("the compiler exited with 1", fix="read on"))
    quoted = "\n".join(f"    line {number}" for number in range(10, 40))
    assert message == f"the compiler exited with 1; read on; its full log is {path}\nThe log ends with:\n{quoted}"


def test_a_failure_without_any_output_names_its_log(tmp_path: Path) -> None:
    message, path = run_one(tmp_path, BuildFailedError("no such program"), lines=0)
    assert message == f"no such program; its full log is {path}"


def test_an_error_that_no_output_explains_is_left_as_it_is(tmp_path: Path) -> None:
    message, _path = run_one(tmp_path, HashMismatchError("other bytes"))
    assert message == "other bytes"


def test_an_error_that_names_its_log_already_is_left_as_it_is(tmp_path: Path) -> None:
    path = tmp_path / "log"
    path.write_text("line\n")

    def perform(_step: str, _log: StepLog) -> str:
        raise BuildFailedError("broke", fix=f"see {path}")

    with pytest.raises(BuildFailedError) as caught:
        quoting_logs(perform, lambda _step: path)("a", silent)
    assert caught.value.fix == f"see {path}"
