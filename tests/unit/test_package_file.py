"""Package files: their exact bytes, and what is refused in reading them."""

from __future__ import annotations

import io
import json
import os
import stat
import zipfile
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from dockerbuild_lib.core.errors import (
    DockerbuildError,
    PermissionDeniedError,
    StoreDamagedError,
    UnsafeArchiveError,
    UsageError,
)
from dockerbuild_lib.store.names import instance_id_of_file
from dockerbuild_lib.store.package_container import Entry, central_header, data_descriptor, end_records, local_header
from dockerbuild_lib.store.package_file import (
    MANIFEST,
    PackagedMember,
    open_member,
    read_package,
    verify_package,
    write_package,
)
from dockerbuild_lib.store.package_tree import FileMember, LinkMember, Member, scan_tree
from dockerbuild_lib.store.package_unpack import unpack_package

GIB_4 = 1 << 32
NAMES = st.lists(
    st.text(st.characters(exclude_categories=["Cs"], exclude_characters="/\0"), min_size=1, max_size=6).filter(
        lambda part: part not in (".", "..", ".cipd", ".cipdpkg") and len(part.encode()) < 200
    ),
    min_size=1,
    max_size=3,
).map("/".join)
WITH_TMP_PATH = settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60, deadline=None)


def file_member(folder: Path, name: str, content: bytes = b"x", *, executable: bool = False) -> FileMember:
    path = folder / f"source-of-{abs(hash(name))}"
    path.write_bytes(content)
    return FileMember(name, path, executable)


def forged(path: Path, members: Mapping[str, bytes], *, mode: int = 0o100400) -> Path:
    """Write a zip with exactly these members, as any tool may."""
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in members.items():
            info = zipfile.ZipInfo()
            info.filename = name  # as it is: the constructor would cut it at a NUL
            info.external_attr = mode << 16
            archive.writestr(info, content)
    return path


def manifest(**fields: object) -> dict[str, bytes]:
    return {MANIFEST: json.dumps({"format_version": "1.1", "package_name": "a/b", **fields}).encode()}


def test_the_empty_package_has_the_instance_id_of_the_client(tmp_path: Path) -> None:
    assert write_package(tmp_path / "p", "testing", []) == "wZIdKWOyQ_87_TEpWVQnilbIZWwScHUTdect9aGOafMC"
    assert instance_id_of_file(tmp_path / "p") == "wZIdKWOyQ_87_TEpWVQnilbIZWwScHUTdect9aGOafMC"
    with zipfile.ZipFile(tmp_path / "p") as archive:
        assert archive.read(MANIFEST) == b'{\n  "format_version": "1.1",\n  "package_name": "testing"\n}'


def test_the_manifest_is_last_and_has_the_install_mode(tmp_path: Path) -> None:
    write_package(tmp_path / "p", "a/b", [file_member(tmp_path, "z")], install_mode="symlink")
    with zipfile.ZipFile(tmp_path / "p") as archive:
        assert archive.namelist() == ["z", MANIFEST]
        assert json.loads(archive.read(MANIFEST))["install_mode"] == "symlink"
    assert read_package(tmp_path / "p").install_mode == "symlink"


@given(members=st.dictionaries(NAMES, st.tuples(st.binary(max_size=100), st.booleans()), max_size=5))
@WITH_TMP_PATH
def test_what_is_written_is_read_verified_and_unpacked(
    tmp_path_factory: pytest.TempPathFactory, members: dict[str, tuple[bytes, bool]]
) -> None:
    folder = tmp_path_factory.mktemp("case")
    listed = [file_member(folder, n, content, executable=ex) for n, (content, ex) in members.items()]
    try:
        write_package(folder / "p", "a/b", listed)
    except UnsafeArchiveError:  # one name is a folder of another
        assert any(other.startswith(f"{name}/") for name in members for other in members)
        return
    contents = verify_package(folder / "p")
    assert contents == read_package(folder / "p")
    assert contents.members == tuple(
        PackagedMember(n, len(content), ex, writable=False, is_link=False) for n, (content, ex) in members.items()
    )
    unpack_package(folder / "p", folder / "out")
    for name, (content, executable) in members.items():
        path = folder / "out" / name
        assert path.read_bytes() == content
        assert bool(path.stat().st_mode & 0o100) == executable


