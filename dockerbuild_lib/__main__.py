"""Where the launcher enters: ``run ARGS`` in the project's environment, ``set-up ARGS`` to make that first."""

from __future__ import annotations

import sys
from pathlib import Path


def main() -> None:
    """Go where the first argument says; this module knows only the standard library."""
    root = Path(__file__).resolve().parent.parent
    sys.path.insert(0, str(root))
    action, *arguments = sys.argv[1:]
    if action == "set-up":
        from dockerbuild_lib.cli import environment  # noqa: PLC0415 - it needs the path above

        environment.main(root, arguments)
    from dockerbuild_lib.cli import program  # noqa: PLC0415 - its packages exist in the project's environment only

    program.main(arguments)


if __name__ == "__main__":
    main()
