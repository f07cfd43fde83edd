from __future__ import annotations

import json
from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from dockerbuild_lib.images.inspection import DebianPackage, ImageContents, PythonTool, UnpackedSource, parse_packages
from dockerbuild_lib.images.sbom import sbom_json
from dockerbuild_lib.report.image_view import render_image

CONTENTS = ImageContents(
    platform="linux-arm64",
    tag="dockerbuild/linux-arm64:abc",
    key="a" * 64,
    size=1 << 30,
    suite="bookworm",
    base=f"sha256:{'b' * 64}",
    pythons={"3.11": "3.11.2-6"},
    toolchains={"zig": "zig, glibc 2.17 or newer"},
    tools=(PythonTool("meson", "1.12.1"),),
    packages=(DebianPackage("gcc", "", "4:12.2.0-3"), DebianPackage("libc6", "arm64", "2.36-9+deb12u13")),
    sources=(UnpackedSource("sdk", "1.2", "sdk-1.2.tar.gz", "c" * 64, "/opt/sdk"),),
)


@given(st.lists(st.tuples(*[st.from_regex(r"[a-z0-9.+-]+", fullmatch=True)] * 2, st.sampled_from(["", "arm64"]))))
def test_packages_are_read_as_dpkg_lists_them(packages: list[tuple[str, str, str]]) -> None:
    text = "".join(f"{name}{':' * bool(arch)}{arch}\t{version}\n" for name, version, arch in packages)
    assert list(parse_packages(text)) == [DebianPackage(name, arch, version) for name, version, arch in packages]


def test_an_image_is_shown_line_by_line() -> None:
    assert render_image(CONTENTS) == (
        f"platform:      linux-arm64\n"
        f"tag:           dockerbuild/linux-arm64:abc\n"
        f"content key:   {'a' * 64}\n"
        f"size:          1.0 GiB\n"
        f"base:          Debian bookworm, sha256:{'b' * 64}\n"
        f"Python 3.11:   3.11.2-6\n"
        f"toolchain zig: zig, glibc 2.17 or newer\n"
        f"tool meson:    1.12.1\n"
        f"source sdk:    1.2, in /opt/sdk\n"
        f"\n"
        f"PACKAGE  ARCHITECTURE  VERSION\n"
        f"gcc      -             4:12.2.0-3\n"
        f"libc6    arm64         2.36-9+deb12u13\n"
    )


def test_a_bill_of_materials_names_every_part_by_its_package_url() -> None:
    bill = json.loads(sbom_json(CONTENTS))
    assert (bill["bomFormat"], bill["specVersion"]) == ("CycloneDX", "1.6")
    assert [part["purl"] for part in bill["components"]] == [
        "pkg:deb/debian/gcc@4:12.2.0-3",
        "pkg:deb/debian/libc6@2.36-9%2Bdeb12u13?arch=arm64",
        "pkg:pypi/meson@1.12.1",
        f"pkg:generic/sdk@1.2?checksum=sha256:{'c' * 64}",
    ]
    assert bill["metadata"]["component"]["name"] == "linux-arm64"


def test_a_bill_is_the_same_for_the_same_image_only() -> None:
    other = replace(CONTENTS, base=f"sha256:{'c' * 64}")
    assert sbom_json(CONTENTS) == sbom_json(CONTENTS) != sbom_json(other)
