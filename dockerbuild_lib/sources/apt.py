"""apt as this machine is configured, run with private state: nothing of the machine's own changes, no root needed."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from dockerbuild_lib.core.connections import CONNECTIONS
from dockerbuild_lib.core.errors import NetworkError, ToolMissingError
from dockerbuild_lib.core.files import translated_os_errors
from dockerbuild_lib.sources.apt_entries import AptEntry, read_entries
from dockerbuild_lib.sources.http import HttpSettings

_TIME_LIMIT = 600.0
_ORIGIN = re.compile(r"^Origin:(?P<origin>.*)$", re.MULTILINE)
_QUOTED = re.compile(r'[\\|{}\[\]<>"^~_=!@#$%&*]')
_SETTINGS = {
    "MAIN": "Dir::Etc::main/f",
    "PARTS": "Dir::Etc::parts/d",
    "SOURCE_LIST": "Dir::Etc::sourcelist/f",
    "SOURCE_PARTS": "Dir::Etc::sourceparts/d",
    "HTTP_PROXY": "Acquire::http::Proxy",
    "HTTPS_PROXY": "Acquire::https::Proxy",
}


@dataclass(frozen=True)
class AptConfiguration:
    """Where apt's files are on this machine, its repositories, and its proxies."""

    main: Path
    parts: Path
    entries: tuple[AptEntry, ...]
    http: HttpSettings


def read_apt_configuration() -> AptConfiguration:
    """Return apt's configuration on this machine.

    Raises:
        ToolMissingError: there is no apt.
        LockError: one of its entries cannot be used.

    """
    words = [word for name, key in _SETTINGS.items() for word in (name, key)]
    shell = _run(("apt-config", "shell", *words), dict(os.environ), "apt's configuration cannot be read")
    values = {name: value for name, _, value in (word.partition("=") for word in shlex.split(shell))}
    proxies = {"http": values.get("HTTP_PROXY"), "https": values.get("HTTPS_PROXY") or values.get("HTTP_PROXY")}
    return AptConfiguration(
        main=Path(values.get("MAIN", "/etc/apt/apt.conf")),
        parts=Path(values.get("PARTS", "/etc/apt/apt.conf.d")),
        entries=read_entries(
            Path(values.get("SOURCE_LIST", "/etc/apt/sources.list")),
            Path(values.get("SOURCE_PARTS", "/etc/apt/sources.list.d")),
        ),
        http=HttpSettings(
            proxies=tuple((scheme, url) for scheme, url in proxies.items() if url and url.upper() != "DIRECT")
        ),
    )


class PrivateApt:
    """apt's programs over entries of our choosing, with state and cache of their own."""

    def __init__(self, folder: Path) -> None:
        self._lists = folder / "state" / "lists"
        self._environment = {**os.environ, "LC_ALL": "C.UTF-8", "APT_CONFIG": str(folder / "first.conf")}

    def update(self) -> None:
        """Fetch the entries' indices; apt checks their signatures.

        Raises:
            NetworkError: an index cannot be fetched, or does not verify.
            OfflineError: connections are forbidden.

        """
        CONNECTIONS.require("this machine's Debian mirror")
        command = ("apt-get", "--error-on=any", "-q", "update")
        _run(command, self._environment, "apt cannot fetch the indices of this machine's Debian mirror")

    def source_stanzas(self, package: str) -> str:
        """Return the stanzas of a source package, in deb822; empty where there is no such package."""
        command = ("apt-cache", "showsrc", "--only-source", package)
        done = subprocess.run(command, env=self._environment, capture_output=True, text=True, check=False)
        return done.stdout

    def origin(self, entry: AptEntry) -> str:
        """Return who made the entry's repository, as its signed Release file says; empty where it does not say."""
        for name in ("InRelease", "Release"):
            file = self._lists / list_file_name(f"{entry.uri}dists/{entry.suite}/{name}")
            if file.is_file():
                match = _ORIGIN.search(file.read_text(encoding="utf-8", errors="replace"))
                return match["origin"].strip() if match else ""
        return ""


