"""What the report room prints, compared with files in ``files/``.

After a wanted change, ``UPDATE_GOLDEN=1 pytest tests/golden`` writes the files anew; look at the difference.
"""

from __future__ import annotations

import io
import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from dockerbuild_lib.core.events import Event, Notice, StepFailed, StepFinished, StepOutput, StepStarted
from dockerbuild_lib.report.listing import Column, render_listing
from dockerbuild_lib.report.plain import PlainReporter
from dockerbuild_lib.report.plan_view import PlanRow, plan_json, render_plan
from dockerbuild_lib.report.summary import ArtifactRow, print_summary, summary_text

FILES = Path(__file__).with_name("files")


@dataclass(frozen=True)
class Outcome:
    step: str
    status: str
    seconds: float
    detail: str


WHEEL = "markupsafe-3.0.4-cp311-cp311-manylinux_2_17_aarch64.manylinux2014_aarch64.whl"
BROKEN = (
    "zig ended with exit code 1; its full log is runs/x/logs/cffi.log\nThe log ends with:\n"
    "    c/_cffi_backend.c:15:10: fatal error: ffi.h: No such file or directory\n"
    "    \x1b[31merror\x1b[0m: command 'zig' failed"
)
OUTCOMES = (
    Outcome("image linux-arm64", "done", 184.21, "sha256:1f0c"),
    Outcome("build markupsafe 3.0.4 linux-arm64-py3.11", "done", 6.42, WHEEL),
    Outcome("build cffi 2.0.0 linux-arm64-py3.11", "failed", 3.09, BROKEN),
    Outcome(
        "publish cffi 2.0.0 linux-arm64-py3.11",
        "cancelled",
        0.0,
        "needs build cffi 2.0.0 linux-arm64-py3.11, which failed",
    ),
)
ARTIFACTS = (
    ArtifactRow("build markupsafe 3.0.4 linux-arm64-py3.11", WHEEL, 24301, "0f" * 32),
    ArtifactRow("package six 1.17.0 universal", "six-1.17.0-py2.py3-none-any.whl", 11050, "ab" * 32),
)
PLAN = (
    PlanRow("image linux-arm64", "older environment", "made from a recipe that has changed since"),
    PlanRow("fetch markupsafe-3.0.4.tar.gz", "hit", "in the store"),
    PlanRow("build markupsafe 3.0.4 linux-arm64-py3.11", "to do", "not built from this recipe yet"),
    PlanRow("publish cffi 2.0.0 linux-arm64-py3.11", "conflict", "published from another recipe: raise `revision`"),
)


def plain_run() -> str:
    stream = io.StringIO()
    events: tuple[Event, ...] = (
        Notice("logs are in .dockerbuild/runs/20260102T030405.678Z-0a1b2c"),
        StepStarted("image linux-arm64", "Make the image of linux-arm64"),
        StepOutput("image linux-arm64", "I: retrieving packages"),
        StepFinished("image linux-arm64", 184.21, "sha256:1f0c"),
        StepStarted("build markupsafe 3.0.4 linux-arm64-py3.11", "build markupsafe 3.0.4 linux-arm64-py3.11"),
        StepStarted("build cffi 2.0.0 linux-arm64-py3.11", "Build cffi 2.0.0"),
        StepFailed("build cffi 2.0.0 linux-arm64-py3.11", 3.09, BROKEN),
        StepFailed("publish cffi 2.0.0 linux-arm64-py3.11", 0.0, OUTCOMES[3].detail, cancelled=True),
        StepFinished("build markupsafe 3.0.4 linux-arm64-py3.11", 6.42, WHEEL),
        Notice("the disk is nearly full", warning=True),
    )
    with PlainReporter(stream, total=4) as reporter:
        for event in events:
            reporter(event)
    return stream.getvalue()


def listing() -> str:
    columns = (Column("PACKAGE"), Column("SIZE", "right"), Column("REFS"))
    return render_listing(columns, [("infra/python/wheels/six", "10.8 KiB", "latest"), ("a", "1 B", "")])


def printed_summary() -> str:
    stream = io.StringIO()
    print_summary(stream, OUTCOMES, ARTIFACTS, 193.7, environ={})
    return stream.getvalue()


CASES: dict[str, Callable[[], str]] = {
    "plain.txt": plain_run,
    "summary.txt": printed_summary,
    "summary-no-wheels.txt": lambda: summary_text(OUTCOMES[2:], (), 3.1),
    "summary-no-steps.txt": lambda: summary_text((), (), 0.0),
    "plan.txt": lambda: render_plan(PLAN),
    "plan.json": lambda: plan_json(PLAN),
    "plan-nothing-to-do.txt": lambda: render_plan(PLAN[:2]),
    "plan-empty.txt": lambda: render_plan(()),
    "listing.txt": listing,
    "listing-empty.txt": lambda: render_listing((Column("PACKAGE"),), (), empty="no packages"),
}


@pytest.mark.parametrize("name", CASES)
def test_the_output_is_as_recorded(name: str) -> None:
    path, text = FILES / f"report-{name}", CASES[name]()
    if os.environ.get("UPDATE_GOLDEN") == "1":
        path.write_text(text)
    assert text == path.read_text()
    assert "\x1b" not in text
    assert all(line == line.rstrip() for line in text.splitlines())
