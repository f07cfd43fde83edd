"""Two packages are compared, and what differs is named: members, modes, and what is inside of a wheel."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest

from dockerbuild_lib.core.errors import StoreDamagedError
from dockerbuild_lib.store.package_file import InstallMode, write_package
from dockerbuild_lib.store.package_tree import FileMember, LinkMember, Member
from dockerbuild_lib.wheels import compare_packages as module
from dockerbuild_lib.wheels.compare_packages import compare_packages
from tests.support.store_samples import wheel_file


def package(
    folder: Path, files: Mapping[str, str | Path], *more: Member, name: str = "a/b", mode: InstallMode | None = None
) -> Path:
    """Write a package; a file's content is a text, or that of a path."""
    folder.mkdir()
    members: list[Member] = []
    for number, (member, content) in enumerate(files.items()):
        source = content if isinstance(content, Path) else folder / str(number)
        if isinstance(content, str):
            source.write_text(content)
        members.append(FileMember(member, source))
    write_package(folder / "package", name, [*members, *more], install_mode=mode)
    return folder / "package"


def differences(a: Path, b: Path) -> list[str]:
    return [str(each) for each in compare_packages(a, b)]


def test_identical_packages_do_not_differ(tmp_path: Path) -> None:
    assert differences(package(tmp_path / "1", {"x": "1"}), package(tmp_path / "2", {"x": "1"})) == []


def test_members_are_compared_one_by_one(tmp_path: Path) -> None:
    first = package(tmp_path / "1", {"same": "1", "old": "", "text": "one\ntwo\n"}, LinkMember("link", "same"))
    second = package(tmp_path / "2", {"same": "1", "text": "one\n2\n", "new": ""}, LinkMember("link", "text"))
    assert differences(first, second) == [
        "old: only the first has it",
        "new: only the second has it",
        "text: size 8 and 6 bytes",
        "text: line 2: 'two' and '2'",
        "link: line 1: 'same' and 'text'",
    ]


def test_packages_modes_and_kinds_are_compared(tmp_path: Path) -> None:
    (tmp_path / "x").write_text("x")
    first = package(
        tmp_path / "1", {}, FileMember("f", tmp_path / "x", executable=True), FileMember("l", tmp_path / "x")
    )
    second = package(
        tmp_path / "2", {}, FileMember("f", tmp_path / "x"), LinkMember("l", "x"), name="a/c", mode="symlink"
    )
    assert differences(first, second) == [
        "packages a/b and a/c",
        "install modes unset and symlink",
        "f: only that of the first is executable",
        "l: only that of the second is a link",
    ]


def test_wheels_are_compared_inside(tmp_path: Path) -> None:
    wheels = [wheel_file(tmp_path / code, code=f"answer = {code}\n") for code in ("42", "43")]
    first, second = (package(tmp_path / f"p{n}", {"lib/m.whl": wheel}) for n, wheel in enumerate(wheels))
    assert differences(first, second) == ["lib/m.whl/markupsafe.py: line 1: 'answer = 42' and 'answer = 43'"]


def test_two_versions_of_a_wheel_are_compared_inside(tmp_path: Path) -> None:
    wheels = [wheel_file(tmp_path / version, version=version) for version in ("3.0.3", "3.0.4")]
    first, second = (package(tmp_path / f"p{n}", {wheel.name: wheel}) for n, wheel in enumerate(wheels))
    found = differences(first, second)
    assert found[0] == "wheels markupsafe-3.0.3-py3-none-any.whl and markupsafe-3.0.4-py3-none-any.whl"
    inside = "markupsafe-3.0.3-py3-none-any.whl"
    assert f"{inside}/markupsafe-3.0.3.dist-info/METADATA: only the first has it" in found
    assert not any("markupsafe.py" in line for line in found)


def test_what_is_called_a_wheel_and_is_none_is_compared_as_a_file(tmp_path: Path) -> None:
    first, second = (package(tmp_path / content, {"x.whl": content}) for content in "12")
    assert differences(first, second) == ["x.whl: line 1: '1' and '2'"]


def test_of_large_members_the_hashes_are_shown(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MAX_COMPARED", 3)
    first, second = (package(tmp_path / content, {"x": content}) for content in ("1111", "2222"))
    (found,) = differences(first, second)
    assert found.startswith("x: sha256 0ffe1abd1a08215353c233d6e009613e95eec4253832a761af28ff37ac5a150c and ")


def test_the_same_members_in_another_order_are_said_so(tmp_path: Path) -> None:
    first = package(tmp_path / "1", {"x": "1", "y": "2"})
    second = package(tmp_path / "2", {"y": "2", "x": "1"})
    assert differences(first, second) == ["same members, different bytes of the package file"]


def test_what_is_no_package_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    with pytest.raises(StoreDamagedError, match="file"):
        compare_packages(package(tmp_path / "1", {}), tmp_path / "file")


@pytest.mark.parametrize("damaged", [1, 2])
def test_the_damaged_one_of_two_is_named(damaged: int, tmp_path: Path) -> None:
    files = {n: package(tmp_path / str(n), {"x": f"content {n}"}) for n in (1, 2)}
    files[damaged].write_bytes(files[damaged].read_bytes().replace(b"content", b"CONTENT"))
    with pytest.raises(StoreDamagedError, match=f"{files[damaged]}: the member 'x' is damaged"):
        compare_packages(files[1], files[2])
