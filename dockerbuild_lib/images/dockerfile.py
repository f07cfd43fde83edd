"""The Dockerfile of a platform's image: what the classic builder and BuildKit both take."""

from __future__ import annotations

from dockerbuild_lib.catalog.architectures import Architecture, architecture_of
from dockerbuild_lib.catalog.machines import ImageRecipe, Platform
from dockerbuild_lib.images import layout

WORKER = "1234:1234"
WARM_UP = layout.SCRIPTS / "warm_compilers.py"
CLEAN_UP = "rm -rf /var/lib/apt/lists/* /var/cache/apt/* /var/log/*"


def dockerfile(recipe: ImageRecipe, platform: Platform, pythons: tuple[str, ...], base: str) -> str:
    """Return the Dockerfile of *platform* on the image *base*, for Debian's Pythons of these versions (3.11)."""
    architecture = architecture_of(platform.triple)
    return "\n\n".join(
        (
            f"FROM {base}",
            f"COPY tools {layout.TOOLS}",
            _run([*_install(recipe, platform, architecture), *_target_pythons(pythons, architecture), CLEAN_UP]),
            f"COPY files{layout.TOOLCHAINS} {layout.TOOLCHAINS}",
            f"COPY files{WARM_UP} {WARM_UP}",
            _run(_folders(platform, pythons)),
            f"USER {WORKER}",
            f"RUN python3.11 {WARM_UP}",
            # Last, so that a change to a program does not warm the compilers anew, which takes a minute.
            f"COPY files{layout.SCRIPTS} {layout.SCRIPTS}",
            "WORKDIR /work",
            f'CMD ["cat", "{layout.ENTRYPOINT}"]\n',
        )
    )


def _run(commands: list[str]) -> str:
    return "RUN " + " \\\n && ".join(commands)


def _install(recipe: ImageRecipe, platform: Platform, architecture: Architecture) -> list[str]:
    wanted = recipe.packages if architecture.is_build_machine else recipe.packages + recipe.cross_packages
    names = {"arch": architecture.debian, "triple": platform.triple.replace("_", "-")}
    packages = " ".join(package.format_map(names) for package in wanted)
    return [
        f"dpkg --add-architecture {architecture.debian}",
        "apt-get update",
        f"apt-get install --yes --no-install-recommends {packages}",
    ]


def _target_pythons(pythons: tuple[str, ...], architecture: Architecture) -> list[str]:
    """Put the target's interpreters, and what runs them, beside the build machine's.

    Debian's packages of an interpreter exclude each other's architectures, so only its one file is taken; its
    library is a package that all architectures share.
    """
    if architecture.is_build_machine:
        return [f"mkdir {layout.TARGET_PYTHON}", *(f"ln -s /usr/bin/python{p} {layout.TARGET_PYTHON}" for p in pythons)]
    packages = " ".join(f"python{python}-minimal:{architecture.debian}" for python in pythons)
    return [
        f"mkdir {layout.TARGET_PYTHON} /tmp/packages",
        "cd /tmp/packages",
        f"apt-get download qemu-user-static {packages}",
        "for package in *.deb; do dpkg-deb --extract $package tree; done",
        f"cp tree/usr/bin/qemu-{architecture.qemu}-static {layout.EMULATOR}",
        *(f"cp tree/usr/bin/python{python} {layout.TARGET_PYTHON}" for python in pythons),
        "cd /",
        "rm -rf /tmp/packages",
    ]


def _folders(platform: Platform, pythons: tuple[str, ...]) -> list[str]:
    headers = layout.INCLUDE / platform.triple
    return [
        f"mkdir -p {headers}",
        *(f"ln -s /usr/include/{platform.triple}/python{python} {headers}" for python in pythons),
        f"install -d -o 1234 -g 1234 /work {layout.ZIG_CACHE}",
        f"dpkg-query -W > {layout.PACKAGES}",
    ]
