"""Supplies a fleet of machines of many kinds with Python wheels, cross-built in containers."""
