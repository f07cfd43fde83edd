"""A wheel with crates, from the registry to its build: which has no network, and finds them where cargo looks."""

from __future__ import annotations

import json
from pathlib import Path

from dockerbuild_lib.core.machine import ensure_program
from tests.support.crates import LIBRARY, MANIFEST, serving_crates
from tests.support.projects import Project

RECIPE = """\
rusty:
  kind: pure
  source: {type: local, folder: ../rusty}
  crates: true
  trial: |
    import rusty
    assert rusty.CRATE.startswith("pub fn answer()"), rusty.CRATE
"""
# The images have no cargo: what it would be told and given is looked at in its place.
SETUP = """\
import os, pathlib, tomllib
from setuptools import setup
from setuptools.command.build_py import build_py

class Build(build_py):
    def run(self):
        home = pathlib.Path(os.environ["CARGO_HOME"])
        told = tomllib.loads((home / "config.toml").read_text())["source"]
        (folder,) = [source["directory"] for source in told.values() if "directory" in source]
        assert os.environ["CARGO_NET_OFFLINE"] == "true"
        (home / ".package-cache").touch()
        crate = (home.parent / folder / "tiny-1.0.0/src/lib.rs").read_text()
        pathlib.Path("rusty.py").write_text(f"CRATE = {crate!r}\\n")
        super().run()

setup(name="rusty", version="1.0", py_modules=["rusty"], cmdclass={"build_py": Build})
"""
PYPROJECT = '[build-system]\nrequires = ["setuptools"]\n[project]\nname = "rusty"\nversion = "1.0"\n'


def test_crates_are_locked_interned_listed_and_given_to_the_build(fresh: Project, tmp_path: Path) -> None:
    ensure_program("cargo", say=print)
    (fresh.folder / "config/wheels/rusty.yaml").write_text(RECIPE)
    folder = fresh.folder / "rusty"
    (folder / "src").mkdir(parents=True)
    files = {"pyproject.toml": PYPROJECT, "setup.py": SETUP, "Cargo.toml": MANIFEST, "src/lib.rs": LIBRARY}
    with serving_crates() as registry:
        for name, text in {**files, "Cargo.lock": registry.lock()}.items():
            (folder / name).write_text(text)
        fresh.git("add", "rusty")  # of a folder in a work tree only what git tracks is its source
        home = str(registry.configure(tmp_path / "cargo"))
        done = fresh.succeed("sources.lock", "--name=rusty", CARGO_HOME=home)
        assert "rusty: 1.0 crates: nothing -> rusty-1.0-crates.tar (" in done.stdout
    crates = json.loads((fresh.folder / "config/locks/wheels/rusty.json").read_text())["versions"]["1.0"]["crates"]

    listed = fresh.succeed("sources.list", "--name=rusty", "--json").json
    (row,) = [row for row in listed if row["type"] == "crates"]
    assert (row["filename"], row["sha256"], row["interned"]) == ("rusty-1.0-crates.tar", crates["sha256"], True)
    # The registry is gone, and cargo is not asked: the build takes what the store has.
    fresh.succeed("wheel.build", "--name=rusty", CARGO_HOME=str(tmp_path / "nothing"))
    assert [wheel.name for wheel in fresh.built("rusty")] == ["rusty-1.0-py3-none-any.whl"]
