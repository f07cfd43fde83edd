"""Phase three, inside the container: let auditwheel graft libraries and find the tag that the symbols allow.

The arguments are the recipe's revision, the target's machine, and the platform tags that a wheel may claim, the
best first.
"""

import os
import platform
import subprocess
import sys
from pathlib import Path

TOOLS = Path("/opt/dockerbuild/tools")
DIST = Path("/work/dist")
REPAIRED = Path("/work/repaired")


def main(revision: str, machine: str, *tags: str) -> None:
    """Repair the wheel in /work/dist into /work/repaired."""
    if revision != "0" and run_tool("wheel", "tags", f"--build={revision}", "--remove", str(the_wheel(DIST))):
        sys.exit("the revision could not be written into the wheel")
    wheel = the_wheel(DIST)
    REPAIRED.mkdir()
    if wheel.name.endswith("-none-any.whl"):
        # Nothing to repair. Whether a pure wheel is what the recipe expects is for the gate to say.
        wheel.rename(REPAIRED / wheel.name)
        return
    if not any(tag.startswith("manylinux") for tag in tags):
        claim(wheel, tags)
        return
    # Told a tag, auditwheel claims no older one that the symbols happen to allow too. It refuses to be told
    # one of a foreign machine, and there the oldest that it finds is the port's first.
    wanted = next(tag for tag in tags if tag.startswith("manylinux"))
    for plat in (wanted, "auto") if machine == platform.machine() else ("auto",):
        options = ("--only-plat",) if plat != "auto" else ()
        if not run_tool("auditwheel", "repair", f"--plat={plat}", *options, f"--wheel-dir={REPAIRED}", str(wheel)):
            if plat == "auto":
                claim_wanted(wanted, tags)
            return
    sys.exit("auditwheel could not repair the wheel")


def claim(wheel: Path, tags: tuple[str, ...]) -> None:
    """Give the wheel all of its platform's tags: auditwheel knows none, so nothing is grafted into it."""
    if run_tool("wheel", "tags", f"--platform-tag={'.'.join(tags)}", "--remove", str(wheel)):
        sys.exit("the platform's tags could not be written into the wheel")
    wheel = the_wheel(DIST)
    wheel.rename(REPAIRED / wheel.name)


def claim_wanted(wanted: str, tags: tuple[str, ...]) -> None:
    """Give the repaired wheel the tag *wanted*, where auditwheel found others than *tags*.

    It finds the oldest tag that it knows and the symbols allow: one older than the glibc that the wheel is linked for,
    or the next that it has a name for. Whether the wheel keeps what its tag promises is for the gate to say.
    """
    wheel = the_wheel(REPAIRED)
    found = set(wheel.stem.rpartition("-")[2].split("."))
    if not found <= set(tags) and run_tool("wheel", "tags", f"--platform-tag={wanted}", "--remove", str(wheel)):
        sys.exit("the platform's tag could not be written into the wheel")


def the_wheel(folder: Path) -> Path:
    """Return the one wheel that the backend made, or that was repaired."""
    wheels = sorted(folder.glob("*.whl"))
    if len(wheels) != 1:
        sys.exit(f"the backend must make one wheel, and made {[wheel.name for wheel in wheels]}")
    return wheels[0]


def run_tool(module: str, *arguments: str) -> int:
    """Run one of the image's Python tools; return its exit code."""
    environment = {**os.environ, "PYTHONPATH": str(TOOLS), "PATH": f"{TOOLS}/bin:{os.environ['PATH']}"}
    return subprocess.run((sys.executable, "-B", "-m", module, *arguments), env=environment, check=False).returncode


if __name__ == "__main__":
    os.umask(0o022)
    main(*sys.argv[1:])
