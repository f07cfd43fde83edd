"""What is said at the end of a run: how each step ended, and which wheels there are now."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Protocol, TextIO, cast

from dockerbuild_lib.core.text import displayable
from dockerbuild_lib.report.listing import Column, render_listing
from dockerbuild_lib.report.streams import QuietStream, is_terminal
from dockerbuild_lib.report.units import byte_size, counted, duration

if TYPE_CHECKING:
    from rich.table import Table

_STEP_COLUMNS = (Column("STEP"), Column("STATUS"), Column("TIME", "right"), Column("DETAIL"))
_ARTIFACT_COLUMNS = (Column("WHEEL"), Column("SIZE", "right"), Column("SHA256"))
_STYLES = {"done": "green", "failed": "red", "cancelled": "yellow"}


class OutcomeRow(Protocol):
    """The end of one step, as the scheduler gives it."""

    @property
    def step(self) -> str:
        """The step's id."""

    @property
    def status(self) -> str:
        """How it ended: done, failed or cancelled."""

    @property
    def seconds(self) -> float:
        """Its wall time."""

    @property
    def detail(self) -> str:
        """Its result in a few words, or why it did not succeed."""


@dataclass(frozen=True)
class ArtifactRow:
    """A wheel that the run made; *size* in bytes."""

    step: str
    filename: str
    size: int
    sha256: str


def summary_text(outcomes: Sequence[OutcomeRow], artifacts: Sequence[ArtifactRow], seconds: float) -> str:
    """Return the summary as aligned plain text; *seconds* is the whole run's wall time."""
    parts = [render_listing(_STEP_COLUMNS, _step_cells(outcomes), empty="no steps")]
    if artifacts:
        parts.append(render_listing(_ARTIFACT_COLUMNS, _artifact_cells(artifacts)))
    return "\n".join([*parts, f"{summary_line(outcomes, seconds)}\n"])


def summary_document(
    outcomes: Sequence[OutcomeRow], artifacts: Sequence[ArtifactRow], seconds: float
) -> dict[str, object]:
    """Return the content of ``summary.json``: ``seconds``, ``steps`` and ``artifacts`` (sizes in bytes)."""
    steps = [
        {"step": row.step, "status": row.status, "seconds": round(row.seconds, 3), "detail": row.detail}
        for row in outcomes
    ]
    return {"seconds": round(seconds, 3), "steps": steps, "artifacts": [asdict(row) for row in artifacts]}


def summary_line(outcomes: Sequence[OutcomeRow], seconds: float) -> str:
    """Return the run in one line: ``3 steps in 12.3 s: 2 done, 1 failed``."""
    numbers = Counter(row.status for row in outcomes)
    parts = [f"{numbers[status]} {status}" for status in _STYLES if numbers[status]]
    return f"{counted(len(outcomes), 'step')} in {duration(seconds)}{': ' if parts else ''}{', '.join(parts)}"


def print_summary(
    stream: TextIO,
    outcomes: Sequence[OutcomeRow],
    artifacts: Sequence[ArtifactRow],
    seconds: float,
    *,
    environ: Mapping[str, str],
) -> None:
    """Write the summary to *stream*: tables with colours on a terminal, aligned text elsewhere."""
    quiet = QuietStream(stream)
    if not is_terminal(stream, environ):
        quiet.write(summary_text(outcomes, artifacts, seconds))
        quiet.flush()
        return
    from rich.console import Console  # noqa: PLC0415 - costs 0.1 s, and only terminals need it

    console = Console(file=cast("TextIO", quiet), force_terminal=True, highlight=False, markup=False, emoji=False)
    console.print(_rich_table(_STEP_COLUMNS, _step_cells(outcomes)))
    if artifacts:
        console.print(_rich_table(_ARTIFACT_COLUMNS, _artifact_cells(artifacts)))
    console.print(summary_line(outcomes, seconds))


def _step_cells(outcomes: Sequence[OutcomeRow]) -> list[tuple[str, ...]]:
    return [
        (row.step, row.status, duration(row.seconds) if row.seconds else "", row.detail.partition("\n")[0])
        for row in outcomes
    ]


def _artifact_cells(artifacts: Sequence[ArtifactRow]) -> list[tuple[str, ...]]:
    return [(row.filename, byte_size(row.size), row.sha256) for row in artifacts]


def _rich_table(columns: Sequence[Column], rows: Sequence[Sequence[str]]) -> Table:
    from rich.box import SIMPLE_HEAD  # noqa: PLC0415 - costs 0.1 s, and only terminals need it
    from rich.table import Table  # noqa: PLC0415
    from rich.text import Text  # noqa: PLC0415

    table = Table(box=SIMPLE_HEAD)
    for column in columns:
        table.add_column(column.title, justify=column.align, overflow="fold")
    for row in rows:
        table.add_row(*(Text(displayable(cell), style=_STYLES.get(cell, "")) for cell in row))
    return table
