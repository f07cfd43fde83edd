"""What a manylinux tag promises: which libraries the system has, and how new their symbol versions may be.

PEP 600 says that ``manylinux_X_Y`` means glibc X.Y; PEP 513, 571 and 599 name the same for the older aliases. The
libraries and the versions of libstdc++, libgcc, libatomic and zlib are those of auditwheel 6.8's manylinux policies.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

Release = tuple[int, ...]

_ALIASES = {"manylinux1": (2, 5), "manylinux2010": (2, 12), "manylinux2014": (2, 17)}
_PERENNIAL = re.compile(r"manylinux_([0-9]{1,4})_([0-9]{1,4})_\w+")
_RELEASE = re.compile(r"[0-9]{1,6}(\.[0-9]{1,6}){0,4}")

_LOADER = re.compile(r"ld-linux[\w-]*\.so\.[0-9]|ld64\.so\.[12]")
_SYSTEM_LIBRARIES = frozenset(
    """
    libatomic.so.1 libgcc_s.so.1 libstdc++.so.6 libm.so.6 libanl.so.1 libdl.so.2 librt.so.1 libc.so.6 libnsl.so.1
    libutil.so.1 libpthread.so.0 libX11.so.6 libXext.so.6 libXrender.so.1 libICE.so.6 libSM.so.6 libGL.so.1
    libgobject-2.0.so.0 libgthread-2.0.so.0 libglib-2.0.so.0 libresolv.so.2 libz.so.1
    """.split()  # noqa: SIM905 - a list of words reads as such; the formatter would make a page of it
)
_LATER_LIBRARIES = {"libexpat.so.1": (2, 12), "libmvec.so.1": (2, 24)}

# For each glibc, the newest versions of the libraries that come with systems of its age.
_FAMILIES = ("GLIBCXX", "CXXABI", "GCC", "LIBATOMIC", "ZLIB")
_LIMITS: tuple[tuple[Release, tuple[Release, ...]], ...] = (
    ((2, 5), ((3, 4, 8), (1, 3, 1), (4, 2, 0), (0,), (0,))),
    ((2, 12), ((3, 4, 13), (1, 3, 3), (4, 3, 0), (0,), (1, 2, 2, 4))),
    ((2, 17), ((3, 4, 19), (1, 3, 7), (4, 8, 0), (1, 0), (1, 2, 5, 2))),
    ((2, 24), ((3, 4, 22), (1, 3, 10), (4, 8, 0), (1, 2), (1, 2, 5, 2))),
    ((2, 27), ((3, 4, 24), (1, 3, 11), (7, 0, 0), (1, 2), (1, 2, 9))),
    ((2, 31), ((3, 4, 28), (1, 3, 12), (7, 0, 0), (1, 2), (1, 2, 9))),
    ((2, 34), ((3, 4, 29), (1, 3, 13), (11, 0), (1, 2), (1, 2, 9))),
    ((2, 35), ((3, 4, 30), (1, 3, 13), (12, 0, 0), (1, 2), (1, 2, 9))),
    ((2, 37), ((3, 4, 30), (1, 3, 13), (12, 0, 0), (1, 2), (1, 2, 12))),
    ((2, 39), ((3, 4, 33), (1, 3, 15), (14, 0, 0), (1, 2), (1, 2, 12))),
)
# Version names without a number: the glibc of the systems that first had them.
_NAMED = {
    "GLIBC_ABI_DT_RELR": (2, 36),
    "GLIBC_ABI_GNU2_TLS": (2, 42),
    "CXXABI_TM_1": (2, 17),
    "CXXABI_ARM_1.3.3": (2, 17),
    "CXXABI_FLOAT128": (2, 24),
}
# Libraries of the list that give (some of) their symbols no version: how the names of those begin.
_UNVERSIONED = {
    "libz.so.1": ("adler32", "crc32", "compress", "uncompress", "deflate", "inflate", "gz", "zlib", "zError"),
    "libexpat.so.1": ("XML_",),
    "libX11.so.6": ("X", "_X"),
    "libXext.so.6": ("X",),
    "libXrender.so.1": ("XRender",),
    "libICE.so.6": ("Ice", "_Ice"),
    "libSM.so.6": ("Sm",),
    "libGL.so.1": ("gl",),
    "libgobject-2.0.so.0": ("g_",),
    "libglib-2.0.so.0": ("g_",),
    "libgthread-2.0.so.0": ("g_thread_",),
}


def glibc_of_tag(platform_tag: str) -> Release | None:
    """Return the glibc that a platform tag promises to run with; None when it promises none (``linux_...``)."""
    if match := _PERENNIAL.fullmatch(platform_tag):
        return int(match[1]), int(match[2])
    return _ALIASES.get(platform_tag.partition("_")[0])


def parse_release(text: str) -> Release | None:
    """Return ``2.17`` as ``(2, 17)``; None when *text* is no such number."""
    return tuple(map(int, text.split("."))) if _RELEASE.fullmatch(text) else None


def is_system_library(name: str, glibc: Release | None) -> bool:
    """Tell whether every system with that glibc (None: any) has the library."""
    if name in _LATER_LIBRARIES:
        return glibc is None or glibc >= _LATER_LIBRARIES[name]
    return name in _SYSTEM_LIBRARIES or _LOADER.fullmatch(name) is not None


def glibc_of_version(version: str) -> Release | None:
    """Return the glibc that a symbol version names (``GLIBC_2.17``); None for other families and private ones."""
    family, _, number = version.partition("_")
    if family != "GLIBC":
        return None
    return _NAMED.get(version) or parse_release(number)


def is_allowed_version(version: str, glibc: Release | None) -> bool:
    """Tell whether a system with that glibc (None: any) has the symbol version ``FAMILY_1.2.3``.

    A version of glibc itself that is private, or unknown, is on no system.
    """
    family, _, number = version.partition("_")
    if family == "GLIBC":
        needed = glibc_of_version(version)
        return needed is not None and (glibc is None or needed <= glibc)
    if glibc is None:
        return True
    if version in _NAMED:
        return _NAMED[version] <= glibc
    release = parse_release(number)
    return family not in _FAMILIES or (release is not None and release <= _limit(family, glibc))


def _limit(family: str, glibc: Release) -> Release:
    column = _FAMILIES.index(family)
    fitting = [limits[column] for least, limits in _LIMITS if least <= glibc]
    return fitting[-1] if fitting else (0,)


def gives_unversioned(symbol: str, libraries: Iterable[str]) -> bool:
    """Tell whether one of the system's *libraries* gives *symbol* without a version."""
    return any(symbol.startswith(_UNVERSIONED.get(library, ())) for library in libraries)
