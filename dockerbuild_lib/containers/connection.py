"""The way to the engine that the environment names: ``DOCKER_HOST`` and the rest of Docker's own variables."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import TYPE_CHECKING

from dockerbuild_lib.containers import owners
from dockerbuild_lib.containers.errors import translated_engine_errors
from dockerbuild_lib.containers.removal import labelled_containers, remove_container

if TYPE_CHECKING:
    import docker

    from dockerbuild_lib.containers.ssh_tunnel import SshTunnel

LOCAL_SCHEME = "unix://"
OLDEST_API = "1.41"
"""Of Docker 20.10, the oldest engine that is supported: nothing newer is asked for."""
_TIMEOUT = 600  # seconds without a sign of life, while the engine works
_AT_A_TIME = 32  # connections


class Connection:
    """An engine that answered, and the tunnel that leads to it, if any."""

    def __init__(self, environ: Mapping[str, str] = os.environ) -> None:
        host = environ.get("DOCKER_HOST", "")
        self._tunnel = _tunnel_to(host) if host.startswith("ssh://") else None
        self.is_remote = bool(host) and not host.startswith(LOCAL_SCHEME)
        """Whether it may run on another machine, where this one's folders cannot be mounted."""
        self.client = self._connected(environ)

    def _connected(self, environ: Mapping[str, str]) -> docker.DockerClient:
        variables = dict(environ)
        if self._tunnel is not None:
            self._tunnel.open()
            variables["DOCKER_HOST"] = f"{LOCAL_SCHEME}{self._tunnel.socket}"
        with translated_engine_errors():
            # What the engine speaks, unless the user says otherwise, as with Docker's own client.
            version = environ.get("DOCKER_API_VERSION") or _spoken_version(variables)
            return _client(variables, version)

    def close(self) -> None:
        """Let go of the engine, and of the tunnel."""
        self.client.close()
        if self._tunnel is not None:
            self._tunnel.close()


def connected() -> Connection:
    """Connect, and remove the containers whose owner was killed before it could."""
    connection = Connection()
    with translated_engine_errors():
        for container_id, labels in labelled_containers(connection.client, owners.OWNER_LABEL).items():
            if owners.has_died(labels[owners.OWNER_LABEL]):
                remove_container(connection.client, container_id)
    return connection


def _tunnel_to(host: str) -> SshTunnel:
    from dockerbuild_lib.containers.ssh_tunnel import SshAddress, SshTunnel  # noqa: PLC0415 - seldom needed

    return SshTunnel(SshAddress.parsed(host))


def _spoken_version(variables: Mapping[str, str]) -> str:
    """Return the newest version of its API that the engine has; the SDK takes that, however new."""
    asking = _client(variables, OLDEST_API)
    try:
        # Asked for its version, an engine starts other programs to tell theirs too.
        told = asking.api.get(f"{asking.api.base_url}/_ping", timeout=_TIMEOUT).headers.get("Api-Version")
        return told or str(asking.api.version(api_version=False)["ApiVersion"])
    finally:
        asking.close()


def _client(variables: Mapping[str, str], version: str) -> docker.DockerClient:
    """Return the SDK's client for the engine that *variables* name; nothing is asked of that yet."""
    import docker  # noqa: PLC0415 - takes 0.3 s

    client = docker.from_env(
        version=version,
        timeout=_TIMEOUT,
        max_pool_size=_AT_A_TIME,
        environment=dict(variables),
        use_context=False,  # the launcher does not know of contexts either
    )
    # Otherwise a CA for the web (REQUESTS_CA_BUNDLE) would replace the engine's own, and proxies stand between.
    client.api.trust_env = False
    return client
