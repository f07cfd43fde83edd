"""Real software, cross-built with ``run`` as its users would, and started there: zlib, git and sqlite."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from dockerbuild_lib.catalog.architectures import architecture_of
from dockerbuild_lib.catalog.load import load_catalog
from dockerbuild_lib.wheels.gate.elf import Budget, read_elf
from tests.support.debian_sources import unpack_sources
from tests.support.projects import TREE, Project

BUILT_FOR = pytest.mark.parametrize("platform", ["linux-arm64", "linux-riscv64"])
QUICK = 'export CFLAGS="$CFLAGS -O0" LDFLAGS="$LDFLAGS -O0"\n'
"""A third of the time that the toolchain's own -O2 takes, with the same calls of compiler and linker."""

ZLIB = """
CHOST=$CROSS_TRIPLE ./configure --static --prefix=/work/out
make -j2 install
make example
"""
SQLITE = """
./configure --host=$CROSS_TRIPLE --disable-tcl --disable-readline
make -j2 sqlite3
"""
GIT = """
make -j2 CC="$CC" AR="$AR" CFLAGS="$CFLAGS" LDFLAGS="$LDFLAGS" ZLIB_PATH=/work/out \\
    NO_OPENSSL=1 NO_CURL=1 NO_EXPAT=1 NO_GETTEXT=1 NO_TCLTK=1 NO_PERL=1 NO_PYTHON=1 git
"""
COMMIT = """
git() { $CMAKE_CROSSCOMPILING_EMULATOR ./git -C repository -c maintenance.auto=false "$@"; }
export GIT_AUTHOR_NAME=A GIT_AUTHOR_EMAIL=a@example.invalid GIT_COMMITTER_NAME=C GIT_COMMITTER_EMAIL=c@example.invalid
mkdir repository
git -c init.defaultBranch=main init --quiet --template=
echo text > repository/file
git add file
git commit --quiet --message=First
git log --format='%an %s' --name-only
"""


def sh(project: Project, platform: str, folder: Path, script: str) -> str:
    """Run a script in a platform's toolchain, in *folder* with what is around it; return what it printed."""
    program = (sys.executable, "-P", str(project.folder / "dockerbuild_lib/__main__.py"), "run")
    command = (*program, "run", f"--platform={platform}", "--workdir=..", "--", "sh", "-ec", script)
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == 0, (done.stdout + done.stderr)[-4000:]
    return done.stdout


def assert_is_for(platform: str, program: Path) -> None:
    expected = architecture_of(load_catalog(TREE / "config").image_platform(platform).triple)
    facts = read_elf(program.read_bytes(), Budget())
    assert (facts.machine, facts.bits) == (expected.elf_machine, expected.elf_bits)
    assert facts.little_endian is expected.little_endian


@BUILT_FOR
def test_zlib_then_git_with_it(with_image: Project, platform: str, tmp_path: Path) -> None:
    versions = unpack_sources(("zlib", "git"), tmp_path)
    sh(with_image, platform, tmp_path / "zlib", QUICK + ZLIB)
    said = sh(with_image, platform, tmp_path / "zlib", "$CMAKE_CROSSCOMPILING_EMULATOR ./example")
    assert said.startswith(f"zlib version {versions['zlib']} = ")
    assert said.endswith("inflate with dictionary: hello, hello!\n")
    sh(with_image, platform, tmp_path / "git", QUICK + GIT)
    version = sh(with_image, platform, tmp_path / "git", "$CMAKE_CROSSCOMPILING_EMULATOR ./git --version")
    assert version == f"git version {versions['git']}\n"
    assert sh(with_image, platform, tmp_path / "git", COMMIT) == "A First\n\nfile\n"
    subprocess.run(("git", "fsck", "--strict"), cwd=tmp_path / "git/repository", check=True)  # this machine's own
    for program in ("zlib/example", "git/git"):
        assert_is_for(platform, tmp_path / program)


@BUILT_FOR
def test_sqlite(with_image: Project, platform: str, tmp_path: Path) -> None:
    versions = unpack_sources(("sqlite3",), tmp_path)
    sh(with_image, platform, tmp_path / "sqlite3", QUICK + SQLITE)
    query = "create table t(a); insert into t values (40), (2); select sqlite_version(), sum(a) from t"
    said = sh(with_image, platform, tmp_path / "sqlite3", f'$CMAKE_CROSSCOMPILING_EMULATOR ./sqlite3 file.db "{query}"')
    assert said == f"{versions['sqlite3']}|42\n"
    assert (tmp_path / "sqlite3/file.db").read_bytes().startswith(b"SQLite format 3\0")
    assert_is_for(platform, tmp_path / "sqlite3/sqlite3")
