"""A wheel is read only when its name, metadata, RECORD and members agree, whatever its bytes are."""

from __future__ import annotations

import stat
import struct
import warnings
import zipfile
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from dockerbuild_lib.core.errors import WheelRefusedError
from dockerbuild_lib.wheels import wheel_members
from dockerbuild_lib.wheels.wheel_file import inspect_wheel, read_wheel
from dockerbuild_lib.wheels.wheel_members import open_archive
from tests.support.forged_wheels import Forge

PURE = {"tag": "py3-none-any", "purelib": True}


def pure(**fields: object) -> Forge:
    return Forge(**{"members": {"demo/__init__.py": b"x = 1\n"}, **PURE, **fields})  # type: ignore[arg-type]


def refusal_of(path: Path) -> str:
    with pytest.raises(WheelRefusedError) as caught:
        read_wheel(path)
    assert caught.value.where == path.name
    return str(caught.value)


def zipped(path: Path, *entries: tuple[zipfile.ZipInfo | str, bytes]) -> Path:
    with warnings.catch_warnings(), zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        warnings.simplefilter("ignore")  # zipfile warns of the duplicates that are wanted here
        for name, content in entries:
            archive.writestr(name, content)
    return path


def test_a_sound_wheel_is_read(tmp_path: Path) -> None:
    wheel = read_wheel(pure().write(tmp_path))
    assert (wheel.distribution, str(wheel.version), wheel.purelib) == ("demo", "1.0", True)
    assert sorted(map(str, wheel.tags)) == ["py3-none-any"]
    assert wheel.members["demo/__init__.py"].size == 6
    assert wheel.requires_python.contains("3.11.0")


def test_names_are_compared_normalised(tmp_path: Path) -> None:
    assert read_wheel(pure(name="Demo.Tool", metadata_name="demo_tool").write(tmp_path)).distribution == "demo-tool"


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"metadata_name": "other"}, "METADATA: its name 'other' is not 'demo'"),
        ({"metadata_version": "2.0"}, "METADATA: its version '2.0' is not '1.0'"),
        ({"metadata_version": "new"}, "METADATA: its version 'new' is not '1.0'"),
        ({"requires_python": "three"}, "Requires-Python 'three' is not a version specifier"),
        ({"wheel_tags": ["py3-none-linux_x86_64"]}, "its tags (py3-none-linux_x86_64) are not those of the file name"),
        ({"wheel_tags": []}, "its tags (nothing) are not those of the file name"),
        ({"wheel_tags": ["py3"]}, "'py3' is not a tag"),
        ({"wheel_tags": [".".join("abcdefghij" * 9) + "-" + ".".join("abcdefg" * 9) + "-any"]}, "is not a tag"),
        ({"wheel_version": "2.0"}, "its Wheel-Version is 2.0"),
        ({"unlisted": frozenset({"demo/__init__.py"})}, "demo/__init__.py: RECORD does not list it"),
        ({"unlisted": frozenset({"demo-1.0.dist-info/WHEEL"})}, "WHEEL: RECORD does not list it"),
        ({"extra_rows": ("demo/gone.py,sha256=abc,3",)}, "demo/gone.py: RECORD lists it, but the wheel does not"),
        ({"extra_rows": ("demo/__init__.py,sha256=abc,3",)}, "demo/__init__.py: RECORD lists it twice"),
        ({"extra_rows": ("lonely",)}, "a line has 1 fields instead of 3"),
        ({"record_of": {"demo/__init__.py": b"y = 2\n"}}, "its sha256 is not the one in RECORD"),
        ({"record_of": {"demo/__init__.py": b"longer = 2\n"}}, "it has 6 bytes, RECORD says 11"),
        ({"members": {"x.dist-info/a": b""}}, "it has 2 .dist-info folders instead of one"),
        ({"members": {"other-1.0.data/purelib/a.py": b""}}, "it is not this wheel's .data folder"),
        ({"members": {"demo-1.0.data/etc/a": b""}}, "in no folder of .data that installers know"),
        (
            {"members": {"demo.py": b"", "demo-1.0.data/platlib/Demo.py": b""}},
            "demo-1.0.data/platlib/Demo.py: it would be installed over demo.py",
        ),
    ],
)
def test_what_does_not_agree_is_refused(tmp_path: Path, fields: dict[str, object], expected: str) -> None:
    assert expected in refusal_of(pure(**fields).write(tmp_path))


