"""Answers that are kept for as long as nothing that they came from has changed."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from dockerbuild_lib.cli import remembered
from dockerbuild_lib.cli.remembered import RememberedAnswers

ANSWER = {"image": "a:1", "words": ["x", "y"]}


@pytest.fixture
def answers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> RememberedAnswers:
    """Answers from two places, by a program that began some seconds after they were written."""
    (tmp_path / "settings").write_text("a")
    (tmp_path / "config").mkdir()
    monkeypatch.setattr(remembered, "STARTED_AT", time.time() + 5)
    return RememberedAnswers(tmp_path / "area/answers", (tmp_path / "settings",), ("code",))


def put(answers: RememberedAnswers, question: str = "q") -> None:
    config = answers.file.parents[1] / "config"
    answers.put(question, ANSWER, answers.look(config), config)


def test_an_answer_is_there_for_its_question_only(answers: RememberedAnswers) -> None:
    assert answers.get("q") is None
    put(answers)
    assert (answers.get("q"), answers.get("other")) == (ANSWER, None)
    put(answers, "other")
    assert (answers.get("q"), answers.get("other")) == (ANSWER, ANSWER)


@pytest.mark.parametrize("file", ["settings", "config/new.yaml"])
def test_a_change_of_any_place_makes_all_answers_void(answers: RememberedAnswers, tmp_path: Path, file: str) -> None:
    put(answers)
    put(answers, "other")
    (tmp_path / file).write_text("b")
    assert (answers.get("q"), answers.get("other")) == (None, None)
    put(answers)
    assert (answers.get("q"), answers.get("other")) == (ANSWER, None)


def test_so_does_a_change_of_what_else_they_came_from(answers: RememberedAnswers) -> None:
    put(answers)
    assert replace(answers, texts=("other code",)).get("q") is None


def test_what_may_have_changed_while_the_program_ran_is_not_kept(
    answers: RememberedAnswers, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(remembered, "STARTED_AT", time.time() + 1)
    put(answers)
    assert not answers.file.exists()


@pytest.mark.parametrize("text", ["b", "a"])
def test_nor_is_what_changed_while_the_answer_was_worked_out(
    answers: RememberedAnswers, tmp_path: Path, text: str
) -> None:
    before = answers.look()
    time.sleep(0.05)
    (tmp_path / "settings").write_text(text)  # perhaps back again: what was read meanwhile, nobody knows
    answers.put("q", ANSWER, before)
    assert not answers.file.exists()


def test_what_cannot_be_looked_at_is_not_kept(answers: RememberedAnswers, tmp_path: Path) -> None:
    put(answers)
    (tmp_path / "settings").unlink()
    (tmp_path / "settings").symlink_to("settings")
    assert answers.get("q") is None
    answers.file.unlink()
    put(answers)
    assert not answers.file.exists()


@pytest.mark.parametrize(
    "damage",
    [
        lambda whole: whole[:0],
        lambda whole: whole[:-10],
        lambda whole: whole.replace(b"a:1", b"a:2"),
        lambda whole: whole.replace(b"\n", b"\n\xff"),
        lambda whole: whole.partition(b"\n")[2],
    ],
)
def test_a_damaged_file_answers_nothing_and_is_written_anew(
    answers: RememberedAnswers, damage: Callable[[bytes], bytes]
) -> None:
    put(answers)
    answers.file.write_bytes(damage(answers.file.read_bytes()))
    assert answers.get("q") is None
    put(answers)
    assert answers.get("q") == ANSWER


def test_what_cannot_be_written_or_read_is_no_error(answers: RememberedAnswers, tmp_path: Path) -> None:
    (tmp_path / "area").write_text("a file stands where the folder should")
    put(answers)
    assert answers.get("q") is None
    (tmp_path / "area").unlink()
    answers.file.mkdir(parents=True)
    put(answers)
    assert answers.get("q") is None
    assert [entry.name for entry in answers.file.parent.iterdir()] == ["answers"]
