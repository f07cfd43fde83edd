"""What stays of a library that was installed."""

from __future__ import annotations

from pathlib import Path

import pytest

from dockerbuild_lib.images.scripts.finish_library import main

FILES = {
    "lib/libit.a": "!<arch>\n",
    "lib/libit.la": "libtool's",
    "lib/libit.so.1.2": "shared",
    "lib64/libother.a": "!<arch>\n",
    "lib64/pkgconfig/other.pc": "prefix=/somewhere/else\n",
    "include/it.h": "#define IT\n",
    "bin/it-config": "#!/bin/sh\n",
    "bin/it": "\x7fELF...",
    "share/man/man3/it.3": "manual",
    "share/aclocal/it.m4": "macro",
}


@pytest.fixture
def installed(tmp_path: Path) -> Path:
    folder = tmp_path / "it"
    files = FILES | {
        "lib/pkgconfig/it.pc": f"prefix={folder}\nlibdir={folder}/lib\nLibs: -L{folder}/lib -lit\n",
        "share/pkgconfig/data.pc": f"prefix={folder}\n",
    }
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    (folder / "lib" / "libit.so").symlink_to("libit.so.1.2")
    (folder / "bin" / "itlink").symlink_to("it")
    return folder


def test_only_what_wheels_use_stays(installed: Path) -> None:
    main(installed)
    found = {str(path.relative_to(installed)) for path in installed.rglob("*") if not path.is_dir()}
    assert found == {
        "lib/libit.a",
        "lib/libother.a",
        "lib/pkgconfig/data.pc",
        "lib/pkgconfig/it.pc",
        "lib/pkgconfig/other.pc",
        "include/it.h",
        "bin/it-config",
        "share/aclocal/it.m4",
    }
    assert not (installed / "share" / "man").exists()


def test_pkg_config_files_name_no_folder(installed: Path) -> None:
    main(installed)
    here = "${pcfiledir}/../.."
    text = (installed / "lib/pkgconfig/it.pc").read_text()
    assert text == f"prefix={here}\nlibdir={here}/lib\nLibs: -L{here}/lib -lit\n"


def test_a_library_without_a_static_library_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "lib").mkdir()
    with pytest.raises(SystemExit, match="no static library"):
        main(tmp_path)
