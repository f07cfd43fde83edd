"""Supplies a fleet of machines of many kinds with Python wheels, cross-built in containers."""

__version__ = "0.1.0"
