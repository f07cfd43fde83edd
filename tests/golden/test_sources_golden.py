"""What the tasks ``sources.*`` print, compared with files in ``files/``.

After a wanted change, ``UPDATE_GOLDEN=1 pytest tests/golden`` writes the files anew; look at the difference.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from dockerbuild_lib.catalog.locks import DebianFile, IndexFile
from dockerbuild_lib.plan.source_uses import NeededSource, Use
from dockerbuild_lib.report.source_checks import check_document, render_check
from dockerbuild_lib.report.source_views import (
    SourceRow,
    render_sources,
    render_uses,
    source_document,
    sources_document,
)
from dockerbuild_lib.store.protocol import Pin
from dockerbuild_lib.store.sources_check import SourceDamage, SourcesCheck

FILES = Path(__file__).with_name("files")

SETUPTOOLS = NeededSource(
    "setuptools",
    "84.2.1",
    "wheel",
    IndexFile(
        distribution="setuptools",
        version="84.2.1",
        filename="setuptools-84.2.1-py3-none-any.whl",
        sha256="ca140b45d532" + "5a" * 26,
        size=876_237,
    ),
    (
        Use("image", "debian", "", "tool"),
        Use("wheel", "cffi", "2.1.1", "build requirement", "Python 3.11"),
        Use("wheel", "cffi", "2.1.1", "build requirement", "Python 3.12"),
    ),
)
LIBFFI = NeededSource(
    "libffi",
    "3.4.4",
    "debian",
    DebianFile(
        path="pool/main/libf/libffi/libffi_3.4.4.orig.tar.gz",
        version="3.4.4",
        filename="libffi_3.4.4.orig.tar.gz",
        sha256="d66c56ad259a" + "82" * 26,
        size=1_362_394,
    ),
    (Use("library", "libffi", "", "source"), Use("wheel", "cffi", "2.1.1", "library libffi")),
)
UNLOCKED = NeededSource("wrapt", "2.0.1", "sdist", None, (Use("wheel", "wrapt", "2.0.1", "source"),))
UNUSED = NeededSource("libffi", "3.4.2", "debian", LIBFFI.file, ())
SHARED = (
    SourceRow(LIBFFI, interned=True, shared=True),
    SourceRow(UNUSED, interned=True, shared=False),
    SourceRow(SETUPTOOLS, interned=False, shared=True),
    SourceRow(UNLOCKED, interned=False, shared=False),
)
ALONE = (SourceRow(LIBFFI, interned=True, shared=None), SourceRow(UNLOCKED, interned=False, shared=None))
DAMAGED = SourcesCheck(
    2,
    2_240_000,
    (
        SourceDamage(
            Pin("infra/third_party/source/libffi", "tGmVC"), "libffi_3.4.4.orig.tar.gz", "tGmVC", "9hpfKJJemC"
        ),
        SourceDamage(Pin("infra/third_party/source/six", "oQ1UC"), "the package file", "oQ1UC", "it is missing"),
    ),
)
WHOLE = SourcesCheck(22, 135_400_000, ())


def as_json(document: object) -> str:
    return json.dumps(document, indent=2) + "\n"


CASES: dict[str, Callable[[], str]] = {
    "list.txt": lambda: render_sources(SHARED),
    "list-without-remote-store.txt": lambda: render_sources(ALONE),
    "list-empty.txt": lambda: render_sources(()),
    "list.json": lambda: as_json(sources_document((SHARED[2], ALONE[1]))),
    "why.txt": lambda: render_uses((LIBFFI, SETUPTOOLS, UNLOCKED, UNUSED)),
    "why.json": lambda: as_json([source_document(LIBFFI)]),
    "verify-damaged.txt": lambda: render_check(DAMAGED, (SETUPTOOLS, UNLOCKED)),
    "verify-whole.txt": lambda: render_check(WHOLE, ()),
    "verify.json": lambda: as_json(check_document(DAMAGED, (UNLOCKED,))),
}


@pytest.mark.parametrize("name", CASES)
def test_the_output_is_as_recorded(name: str) -> None:
    path, text = FILES / f"sources-{name}", CASES[name]()
    if os.environ.get("UPDATE_GOLDEN") == "1":
        path.write_text(text)
    assert text == path.read_text()
    assert all(line == line.rstrip() for line in text.splitlines())
