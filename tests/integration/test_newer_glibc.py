"""A wheel that is linked for a newer glibc than its toolchain's, from its recipe to the trial."""

from __future__ import annotations

from tests.support.projects import Project

RECIPE = """\
tiny:
  source: {type: local, folder: ../tiny}
  glibc: "2.28"
  extensions: [tiny]
  platforms: [linux-arm64]
  trial: |
    import tiny
    assert tiny.cleared == 0
"""
PYPROJECT = """\
[build-system]
requires = ["setuptools"]
build-backend = "setuptools.build_meta"
[project]
name = "tiny"
version = "1.0"
"""
SETUP = 'from setuptools import Extension, setup\nsetup(ext_modules=[Extension("tiny", ["tiny.c"])])\n'
# explicit_bzero came with glibc 2.25.
MODULE = """\
#define _GNU_SOURCE
#include <Python.h>
#include <string.h>
static struct PyModuleDef module = {PyModuleDef_HEAD_INIT, "tiny", NULL, -1, NULL};
PyMODINIT_FUNC PyInit_tiny(void) {
    PyObject *made = PyModule_Create(&module);
    char secret[8] = "secret";
    explicit_bzero(secret, sizeof secret);
    if (made) PyModule_AddIntConstant(made, "cleared", secret[0]);
    return made;
}
"""


def test_a_wheel_is_linked_for_the_glibc_that_its_recipe_names(fresh: Project) -> None:
    files = {"pyproject.toml": PYPROJECT, "setup.py": SETUP, "tiny.c": MODULE}
    (fresh.folder / "tiny").mkdir()
    for name, text in files.items():
        (fresh.folder / "tiny" / name).write_text(text)
    fresh.git("add", "tiny")
    (fresh.folder / "config/wheels/tiny.yaml").write_text(RECIPE)
    fresh.take_debians_python_only()
    fresh.succeed("sources.lock", "--name=tiny")

    fresh.succeed("wheel.build", "--name=tiny", "--platform=linux-arm64")
    (wheel,) = fresh.built("tiny")
    assert wheel.name == "tiny-1.0-cp311-cp311-manylinux_2_28_aarch64.whl"
    fresh.succeed("wheel.verify", "--name=tiny", "--platform=linux-arm64")

    fresh.edit("config/wheels/tiny.yaml", '  glibc: "2.28"\n', "")
    refused = fresh.run("wheel.build", "--name=tiny", "--platform=linux-arm64")
    assert refused.code != 0
    assert "explicit_bzero" in refused.stdout + refused.stderr
