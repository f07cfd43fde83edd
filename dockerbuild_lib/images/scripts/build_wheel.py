"""Phase two, inside the container: call the PEP 517 backend of /work/src, seeing the target.

The front end runs from the image's tools; the backend runs in the build environment's Python, which therefore
holds the locked requirements and nothing else.
"""

import json
import os
import sys
from collections.abc import Iterable, Iterator
from importlib.metadata import distributions
from pathlib import Path

WORK = Path("/work")
VENV = WORK / "venv"
TOOLS = "/opt/dockerbuild/tools"


def main(settings: str, replaced: str) -> None:
    """Build the wheel into /work/dist; the recipe has its own word on the distributions *replaced*."""
    sys.path.insert(0, TOOLS)
    from build import BuildBackendException, ProjectBuilder  # noqa: PLC0415 - found only now

    builder = ProjectBuilder(WORK / "src", python_executable=str(VENV / "bin" / "python"))
    config = json.loads(settings)
    try:
        asked = builder.build_system_requires | builder.get_requires_for_build("wheel", config)
        if missing := sorted(unmet(asked, set(json.loads(replaced)))):
            told = f"the build asks for what is not locked: {', '.join(missing)}"
            sys.exit(f"{told}; run sources.lock, or name it in the recipe's build-requires")
        builder.build("wheel", str(WORK / "dist"), config_settings=config)
    except BuildBackendException as error:
        sys.exit(f"the build backend failed: {error}")


def unmet(requirements: Iterable[str], replaced: set[str]) -> Iterator[str]:
    """Yield the requirements that the build environment does not fulfil: its lock is of another patch or platform."""
    from packaging.requirements import Requirement  # noqa: PLC0415 - found only now
    from packaging.utils import canonicalize_name  # noqa: PLC0415

    folders = [str(folder) for folder in VENV.glob("lib/python3*/site-packages")]
    there = {canonicalize_name(found.name): found.version for found in distributions(path=folders)}
    for requirement in map(Requirement, requirements):
        name = canonicalize_name(requirement.name)
        if name in replaced or (requirement.marker and not requirement.marker.evaluate()):
            continue
        if name not in there or not requirement.specifier.contains(there[name], prereleases=True):
            yield str(requirement)


if __name__ == "__main__":
    os.umask(0o022)  # modes of files get into wheels
    main(*sys.argv[1:])
