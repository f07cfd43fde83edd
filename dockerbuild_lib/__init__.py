"""Supplies a fleet of machines of many kinds with Python wheels, cross-built in containers."""

import time

__version__ = "0.1.0"

STARTED_AT = time.time()
"""Seconds since 1970: before this, the process had read no other file of this package, and nothing of the catalogue."""
