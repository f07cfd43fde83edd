"""The files that tell a ``cipd`` client what to deploy, and what their versions mean where no service answers."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from dockerbuild_lib.store.names import is_instance_id
from dockerbuild_lib.store.protocol import Pin

_SYSTEMS = ("linux", "mac", "windows", "freebsd", "netbsd", "openbsd")
_MACHINES = (
    *("386", "amd64", "arm64", "armv6l", "armv7l", "loong64", "mips", "mips64", "mips64le", "mipsle"),
    *("ppc64", "ppc64le", "riscv64", "s390x"),
)
_PLATFORM = re.compile(rf"(?P<platform>(?:{'|'.join(_SYSTEMS)})-(?:{'|'.join(_MACHINES)}))(?=_|$)")


@dataclass(frozen=True)
class Deployment:
    """A package to deploy, under the version that its user asked for."""

    pin: Pin
    version: str

    @property
    def platform(self) -> str | None:
        """CIPD's name of the platform that the package is for, by its name; None: for all."""
        return package_platform(self.pin.package)


def package_platform(package: str) -> str | None:
    """Return the platform that the last part of a package's name starts with: ``linux-arm64``; None without one."""
    match = _PLATFORM.match(package.rpartition("/")[2])
    return match["platform"] if match else None


def ensure_file(deployments: Sequence[Deployment], versions_file: str) -> str:
    """Return an ensure file; *versions_file* is the name of the other one, beside it.

    Of several platforms, each client takes its own. Of one platform, every client takes it: so the folder of
    another machine can be prepared.
    """
    platforms = sorted({each.platform for each in deployments if each.platform})
    lines = [f"$ResolvedVersions {versions_file}"]
    if platforms:
        lines.append(f"$VerifiedPlatform {' '.join(platforms)}")
    lines.append("")
    ordered = sorted(deployments, key=lambda each: each.pin)
    lines += [f"{_template(each, several=len(platforms) > 1)} {each.version}" for each in ordered]
    return "\n".join(lines) + "\n"


def _template(deployment: Deployment, *, several: bool) -> str:
    package, platform = deployment.pin.package, deployment.platform
    if not several or platform is None:
        return package
    folder, _slash, name = package.rpartition("/")
    return f"{folder}/${{platform={platform}}}{name.removeprefix(platform)}"


def versions_file(deployments: Sequence[Deployment]) -> str:
    """Return the file of resolved versions: package, version and instance id of each, as the client writes it."""
    triples = [
        f"{each.pin.package}\n\t{each.version}\n\t{each.pin.instance_id}\n"
        for each in sorted(deployments, key=lambda each: (each.pin.package, each.version))
        if not is_instance_id(each.version)
    ]
    return "\n".join(triples)
