"""Findings of ``doctor``, for people and for programs."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from dockerbuild_lib.core.findings import Finding
from dockerbuild_lib.core.text import displayable
from dockerbuild_lib.report.units import counted

_WIDTH = max(map(len, ("ok", "note", "problem")))


def render_findings(findings: Sequence[Finding]) -> str:
    """Return a line for each finding, with its fix below it, and how many problems there are."""
    problems = sum(finding.verdict == "problem" for finding in findings)
    end = f"{counted(problems, 'problem')}\n" if problems else "nothing is in the way\n"
    return "".join(f"{displayable(line)}\n" for finding in findings for line in _lines(finding)) + end


def findings_document(findings: Iterable[Finding]) -> list[dict[str, str]]:
    """Return the findings as JSON's types."""
    return [{"verdict": each.verdict, "subject": each.subject, "what": each.what, "fix": each.fix} for each in findings]


def _lines(finding: Finding) -> Iterable[str]:
    yield f"{finding.verdict:<{_WIDTH}}  {finding.subject}: {' '.join(finding.what.split())}"
    if finding.fix:
        yield f"{'':<{_WIDTH}}    {finding.fix}"
