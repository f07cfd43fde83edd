"""What cargo and the crates that build C code are told of the target (The Cargo Book: configuration by variables)."""

from __future__ import annotations

from dockerbuild_lib.catalog.architectures import Architecture
from dockerbuild_lib.core.command import Argument
from dockerbuild_lib.images import layout

_BUILD_MACHINE = {
    "HOST_CC": "/usr/bin/gcc",
    "HOST_CXX": "/usr/bin/g++",
    "HOST_AR": "/usr/bin/ar",
    "HOST_CFLAGS": "-O2 -fPIC",
    "HOST_CXXFLAGS": "-O2 -fPIC",
}
"""For build scripts and macros where the target is another machine: the crate cc would take the target's CC."""


def rust_environment(architecture: Architecture, toolchain: str, flags: Argument) -> dict[str, Argument]:
    """Return the variables that make cargo build for the target with *toolchain*; none where Rust has no target.

    *flags* are rustc's. The names that the crate cc looks for begin with the most exact: those of a triple.
    """
    if architecture.rust is None:
        return {}
    compiler, triple = layout.compiler(toolchain, "cc"), architecture.rust.replace("-", "_")
    target = f"CARGO_TARGET_{triple.upper()}"
    named = {
        "CARGO_BUILD_TARGET": architecture.rust,
        f"{target}_LINKER": layout.rust_linker(toolchain),
        f"{target}_RUSTFLAGS": flags,
        f"CC_{triple}": compiler,
        f"CXX_{triple}": layout.compiler(toolchain, "c++"),
        f"AR_{triple}": layout.compiler(toolchain, "ar"),
        # Of its own flags one names the target, as zig does not; the rest is in CFLAGS.
        "CRATE_CC_NO_DEFAULTS": "1",
        # PKG_CONFIG_LIBDIR names the target's libraries only; without this the crate pkg-config would not ask for any.
        "PKG_CONFIG_ALLOW_CROSS": "1",
    }
    if architecture.is_build_machine:
        return named
    return {**named, f"{target}_RUNNER": str(layout.EMULATOR), **_BUILD_MACHINE}