def test_every_disagreement_has_its_line(tmp_path: Path) -> None:
    wheel = pure(metadata_name="other", wheel_version="3", extra_rows=("gone,,",)).write(tmp_path)
    assert [line.split(":")[0].strip() for line in refusal_of(wheel).splitlines()[1:]] == ["WHEEL", "METADATA", "gone"]


def test_a_weak_hash_in_record_is_refused(tmp_path: Path) -> None:
    row = "demo/__init__.py,md5=abc,6"
    wheel = pure(unlisted=frozenset({"demo/__init__.py"}), extra_rows=(row,)).write(tmp_path)
    assert "RECORD gives no sha256 of it" in refusal_of(wheel)


@pytest.mark.parametrize("name", ["demo.whl", "demo-1.0.whl", "demo-one-py3-none-any.whl", "demo-1.0-py3-none-any.zip"])
def test_a_file_name_that_is_not_of_a_wheel_is_refused(tmp_path: Path, name: str) -> None:
    assert "its file name is not that of a wheel" in refusal_of(pure().write(tmp_path, name))


def test_a_missing_metadata_file_is_refused(tmp_path: Path) -> None:
    contents = pure().contents()
    del contents["demo-1.0.dist-info/METADATA"]
    path = zipped(tmp_path / pure().filename, *contents.items())
    assert "demo-1.0.dist-info/METADATA: it is missing" in refusal_of(path)


def test_a_missing_wheel_is_refused(tmp_path: Path) -> None:
    assert "there is no such file" in refusal_of(tmp_path / pure().filename)


@pytest.mark.parametrize(
    "name",
    ["../evil.py", "/etc/passwd", "a/../../b", "a//b", "./a", "a\\b", "c:/a", "a\nb", "a\x1b[31m", "x" * 2000, "a/./b"],
)
def test_a_name_that_leaves_the_wheel_is_refused(tmp_path: Path, name: str) -> None:
    path = zipped(tmp_path / pure().filename, *pure().contents().items(), (name, b"x"))
    text = refusal_of(path)
    assert "its name" in text
    assert "\x1b" not in text


def test_a_member_without_a_name_is_refused(tmp_path: Path) -> None:
    path = zipped(tmp_path / pure().filename, *pure().contents().items(), (zipfile.ZipInfo(""), b"x"))
    assert "a member has no name" in refusal_of(path)


def test_a_name_cut_by_a_null_byte_is_refused(tmp_path: Path) -> None:
    path = zipped(tmp_path / pure().filename, *pure().contents().items(), ("evilXname", b"x"))
    path.write_bytes(path.read_bytes().replace(b"evilXname", b"evil\0name"))
    assert "its name has characters that are not allowed" in refusal_of(path)


@pytest.mark.parametrize("second", ["demo/__init__.py", "Demo/__init__.py", "demo/__INIT__.PY"])
def test_names_that_are_one_file_on_some_system_are_refused(tmp_path: Path, second: str) -> None:
    path = zipped(tmp_path / pure().filename, *pure().contents().items(), (second, b"x"))
    assert "it is there twice" in refusal_of(path)


def test_two_spellings_of_one_accented_name_are_refused(tmp_path: Path) -> None:
    members = {"d/\u00e9.py": b"", "d/e\u0301.py": b""}
    assert "it is there twice" in refusal_of(pure(members=members).write(tmp_path))


def test_a_file_below_a_file_is_refused(tmp_path: Path) -> None:
    assert "which is a file" in refusal_of(pure(members={"demo": b"", "demo/x.py": b""}).write(tmp_path))


def test_folder_entries_are_allowed(tmp_path: Path) -> None:
    path = zipped(tmp_path / pure().filename, ("demo/", b""), *pure().contents().items())
    assert next(iter(read_wheel(path).members)) == "demo/__init__.py"


