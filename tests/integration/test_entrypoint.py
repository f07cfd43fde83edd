"""The script that an image prints: with docker and sh alone, commands run in its toolchain as if they ran here."""

from __future__ import annotations

import os
import pty
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from tests.support.projects import Project
from tests.support.terminals import read_until

SOCKET = Path("/var/run/docker.sock")
SHELLS = ("dash", "bash")
# What the engine itself mounts into every container.
OF_THE_ENGINE = {"/etc/resolv.conf", "/etc/hostname", "/etc/hosts", "/sbin/docker-init", "/usr/sbin/docker-init"}


class Script:
    """The printed script, in a folder whose name is hard to quote."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.folder = path.parent / "a b,c:d$(e)'"
        self.folder.mkdir()

    def command(self, *arguments: str, shell: str = "dash") -> list[str]:
        return [shell, str(self.path), *arguments]

    def run(
        self, *arguments: str, shell: str = "dash", given: bytes = b"", variables: Mapping[str, str] = {}
    ) -> subprocess.CompletedProcess[bytes]:
        environment = {"PATH": os.environ["PATH"], **variables}
        command = self.command(*arguments, shell=shell)
        return subprocess.run(command, cwd=self.folder, env=environment, input=given, capture_output=True, check=False)


@pytest.fixture(scope="module")
def printed(with_images: Project, tmp_path_factory: pytest.TempPathFactory) -> Path:
    told = with_images.succeed("image.generate", "--platform=linux-arm64").stdout
    image = told.split()[2]
    path = tmp_path_factory.mktemp("entrypoint") / "entrypoint.sh"
    path.write_bytes(subprocess.run(("docker", "run", "--rm", image), capture_output=True, check=True).stdout)
    return path


@pytest.fixture
def script(printed: Path, tmp_path: Path) -> Script:
    path = tmp_path / "entrypoint.sh"
    path.write_bytes(printed.read_bytes())
    return Script(path)


def test_it_is_posix_sh_and_names_its_image_by_content_key(with_images: Project, printed: Path) -> None:
    rows = with_images.succeed("image.list", "--json").json
    assert any(f"\nkey={row['key']}\n" in printed.read_text() for row in rows if row["platform"] == "linux-arm64")
    subprocess.run(("dash", "-n", str(printed)), check=True)


@pytest.mark.parametrize("shell", SHELLS)
def test_words_and_exit_code_are_the_command_s_in_any_shell(script: Script, shell: str) -> None:
    words = ["a b", "", "q'\"$HOME", "--", "*", "-x", "näme", "two\nlines"]
    done = script.run("sh", "-c", 'printf "[%s]" "$@"; echo err >&2; exit 42', "sh", *words, shell=shell)
    assert (done.returncode, done.stderr) == (42, b"err\n")
    assert done.stdout.decode() == "".join(f"[{word}]" for word in words)


@pytest.mark.parametrize("shell", SHELLS)
def test_variables_arrive_but_those_of_the_machine_and_of_the_toolchain(script: Script, shell: str) -> None:
    value = "x\nexport SPOOFED='1'\n  \\ \"'$(id)"
    given = {"NUMBER": "7 ", "LINES_OF_TEXT": value, "CC": "gcc", "LD_PRELOAD": "", "SSH_AUTH_SOCK": "/run/agent"}
    shown = 'printenv LINES_OF_TEXT; echo "$NUMBER|$CC|$CROSS_TRIPLE|$SSH_AUTH_SOCK|${SPOOFED-none}"'
    done = script.run("sh", "-c", shown, shell=shell, variables=given)
    compiler = "/opt/dockerbuild/toolchains/zig/bin/cc"
    assert done.stdout.decode() == f"{value}\n7 |{compiler}|aarch64-linux-gnu||none\n"


def test_input_arrives_byte_for_byte_and_no_program_is_127(script: Script) -> None:
    data = os.urandom(1 << 20)
    assert script.run("cat", given=data).stdout == data
    assert script.run("no-such-program").returncode == 127


def test_a_program_is_made_for_the_platform_in_this_folder_alone(script: Script) -> None:
    (script.folder / "hello.c").write_text('#include <stdio.h>\nint main(void) { puts("hello"); return 5; }\n')
    done = script.run("sh", "-c", "$CC hello.c -o hello && $CMAKE_CROSSCOMPILING_EMULATOR ./hello")
    assert (done.returncode, done.stdout) == (5, b"hello\n")
    assert (script.folder / "hello").read_bytes()[18] == 0xB7  # EM_AARCH64
    mounts = script.run("cut", "-d ", "-f5", "/proc/self/mountinfo").stdout.decode().split()
    own = {point for point in mounts if not point.startswith(("/proc", "/sys", "/dev"))}
    assert own - OF_THE_ENGINE == {"/", "/tmp", "/work"}  # noqa: S108 - the container's own
    interfaces = script.run("cat", "/proc/net/dev").stdout.decode().splitlines()[2:]
    assert [line.split(":")[0].strip() for line in interfaces] == ["lo"]


def test_files_belong_to_the_caller(script: Script) -> None:
    with tempfile.TemporaryDirectory() as folder:  # all above it may be entered by everybody, unlike pytest's own
        Path(folder).chmod(0o777)
        shutil.copy(script.path, folder)
        command = ("dash", "entrypoint.sh", "touch", "made")
        groups = [SOCKET.stat().st_gid]
        subprocess.run(command, cwd=folder, user=4321, group=4322, extra_groups=groups, check=True)
        made = Path(folder, "made").stat()
    assert (made.st_uid, made.st_gid) == (4321, 4322)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_reaches_the_command(script: Script, number: signal.Signals) -> None:
    loop = "trap 'echo got it; exit 9' INT TERM; echo ready; while :; do sleep 0.1; done"
    command = script.command("sh", "-c", loop)
    with subprocess.Popen(command, cwd=script.folder, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"ready\n"
        process.send_signal(number)
        assert process.stdout.read() == b"got it\n"
        assert process.wait() == 9


@pytest.fixture
def terminal() -> Iterator[tuple[int, int]]:
    ours, theirs = pty.openpty()
    yield ours, theirs
    os.close(ours)
    os.close(theirs)


def test_a_terminal_is_one_inside_and_ctrl_c_reaches_it(script: Script, terminal: tuple[int, int]) -> None:
    ours, theirs = terminal
    command = script.command("sh", "-c", "test -t 0 && test -t 1 && echo it is one && sleep 100")
    with subprocess.Popen(command, cwd=script.folder, stdin=theirs, stdout=theirs, stderr=theirs) as process:
        read_until(ours, b"it is one")
        os.write(ours, b"\x03")
        assert process.wait(timeout=60) == 130


def test_what_is_wrong_is_one_line(script: Script) -> None:
    assert b"there is no command" in script.run().stderr
    text = script.path.read_text()
    key = text.split("\nkey=")[1][:64]
    script.path.write_text(text.replace(key, "0" * 64))
    done = script.run("true")
    assert done.returncode == 125
    assert b"does not hold the image of linux-arm64" in done.stderr
    assert done.stderr.count(b"\n") == 1
