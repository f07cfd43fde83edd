"""The last phase of a library, inside the container: leave what wheels link, for whatever folder it lies in later.

Takes the library's folder. Programs, shared libraries, libtool's files and manuals go; pkg-config's files find the
folder from where they lie themselves.
"""

import os
import shutil
import sys
from pathlib import Path

ELF = b"\x7fELF"
UNUSED = ("share/man", "share/doc", "share/info", "share/gtk-doc", "man", "doc", "etc", "var", "sbin", "lib/engines-3")
HERE = "${pcfiledir}/../.."


def main(folder: Path) -> None:
    """Finish the library in *folder*."""
    flatten(folder)
    for unused in UNUSED:
        shutil.rmtree(folder / unused, ignore_errors=True)
    files = [path for path in sorted(folder.rglob("*")) if path.is_symlink() or path.is_file()]
    for path in files:
        if path.suffix == ".la" or ".so" in path.suffixes or is_program(path):
            path.unlink()
        elif path.suffix == ".pc":
            path.write_text(relocatable(path.read_text(), folder))
    if not any(folder.glob("lib/*.a")):
        sys.exit(f"the library has no static library: nothing like {folder}/lib/*.a was installed")
    remove_dangling(folder)


def flatten(folder: Path) -> None:
    """Move what lies in a library folder of the target's own (lib64, lib/aarch64-linux-gnu) into lib."""
    library = folder / "lib"
    for other in (folder / "lib64", folder / "share" / "pkgconfig"):
        if other.is_dir():
            target = library if other.name == "lib64" else library / "pkgconfig"
            shutil.copytree(other, target, symlinks=True, dirs_exist_ok=True)
            shutil.rmtree(other)


def is_program(path: Path) -> bool:
    """Tell whether it is a program of the target, or a link to one."""
    if path.is_symlink():
        return path.parent.name == "bin"
    with path.open("rb") as stream:
        return path.parent.name == "bin" and stream.read(4) == ELF


def relocatable(text: str, folder: Path) -> str:
    """Return pkg-config's file *text* without the place where it was made."""
    return text.replace(str(folder), HERE)


def remove_dangling(folder: Path) -> None:
    """Remove links to what is gone, and folders that are empty now."""
    for path in sorted(folder.rglob("*"), reverse=True):
        if path.is_symlink() and not path.exists():
            path.unlink()
        elif path.is_dir() and not path.is_symlink() and not any(path.iterdir()):
            path.rmdir()


if __name__ == "__main__":
    os.umask(0o022)
    main(Path(sys.argv[1]))