@pytest.mark.parametrize("kind", [stat.S_IFLNK, stat.S_IFIFO, stat.S_IFCHR])
def test_a_member_that_is_no_regular_file_is_refused(tmp_path: Path, kind: int) -> None:
    info = zipfile.ZipInfo("demo/link")
    info.external_attr = (kind | 0o777) << 16
    assert "not a regular file" in refusal_of(zipped(tmp_path / pure().filename, (info, b"/etc/passwd")))


def test_an_unusual_packing_method_is_refused(tmp_path: Path) -> None:
    info = zipfile.ZipInfo("demo/a")
    info.compress_type = zipfile.ZIP_LZMA
    path = tmp_path / pure().filename
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(info, b"abc")
    assert "it is packed with zip method 14" in refusal_of(path)


def test_a_zip_bomb_is_refused_before_it_is_unpacked(tmp_path: Path) -> None:
    path = zipped(tmp_path / pure().filename, *(pure().contents() | {"zeros": bytes(65 << 20)}).items())
    assert path.stat().st_size < 1 << 20
    assert "that is a zip bomb" in refusal_of(path)


def test_a_member_that_lies_about_its_size_is_refused(tmp_path: Path) -> None:
    content = b"A" * 1000
    path = zipped(tmp_path / pure().filename, *(pure().contents() | {"demo/big": content}).items())
    lying = path.read_bytes().replace(struct.pack("<L", 1000), struct.pack("<L", 999))
    path.write_bytes(lying)
    assert "demo/big" in refusal_of(path)


def test_members_that_share_bytes_are_refused(tmp_path: Path) -> None:
    path = zipped(tmp_path / pure().filename, ("a", b"x" * 50), ("b", b"y" * 50))
    content = bytearray(path.read_bytes())
    entries = [place for place in range(len(content)) if content[place : place + 4] == b"PK\x01\x02"]
    content[entries[1] + 42 : entries[1] + 46] = content[entries[0] + 42 : entries[0] + 46]
    path.write_bytes(content)
    assert "overlap" in refusal_of(path)


def test_too_many_members_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(wheel_members, "MAX_MEMBERS", 3)
    assert "it has 4 members, more than the 3 allowed" in refusal_of(pure().write(tmp_path))


def test_huge_metadata_is_refused(tmp_path: Path) -> None:
    members = pure().contents()
    members["demo-1.0.dist-info/METADATA"] += bytes(range(32, 127)) * ((9 << 20) // 95)
    assert "more than the 8388608 allowed" in refusal_of(zipped(tmp_path / pure().filename, *members.items()))


def test_many_problems_are_cut_short(tmp_path: Path) -> None:
    rows = tuple(f"gone{number},," for number in range(500))
    assert len(refusal_of(pure(extra_rows=rows).write(tmp_path)).splitlines()) < 70


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_no_mutation_of_a_wheel_gives_another_error(tmp_path: Path, data: st.DataObject) -> None:
    path = pure(members={"demo/__init__.py": b"x = 1\n" * 20}).write(tmp_path)
    content = bytearray(path.read_bytes())
    for _ in range(data.draw(st.integers(1, 4))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    cut = data.draw(st.integers(len(content) // 2, len(content)))
    path.write_bytes(content[:cut])
    with suppress(WheelRefusedError):
        inspect_wheel(path)


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    wheel=st.binary(max_size=200) | st.text(max_size=80).map(str.encode),
    metadata=st.binary(max_size=200) | st.text(max_size=80).map(str.encode),
    record=st.binary(max_size=200) | st.text(alphabet='a,"\n=\r\x00', max_size=80).map(str.encode),
)
def test_no_metadata_gives_another_error(tmp_path: Path, wheel: bytes, metadata: bytes, record: bytes) -> None:
    contents = pure().contents()
    for name, content in (("WHEEL", wheel), ("METADATA", metadata), ("RECORD", record)):
        contents[f"demo-1.0.dist-info/{name}"] = content
    refusal_of(zipped(tmp_path / pure().filename, *contents.items()))


def test_a_member_is_read_whole(tmp_path: Path) -> None:
    path = pure(members={"demo/a": b"abc" * 700_000}).write(tmp_path)
    with open_archive(path) as archive:
        assert archive.read(archive.members[0]) == b"abc" * 700_000
