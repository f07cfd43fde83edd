"""What ``doctor`` makes of an engine, and how it tells."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from dockerbuild_lib.containers import examination
from dockerbuild_lib.containers.engine import Engine
from dockerbuild_lib.containers.examination import EngineFacts, examine_engine, space
from dockerbuild_lib.core.errors import EnginePermissionError, EngineUnavailableError, NoSpaceError
from dockerbuild_lib.core.findings import Finding
from dockerbuild_lib.report.findings_view import findings_document, render_findings

INFO = {
    "OSType": "linux",
    "Architecture": "x86_64",
    "NCPU": 2,
    "MemoryLimit": True,
    "SwapLimit": True,
    "PidsLimit": True,
    "SecurityOptions": ["name=seccomp,profile=default"],
    "DockerRootDir": "/",
}


def findings(
    monkeypatch: pytest.MonkeyPatch, *, api: str = "1.41", is_remote: bool = False, **info: object
) -> dict[str, Finding]:
    facts = EngineFacts("Docker", "20.10", api, "the default socket", is_remote, {**INFO, **info})
    monkeypatch.setattr(examination, "engine_facts", lambda _engine: facts)
    return {each.subject: each for each in examine_engine(Engine("tests"))}


def test_a_good_engine_has_no_problem(monkeypatch: pytest.MonkeyPatch) -> None:
    found = findings(monkeypatch)
    assert found["engine"] == Finding("engine", "ok", "Docker 20.10, API 1.41, at the default socket")
    assert {each.verdict for each in found.values() if each.subject != "engine's disk"} == {"ok"}


@pytest.mark.parametrize(("api", "verdict"), [("1.40", "problem"), ("1.41", "ok"), ("1.52", "ok"), ("1.100", "ok")])
def test_an_engine_before_20_10_is_too_old(monkeypatch: pytest.MonkeyPatch, api: str, verdict: str) -> None:
    assert findings(monkeypatch, api=api)["engine"].verdict == verdict


def test_another_processor_is_a_problem(monkeypatch: pytest.MonkeyPatch) -> None:
    found = findings(monkeypatch, Architecture="aarch64")["build machine"]
    assert (found.verdict, found.what) == ("problem", "images need x86_64, and this is aarch64")


def test_what_an_engine_cannot_confine_is_noted(monkeypatch: pytest.MonkeyPatch) -> None:
    found = findings(monkeypatch, SwapLimit=False, PidsLimit=False, SecurityOptions=["name=seccomp,profile=unconfined"])
    assert found["limits"].what == "this engine does not limit swap, the number of processes: a build can take all"
    assert found["confinement"].verdict == "note"


def test_the_disk_of_another_machine_is_not_looked_at(monkeypatch: pytest.MonkeyPatch) -> None:
    assert "engine's disk" not in findings(monkeypatch, is_remote=True)


def test_an_engine_that_does_not_answer_is_a_finding(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(_engine: Engine) -> EngineFacts:
        raise EnginePermissionError("permission denied", where="the socket", fix="join the group")

    monkeypatch.setattr(examination, "engine_facts", refuse)
    [found] = examine_engine(Engine("tests"))
    assert (found.verdict, found.what, found.fix) == ("problem", "the socket: permission denied", "join the group")


@pytest.mark.parametrize(("free", "verdict"), [(0, "problem"), (2 << 30, "note"), (20 << 30, "ok")])
def test_a_full_disk_is_a_problem_and_a_small_one_a_note(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, free: int, verdict: str
) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda _path: type("Usage", (), {"free": free}))
    found = space("disk", tmp_path / "not" / "there", "free some")
    assert found.verdict == verdict
    assert isinstance(found.error, NoSpaceError) == (verdict == "problem")


def test_fixes_stand_below_what_they_mend() -> None:
    found = [
        Finding("engine", "ok", "is fine"),
        Finding.problem("disk", EngineUnavailableError("is\nfull\x1b[2J", where="/var", fix="free some")),
    ]
    assert render_findings(found) == (
        "ok       engine: is fine\nproblem  disk: /var: is full\n           free some\n1 problem\n"
    )
    assert findings_document(found)[1]["fix"] == "free some"
    assert render_findings(found[:1]).endswith("nothing is in the way\n")
