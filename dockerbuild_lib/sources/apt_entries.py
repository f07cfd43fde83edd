"""The entries of apt's sources, in both of their formats (sources.list(5))."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from dockerbuild_lib.core.errors import LockError, PermissionDeniedError

_LINE = re.compile(r"^deb\s+(?:\[(?P<options>[^\]]*)\]\s+)?(?P<uri>\S+)\s+(?P<suite>\S+)(?P<rest>.*)$")
_NO = frozenset({"no", "false", "without", "off", "disable", "0"})
_FILE_NAME = re.compile(r"^[A-Za-z0-9_.-]+\.(list|sources)$")


@dataclass(frozen=True)
class AptEntry:
    """One suite of one repository, for binary packages."""

    uri: str
    suite: str
    components: tuple[str, ...]
    keyrings: tuple[str, ...] = ()
    """Files (or fingerprints) of the keys that sign it; none: those that apt trusts for everything."""
    check_valid_until: str | None = None

    def line(self, kind: str = "deb") -> str:
        """Return it in the one-line format, as *kind* (deb or deb-src)."""
        options = []
        if self.keyrings:
            options.append(f"signed-by={','.join(self.keyrings)}")
        if self.check_valid_until is not None:
            options.append(f"check-valid-until={self.check_valid_until}")
        shown = f"[{' '.join(options)}] " if options else ""
        return f"{kind} {shown}{self.uri} {self.suite} {' '.join(self.components)}".rstrip()


def read_entries(main: Path, parts: Path) -> tuple[AptEntry, ...]:
    """Return the entries of the file *main* and of the folder *parts*, in apt's order, each once.

    Raises:
        LockError: an entry cannot be used, and the message says why.
        PermissionDeniedError: a file may not be read.

    """
    files = [main] if main.is_file() else []
    if parts.is_dir():
        files += sorted(file for file in parts.iterdir() if _FILE_NAME.match(file.name) and file.is_file())
    found = [entry for file in files for entry in _read_file(file)]
    return tuple(dict.fromkeys(found))


def _read_file(file: Path) -> Iterator[AptEntry]:
    try:
        text = file.read_text(encoding="utf-8", errors="replace")
    except PermissionError as error:
        fix = "make it readable for this user"
        raise PermissionDeniedError("may not be read", where=str(file), fix=fix) from error
    return parse_deb822(text, file) if file.suffix == ".sources" else parse_lines(text)


def parse_lines(text: str) -> Iterator[AptEntry]:
    """Yield the ``deb`` entries of a one-line-style file; lines that are none are apt's to complain about."""
    for line in text.splitlines():
        match = _LINE.match(line.partition("#")[0].strip())
        if match is None:
            continue
        options = dict(option.partition("=")[::2] for option in (match["options"] or "").split())
        keyrings = tuple(key for key in options.get("signed-by", "").split(",") if key)
        yield AptEntry(
            _with_slash(match["uri"]),
            match["suite"],
            tuple(match["rest"].split()),
            keyrings,
            options.get("check-valid-until"),
        )


def parse_deb822(text: str, where: Path) -> Iterator[AptEntry]:
    """Yield the ``deb`` entries of a deb822-style file: one for each pair of its URIs and suites."""
    for fields in stanzas(text):
        if "deb" not in fields.get("types", "").split() or fields.get("enabled", "yes").lower() in _NO:
            continue
        for uri in fields.get("uris", "").split():
            for suite in fields.get("suites", "").split():
                components = tuple(fields.get("components", "").split())
                keyrings = _keyrings(fields.get("signed-by", ""), where)
                yield AptEntry(_with_slash(uri), suite, components, keyrings, fields.get("check-valid-until"))


def _with_slash(uri: str) -> str:
    return uri if uri.endswith("/") else f"{uri}/"


def _keyrings(value: str, where: Path) -> tuple[str, ...]:
    if "-----BEGIN" in value:
        fix = "put the key into a file below /usr/share/keyrings, and name the file in Signed-By"
        raise LockError("a repository has its key inside its entry", where=str(where), fix=fix)
    return tuple(value.replace(",", " ").split())


def stanzas(text: str) -> Iterator[dict[str, str]]:
    """Yield the stanzas of a deb822 text, with field names in lower case and continuation lines joined by newlines."""
    fields: dict[str, str] = {}
    last = ""
    for line in [*text.splitlines(), ""]:
        if line.startswith("#"):
            continue
        if not line.strip():
            if fields:
                yield fields
            fields, last = {}, ""
        elif line[0].isspace():
            fields[last] = f"{fields.get(last, '')}\n{line.strip()}"
        else:
            name, _, value = line.partition(":")
            last = name.strip().lower()
            fields[last] = value.strip()
