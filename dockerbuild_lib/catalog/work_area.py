"""Where the work area is, for those who cannot wait for the settings to be checked: the models take 0.2 s to import."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from dockerbuild_lib.catalog.yaml_nodes import Loader

DEFAULT_ROOT = ".dockerbuild"
_VARIABLE = "INVOKE_DOCKERBUILD_ROOT"


def probable_work_area(project_dir: Path, environ: Mapping[str, str]) -> Path | None:
    """Return the work area that the settings name if there is nothing wrong with them; None: they do not say."""
    text = environ.get(_VARIABLE) or _from_file(project_dir / "invoke.yaml")
    return at(project_dir, text, environ) if isinstance(text, str) else None


def at(project_dir: Path, text: str, environ: Mapping[str, str]) -> Path:
    """Return the path that a setting means: from the project's folder, or from the user's own with ``~``."""
    home = environ.get("HOME")
    if home and (text == "~" or text.startswith("~/")):
        text = home + text[1:]
    return project_dir / text


def _from_file(path: Path) -> Any:  # noqa: ANN401 - what YAML holds, unchecked
    try:
        document = yaml.load(path.read_bytes(), Loader)  # noqa: S506 - it is a safe one
    except FileNotFoundError:
        return DEFAULT_ROOT
    except (OSError, ValueError, yaml.YAMLError):
        return None
    section = document.get("dockerbuild") if isinstance(document, dict) else None
    return section.get("root", DEFAULT_ROOT) if isinstance(section, dict) else DEFAULT_ROOT
