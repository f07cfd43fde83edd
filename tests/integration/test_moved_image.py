"""An image on another engine than the one that made it: its files are the same, and their inodes are not."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator

import pytest

from dockerbuild_lib.images.layout import script
from dockerbuild_lib.wheels.environment import DEFAULT_CONDITIONS, plain_environment
from tests.support.projects import Project

CC = "/opt/dockerbuild/toolchains/zig/bin/cc"
PROGRAMS = f"""
cd /tmp
echo 'int main(void) {{ return 0; }}' > c.c
printf '#include <string>\\nint main(int n, char **) {{ return std::to_string(n).size() - 1; }}\\n' > cxx.cpp
{CC} -O2 c.c -o c
{CC.removesuffix("cc")}c++ -O2 cxx.cpp -o cxx
/opt/dockerbuild/qemu -L /opt/dockerbuild/target-root ./c
find $ZIG_GLOBAL_CACHE_DIR/o -type f -name '*.o' | wc -l
"""


@pytest.fixture(scope="module")
def moved(with_images: Project) -> Iterator[str]:
    """The image of linux-arm64 as one layer of new files, as an engine has it that unpacked it by itself."""
    image = with_images.succeed("image.show", "--platform=linux-arm64", "--json").json["tag"]
    name = f"dockerbuild-moved:{os.getpid()}"
    container = docker("create", image, "true").strip()
    try:
        with subprocess.Popen(("docker", "export", container), stdout=subprocess.PIPE) as exporting:
            subprocess.run(("docker", "import", "-", name), stdin=exporting.stdout, check=True, capture_output=True)
    finally:
        docker("rm", container)
    yield name
    docker("rmi", name)


def docker(*arguments: str) -> str:
    done = subprocess.run(("docker", *arguments), check=False, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_zig_takes_its_c_and_cxx_libraries_from_the_image_on_every_engine(moved: str) -> None:
    variables = [f"--env={name}={value}" for name, value in plain_environment(DEFAULT_CONDITIONS).items()]
    confined = ("--rm", "--read-only", "--network=none", "--tmpfs=/tmp:exec,mode=1777", "--user=4321:4321")
    made_anew = docker("run", *confined, *variables, moved, *script("zig_cache"), "sh", "-ec", PROGRAMS)
    assert made_anew == "0\n"
