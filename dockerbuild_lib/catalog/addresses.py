"""Where sources lie: addresses and paths that the catalogue may name, and that are safe to hand to other programs."""

from __future__ import annotations

import re
from pathlib import PurePosixPath
from typing import Annotated

from pydantic import AfterValidator, Field

VERSION = "{version}"
"""Stands in addresses and revisions for the version that is wanted."""

_HOST = r"[A-Za-z0-9][A-Za-z0-9.-]*"  # never begins with a hyphen, which ssh would take for an option
_USER = r"[A-Za-z0-9_][A-Za-z0-9_.-]*"
_PATH = r"[^\s\x00-\x1f\x7f{}]+"
_REPOSITORIES = (
    re.compile(rf"https://{_HOST}(:[0-9]+)?/{_PATH}"),
    re.compile(rf"ssh://({_USER}@)?{_HOST}(:[0-9]+)?/{_PATH}"),
    re.compile(rf"({_USER}@)?{_HOST}:(?!:|//){_PATH}"),  # scp's form of ssh://
    re.compile(rf"file:///{_PATH}"),
)


def repository_address(address: str) -> str:
    """Return *address* when it is one of a git repository over https or ssh, or a local one (``file:///...``).

    Everything else is refused: transports that run programs (``ext::``) or that nobody vouches for (``git://``), names
    that git would read as an option, and passwords, which belong into netrc.

    Raises:
        ValueError: it is none.

    """
    if not any(form.fullmatch(address) for form in _REPOSITORIES):
        fix = "write https://host/path, ssh://user@host/path or file:///path, without a password"
        raise ValueError(f"{address!r} is no address of a git repository; {fix}")
    return address


def _inner_folder(folder: str) -> str:
    path = PurePosixPath(folder)
    if str(path) != folder or path.is_absolute() or ".." in path.parts or folder == "." or not _is_plain(folder):
        raise ValueError(f"{folder!r} is no folder inside of the repository; write a path such as bindings/python")
    return folder


def _relative_folder(folder: str) -> str:
    if folder.startswith(("/", "~")) or not _is_plain(folder):
        raise ValueError(f"{folder!r} is no relative path; write one that starts from the catalogue's folder")
    return folder


def _is_plain(path: str) -> bool:
    return bool(path) and path.isprintable() and "\\" not in path


Url = Annotated[str, Field(pattern=r"^https?://[^\s@{}/]+/([^\s{}]|\{version\})+$")]
"""Of an archive; ``{version}`` may stand in its path. Passwords belong into netrc."""
RepositoryAddress = Annotated[str, AfterValidator(repository_address)]
Revision = Annotated[str, Field(pattern=r"^([A-Za-z0-9_]|\{version\})([A-Za-z0-9._/+-]|\{version\})*$")]
"""A tag, a branch or a commit; ``{version}`` may stand in it."""
CommitId = Annotated[str, Field(pattern=r"^([0-9a-f]{40}|[0-9a-f]{64})$")]
"""A whole object id of git: SHA-1 or SHA-256, in hexadecimal."""
InnerFolder = Annotated[str, AfterValidator(_inner_folder)]
RelativeFolder = Annotated[str, AfterValidator(_relative_folder)]
