"""The Dockerfile of a platform's image: what the classic builder and BuildKit both take."""

from __future__ import annotations

from pathlib import PurePosixPath

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
            _run(
                [
                    *_install(recipe, architecture),
                    *_emulator(architecture),
                    *_pythons(pythons, architecture),
                    *_rust(recipe, architecture),
                    CLEAN_UP,
                ]
            ),
            f"COPY files{layout.TOOLCHAINS} {layout.TOOLCHAINS}",
            f"COPY files{WARM_UP} {WARM_UP}",
            _run(_folders(recipe, architecture, pythons)),
            f"USER {WORKER}",
            f"RUN python3.11 {WARM_UP}",
            # Last, so that a change to a program does not warm the compilers anew, which takes a minute.
            f"COPY files{layout.SCRIPTS} {layout.SCRIPTS}",
            *_additions(recipe),
            "WORKDIR /work",
            f'CMD ["cat", "{layout.ENTRYPOINT}"]\n',
        )
    )


def _additions(recipe: ImageRecipe) -> list[str]:
    """Copy what the recipe adds; COPY gives it to root, whoever USER is."""
    folders = sorted(source.folder for source in recipe.sources.values())
    told = [str(layout.SOURCES)] if folders else []
    copies = [f"COPY {layout.ADDED}{place} {place}" for place in (*sorted(recipe.files), *folders, *told)]
    return ["\n".join(copies)] if copies else []


def _run(commands: list[str]) -> str:
    return "RUN " + " \\\n && ".join(commands)


def _install(recipe: ImageRecipe, architecture: Architecture) -> list[str]:
    has_port = recipe.has_port(architecture)
    wanted = (
        *(recipe.packages if has_port else ()),
        *(recipe.cross_packages if not architecture.is_build_machine else ()),
    )
    names = {"arch": architecture.debian, "triple": architecture.cross_prefix.replace("_", "-")}
    packages = " ".join(package.format_map(names) for package in wanted)
    return [
        *([f"dpkg --add-architecture {architecture.debian}"] if has_port else []),
        "apt-get update",
        f"apt-get install --yes --no-install-recommends {packages}",
    ]


def _emulator(architecture: Architecture) -> list[str]:
    if architecture.is_build_machine:
        return []
    return _taken("qemu-user-static", f"usr/bin/qemu-{architecture.qemu}-static", layout.EMULATOR)


def _pythons(pythons: tuple[str, ...], architecture: Architecture) -> list[str]:
    """Put the target's interpreters beside the build machine's.

    Debian's packages of an interpreter exclude each other's architectures, so only its one file is taken; its
    library is a package that all architectures share.
    """
    folder = [f"mkdir {layout.TARGET_PYTHON}"]
    if architecture.is_build_machine:
        return [*folder, *(f"ln -s /usr/bin/python{python} {layout.TARGET_PYTHON}" for python in pythons)]
    taken = (
        _taken(f"python{python}-minimal:{architecture.debian}", f"usr/bin/python{python}", layout.TARGET_PYTHON)
        for python in pythons
    )
    return [*folder, *(command for commands in taken for command in commands)]


def _rust(recipe: ImageRecipe, architecture: Architecture) -> list[str]:
    """Put Rust's standard library for the target beside that of the build machine.

    rustc takes none but its own version's. The package is not installed, so its port may be one that nothing else is
    taken of; it needs nothing that the build machine's does not have.
    """
    if not recipe.rust or not architecture.rust or architecture.is_build_machine:
        return []
    port, folder = architecture.debian, PurePosixPath("/usr/lib/rustlib")
    version = f"$(dpkg-query --show --showformat='${{Version}}' {recipe.rust})"
    taken = _taken(f"{recipe.rust}:{port}={version}", f"--recursive {str(folder)[1:]}/{architecture.rust}", folder)
    if recipe.has_port(architecture):
        return taken
    return [
        f"dpkg --add-architecture {port}",
        *_update_suite_only(recipe),
        *taken,
        f"dpkg --remove-architecture {port}",
    ]


def _update_suite_only(recipe: ImageRecipe) -> list[str]:
    """Fetch the indices of the suite alone: those of its updates are often half renewed on mirrors for such a port."""
    lines = "/tmp/suite.list"  # noqa: S108 - the image's
    return [
        f"cat $(find /etc/apt -name '*.list') | grep ' {recipe.suite} ' > {lines}",
        f"apt-get -o Dir::Etc::SourceList={lines} -o Dir::Etc::SourceParts=- update",
        f"rm {lines}",
    ]


def _taken(package: str, file: str, target: PurePosixPath) -> list[str]:
    """Take one file of a package that is not installed; nothing else of it stays."""
    return [
        f"cd $(mktemp --directory) && apt-get download {package}",
        f"dpkg-deb --extract *.deb . && cp {file} {target}",
        "rm -r $PWD && cd /",
    ]


def _folders(recipe: ImageRecipe, architecture: Architecture, pythons: tuple[str, ...]) -> list[str]:
    headers = layout.INCLUDE / architecture.multiarch
    root = "/" if recipe.has_port(architecture) else layout.sysroot(architecture)
    return [
        *([] if architecture.is_build_machine else [f"ln -s {root} {layout.TARGET_ROOT}"]),
        f"mkdir -p {headers}",
        *(f"ln -s /usr/include/{architecture.multiarch}/python{python} {headers}" for python in pythons),
        f"install -d -o 1234 -g 1234 /work {layout.ZIG_CACHE}",
        f"dpkg-query -W > {layout.PACKAGES}",
    ]
