"""Phase two, inside the container: call the PEP 517 backend of /work/src, seeing the target.

The front end runs from the image's tools; the backend runs in the build environment's Python, which therefore
holds the locked requirements and nothing else.
"""

import json
import os
import sys
from pathlib import Path

WORK = Path("/work")


def main(settings: str) -> None:
    """Build the wheel into /work/dist."""
    sys.path.insert(0, "/opt/dockerbuild/tools")
    from build import BuildBackendException, ProjectBuilder  # noqa: PLC0415 - found only now

    builder = ProjectBuilder(WORK / "src", python_executable=str(WORK / "venv" / "bin" / "python"))
    try:
        builder.build("wheel", str(WORK / "dist"), config_settings=json.loads(settings))
    except BuildBackendException as error:
        sys.exit(f"the build backend failed: {error}")


if __name__ == "__main__":
    os.umask(0o022)  # modes of files get into wheels
    main(*sys.argv[1:])
