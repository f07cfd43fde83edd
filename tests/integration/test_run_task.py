from __future__ import annotations

import os
import pty
import signal
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

import pytest

from tests.support.projects import TREE, Project, containers_of
from tests.support.terminals import read_until

ARM = ("run", "--platform=linux-arm64")
AS_ANOTHER_USER = """
import sys
from pathlib import Path, PurePosixPath
from dockerbuild_lib.containers.engine import Engine
from dockerbuild_lib.containers.foreground import ForegroundOptions
from dockerbuild_lib.containers.work_places import MountedFolder
image, folder, *argv = sys.argv[1:]
work = MountedFolder(Path(folder))
options = ForegroundOptions(
    image, tuple(argv), {"PATH": "/usr/bin:/bin"}, work, PurePosixPath("/work"), (4321, 4322), 1 << 28, 64
)
sys.exit(Engine("tests").run_in_foreground(options))
"""


def program(project: Project, *arguments: str) -> list[str]:
    """Return the command line of a task, as the launcher has it."""
    return [sys.executable, "-P", str(project.folder / "dockerbuild_lib/__main__.py"), "run", *arguments]


def test_arguments_arrive_word_for_word_and_the_exit_code_is_the_command_s(with_images: Project) -> None:
    words = ["a b", "", "q'\"$HOME", "--", "*", "-x", "näme"]
    done = with_images.run(*ARM, "--", "sh", "-c", 'printf "[%s]" "$@"; exit 42', "sh", *words)
    assert (done.code, done.stdout) == (42, "".join(f"[{word}]" for word in words))


def test_output_and_errors_stay_apart_and_nothing_is_left(with_images: Project) -> None:
    done = with_images.run(*ARM, "--", "sh", "-c", "echo out; echo err >&2; cat /proc/net/dev; exit 3")
    assert (done.code, done.stderr) == (3, "err\n")
    interfaces = [line.split(":")[0].strip() for line in done.stdout.splitlines() if ":" in line]
    assert interfaces == ["lo"]
    assert done.stdout.startswith("out\n")
    assert containers_of(done.pid) == []


def test_with_network_there_is_one(with_images: Project) -> None:
    assert "eth0:" in with_images.succeed(*ARM, "--network", "--", "cat", "/proc/net/dev").stdout


def test_input_arrives_to_its_end_byte_for_byte(with_images: Project) -> None:
    data = os.urandom(1 << 20)
    command = program(with_images, *ARM, "--", "cat")
    assert subprocess.run(command, input=data, capture_output=True, check=True).stdout == data