@given(position=st.integers(min_value=0), value=st.integers(0, 255), cut=st.booleans())
@WITH_TMP_PATH
def test_damage_anywhere_is_refused_or_harmless(tmp_path: Path, position: int, value: int, *, cut: bool) -> None:
    members: list[Member] = [file_member(tmp_path, "a/b", b"content"), LinkMember("l", "a/b")]
    write_package(tmp_path / "p", "a/b", members)
    damaged = bytearray((tmp_path / "p").read_bytes())
    position %= len(damaged)
    damaged[position:] = b"" if cut else bytes([value]) + damaged[position + 1 :]
    (tmp_path / "d").write_bytes(damaged)
    with suppress(StoreDamagedError, UnsafeArchiveError):
        verify_package(tmp_path / "d")
        unpack_package(tmp_path / "d", tmp_path / f"out{len(list(tmp_path.iterdir()))}")


@given(content=st.binary(max_size=300))
@WITH_TMP_PATH
def test_any_bytes_are_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "d").write_bytes(content)
    with pytest.raises(StoreDamagedError, match=re_path(tmp_path / "d")):
        read_package(tmp_path / "d")


def re_path(path: Path) -> str:
    return str(path).replace(".", r"\.")


@pytest.mark.parametrize(
    "name",
    ["/abs", "../up", "a/../../up", "a//b", "./a", "a/./b", ".cipd/state", "..", ".", "a\0b"],
)
def test_hostile_names_are_refused(name: str, tmp_path: Path) -> None:
    package = forged(tmp_path / "p", {name: b"x", **manifest()})
    with pytest.raises((UnsafeArchiveError, StoreDamagedError)):
        read_package(package)
    with pytest.raises((UnsafeArchiveError, StoreDamagedError)):
        unpack_package(package, tmp_path / "out")
    assert not (tmp_path / "out").exists()
    with pytest.raises(UnsafeArchiveError):
        write_package(tmp_path / "w", "a/b", [file_member(tmp_path, name)])


def test_a_file_that_is_a_folder_too_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UnsafeArchiveError, match="a file and a folder"):
        read_package(forged(tmp_path / "p", {"a": b"", "a-b": b"", "a/b": b"", **manifest()}))


def test_a_member_that_is_there_twice_is_refused(tmp_path: Path) -> None:
    forged(tmp_path / "p", {"twin-1": b"1", "twin-2": b"2", **manifest()})
    (tmp_path / "p").write_bytes((tmp_path / "p").read_bytes().replace(b"twin-2", b"twin-1"))
    with pytest.raises(UnsafeArchiveError, match="twice"):
        read_package(tmp_path / "p")


@pytest.mark.parametrize(
    ("where", "target"),
    [
        ("l", "/etc/passwd"),
        ("l", "../outside"),
        ("a/l", "../../outside"),
        ("l", "a/../../outside"),
        ("l", "a/.."),  # harmless as text, but "a" may itself be a link
        ("l", ".."),
        ("l", "x\0y"),
    ],
)
def test_links_that_may_leave_the_folder_are_refused(where: str, target: str, tmp_path: Path) -> None:
    write_package(tmp_path / "p", "a/b", [LinkMember(where, target)])
    with pytest.raises(UnsafeArchiveError, match="may leave"):
        unpack_package(tmp_path / "p", tmp_path / "out")
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(("where", "target"), [("l", "a/b"), ("a/l", "../c"), ("a/b/l", "../../c"), ("l", ".")])
def test_links_that_stay_inside_are_made(where: str, target: str, tmp_path: Path) -> None:
    write_package(tmp_path / "p", "a/b", [LinkMember(where, target)])
    unpack_package(tmp_path / "p", tmp_path / "out")
    assert str((tmp_path / "out" / where).readlink()) == target


@pytest.mark.parametrize("size", [0, 5000])
def test_links_of_senseless_length_are_refused(size: int, tmp_path: Path) -> None:
    write_package(tmp_path / "p", "a/b", [LinkMember("l", "x" * size)])
    with pytest.raises(StoreDamagedError, match="target of"):
        unpack_package(tmp_path / "p", tmp_path / "out")


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"[]",
        b"{",
        b"\xff",
        b'{"format_version": "2", "package_name": "a/b"}',
        b'{"format_version": "1.1"}',
        b'{"format_version": "1.1", "package_name": 5}',
        b'{"format_version": "1.1", "package_name": "../up"}',
        b'{"format_version": "1.1", "package_name": "a/b", "install_mode": "hardlink"}',
        b" " * (1 << 20) + b"{}",
    ],
)
def test_bad_manifests_are_refused(content: bytes, tmp_path: Path) -> None:
    with pytest.raises(StoreDamagedError):
        read_package(forged(tmp_path / "p", {MANIFEST: content}))


