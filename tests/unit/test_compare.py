"""Two builds of one wheel are compared, and what differs is named so that its cause can be guessed."""

from __future__ import annotations

import zipfile
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from dockerbuild_lib.core.errors import WheelRefusedError
from dockerbuild_lib.wheels.compare import Difference, compare_wheels
from tests.support.forged_wheels import INIT, Forge, compiled

MEMBERS = {"demo/a.py": b"one\ntwo\nthree\n", "demo/b.bin": bytes(range(200))}


def archive(
    folder: Path,
    members: Mapping[str, bytes] = MEMBERS,
    *,
    date: tuple[int, int, int, int, int, int] = (2020, 1, 1, 0, 0, 0),
    mode: int = 0o100644,
    method: int = zipfile.ZIP_DEFLATED,
) -> Path:
    folder.mkdir(exist_ok=True)
    path = folder / "demo-1.0-py3-none-any.whl"
    with zipfile.ZipFile(path, "w", method) as result:
        for name, content in members.items():
            info = zipfile.ZipInfo(name, date)
            info.external_attr, info.compress_type = mode << 16, method
            result.writestr(info, content)
    return path


def differences(a: Path, b: Path) -> list[str]:
    return [str(difference) for difference in compare_wheels(a, b)]


def against(folder: Path, changes: dict[str, bytes]) -> list[str]:
    return differences(archive(folder / "a"), archive(folder / "b", {**MEMBERS, **changes}))


def test_identical_bytes_do_not_differ(tmp_path: Path) -> None:
    assert compare_wheels(archive(tmp_path / "a"), archive(tmp_path / "b")) == ()


def test_members_of_one_side_only_are_named(tmp_path: Path) -> None:
    first = archive(tmp_path / "a", {**MEMBERS, "demo/old": b""})
    second = archive(tmp_path / "b", {**MEMBERS, "demo/new": b""})
    assert differences(first, second) == ["demo/old: only the first has it", "demo/new: only the second has it"]


def test_the_first_different_line_of_a_text_is_shown(tmp_path: Path) -> None:
    assert against(tmp_path, {"demo/a.py": b"one\nTWO\nthree\n"}) == ["demo/a.py: line 2: 'two' and 'TWO'"]


def test_a_text_that_goes_on_is_said_so(tmp_path: Path) -> None:
    found = against(tmp_path, {"demo/a.py": b"one\ntwo\nthree\n\n"})
    assert found == ["demo/a.py: size 14 and 15 bytes", "demo/a.py: one goes on after line 4"]


def test_long_and_wild_lines_are_shown_safely(tmp_path: Path) -> None:
    found = against(tmp_path, {"demo/a.py": b"\x1b[31m" + b"x" * 5000})
    assert "\x1b" not in found[1]
    assert len(found[1]) < 300


def test_the_first_different_offset_of_other_content_is_shown(tmp_path: Path) -> None:
    changed = bytearray(range(200))
    changed[0x42] = 0
    assert against(tmp_path, {"demo/b.bin": bytes(changed)}) == ["demo/b.bin: first different at offset 0x42"]


@pytest.mark.parametrize("length", [0, 100, 1 << 16, (1 << 16) + 1, 3 << 16])
def test_content_that_only_goes_on_differs_at_its_end(tmp_path: Path, length: int) -> None:
    first = archive(tmp_path / "a", {"x": b"\0" * length})
    second = archive(tmp_path / "b", {"x": b"\0" * (length + 5)})
    assert differences(first, second)[1] == f"x: first different at offset {length:#x}"
    assert differences(second, first)[1] == f"x: first different at offset {length:#x}"


def test_timestamps_and_modes_are_named(tmp_path: Path) -> None:
    first = archive(tmp_path / "a", {"x": b"1"})
    second = archive(tmp_path / "b", {"x": b"1"}, date=(2021, 2, 3, 4, 5, 6), mode=0o100755)
    assert differences(first, second) == [
        "x: mode 100644 and 100755",
        "x: timestamp 2020-01-01 00:00:00 and 2021-02-03 04:05:06",
    ]


def test_another_order_is_another_layout(tmp_path: Path) -> None:
    second = archive(tmp_path / "b", dict(reversed(MEMBERS.items())))
    assert compare_wheels(archive(tmp_path / "a"), second) == (
        Difference(None, "same members, different archive layout (order of members)"),
    )


def test_another_compression_is_another_layout(tmp_path: Path) -> None:
    second = archive(tmp_path / "b", method=zipfile.ZIP_STORED)
    assert differences(archive(tmp_path / "a"), second) == [
        "same members, different archive layout (compression, extra fields or comments)"
    ]


def test_a_comment_of_the_archive_is_another_layout(tmp_path: Path) -> None:
    second = archive(tmp_path / "b")
    with zipfile.ZipFile(second, "a") as result:
        result.comment = b"built on Tuesday"
    assert differences(archive(tmp_path / "a"), second) == ["same members, different archive layout (headers)"]


def test_different_sections_of_machine_code_are_named(tmp_path: Path) -> None:
    one, two = tmp_path / "one", tmp_path / "two-is-longer"
    codes = []
    for folder in (one, two):
        folder.mkdir()
        codes.append(compiled(folder, INIT.format("fast"), "-g", "-nostdlib", "-Wl,--build-id=none"))
    first, second = (archive(tmp_path / str(n), {"fast.so": code}) for n, code in enumerate(codes))
    found = differences(first, second)[-1]
    assert found.startswith("fast.so: ELF sections ")
    assert ".debug_line_str" in found  # where the folder of the source is
    assert ".text" not in found


def test_damaged_machine_code_is_compared_by_its_bytes(tmp_path: Path) -> None:
    first = archive(tmp_path / "a", {"x.so": b"\x7fELF" + bytes(20)})
    second = archive(tmp_path / "b", {"x.so": b"\x7fELF\xff" + bytes(19)})
    assert differences(first, second) == ["x.so: first different at offset 0x4"]


def test_what_is_no_archive_is_refused(tmp_path: Path) -> None:
    broken = tmp_path / "demo-1.0-py3-none-any.whl"
    broken.write_bytes(b"no zip")
    with pytest.raises(WheelRefusedError, match="not a zip archive"):
        compare_wheels(archive(tmp_path / "a"), broken)


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_no_mutation_gives_another_error(tmp_path: Path, data: st.DataObject) -> None:
    whole = Forge(members={"demo/a.py": b"x\n" * 30, "b.so": b"\x7fELF\x02\x01\x01" + bytes(57)}).write(tmp_path)
    content = bytearray(whole.read_bytes())
    for _ in range(data.draw(st.integers(1, 5))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    other = tmp_path / "other.whl"
    other.write_bytes(content)
    with suppress(WheelRefusedError):
        compare_wheels(whole, other)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(first=st.binary(max_size=50), second=st.binary(max_size=50))
def test_different_content_is_always_a_difference(tmp_path: Path, first: bytes, second: bytes) -> None:
    pair = (archive(tmp_path / "a", {"x": first}), archive(tmp_path / "b", {"x": second}))
    assert bool(differences(*pair)) is (first != second)
