"""The benchmarks run, with small numbers: what they measure is not looked at here."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

PROJECT = Path(__file__).resolve().parents[2]


def test_the_benchmark_of_the_store_prints_every_figure(tmp_path: Path) -> None:
    sizes = ("--instances=300", "--packages=60", "--tags=50", "--wheel-mb=1", "--rounds=1")
    command = (sys.executable, str(PROJECT / "bench" / "store.py"), *sizes, f"--folder={tmp_path}")
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=300)
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert [line for line in lines if not line.startswith(" ")] == [
        "3 instances in 1 packages:",
        "300 instances in 60 packages:",
        "wheel of 1 MB, in turns:",
    ]
    assert "ask for 50 tags (25 are there)" in done.stdout
    assert "share of their speed: " in lines[-1]
    assert list(tmp_path.iterdir()) == []


def test_the_benchmark_of_the_mirror_compares_with_skopeo(tmp_path: Path) -> None:
    sizes = ("--mb=2", "--layers=2", "--rounds=1")
    command = (sys.executable, str(PROJECT / "bench" / "mirror.py"), *sizes, f"--folder={tmp_path}")
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=300)
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert lines[0] == "2 MB in 2 layers, medians of 1 in turns:"
    assert lines[4] == "the same, all there already, medians of 1 in turns:"
    assert [line.partition("   ")[0].strip() for line in lines[1:4]] == ["skopeo copy", "the copy alone", "mirror.sync"]
    assert list(tmp_path.iterdir()) == []
