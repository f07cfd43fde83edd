"""Results on standard output: tables for people, JSON for programs."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence

from dockerbuild_lib.report.listing import Column, render_listing
from dockerbuild_lib.report.streams import write_result


def show_rows(columns: Sequence[Column], rows: Sequence[Sequence[str]], *, as_json: bool) -> None:
    """Print rows as a table, or as a JSON list of objects whose keys are the columns' titles in lower case."""
    if as_json:
        show_json([{column.title.lower(): cell for column, cell in zip(columns, row, strict=True)} for row in rows])
    else:
        write_result(sys.stdout, render_listing(columns, rows))


def show_json(value: object) -> None:
    """Print a value as indented JSON."""
    write_result(sys.stdout, json.dumps(value, indent=2) + "\n")
