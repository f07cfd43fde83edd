"""Removing containers, also those that another is just removing."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import docker


def remove_container(client: docker.DockerClient, container_id: str) -> None:
    """Remove a container with its volumes; one that is gone, or is just going, is fine."""
    import docker.errors  # noqa: PLC0415 - the SDK takes 0.3 s to import

    try:
        client.api.remove_container(container_id, force=True, v=True)
    except docker.errors.NotFound:
        return
    except docker.errors.APIError as error:
        if "already in progress" not in str(error):
            raise


def labelled_containers(client: docker.DockerClient, label: str) -> Mapping[str, Mapping[str, str]]:
    """Return the labels of every container, running or not, that carries *label*, by container id."""
    listed = client.api.containers(all=True, filters={"label": label})
    return {container["Id"]: container["Labels"] for container in listed}
