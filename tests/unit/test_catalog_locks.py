"""Lock files."""

from __future__ import annotations

from pathlib import Path

import pytest

from dockerbuild_lib.catalog.load import load_catalog
from dockerbuild_lib.catalog.locks import IndexFile, ToolsLock, VersionLock, WheelLock
from tests.support.catalogs import add_file, problems_of, write_catalog

_FIX = "restore the file, or remove it and run sources.lock"

_FILE = IndexFile(distribution="six", version="1.17.0", filename="six-1.17.0.tar.gz", sha256="a" * 64, size=5)
_LOCK = WheelLock(versions={"1.17.0": VersionLock(source=_FILE, build_requires={"3.11": (_FILE,)})})


def test_without_lock_files_nothing_is_pinned(tmp_path: Path) -> None:
    locks = load_catalog(write_catalog(tmp_path)).locks
    assert not locks.wheels
    assert not locks.libraries.sources
    assert not locks.tools.wheels


@pytest.mark.parametrize("indent", [None, 2])
def test_locks_are_read_as_the_models_write_them(tmp_path: Path, indent: int | None) -> None:
    config = write_catalog(tmp_path)
    add_file(config, "locks/wheels/six.json", _LOCK.model_dump_json(indent=indent))
    add_file(config, "locks/tools.json", ToolsLock(wheels=(_FILE,)).model_dump_json(indent=indent))
    locks = load_catalog(config).locks
    assert locks.wheels == {"six": _LOCK}
    assert locks.tools.wheels == (_FILE,)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("", "1:1: is no valid JSON: EOF while parsing a value"),
        ('{"versions": {},\n}', "2:1: is no valid JSON: trailing comma"),
        (b'{"\xff": 1}', "1:3: is no valid JSON: invalid unicode code point"),
        ("[]", "1:1: a list stands here, where a mapping belongs"),
        ('{\n  "version": {}}', "2:3: unknown key 'version'"),
        (
            _LOCK.model_dump_json(indent=1).replace(": 5", ': "5"', 1),
            "10:13: '5' is a text, where a whole number belongs",
        ),
        (_LOCK.model_dump_json(indent=1).replace("a" * 64, "b" * 10, 1), "9:15: 'bbbbbbbbbb' is not a sha256"),
        ('{"versions": {"1": {\n "build_requires": {}}}}', "2:2: unknown key 'build_requires'"),
        ('{"versions": {"1": {\n "source": {"origin": "index"}}}}', "2:2: missing key 'distribution'"),
        (
            '{"versions": {"1": {\n "source": {"origin": "web"}}}}',
            "2:23: 'web' is none of: index, debian, archive",
        ),
    ],
)
def test_a_damaged_lock_is_a_problem_with_its_place(tmp_path: Path, content: str | bytes, said: str) -> None:
    config = write_catalog(tmp_path)
    add_file(config, "locks/wheels/six.json", content)
    found = problems_of(config)
    assert found[0].startswith(f"config/locks/wheels/six.json:{said}")
    assert all(line.endswith(f"; {_FIX}") for line in found)


def test_an_unreadable_lock_is_a_problem(tmp_path: Path) -> None:
    config = write_catalog(tmp_path)
    (config / "locks" / "tools.json").mkdir(parents=True)
    assert problems_of(config) == ["config/locks/tools.json: cannot be read: Is a directory"]
