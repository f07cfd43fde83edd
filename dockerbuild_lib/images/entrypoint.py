"""What ``docker run IMAGE`` prints: a script that needs only docker and sh, for commands in the toolchain."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Mapping, Sequence

from dockerbuild_lib.containers.engine import KEY_LABEL
from dockerbuild_lib.core.command import WORK_FOLDER
from dockerbuild_lib.images import layout

CONTENT_KEY = "@CONTENT_KEY@"
"""Stands for the image's key, which is not known before all files are: this script is one of them."""
# What speaks of this machine: it would mislead a command, or show it more than its folder.
OF_THIS_MACHINE = (
    *("PATH", "*PATH", "*HOME", "PWD", "OLDPWD", "TMPDIR", "USER", "LOGNAME", "SHELL", "SHLVL", "HOSTNAME", "MAIL"),
    *("LC_*", "LD_*", "SSH_*", "XDG_*", "DBUS_*", "DOCKER_*", "DOCKERBUILD_*", "MAKEFLAGS", "VIRTUAL_ENV"),
)
_CONFINED = (
    "--rm --init --interactive --read-only --tmpfs /tmp:rw,exec,nosuid,nodev,mode=1777",
    "--cap-drop ALL --security-opt no-new-privileges --log-driver none",
)


def entrypoint_files(platform_name: str, environment: Mapping[str, str], before: Sequence[str]) -> dict[str, str]:
    """Return the script in POSIX sh, by its path in the image.

    Its commands have this *environment*, and are arguments of the command line *before*, which runs them.
    """
    return {str(layout.ENTRYPOINT): "\n".join([*_script(platform_name, environment, before), ""])}


def with_key(files: Mapping[str, str], key: str) -> dict[str, str]:
    """Return the files of a build context with the image's key in its script."""
    return {path: text.replace(CONTENT_KEY, key) for path, text in files.items()}


def _script(platform_name: str, environment: Mapping[str, str], before: Sequence[str]) -> Iterator[str]:
    left_out = " | ".join((*OF_THIS_MACHINE, *environment))
    yield f"""\
#!/bin/sh
# Runs a command in the toolchain of {platform_name}, as if it ran here: ./entrypoint.sh COMMAND [ARGUMENT...]
#
# The current folder is {WORK_FOLDER} inside, and nothing else of this machine is seen. The command runs as you, with
# your exported variables but those that speak of this machine; "env NAME=VALUE COMMAND" sets one of the toolchain's.
# There is no network, unless DOCKERBUILD_NETWORK names one of Docker's (bridge).
set -eu

key={CONTENT_KEY}
folder=$(pwd -P)

fail() {{
    echo "entrypoint.sh: $1" >&2
    exit "$2"
}}

[ $# -gt 0 ] || fail "there is no command; write it as arguments: $0 COMMAND [ARGUMENT...]" 2
case $folder in
    *\\"*) fail "$folder: docker cannot mount a folder with a double quote in its name; go to another" 2 ;;
esac
images=$(docker images --quiet --filter dangling=false --filter "label={KEY_LABEL}=$key") || exit 125
image=${{images%%[!0-9a-f]*}}
[ -n "$image" ] || fail "the Docker engine does not hold the image of {platform_name} with the content key $key; \
pull it, or make it with dockerbuild image.generate" 125

terminal=
if [ -t 0 ] && [ -t 1 ]; then terminal=--tty; fi

set -- "$image" {shlex.join(before)} "$@"
exported=$(export -p)
while IFS= read -r line; do
    name=${{line%%=*}}
    name=${{name##* }} # sh writes "export NAME=", bash "declare -x NAME="
    case $name in
        '' | [0-9]* | *[!A-Za-z0-9_]*) ;; # no name, but the middle of a value
        {left_out}) ;;
        *) set -- --env "$name" "$@" ;; # docker passes over what is not exported
    esac
done <<END
$exported
END
"""
    yield "exec docker run $terminal \\"
    yield from (f"    {options} \\" for options in _CONFINED)
    yield '    --network "${DOCKERBUILD_NETWORK:-none}" --user "$(id -u):$(id -g)" \\'
    yield f'    --mount "type=bind,\\"source=$folder\\",target={WORK_FOLDER}" --workdir {WORK_FOLDER} \\'
    yield from (f"    --env {shlex.quote(f'{name}={value}')} \\" for name, value in environment.items())
    yield '    "$@"'