def list_file_name(uri: str) -> str:
    """Return the name that apt gives to *uri* in its folder of lists (URItoFileName in its source)."""
    place = uri.partition("://")[2]
    host, slash, path = place.partition("/")
    plain = f"{host.rpartition('@')[2]}{slash}{path}"
    return _QUOTED.sub(lambda match: f"%{ord(match[0]):02x}", plain).replace("/", "_")


@contextmanager
def private_apt(configuration: AptConfiguration, lines: tuple[str, ...], *, indices: bool) -> Iterator[PrivateApt]:
    """Yield an apt that knows only *lines* (sources.list), and the machine's configuration otherwise.

    Without *indices* its update fetches the signed Release files only, which is quick.
    """
    with tempfile.TemporaryDirectory(prefix="dockerbuild-apt-") as name, translated_os_errors(Path(name)):
        folder = Path(name)
        folder.chmod(0o755)  # apt run by root reads it as its own user
        for part in ("state/lists/partial", "cache/archives/partial", "parts"):
            (folder / part).mkdir(parents=True)
        (folder / "status").touch()
        (folder / "sources.list").write_text("\n".join(lines) + "\n")
        _copy_configuration(configuration, folder)
        (folder / "parts" / "zzzz-dockerbuild.conf").write_text(_own_settings(folder, indices=indices))
        yield PrivateApt(folder)


def _copy_configuration(configuration: AptConfiguration, folder: Path) -> None:
    """Put the machine's configuration where ours can be read last: only so can it take anything back."""
    first = os.environ.get("APT_CONFIG")
    inherited = Path(first).read_text() if first else ""
    inherited += f'\nDir::Etc::parts "{folder}/parts";\nDir::Etc::main "/dev/null";\n'
    (folder / "first.conf").write_text(inherited)
    if configuration.parts.is_dir():
        for file in configuration.parts.iterdir():
            if file.is_file():
                shutil.copyfile(file, folder / "parts" / file.name)
    if configuration.main.is_file():
        shutil.copyfile(configuration.main, folder / "parts" / "zzzy-main.conf")


def _own_settings(folder: Path, *, indices: bool) -> str:
    lines = [
        # Hooks belong to the machine's own update: they empty its package cache, for instance.
        "#clear APT::Update::Pre-Invoke;",
        "#clear APT::Update::Post-Invoke;",
        "#clear APT::Update::Post-Invoke-Success;",
        f'Dir::State "{folder}/state";',
        f'Dir::State::status "{folder}/status";',
        f'Dir::Cache "{folder}/cache";',
        f'Dir::Etc::sourcelist "{folder}/sources.list";',
        'Dir::Etc::sourceparts "/dev/null";',
        'Acquire::Languages "none";',
        'Acquire::Retries "3";',
    ]
    if not indices:
        lines.append("#clear Acquire::IndexTargets;")
    return "\n".join(lines) + "\n"


def _run(command: tuple[str, ...], environment: dict[str, str], failure: str) -> str:
    try:
        done = subprocess.run(
            command, env=environment, capture_output=True, text=True, check=False, timeout=_TIME_LIMIT
        )
    except FileNotFoundError as error:
        fix = "Debian's sources are found through apt: use a Debian or Ubuntu machine, or install apt"
        raise ToolMissingError(f"the program {command[0]} is not installed", fix=fix) from error
    except subprocess.TimeoutExpired as error:
        raise NetworkError(
            f"{failure}: no end after {_TIME_LIMIT:.0f} s", fix="check the mirror and the proxy"
        ) from error
    if done.returncode:
        complaints = [line for line in done.stderr.splitlines() if line.startswith(("E:", "W:"))]
        why = "; ".join(complaints[:3]) or done.stderr.strip()[-300:]
        raise NetworkError(f"{failure}: {why}", fix="try `apt-get update` on this machine, and check /etc/apt")
    return done.stdout