def test_a_zip_without_a_manifest_is_refused_by_name(tmp_path: Path) -> None:
    with pytest.raises(StoreDamagedError, match=r"no \.cipdpkg/manifest\.json"):
        read_package(forged(tmp_path / "p", {"a": b"x"}))


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(StoreDamagedError, match="missing"):
        read_package(tmp_path / "p")


def test_members_that_are_devices_are_refused(tmp_path: Path) -> None:
    with pytest.raises(StoreDamagedError, match="neither a file nor a link"):
        read_package(forged(tmp_path / "p", {"null": b"", **manifest()}, mode=stat.S_IFCHR | 0o600))


@pytest.mark.parametrize("method", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_compressions_that_cipd_does_not_know_are_refused(method: int, tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "p", "w", method) as archive:
        archive.writestr("a", "x")
    with pytest.raises(StoreDamagedError, match="unknown way"):
        read_package(tmp_path / "p")


def test_writable_files_are_so_unless_the_format_is_the_old_one(tmp_path: Path) -> None:
    for version, writable in (("1.1", True), ("1", False)):
        package = forged(tmp_path / version, {"a": b"x", **manifest(format_version=version)}, mode=0o100600)
        assert read_package(package).members[0].writable is writable


def test_cipds_own_members_are_not_unpacked(tmp_path: Path) -> None:
    package = forged(tmp_path / "p", {"a": b"x", ".cipdpkg/other": b"y", "folder/": b"", **manifest()})
    unpack_package(package, tmp_path / "out")
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["a"]


def test_a_wrong_checksum_is_found(tmp_path: Path) -> None:
    write_package(tmp_path / "p", "a/b", [file_member(tmp_path, "a", b"right bytes")])
    (tmp_path / "p").write_bytes((tmp_path / "p").read_bytes().replace(b"right", b"wrong"))
    read_package(tmp_path / "p")
    with pytest.raises(StoreDamagedError, match="damaged"):
        verify_package(tmp_path / "p")
    with pytest.raises(StoreDamagedError, match="damaged"), open_member(tmp_path / "p", "a") as stream:
        stream.read()
    with pytest.raises(StoreDamagedError, match="damaged"):
        unpack_package(tmp_path / "p", tmp_path / "out")
    assert not (tmp_path / "out").exists()


def deflated(path: Path, content: bytes) -> Path:
    """Write a package as the client does at other levels than 0, with one member "a"."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a", content)
        archive.writestr(MANIFEST, manifest()[MANIFEST])
    return path


def test_what_cannot_be_decompressed_is_named(tmp_path: Path) -> None:
    package = deflated(tmp_path / "p", b"compressible " * 1000)
    damaged = bytearray(package.read_bytes())
    damaged[31:36] = b"\xff" * 5  # behind the local header and the name "a"
    package.write_bytes(damaged)
    assert read_package(package).members[0].name == "a"
    for use in (verify_package, lambda file: unpack_package(file, tmp_path / "out")):
        with pytest.raises(StoreDamagedError, match=rf"{re_path(package)}: the member 'a' is damaged"):
            use(package)


def test_members_that_share_bytes_are_refused(tmp_path: Path) -> None:
    package = deflated(tmp_path / "p", b"x" * 1000)
    raw = bytearray(package.read_bytes())
    directory = raw.index(b"PK\1\2")
    raw[directory + 42 : directory + 46] = raw.index(b"PK\3\4", 1).to_bytes(4, "little")
    package.write_bytes(raw)
    with pytest.raises(StoreDamagedError, match=r"'a' and '\.cipdpkg/manifest\.json' overlap"):
        read_package(package)


def test_a_member_without_a_name_is_refused(tmp_path: Path) -> None:
    with pytest.raises(StoreDamagedError, match="a member has no name"):
        read_package(forged(tmp_path / "p", {"": b"x", **manifest()}))


def test_two_manifests_are_refused(tmp_path: Path) -> None:
    twin = MANIFEST.replace("manifest", "manifesT")
    forged(tmp_path / "p", {twin: manifest()[MANIFEST], **manifest()})
    (tmp_path / "p").write_bytes((tmp_path / "p").read_bytes().replace(twin.encode(), MANIFEST.encode()))
    with pytest.raises(StoreDamagedError, match="more than one"):
        read_package(tmp_path / "p")


def test_a_name_that_may_be_in_any_code_page_is_refused(tmp_path: Path) -> None:
    forged(tmp_path / "p", {"a__": b"x", **manifest()})
    (tmp_path / "p").write_bytes((tmp_path / "p").read_bytes().replace(b"a__", "a\xfc".encode()))
    with pytest.raises(StoreDamagedError, match="not said to be UTF-8"):
        read_package(tmp_path / "p")


def test_a_folder_in_use_is_not_unpacked_to(tmp_path: Path) -> None:
    write_package(tmp_path / "p", "a/b", [file_member(tmp_path, "a")])
    (tmp_path / "out").mkdir()
    unpack_package(tmp_path / "p", tmp_path / "out")
    with pytest.raises(UsageError, match="not empty"):
        unpack_package(tmp_path / "p", tmp_path / "out")


def test_a_bad_package_name_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="Infra"):
        write_package(tmp_path / "p", "Infra/x", [])


def test_a_source_that_cannot_be_read_leaves_nothing(tmp_path: Path) -> None:
    with pytest.raises((OSError, DockerbuildError)):
        write_package(tmp_path / "out" / "p", "a/b", [FileMember("a", tmp_path)])
    assert list((tmp_path / "out").iterdir()) == []


def test_a_tree_is_scanned_folder_by_folder(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    for name in ("a/b", "a.txt", "a-b", "B"):
        (tmp_path / name).touch()
    assert [member.name for member in scan_tree(tmp_path)] == ["B", "a/b", "a-b", "a.txt"]


def test_a_link_out_of_the_tree_is_refused(tmp_path: Path) -> None:
    (tmp_path / "l").symlink_to("../elsewhere")
    with pytest.raises(UnsafeArchiveError, match="leaves the folder"):
        scan_tree(tmp_path)


def test_a_name_that_is_not_utf8_is_refused(tmp_path: Path) -> None:
    (tmp_path / "tree").mkdir()
    os.close(os.open(os.fsencode(tmp_path / "tree") + b"/\xff", os.O_CREAT))
    with pytest.raises(UnsafeArchiveError, match="not UTF-8"):
        write_package(tmp_path / "p", "a/b", scan_tree(tmp_path / "tree"))


def test_a_missing_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no such folder"):
        scan_tree(tmp_path / "missing")


@pytest.mark.parametrize("size", [GIB_4 - 2, GIB_4 - 1, GIB_4, GIB_4 + 1])
@pytest.mark.parametrize("offset", [0, GIB_4 - 1, GIB_4 + 5])
def test_sizes_and_offsets_beyond_4_gib_survive_in_the_directory(size: int, offset: int) -> None:
    entry = Entry(b"name", 0o100400, 7, size, offset)
    info = zipfile.ZipFile(io.BytesIO(sparse_zip(entry))).infolist()[0]
    assert (info.file_size, info.compress_size, info.CRC) == (size, size, 7)
    assert info.external_attr == 0o100400 << 16 | 1
    assert len(data_descriptor(entry)) == (24 if size >= GIB_4 - 1 else 16)


def sparse_zip(entry: Entry) -> bytes:
    """Return only a directory that says it starts at 0: its reader trusts what stands in it."""
    directory = central_header(entry)
    return directory + end_records(1, len(directory), 0)


def test_directories_with_too_many_members_get_the_large_record() -> None:
    assert len(end_records(0xFFFE, 10, 10)) == 22
    assert len(end_records(0xFFFF, 10, 10)) == 22 + 56 + 20
    assert len(end_records(1, 10, 0xFFFFFFFF)) == 22 + 56 + 20


@pytest.mark.parametrize(
    ("name", "utf8"), [("plain", False), ("ü", True), ("a~", True), ("a\\b", True), ("\x7f", True)]
)
def test_names_that_code_pages_disagree_on_are_marked_as_utf8(name: str, *, utf8: bool) -> None:
    flags = int.from_bytes(local_header(name.encode())[6:8], "little")
    assert flags == (0x0808 if utf8 else 0x0008)


def test_a_folder_that_may_not_be_written_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_arguments: object, **_options: object) -> None:
        raise PermissionError(13, "Permission denied", str(tmp_path))

    monkeypatch.setattr("dockerbuild_lib.core.files.tempfile.mkstemp", refuse)
    with pytest.raises(PermissionDeniedError, match="Permission denied"):
        write_package(tmp_path / "p", "a/b", [])
