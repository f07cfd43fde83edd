"""Requirements -> exact versions with hashes, for a Python of the build machine, resolved by uv."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from types import MappingProxyType

from packaging.utils import canonicalize_name

from dockerbuild_lib.catalog.architectures import BUILD_MACHINE
from dockerbuild_lib.catalog.python_names import release_of
from dockerbuild_lib.core.connections import CONNECTIONS
from dockerbuild_lib.core.errors import DockerbuildError, LockError, NetworkError, ToolMissingError
from dockerbuild_lib.sources.cooldown import SETTING, untold
from dockerbuild_lib.sources.package_index import IndexConfiguration
from dockerbuild_lib.sources.requirements import index_requirement

_TIME_LIMIT = 300.0
_PLATFORM = f"{BUILD_MACHINE.machine}-manylinux_2_28"
"""uv's name of the oldest build machine that a requirement must still have a wheel for."""
_INHERITED = (
    "HOME",
    "PATH",
    "TMPDIR",
    "NETRC",
    "UV_CACHE_DIR",
    "UV_HTTP_RETRIES",
    "UV_HTTP_TIMEOUT",
    "XDG_CACHE_HOME",
    "SSL_CERT_FILE",
    "SSL_CERT_DIR",
    *("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY", "http_proxy", "https_proxy", "all_proxy", "no_proxy"),
)
_PINNED = re.compile(r"^(?P<name>[A-Za-z0-9._-]+)(\[[^\]]*\])?==(?P<version>[^\s;\\]+)")
_LOCAL = re.compile(r"^(?P<name>[A-Za-z0-9._-]+) @ file://")
_HASH = re.compile(r"--hash=sha256:(?P<sha256>[0-9a-f]{64})")
_DECORATION = re.compile(r"[^\x20-\x7e]+")
_UNTOLD = re.compile(r"`(?P<filename>[^`]+)` is missing an upload date")
_TOO_YOUNG = "exclude-newer"
_NETWORK_SIGNS = ("Failed to fetch", "error sending request", "Could not connect", "dns error", "timed out")
_NOTHING: Mapping[str, Path] = MappingProxyType({})


@dataclass(frozen=True)
class Resolved:
    """One distribution in the version that fits, with the sha256 of each of its files."""

    name: str
    version: str
    sha256s: frozenset[str]


def resolve(
    requirements: Iterable[str],
    python: str,
    configuration: IndexConfiguration,
    *,
    newest: datetime | None = None,
    here: Mapping[str, Path] = _NOTHING,
) -> tuple[Resolved, ...]:
    """Return all that *requirements* need on the build machine under *python* (3.11), by name; wheels only.

    What was uploaded after *newest* is left out. *here* is distribution -> wheel of what must be taken from this
    machine; what that needs is returned, not itself.

    Raises:
        LockError: no versions fit together, or one has no wheel, or nobody tells when it was uploaded.
        NetworkError: a package index cannot be reached.
        ToolMissingError: uv is not there.
        OfflineError: connections are forbidden.

    """
    wanted = "".join(f"{index_requirement(requirement)}\n" for requirement in requirements)
    wanted += "".join(f"{name} @ {file.as_uri()}\n" for name, file in here.items())
    CONNECTIONS.require(_label(wanted, python))
    command = (
        *(_uv(), "pip", "compile", "-"),
        *("--python", sys.executable, "--python-version", release_of(python), "--python-platform", _PLATFORM),
        *("--only-binary", ":all:", "--generate-hashes"),
        *("--no-config", "--no-header", "--no-annotate", "--no-progress", "--color", "never"),
        *(("--exclude-newer", newest.isoformat()) if newest else ()),
        *(word for host in configuration.http.trusted_hosts for word in ("--allow-insecure-host", host)),
    )
    try:
        done = subprocess.run(
            command,
            input=wanted,
            env=_environment(configuration),
            capture_output=True,
            text=True,
            check=False,
            timeout=_TIME_LIMIT,
        )
    except subprocess.TimeoutExpired as error:
        raise NetworkError(f"uv found no versions in {_TIME_LIMIT:.0f} s", fix="check the package index") from error
    if done.returncode:
        raise _failure(wanted, python, done.stderr)
    return parse_requirements(done.stdout, here)


def _uv() -> str:
    from uv import find_uv_bin  # noqa: PLC0415  # only where something is resolved

    try:
        return find_uv_bin()
    except FileNotFoundError as error:
        raise ToolMissingError("the program uv is not installed", fix="run ./dockerbuild, which installs it") from error


def _environment(configuration: IndexConfiguration) -> dict[str, str]:
    """Return uv's whole environment: it does not read pip's configuration, and its own must not count."""
    environment = {name: os.environ[name] for name in _INHERITED if name in os.environ}
    # Not on the command line, which others can see: an index's address may hold a password. uv looks into
    # UV_INDEX first, in its order, and into the default index last.
    environment["UV_DEFAULT_INDEX"] = configuration.indexes[-1]
    if configuration.indexes[:-1]:
        environment["UV_INDEX"] = " ".join(configuration.indexes[:-1])
    if configuration.http.ca_bundle:
        environment["SSL_CERT_FILE"] = configuration.http.ca_bundle
    if configuration.http.client_certificate:
        environment["SSL_CLIENT_CERT"] = configuration.http.client_certificate
    for scheme, proxy in configuration.http.proxies:
        environment[f"{scheme.upper()}_PROXY"] = proxy
    return environment


def _label(wanted: str, python: str) -> str:
    return f"requirements {', '.join(wanted.splitlines())} for Python {python}"


def _failure(wanted: str, python: str, complaint: str) -> DockerbuildError:
    why = " ".join(_DECORATION.sub(" ", complaint).split())[-600:]
    where = _label(wanted, python)
    if any(sign in complaint for sign in _NETWORK_SIGNS):
        return NetworkError(why, where=where, fix="check the network and pip's index-url")
    if unknown := _UNTOLD.search(complaint):
        return untold(unknown["filename"])
    if _TOO_YOUNG in complaint:
        return LockError(why, where=where, fix=f"change the requirement, or wait: {SETTING} excludes younger releases")
    return LockError(why, where=where, fix="change the requirement: a recipe's build-requires narrows it down")


def parse_requirements(text: str, here: Collection[str] = ()) -> tuple[Resolved, ...]:
    """Return what a requirements.txt with pins and hashes holds, without the files of the distributions *here*."""
    found = []
    for line in text.replace("\\\n", " ").splitlines():
        if not line.strip() or line.startswith("#"):
            continue
        if (local := _LOCAL.match(line)) and canonicalize_name(local["name"]) in here:
            continue
        match = _PINNED.match(line)
        if match is None:
            raise LockError(f"uv resolved to what cannot be locked: {line.strip()!r}", fix="change the requirement")
        name = canonicalize_name(match["name"])
        found.append(Resolved(name, match["version"], frozenset(_HASH.findall(line))))
    return tuple(sorted(found, key=lambda resolved: resolved.name))
