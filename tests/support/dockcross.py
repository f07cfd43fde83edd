"""A stand-in for dockcross's images: on this project's own Debian base, with their variables, /work and entry point."""

from __future__ import annotations

import io
import json
import tarfile
import tempfile
from typing import TYPE_CHECKING

from dockerbuild_lib.catalog.load import load_catalog
from dockerbuild_lib.cli.session import open_session
from dockerbuild_lib.containers.oci.manifests import IMAGES
from dockerbuild_lib.core.events import silent
from dockerbuild_lib.images.context import base_tag
from dockerbuild_lib.plan.keys import base_key
from dockerbuild_lib.plan.steps import BaseWork
from tests.support.projects import TREE
from tests.support.registries import Registry
from tests.support.small_images import Uploader

if TYPE_CHECKING:
    import docker

TRIPLE = "aarch64-unknown-linux-gnu"
ROOT = f"/usr/xcc/{TRIPLE}"
PROGRAMS = ("gcc", "g++", "cpp", "as", "ar", "ld", "ranlib", "nm", "strip", "objcopy", "objdump", "readelf")
NAMED = {"AS": "as", "AR": "ar", "CC": "gcc", "CPP": "cpp", "CXX": "g++", "LD": "ld"}
_DOCKER = "application/vnd.docker"
ENTRY_POINT = (
    "#!/bin/sh\n# dockcross prints a script that runs on the user's machine; nobody must run this one.\necho exit 42\n"
)


def dockerfile(base: str, **without: str) -> str:
    """Return the stand-in's Dockerfile; *without* replaces values of its variables."""
    variables = {
        "CROSS_TRIPLE": TRIPLE,
        "CROSS_ROOT": ROOT,
        **{name: f"{ROOT}/bin/{TRIPLE}-{program}" for name, program in NAMED.items()},
        "QEMU_LD_PREFIX": f"{ROOT}/{TRIPLE}/sysroot",
        "CMAKE_TOOLCHAIN_FILE": f"{ROOT}/Toolchain.cmake",
        "DEFAULT_DOCKCROSS_IMAGE": "dockcross/linux-arm64-lts:latest",
        **without,
    }
    lines = [f"FROM {base}", "COPY tree /", "WORKDIR /work", 'ENTRYPOINT ["/dockcross/entrypoint.sh"]']
    return "\n".join([*lines, *(f'ENV {name}="{value}"' for name, value in variables.items())]) + "\n"


def context(text: str) -> io.BytesIO:
    """Return a build context with the Dockerfile *text*.

    Its programs are Debian's cross compilers, which the recipe of the image brings: so the stand-in stays small.
    """
    files = {
        f"tree{ROOT}/bin/{TRIPLE}-{program}": f'#!/bin/sh\nexec /usr/bin/aarch64-linux-gnu-{program} "$@"\n'
        for program in PROGRAMS
    }
    files |= {"Dockerfile": text, "tree/dockcross/entrypoint.sh": ENTRY_POINT, f"tree{ROOT}/Toolchain.cmake": "\n"}
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w") as tar:
        for name, content in files.items():
            member = tarfile.TarInfo(name)
            member.size, member.mode = len(content.encode()), 0o755
            tar.addfile(member, io.BytesIO(content.encode()))
    stream.seek(0)
    return stream


def debian_base(client: docker.DockerClient) -> str:
    """Return this project's Debian base, made where the engine does not hold it."""
    recipe = load_catalog(TREE / "config").images["debian"]
    tag = base_tag(base_key(recipe))
    if not client.images.list(name=tag):
        open_session().workbench().images.make_base(BaseWork(recipe, base_key(recipe)), silent)
    return tag


def push_stand_in(client: docker.DockerClient, registry: Registry, repository: str, **without: str) -> None:
    """Build a stand-in and put it into a registry as the tag ``latest``.

    Not by ``docker push``: the engine would compress half a gigabyte for a minute.
    """
    text = dockerfile(debian_base(client), **without)
    image, _ = client.images.build(fileobj=context(text), custom_context=True, rm=True, forcerm=True)
    with tempfile.TemporaryFile() as saved:
        for chunk in client.api.get_image(str(image.id)):
            saved.write(chunk)
        saved.seek(0)
        with tarfile.open(fileobj=saved) as tar:
            _upload(tar, Uploader(registry.url, repository))


def _upload(tar: tarfile.TarFile, up: Uploader) -> None:
    [image] = json.loads(_bytes(tar, "manifest.json"))
    document = {
        "schemaVersion": 2,
        "mediaType": IMAGES[1],
        "config": {"mediaType": f"{_DOCKER}.container.image.v1+json", **up.blob(_bytes(tar, image["Config"]))},
        "layers": [
            {"mediaType": f"{_DOCKER}.image.rootfs.diff.tar", **up.blob(_bytes(tar, layer))}
            for layer in image["Layers"]
        ],
    }
    up.manifest(document, IMAGES[1], "latest")


def _bytes(tar: tarfile.TarFile, name: str) -> bytes:
    member = tar.extractfile(name)
    assert member is not None
    return member.read()
