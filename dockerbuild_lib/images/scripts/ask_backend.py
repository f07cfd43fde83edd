"""Inside the container: ask the PEP 517 backend of /work/src what it needs to build its wheel.

Runs in the environment that prepare_build made from the requirements that are known without asking. The answer is a
JSON list of requirements in /work/answer/requires.json; whoever reads it does not trust it.
"""

import json
import os
import sys
from pathlib import Path

WORK = Path("/work")
LIMIT = 1 << 16
"""Bytes; a long list of requirements has a thousandth of them. Whoever reads the answer holds it against this again."""


def main(settings: str) -> None:
    """Write the answer of ``get_requires_for_build_wheel``; a backend without that hook needs nothing more."""
    sys.path.insert(0, "/opt/dockerbuild/tools")
    from build import BuildBackendException, ProjectBuilder  # noqa: PLC0415 - found only now

    builder = ProjectBuilder(WORK / "src", python_executable=str(WORK / "venv" / "bin" / "python"))
    try:
        asked = builder.get_requires_for_build("wheel", json.loads(settings))
    except BuildBackendException as error:
        sys.exit(f"the build backend failed: {error}")
    answer = json.dumps(sorted(asked))
    if len(answer) > LIMIT:
        sys.exit(f"it asks for more than {LIMIT} bytes of requirements")
    (WORK / "answer").mkdir()
    (WORK / "answer" / "requires.json").write_text(answer)


if __name__ == "__main__":
    os.umask(0o022)
    main(*sys.argv[1:])
