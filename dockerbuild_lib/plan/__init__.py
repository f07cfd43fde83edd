"""Decisions: a request and the catalogue -> what has to be done, and why. Pure."""
