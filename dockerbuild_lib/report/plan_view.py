"""What ``wheel.plan`` prints: each step, whether it must run, and why."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Literal, get_args

from dockerbuild_lib.report.listing import Column, render_listing
from dockerbuild_lib.report.units import counted

PlanStatus = Literal["hit", "to do", "older environment", "conflict"]


@dataclass(frozen=True)
class PlanRow:
    """One step of a plan."""

    step: str
    status: PlanStatus
    why: str


def render_plan(rows: Sequence[PlanRow]) -> str:
    """Return the plan as aligned text, with a line that sums it up."""
    table = render_listing(
        (Column("STEP"), Column("STATUS"), Column("WHY")), [(row.step, row.status, row.why) for row in rows], empty=""
    )
    return f"{table.lstrip()}{_summed_up(rows)}\n"


def plan_json(rows: Sequence[PlanRow]) -> str:
    """Return the plan as JSON: ``steps`` in order, and ``counts`` with the number of steps of each status."""
    numbers = Counter(row.status for row in rows)
    counts = {status: numbers[status] for status in get_args(PlanStatus)}
    return json.dumps({"steps": [asdict(row) for row in rows], "counts": counts}, indent=2) + "\n"


def _summed_up(rows: Sequence[PlanRow]) -> str:
    numbers = Counter(row.status for row in rows)
    if not numbers["to do"] and not numbers["conflict"]:
        older = f" ({numbers['older environment']} from an older environment)" if numbers["older environment"] else ""
        return f"nothing to do: {counted(len(rows), 'step')} up to date{older}"
    parts = [f"{numbers[status]} {status}" for status in ("to do", "hit", "older environment", "conflict")]
    return ", ".join(part for part in parts if not part.startswith("0 "))
