"""What holds for every test."""

from __future__ import annotations

import pytest
from hypothesis import settings

settings.register_profile("untimed", deadline=None)  # a busy machine must not fail a test
settings.load_profile("untimed")


def pytest_addoption(parser: pytest.Parser) -> None:
    """Take the option --every-platform."""
    parser.addoption("--every-platform", action="store_true", help="also what makes the images of all platforms")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out what only --every-platform asks for: it takes an hour and more."""
    if config.getoption("--every-platform"):
        return
    left_out = [item for item in items if item.get_closest_marker("every_platform")]
    items[:] = [item for item in items if item not in left_out]
    config.hook.pytest_deselected(items=left_out)
