"""The embedded store on a disk that gets full, and on one that may not be written: real file systems."""

from __future__ import annotations

from pathlib import Path

from dockerbuild_lib.store.local import LocalStore
from dockerbuild_lib.store.protocol import Publication
from tests.support.private_mounts import with_mounts
from tests.support.store_samples import PACKAGE, package_file, publication, wheel_file
from tests.support.stores import damage_file

DISK_KIB = 4096
FILL_UP = f"""
import os, sys
from pathlib import Path
from dockerbuild_lib.core.errors import DockerbuildError, NoSpaceError
from dockerbuild_lib.store.local import LocalStore
from dockerbuild_lib.store.protocol import Publication
from tests.support.store_samples import package_file, wheel_file

disk, scratch = map(Path, sys.argv[1:])
filler, folder = disk / "filler", disk / "store"

def publish(version):
    package = package_file(scratch, version * 20_000)
    wheel = wheel_file(scratch, version=version, code="x" * 50_000)
    with LocalStore(folder) as store:
        return store.publish(Publication("{PACKAGE}", package, (), f"version:{{version}}", wheel)).pin

def leave(kib):
    filler.unlink(missing_ok=True)
    free = os.statvfs(disk).f_bavail * os.statvfs(disk).f_frsize
    with filler.open("wb") as stream:
        stream.write(bytes(max(0, free - kib * 1024)))

def check(published):
    assert [path.name for path in (folder / "staging").iterdir()] == [], "left over"
    with LocalStore(folder) as store:
        assert store.verify() == (), store.verify()
        there = [instance.pin for instance in store.instances("{PACKAGE}")]
        assert there[::-1] == published, (there, published)
        assert store.resolve("{PACKAGE}", "latest") == published[-1]

def ask_when_full():
    with LocalStore(folder) as store:
        try:
            assert store.resolve("{PACKAGE}", "latest") == published[-1]
        except NoSpaceError:
            pass

published, full, cut = [publish("1.0")], 0, 0
for number, kib in enumerate(range(0, 400, 4)):
    leave(kib)
    ask_when_full()
    try:
        published.append(publish(f"1.{{number + 1}}"))
    except NoSpaceError as error:
        full += 1
        assert str(disk) in str(error), error
    filler.unlink()
    with LocalStore(folder) as store:  # it may have been too full for the pages only: then they are written now
        if len(store.instances("{PACKAGE}")) > len(published):
            published.append(store.resolve("{PACKAGE}", "latest"))
            cut += 1
    check(published)
    if len(published) > 4:
        break
print(full, cut, len(published))
"""


def test_a_disk_that_gets_full_anywhere_is_named_and_leaves_the_store_as_it_was(tmp_path: Path) -> None:
    (tmp_path / "disk").mkdir()
    disk = ("-t", "tmpfs", "-o", f"size={DISK_KIB}k", "tmpfs", str(tmp_path / "disk"))
    done = with_mounts([disk], FILL_UP, tmp_path / "disk", tmp_path / "scratch")
    assert done.returncode == 0, done.stdout + done.stderr
    full, cut, published = map(int, done.stdout.split())
    assert full > 10
    assert cut > 0
    assert published > 4


READ_ONLY = f"""
import sys
from pathlib import Path
from dockerbuild_lib.core.errors import DockerbuildError
from dockerbuild_lib.store.keep import Keep
from dockerbuild_lib.store.local import LocalStore
from dockerbuild_lib.store.protocol import Publication
from tests.support.store_samples import package_file, wheel_file

folder, scratch = map(Path, sys.argv[1:])
with LocalStore(folder) as store:
    pin = store.resolve("{PACKAGE}", "latest")
    print(pin.instance_id, len(store.verify()), len(store.wheels()))
    store.fetch(pin, scratch / "fetched")
    wheel = wheel_file(scratch, version="2.0")
    given = Publication("{PACKAGE}", package_file(scratch, "new"), (), "version:2.0", wheel)
    for change in (
        lambda: store.publish(given),
        lambda: store.register("{PACKAGE}", given.file),
        lambda: store.set_refs(pin, ["mine"]),
        lambda: store.yank([wheel.filename for wheel in store.wheels()], "slow"),
        lambda: store.quarantine(pin, "it rotted"),
        lambda: store.gc(Keep(), delete=True),
        store.rebuild_simple_index,
    ):
        try:
            change()
        except DockerbuildError as error:
            print(type(error).__name__, str(folder) in str(error))
"""


def read_only(folder: Path) -> list[tuple[str, ...]]:
    return [("--bind", str(folder), str(folder)), ("-o", "remount,ro,bind", str(folder))]


def everything_in(folder: Path) -> dict[Path, tuple[bytes, float]]:
    return {path: (path.read_bytes(), path.stat().st_mtime) for path in folder.rglob("*") if path.is_file()}


def publish(store: LocalStore, scratch: Path) -> str:
    wheel = wheel_file(scratch, version="1.0")
    return store.publish(Publication(PACKAGE, package_file(scratch), (), "version:1.0", wheel)).pin.instance_id


def test_a_read_only_folder_is_read_and_every_change_refused(tmp_path: Path) -> None:
    with LocalStore(tmp_path / "store") as store:
        instance_id = publish(store, tmp_path)
    before = everything_in(tmp_path / "store")
    done = with_mounts(read_only(tmp_path / "store"), READ_ONLY, tmp_path / "store", tmp_path / "scratch")
    assert done.stdout.splitlines() == [f"{instance_id} 0 1", *["PermissionDeniedError True"] * 7], done.stderr
    assert everything_in(tmp_path / "store") == before


def test_a_read_only_folder_is_read_while_another_process_writes_to_it(tmp_path: Path) -> None:
    with LocalStore(tmp_path / "store") as store:
        instance_id = publish(store, tmp_path)
        store.set_refs(store.resolve(PACKAGE, "latest"), ["mine"])  # the index is open, and its log not empty
        done = with_mounts(read_only(tmp_path / "store"), READ_ONLY, tmp_path / "store", tmp_path / "scratch")
        assert done.stdout.splitlines() == [f"{instance_id} 0 1", *["PermissionDeniedError True"] * 7], done.stderr
        store.publish(publication(tmp_path, "2.0", "y"))
        assert store.verify() == ()


VERIFY = """
import os, sys
os.environ["INVOKE_DOCKERBUILD_STORE"] = sys.argv[1]
os.execv(sys.executable, [sys.executable, "-P", "dockerbuild_lib/__main__.py", "run", "store.verify"])
"""


def test_damage_in_a_read_only_folder_is_named_and_left_where_it_is(tmp_path: Path) -> None:
    with LocalStore(tmp_path / "store") as store:
        instance_id = publish(store, tmp_path)
    damage_file(tmp_path / "store" / "instances" / instance_id)
    (tmp_path / "store" / "staging" / "half.tmp").write_text("half")
    before = everything_in(tmp_path / "store")
    done = with_mounts(read_only(tmp_path / "store"), VERIFY, tmp_path / "store")
    assert done.returncode == 13
    assert instance_id in done.stderr
    assert "it stays where it is, for the store may not be written" in done.stderr
    assert "half.tmp was left by a process that was stopped" in done.stderr
    assert everything_in(tmp_path / "store") == before
