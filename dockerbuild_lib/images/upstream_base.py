"""A base image that starts from one which keeps dockcross's contract: what is put on it, and taken over from it.

The contract: the image runs on the build machine, and its variables say what it builds for and with: ``CROSS_TRIPLE``,
and ``CC``, ``CXX``, ``AR`` and ``LD`` with the paths of its programs; the other binutils lie beside ``AR``. Its entry
point, which prints a script for the user's machine, is taken off and never run.
"""

from __future__ import annotations

from dockerbuild_lib.catalog.machines import ImageRecipe
from dockerbuild_lib.images import layout

CLEAN_UP = "rm -rf /var/lib/apt/lists/* /var/cache/apt/* /var/log/*"
ADOPT = "adopt.sh"
APT_SOURCES = "sources.list"


def upstream_tag(digest: str) -> str:
    """Return the tag under which the engine holds an image of upstream's."""
    return f"dockerbuild/upstream:{digest.partition(':')[2][:16]}"


def upstream_base_files(recipe: ImageRecipe, digest: str, sources_list: str) -> dict[str, str]:
    """Return the build context of the base on the image with this digest; *sources_list* are its apt lines."""
    packages = " ".join(recipe.base_packages)
    commands = (
        f"sh /tmp/{ADOPT} {recipe.suite} {layout.BASE_TOOLCHAIN}",
        f"rm -rf /tmp/{ADOPT} /etc/apt/sources.list.d/*",
        f"mv /tmp/{APT_SOURCES} /etc/apt/{APT_SOURCES}",
        "apt-get update",
        f"DEBIAN_FRONTEND=noninteractive apt-get install --yes --no-install-recommends {packages}",
        CLEAN_UP,
    )
    lines = (
        f"FROM {upstream_tag(digest)}",
        "USER root",
        "ENTRYPOINT []",
        'CMD ["/bin/sh"]',
        f"COPY {ADOPT} {APT_SOURCES} /tmp/",
        "RUN " + " \\\n && ".join(commands),
    )
    return {"Dockerfile": "\n\n".join(lines) + "\n", ADOPT: _ADOPT, APT_SOURCES: sources_list}


_ADOPT = """\
#!/bin/sh
# Put the base image's toolchain where this project looks for one: adopt.sh SUITE FOLDER
set -eu
suite=$1 folder=$2

refuse() {
    echo "the base image does not keep dockcross's contract: $1" >&2
    exit 1
}

adopt() {
    [ -x "$2" ] || refuse "there is no program $2"
    printf '#!/bin/sh\\nexec "%s" "$@"\\n' "$2" > "$folder/$1"
    chmod 755 "$folder/$1"
}

[ -n "${CROSS_TRIPLE:-}" ] || refuse "CROSS_TRIPLE is not set"
for name in CC CXX AR LD; do
    eval "program=\\${$name:-}"
    [ -n "$program" ] || refuse "$name is not set"
done
codename=$(. /etc/os-release && echo "${VERSION_CODENAME:-unknown}")
[ "$codename" = "$suite" ] || refuse "it is Debian $codename, and images.yaml says $suite"

mkdir -p "$folder"
adopt cc "$CC"
adopt c++ "$CXX"
adopt ar "$AR"
adopt ld "$LD"
for program in ranlib nm strip objcopy objdump readelf; do
    adopt $program "${AR%ar}$program"
done
"""