def test_a_program_for_the_platform_is_made_where_the_user_is_and_runs_emulated(
    with_images: Project, tmp_path: Path
) -> None:
    below = tmp_path / "deep" / "folder"
    below.mkdir(parents=True)
    (below / "hello.c").write_text('#include <stdio.h>\nint main(void) { puts("hello"); return 5; }\n')
    script = "$CC hello.c -o hello && pwd && $CMAKE_CROSSCOMPILING_EMULATOR ./hello"
    command = program(with_images, *ARM, f"--workdir={tmp_path}", "--", "sh", "-c", script)
    done = subprocess.run(command, cwd=below, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (5, "/work/deep/folder\nhello\n")
    assert (below / "hello").read_bytes()[18] == 0xB7  # EM_AARCH64


def test_files_belong_to_the_caller(with_images: Project, tmp_path: Path) -> None:
    [row] = [row for row in with_images.succeed("image.list", "--json").json if "linux-arm64" in row["tag"]][:1]
    tmp_path.chmod(0o777)
    image = row["tag"].partition(",")[0]
    script = (sys.executable, "-c", AS_ANOTHER_USER, image, str(tmp_path), "touch", "made")
    subprocess.run(script, cwd=TREE, stdin=subprocess.DEVNULL, check=True)
    made = (tmp_path / "made").stat()
    assert (made.st_uid, made.st_gid) == (4321, 4322)


def test_variables_are_set_and_extended(with_images: Project) -> None:
    changes = ("--env=A=1 2", "--env-prefix=A=0", "--env-suffix=A=3", "--env-suffix=NEW=x")
    done = with_images.succeed(*ARM, *changes, "--", "sh", "-c", 'echo "$A|$NEW|$CROSS_TRIPLE"')
    assert done.stdout == "0:1 2:3|x|aarch64-linux-gnu\n"


def test_pkg_config_finds_nothing_of_the_build_machine(with_images: Project) -> None:
    done = with_images.succeed(*ARM, "--", "pkg-config", "--list-all")
    assert done.stdout == ""


def test_a_library_of_the_catalogue_is_found_by_compiler_pkg_config_and_cmake(
    with_images: Project, tmp_path: Path
) -> None:
    (tmp_path / "z.c").write_text("#include <stdio.h>\n#include <zlib.h>\nint main(void) { puts(zlibVersion()); }\n")
    lines = (
        "project(z C)",
        "find_package(ZLIB REQUIRED)",
        "add_executable(z z.c)",
        "target_link_libraries(z ZLIB::ZLIB)",
    )
    (tmp_path / "CMakeLists.txt").write_text("\n".join(("cmake_minimum_required(VERSION 3.20)", *lines)))
    script = """
        run=$CMAKE_CROSSCOMPILING_EMULATOR
        $CC $CFLAGS z.c $LDFLAGS -lz -o /tmp/a && $run /tmp/a
        $CC $(pkg-config --cflags zlib) z.c $(pkg-config --libs zlib) -o /tmp/b && $run /tmp/b
        cmake -S . -B /tmp/c >/dev/null && cmake --build /tmp/c >/dev/null && $run /tmp/c/z
    """
    wanted = (*ARM, "--library=zlib", f"--workdir={tmp_path}")
    done = with_images.succeed(*wanted, "--", "sh", "-ec", f"cd /work && {script}")
    assert done.stdout == "1.2.13\n" * 3
    assert sorted(file.name for file in tmp_path.iterdir()) == ["CMakeLists.txt", "z.c"]
    again = with_images.succeed(*wanted, "--", "ls", "/opt/dockerbuild/libraries")
    assert (again.stdout, again.stderr) == ("zlib\n", "")  # it was built the first time
    assert with_images.run(*ARM, "--", "ls", "/opt/dockerbuild/libraries").code == 2


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_reaches_the_command(with_images: Project, number: signal.Signals) -> None:
    script = "trap 'echo got it; exit 9' INT TERM; echo ready; while :; do sleep 0.1; done"
    with with_images.start(*ARM, "--", "sh", "-c", script) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        process.send_signal(number)
        assert process.stdout.read() == "got it\n"
        assert process.wait() == 9
        assert containers_of(process.pid) == []


def press_until_ended(terminal: int, key: bytes, process: subprocess.Popen[bytes]) -> None:
    """Press a key each second: a shell that just starts its next program may miss the first signal."""
    for _ in range(60):
        os.write(terminal, key)
        with suppress(subprocess.TimeoutExpired):
            process.wait(timeout=1)
            return
    pytest.fail("the process does not end")


def test_a_terminal_is_one_inside_and_gets_its_size_and_keys(with_images: Project) -> None:
    ours, theirs = pty.openpty()
    subprocess.run(("stty", "rows", "33", "cols", "77"), stdin=theirs, check=True)
    script = "test -t 0 && test -t 1 && sleep 1 && stty size && sleep 100"
    command = program(with_images, *ARM, "--", "sh", "-c", script)
    with subprocess.Popen(command, stdin=theirs, stdout=theirs, stderr=theirs) as process:
        read_until(ours, b"33 77")
        press_until_ended(ours, b"\x03", process)
        assert process.returncode == 130
    assert b"-icanon" not in subprocess.run(("stty", "-a"), stdin=theirs, capture_output=True, check=True).stdout
    os.close(ours)
    os.close(theirs)


def test_a_shell_takes_commands(with_images: Project) -> None:
    command = program(with_images, *ARM, "--shell")
    done = subprocess.run(command, input="echo $((6 * 7))\nexit 4\n", capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (4, "42\n")


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("run", "--platform=linux-arm6", "--", "ls"), "unknown platform 'linux-arm6'; did you mean 'linux-armv6'?"),
        ((*ARM, "--toolchain=zag", "--", "ls"), "--toolchain: unknown toolchain 'zag'"),
        ((*ARM, "--library=zlob", "--", "ls"), "unknown library 'zlob'; did you mean 'zlib'?"),
        ((*ARM, "--workdir=nowhere", "--", "ls"), "--workdir: nowhere is no folder"),
        ((*ARM, "--env=A", "--", "ls"), "--env: 'A' is no assignment; write NAME=VALUE"),
        (ARM, "there is no command; write it after --, or give --shell"),
        (("run", "--", "ls"), "a command runs for one --platform, or in one --step; give one of them"),
    ],
)
def test_a_wrong_option_is_one_line(with_images: Project, arguments: tuple[str, ...], told: str) -> None:
    done = with_images.run(*arguments)
    assert done.code == 2
    assert told in done.stderr


def test_a_program_that_is_not_there_is_exit_code_127(with_images: Project) -> None:
    done = with_images.run(*ARM, "--", "no-such-program")
    assert done.code == 127
    assert "no-such-program" in done.stderr
