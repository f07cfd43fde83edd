"""What a repaired wheel claims: auditwheel's word, or the tag of the glibc that the wheel was linked for."""

from __future__ import annotations

import platform
from pathlib import Path

import pytest

from dockerbuild_lib.images.scripts import repair_wheel

NAME = "demo-1.0-cp311-cp311"
FLOOR = ("manylinux_2_28_aarch64", "linux_aarch64")
USUAL = ("manylinux_2_17_aarch64", "manylinux2014_aarch64", "linux_aarch64")


class Tools:
    """auditwheel, which finds *tags* and knows those of *known*, and wheel."""

    def __init__(self, repaired: Path, tags: str, known: tuple[str, ...] = ()) -> None:
        self.repaired, self.tags, self.known = repaired, tags, known

    def __call__(self, module: str, command: str, *options: str) -> int:
        if module == "auditwheel":
            plat = options[0].removeprefix("--plat=")
            if plat not in (*self.known, "auto"):
                return 1
            self._write(self.tags if plat == "auto" else plat)
        else:
            assert (module, command, options[1]) == ("wheel", "tags", "--remove")
            Path(options[-1]).unlink()
            self._write(options[0].removeprefix("--platform-tag="))
        return 0

    def _write(self, tags: str) -> None:
        (self.repaired / f"{NAME}-{tags}.whl").touch()


def repaired(
    folder: Path, monkeypatch: pytest.MonkeyPatch, machine: str, tags: tuple[str, ...], tools: Tools
) -> list[str]:
    monkeypatch.setattr(repair_wheel, "DIST", folder)
    monkeypatch.setattr(repair_wheel, "REPAIRED", tools.repaired)
    monkeypatch.setattr(repair_wheel, "run_tool", tools)
    (folder / f"{NAME}-linux_x.whl").touch()
    repair_wheel.main("0", machine, *tags)
    return [path.stem.removeprefix(f"{NAME}-") for path in tools.repaired.iterdir()]


@pytest.mark.parametrize(
    ("found", "tags", "claimed"),
    [
        ("manylinux_2_17_aarch64.manylinux2014_aarch64", FLOOR, "manylinux_2_28_aarch64"),
        ("manylinux_2_28_aarch64", FLOOR, "manylinux_2_28_aarch64"),
        ("manylinux_2_31_aarch64", ("manylinux_2_30_aarch64", "linux_aarch64"), "manylinux_2_30_aarch64"),
        ("manylinux_2_17_aarch64.manylinux2014_aarch64", USUAL, "manylinux_2_17_aarch64.manylinux2014_aarch64"),
    ],
)
def test_a_foreign_wheel_claims_what_it_may(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, found: str, tags: tuple[str, ...], claimed: str
) -> None:
    tools = Tools(tmp_path / "repaired", found)
    assert repaired(tmp_path, monkeypatch, "another", tags, tools) == [claimed]


@pytest.mark.parametrize(("floor", "known"), [("manylinux_2_28_x", True), ("manylinux_2_30_x", False)])
def test_a_wheel_of_the_build_machines_claims_the_floor(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, floor: str, *, known: bool
) -> None:
    tools = Tools(tmp_path / "repaired", "manylinux_2_17_x", (floor,) if known else ())
    assert repaired(tmp_path, monkeypatch, platform.machine(), (floor, "linux_x"), tools) == [floor]
