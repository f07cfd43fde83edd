"""Certificates of registries, where Docker's engine looks for them: ``certs.d/HOST[:PORT]``."""

from __future__ import annotations

import ssl
from collections.abc import Iterator, Mapping
from pathlib import Path

from dockerbuild_lib.core.errors import AccessRefusedError

_SYSTEM = Path("/etc/docker/certs.d")


def tls_context(registry: str, environ: Mapping[str, str]) -> ssl.SSLContext | None:
    """Return what to check a registry's certificate with; None: it has no folder, the machine's own CAs count.

    In that folder ``*.crt`` are CAs beside those of the machine, ``NAME.cert`` and ``NAME.key`` are the client's.

    Raises:
        AccessRefusedError: a file there cannot be used.

    """
    folder = next((folder for folder in _folders(registry, environ) if folder.is_dir()), None)
    if folder is None:
        return None
    context = ssl.create_default_context()
    for file in sorted(folder.iterdir()):
        try:
            if file.suffix == ".crt":
                context.load_verify_locations(file)
            elif file.suffix == ".cert":
                context.load_cert_chain(file, file.with_suffix(".key"))
        except (ssl.SSLError, OSError) as error:
            raise AccessRefusedError(f"the certificate cannot be used ({error})", where=str(file)) from error
    return context


def _folders(registry: str, environ: Mapping[str, str]) -> Iterator[Path]:
    """Yield the folders of a registry: of this user, as for an engine without root, then of the machine."""
    if home := environ.get("HOME"):
        configuration = environ.get("XDG_CONFIG_HOME") or f"{home}/.config"
        yield Path(configuration, "docker", "certs.d", registry)
    yield _SYSTEM / registry
