"""Downloads that were cut off go on where they ended, and nothing that is not verified gets the file's name."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from dockerbuild_lib.core.errors import DockerbuildError, HashMismatchError, NetworkError
from dockerbuild_lib.core.retries import RetryPolicy
from dockerbuild_lib.sources.download import Downloader, Expected
from dockerbuild_lib.sources.http import HttpSettings, TooSlowError
from dockerbuild_lib.sources.partial import partial_path
from tests.support.local_server import Answer, LocalServer, body, dripping, in_turn, part, ranged, serving, status

CONTENT = bytes(range(256)) * 4096
SIZE = len(CONTENT)
EXPECTED = Expected(hashlib.sha256(CONTENT).hexdigest(), SIZE)
PATIENT = RetryPolicy(sleep=lambda _: None)
ONCE = RetryPolicy(attempts=1)


@pytest.fixture
def target(tmp_path: Path) -> Path:
    return tmp_path / "file"


@pytest.fixture
def server() -> Iterator[LocalServer]:
    with serving() as server:
        yield server


def fetch(
    server: LocalServer, answer: Answer, target: Path, *, policy: RetryPolicy = PATIENT, expected: Expected = EXPECTED
) -> None:
    server.answers["/file"] = answer
    server.headers.clear()
    Downloader(HttpSettings(), policy=policy).download(f"{server.url}/file", target, expected)


def asked(server: LocalServer) -> list[str | None]:
    """Return what part each request asked for; None for the whole."""
    return [headers.get("Range") for headers in server.headers]


def keep(target: Path, content: bytes) -> None:
    partial_path(target).write_bytes(content)


def test_a_cut_goes_on_within_the_retries(server: LocalServer, target: Path) -> None:
    fetch(server, ranged(CONTENT, at_most=400_000), target)
    assert target.read_bytes() == CONTENT
    assert asked(server) == [None, "bytes=400000-", "bytes=800000-"]
    assert list(target.parent.iterdir()) == [target]


def test_a_cut_goes_on_in_the_next_run(server: LocalServer, target: Path) -> None:
    with pytest.raises(NetworkError, match="broke off"):
        fetch(server, ranged(CONTENT, at_most=600_000), target, policy=ONCE)
    assert list(target.parent.iterdir()) == [partial_path(target)]
    fetch(server, ranged(CONTENT), target, policy=ONCE)
    assert target.read_bytes() == CONTENT
    assert asked(server) == ["bytes=600000-"]
    assert list(target.parent.iterdir()) == [target]


def test_progress_counts_what_was_there(server: LocalServer, target: Path) -> None:
    keep(target, CONTENT[:1000])
    server.answers["/file"] = ranged(CONTENT)
    told: list[tuple[int, int | None]] = []
    url = f"{server.url}/file"
    Downloader(HttpSettings()).download(url, target, EXPECTED, lambda done, total: told.append((done, total)))
    assert told == sorted(told)
    assert told[0][0] > 1000
    assert told[-1] == (SIZE, SIZE)


def test_the_time_limit_keeps_what_came(server: LocalServer, target: Path) -> None:
    server.answers["/file"] = dripping(CONTENT, pause=0.01)
    with pytest.raises(TooSlowError):
        Downloader(HttpSettings(), time_limit=0.2).download(f"{server.url}/file", target, EXPECTED)
    came = partial_path(target).stat().st_size
    fetch(server, ranged(CONTENT), target)
    assert asked(server) == [f"bytes={came}-"]


def test_a_host_that_serves_no_parts_is_taken_from_the_start(server: LocalServer, target: Path) -> None:
    keep(target, CONTENT[:1000])
    fetch(server, body(CONTENT), target, policy=ONCE)
    assert target.read_bytes() == CONTENT
    assert asked(server) == ["bytes=1000-"]


@pytest.mark.parametrize(
    "answer",
    [
        status(416),
        part(CONTENT[1000:], None),
        part(CONTENT[1000:], "1000-1048575/1048576"),
        part(CONTENT[1000:], f"bytes 1001-{SIZE - 1}/{SIZE}"),
        part(CONTENT[1000:], f"bytes 1000-{SIZE - 1}/{SIZE + 1}"),
        part(CONTENT[1000:], f"bytes 1000-{SIZE - 1}/{'9' * 400}"),
        part(CONTENT, f"bytes 0-{SIZE - 1}/*, bytes 0-1/2"),
    ],
)
def test_an_answer_that_is_not_the_part_asked_for_is_dropped(server: LocalServer, target: Path, answer: Answer) -> None:
    keep(target, CONTENT[:1000])
    fetch(server, in_turn(answer, body(CONTENT)), target, policy=ONCE)
    assert target.read_bytes() == CONTENT
    assert asked(server) == ["bytes=1000-", None]


def test_a_total_that_is_not_told_is_no_hindrance(server: LocalServer, target: Path) -> None:
    keep(target, CONTENT[:1000])
    fetch(server, part(CONTENT[1000:], f"bytes 1000-{SIZE - 1}/*"), target, policy=ONCE)
    assert target.read_bytes() == CONTENT


def test_a_beginning_that_is_wrong_is_fetched_anew(server: LocalServer, target: Path) -> None:
    keep(target, b"x" * 1000)
    fetch(server, ranged(CONTENT), target, policy=ONCE)
    assert target.read_bytes() == CONTENT
    assert asked(server) == ["bytes=1000-", None]


@pytest.mark.parametrize("changed", [b"y" * SIZE, CONTENT[:-1], CONTENT + b"x"])
def test_a_file_that_changed_meanwhile_is_refused_whole(server: LocalServer, target: Path, changed: bytes) -> None:
    keep(target, CONTENT[:1000])
    with pytest.raises(HashMismatchError):
        fetch(server, ranged(changed), target)
    assert asked(server) == ["bytes=1000-", None]
    assert not list(target.parent.iterdir())


def test_what_was_whole_before_it_was_named_needs_no_request(server: LocalServer, target: Path) -> None:
    keep(target, CONTENT)
    fetch(server, status(404), target)
    assert target.read_bytes() == CONTENT
    assert asked(server) == []


@pytest.mark.parametrize("kept", [b"z" * SIZE, CONTENT + b"more", b"z" * SIZE * 2])
def test_what_is_as_long_but_wrong_is_fetched_anew(server: LocalServer, target: Path, kept: bytes) -> None:
    keep(target, kept)
    fetch(server, ranged(CONTENT), target, policy=ONCE)
    assert target.read_bytes() == CONTENT


def test_without_a_hash_nothing_is_joined(server: LocalServer, target: Path) -> None:
    keep(target, CONTENT[:1000])
    fetch(server, in_turn(ranged(CONTENT, at_most=5), ranged(CONTENT)), target, expected=Expected(None, None))
    assert target.read_bytes() == CONTENT
    assert asked(server) == [None, None]


def test_without_a_size_the_hash_decides(server: LocalServer, target: Path) -> None:
    keep(target, CONTENT[:1000])
    fetch(server, ranged(CONTENT), target, expected=Expected(EXPECTED.sha256, None))
    assert asked(server) == ["bytes=1000-"]
    keep(target, CONTENT)
    fetch(server, ranged(CONTENT), target, expected=Expected(EXPECTED.sha256, None))
    assert asked(server) == [f"bytes={SIZE}-", None]


def test_a_refusal_keeps_what_another_mirror_may_complete(server: LocalServer, target: Path) -> None:
    keep(target, CONTENT[:1000])
    with pytest.raises(NetworkError):
        fetch(server, status(404), target)
    fetch(server, ranged(CONTENT), target)
    assert asked(server) == ["bytes=1000-"]


SHORT = CONTENT[:5000]
ANSWERS = [
    ranged(SHORT),
    body(SHORT),
    ranged(SHORT, at_most=700),
    ranged(SHORT[:-1] + b"x"),
    body(SHORT[:100]),
    body(SHORT * 2),
    part(SHORT[700:], "bytes 700-4999/5000"),
    part(SHORT[:700], "bytes 0-699/5000"),
    part(b"", "bytes 0-0/5000"),
    status(416),
    status(503),
    status(404),
]


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    answers=st.lists(st.sampled_from(ANSWERS), min_size=1, max_size=5),
    kept=st.one_of(st.integers(0, 5000).map(lambda size: SHORT[:size]), st.binary(max_size=6000)),
)
def test_whatever_the_host_does_only_the_right_file_gets_the_name(
    server: LocalServer, target: Path, answers: list[Answer], kept: bytes
) -> None:
    expected = Expected(hashlib.sha256(SHORT).hexdigest(), len(SHORT))
    target.unlink(missing_ok=True)
    keep(target, kept)
    with suppress(DockerbuildError):
        fetch(server, in_turn(*answers), target, expected=expected)
    assert not target.exists() or target.read_bytes() == SHORT
    fetch(server, body(SHORT), target, expected=expected)
    assert target.read_bytes() == SHORT
    assert list(target.parent.iterdir()) == [target]
