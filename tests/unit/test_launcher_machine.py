"""Programs of the machine: found, installed through apt-get, or refused with the fix."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from dockerbuild_lib.core import machine
from dockerbuild_lib.core.errors import NetworkError, NoSpaceError, ToolMissingError


class FakeApt:
    """A real program named apt-get, first on PATH, that writes down how it is called."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.folder = folder
        self.calls_file = folder / "calls"
        self.lists = folder / "lists"
        self.lists.mkdir()
        self.bin = folder / "bin"
        self.bin.mkdir()
        self.write("")
        monkeypatch.setenv("PATH", f"{self.bin}:{os.environ['PATH']}")
        monkeypatch.setattr(machine, "_APT_LISTS", self.lists)
        monkeypatch.setattr(machine, "can_install_packages", lambda: True)

    def write(self, body: str) -> None:
        program = self.bin / "apt-get"
        program.write_text(f'#!/bin/sh\nfor last; do :; done\necho "$4 $last" >>{self.calls_file}\n{body}\n')
        program.chmod(0o755)

    def have_lists(self) -> None:
        (self.lists / "mirror_dists_stable_main_binary-amd64_Packages.lz4").touch()

    @property
    def calls(self) -> list[str]:
        return self.calls_file.read_text().splitlines()


@pytest.fixture
def apt(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> FakeApt:
    return FakeApt(tmp_path, monkeypatch)


def test_a_program_that_is_there_is_not_installed(apt: FakeApt) -> None:
    path = machine.ensure_program("sh", say=pytest.fail)
    assert path.endswith("/sh")
    assert not apt.calls_file.exists()


def test_a_missing_program_is_installed_and_said_in_one_line(apt: FakeApt) -> None:
    apt.have_lists()
    apt.write(f"printf '#!/bin/sh\\n' >{apt.bin}/grind && chmod +x {apt.bin}/grind")
    said: list[str] = []
    assert machine.ensure_program("grind", package="grinder", say=said.append) == str(apt.bin / "grind")
    assert said == ["installing grinder"]
    assert apt.calls == ["install grinder"]


def test_package_lists_are_fetched_where_there_are_none(apt: FakeApt) -> None:
    machine.install_packages(["grinder"], say=lambda _line: None)
    assert apt.calls == ["update update", "install grinder"]


def test_old_package_lists_are_renewed_and_the_installation_is_tried_again(apt: FakeApt) -> None:
    apt.have_lists()
    apt.write(f'[ "$4" = update ] && touch {apt.folder}/fresh; [ -e {apt.folder}/fresh ]')
    machine.install_packages(["grinder"], say=lambda _line: None)
    assert apt.calls == ["install grinder", "update update", "install grinder"]


def test_a_broken_package_source_that_is_not_needed_does_not_matter(apt: FakeApt) -> None:
    apt.write('[ "$4" = install ]')
    machine.install_packages(["grinder"], say=lambda _line: None)
    assert apt.calls == ["update update", "install grinder"]


@pytest.mark.parametrize(
    ("said", "error"),
    [
        ("E: Failed to fetch http://deb.invalid/x  Temporary failure resolving 'deb.invalid'", NetworkError),
        ("E: You don't have enough free space in /var/cache/apt/archives/.", NoSpaceError),
        ("E: Unable to locate package grinder", ToolMissingError),
    ],
)
def test_what_apt_says_is_passed_on_with_the_fitting_error(apt: FakeApt, said: str, error: type[Exception]) -> None:
    apt.write(f'echo "{said}"; exit 100')
    with pytest.raises(error, match=r"apt-get could not install grinder: .*E: "):
        machine.install_packages(["grinder"], say=lambda _line: None)


def test_a_service_that_a_package_starts_does_not_hold_us_up(apt: FakeApt) -> None:
    apt.have_lists()
    apt.write(f"sleep 30 & echo $! >{apt.folder}/service")
    machine.install_packages(["grinder"], say=lambda _line: None)  # a pipe would be read until the service ends
    service = int((apt.folder / "service").read_text())
    os.kill(service, 15)  # it still runs


def test_one_that_may_not_install_is_told_all_packages_at_once(apt: FakeApt, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(machine, "can_install_packages", lambda: False)
    with pytest.raises(ToolMissingError, match="grind, mill") as caught:
        machine.ensure_programs({"mill": "miller", "grind": "grinder", "sh": "dash"}, say=pytest.fail)
    assert caught.value.fix == "install it (Debian, Ubuntu: sudo apt-get install grinder miller)"
    assert not apt.calls_file.exists()


def test_a_package_without_its_program_is_an_error(apt: FakeApt) -> None:
    with pytest.raises(ToolMissingError, match="brought no program grind"):
        machine.ensure_program("grind", say=lambda _line: None)
    assert apt.calls


def test_folders_of_system_programs_are_searched_when_path_lacks_them(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/usr/bin")
    assert machine.system_path().split(":") == ["/usr/bin", "/usr/local/sbin", "/usr/sbin", "/sbin"]
