"""A build requirement that the catalogue builds itself, from locking to the wheel that was built with it."""

from __future__ import annotations

import json

from tests.support.projects import Project

RECIPE = """\
tiny:
  source: {type: local, folder: ../tiny}
  build-requires: {cffi: here}
  extensions: [tiny]
  trial-requires: [six]
  trial: |
    import six, tiny
    assert tiny.made_with == "cffi 2.1.1 of the catalogue", tiny.made_with
"""
PYPROJECT = """\
[build-system]
requires = ["setuptools", "cffi>=2; platform_python_implementation != 'PyPy'"]
build-backend = "setuptools.build_meta"
[project]
name = "tiny"
version = "1.0"
"""
# cffi is used while the wheel is built, on the build machine, and never again: its extension module is loaded here.
SETUP = """\
import pathlib
import _cffi_backend, cffi
from setuptools import Extension, setup
assert cffi.FFI().new("int *", 42)[0] == 42
# A wheel of the package index brings libffi along; ours has it linked in.
folder = pathlib.Path(cffi.__file__).parent.parent
origin = "the index" if list(folder.glob("cffi.libs")) else "the catalogue"
pathlib.Path("made_with.h").write_text(f'#define MADE_WITH "cffi {cffi.__version__} of {origin}"\\n')
setup(ext_modules=[Extension("tiny", ["tiny.c"])])
"""
MODULE = """\
#include <Python.h>
#include "made_with.h"
static struct PyModuleDef module = {PyModuleDef_HEAD_INIT, "tiny", NULL, -1, NULL};
PyMODINIT_FUNC PyInit_tiny(void) {
    PyObject *made = PyModule_Create(&module);
    if (made) PyModule_AddStringConstant(made, "made_with", MADE_WITH);
    return made;
}
"""


def add_tiny(project: Project) -> None:
    (project.folder / "config/wheels/tiny.yaml").write_text(RECIPE)
    (project.folder / "tiny").mkdir()
    for name, text in {"pyproject.toml": PYPROJECT, "setup.py": SETUP, "tiny.c": MODULE}.items():
        (project.folder / "tiny" / name).write_text(text)
    project.git("add", "tiny")  # of a folder in a work tree only what git tracks is its source


def lock_of(project: Project, name: str) -> dict[str, dict[str, object]]:
    content = json.loads((project.folder / f"config/locks/wheels/{name}.json").read_text())
    versions: dict[str, dict[str, object]] = content["versions"]
    return versions


def test_a_wheel_is_locked_and_built_with_what_the_catalogue_builds(fresh: Project) -> None:
    add_tiny(fresh)
    fresh.take_debians_python_only()
    done = fresh.succeed("sources.lock", "--name=tiny")
    assert "tiny: 1.0 python 3.11: cffi: nothing -> 2.1.1, built here" in done.stdout
    lock = lock_of(fresh, "tiny")["1.0"]
    assert lock["built-here"] == {"3.11": {"cffi": "2.1.1"}}
    assert "pycparser" in json.dumps(lock["build-requires"])
    assert '"distribution": "cffi"' not in json.dumps(lock["build-requires"])
    (made,) = fresh.built("cffi")  # its backend was asked in an environment that holds it
    assert "x86_64" in made.name

    steps = fresh.plan("--name=tiny")
    assert steps["package cffi 2.1.1 linux-amd64-py3.11"] == "hit"
    fresh.succeed("wheel.build", "--name=tiny", "--platform=linux-arm64")

    (tiny,) = fresh.built("tiny")
    assert tiny.name.endswith("manylinux2014_aarch64.manylinux_2_17_aarch64.whl")
    assert fresh.built("cffi") == [made]
    assert len(fresh.built("six")) == 1  # its trial needs it
    assert set(fresh.plan("--name=tiny", "--platform=linux-arm64").values()) == {"hit"}

    fresh.edit("config/wheels/cffi.yaml", "  extensions:", "  environment: {NEW: recipe}\n  extensions:")
    renewed = fresh.plan("--name=tiny")
    assert renewed["build cffi 2.1.1 linux-amd64-py3.11"] == "to do"
    assert renewed["build tiny 1.0 linux-arm64-py3.11"] == "to do"
