"""Checks of what ELF members take from elsewhere: libraries, symbol versions, symbols."""

from __future__ import annotations

from collections.abc import Iterator

from dockerbuild_lib.wheels.gate.elf import Dynamic, NeededVersion, UndefinedSymbol
from dockerbuild_lib.wheels.gate.policy import (
    Release,
    gives_unversioned,
    glibc_of_version,
    is_allowed_version,
    is_system_library,
)
from dockerbuild_lib.wheels.gate.subject import Subject, is_bundled
from dockerbuild_lib.wheels.wheel_members import shown

_INTERPRETER = ("Py", "_Py")
_NAMED_SYMBOLS = 5


def linkage_problems(subject: Subject, member: str) -> Iterator[str]:
    """Yield what *member* needs that a system of the wheel's tag, or the wheel itself, does not give."""
    dynamic = subject.elves[member].dynamic
    if dynamic:
        yield from _library_problems(subject, member, dynamic)
        yield from _version_problems(subject, member, dynamic)
        yield from _symbol_problems(subject, member, dynamic)


def system_libraries(subject: Subject) -> tuple[str, ...]:
    """Return the libraries that the wheel takes from the system."""
    needed = {
        library
        for member, facts in subject.elves.items()
        for library in (facts.dynamic.needed if facts.dynamic else ())
        if subject.provider(member, library) is None
    }
    return tuple(sorted(needed))


def newest_glibc(subject: Subject) -> str | None:
    """Return the newest version of glibc that a symbol of the wheel asks for."""
    versions = (
        glibc_of_version(needs.version)
        for member, facts in subject.elves.items()
        for needs in (facts.dynamic.versions if facts.dynamic else ())
        if subject.provider(member, needs.library) is None
    )
    newest = max(filter(None, versions), default=None)
    return None if newest is None else _dotted(newest)


def _dotted(release: Release) -> str:
    return ".".join(map(str, release))


def _library_problems(subject: Subject, member: str, dynamic: Dynamic) -> Iterator[str]:
    bundled = {name.rpartition("/")[2] for name in subject.elves if is_bundled(subject.folder(name))}
    for library in dynamic.needed:
        if library.startswith("libpython"):
            yield f"it needs {shown(library)}: an extension module takes the interpreter that loads it"
        elif subject.provider(member, library) or is_system_library(library, subject.glibc):
            continue
        elif library in bundled:
            yield f"it needs {shown(library)}, which is in the wheel, but its RPATH does not lead there"
        else:
            yield f"it needs {shown(library)}, which is neither in the wheel nor on every system of its tag"


def _version_problems(subject: Subject, member: str, dynamic: Dynamic) -> Iterator[str]:
    for needs in dynamic.versions:
        if subject.provider(member, needs.library) or is_allowed_version(needs.version, subject.glibc):
            continue
        wanted = f"it needs {shown(needs.version)} of {shown(needs.library)}{_users(needs, dynamic)}"
        if needs.version.startswith("GLIBC_") and glibc_of_version(needs.version) is None:
            yield f"{wanted}, which other builds of glibc do not have"
        else:
            yield f"{wanted}, newer than the glibc {_dotted(subject.glibc or ())} systems that its tag promises"


def _users(needs: NeededVersion, dynamic: Dynamic) -> str:
    names = [symbol.name for symbol in dynamic.undefined if symbol.needs == needs]
    return f" ({_some(names)})" if names else ""


def _symbol_problems(subject: Subject, member: str, dynamic: Dynamic) -> Iterator[str]:
    open_symbols = [symbol for symbol in dynamic.undefined if not _is_settled(symbol, dynamic)]
    if open_symbols:
        given = _given_by_wheel(subject, member)
        missing = [symbol.name for symbol in open_symbols if symbol.name not in given]
        if missing:
            yield f"it uses {_some(missing)}, which no library that it is linked with gives: link it (-lm, -ldl, ...)"


def _is_settled(symbol: UndefinedSymbol, dynamic: Dynamic) -> bool:
    if symbol.weak or symbol.name.startswith(_INTERPRETER):
        return True
    if symbol.needs:
        return symbol.needs.library in dynamic.needed
    return gives_unversioned(symbol.name, dynamic.needed)


def _given_by_wheel(subject: Subject, member: str) -> frozenset[str]:
    together = (subject.elves[name].dynamic for name in subject.scope(member))
    return frozenset().union(*(dynamic.defined for dynamic in together if dynamic))


def _some(names: list[str]) -> str:
    listed = ", ".join(shown(name) for name in names[:_NAMED_SYMBOLS])
    more = len(names) - _NAMED_SYMBOLS
    return f"{listed} and {more} more" if more > 0 else listed
