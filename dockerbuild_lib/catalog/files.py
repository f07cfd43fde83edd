"""Finding the catalogue's files."""

from __future__ import annotations

from pathlib import Path

from dockerbuild_lib.catalog.problems import Problems, shown
from dockerbuild_lib.catalog.suggestions import suggestion


def files_below(folder: Path, suffix: str, problems: Problems) -> list[Path]:
    """Return the files of *folder* that end in *suffix*, by name; a missing folder has none.

    Hidden files are passed over: editors keep their backups and locks in them.
    """
    try:
        found = sorted(folder.iterdir())
    except FileNotFoundError:
        return []
    except OSError as error:
        problems.add(shown(folder), None, f"cannot be read: {error.strerror or error}")
        return []
    return [path for path in found if path.suffix == suffix and not path.name.startswith(".")]


def is_missing(path: Path) -> bool:
    """Say whether nothing is at *path*. What is there and cannot be looked at is not missing: reading tells why."""
    try:
        path.lstat()
    except (FileNotFoundError, NotADirectoryError):
        return True
    except OSError:
        return False
    return False


def refuse_strange_files(folder: Path, known: list[str], problems: Problems) -> None:
    """Note every YAML file directly in *folder* that is not one of *known*: it would be ignored."""
    for suffix in (".yaml", ".yml"):
        for path in files_below(folder, suffix, problems):
            if path.name not in known:
                problems.add(shown(path), None, "this file is no part of the catalogue", suggestion(path.name, known))


def refuse_yml(folder: Path, problems: Problems) -> None:
    """Note every file of *folder* that ends in ``.yml``: it would be ignored."""
    for path in files_below(folder, ".yml", problems):
        problems.add(shown(path), None, "this file is not read", f"name it {path.stem}.yaml")
