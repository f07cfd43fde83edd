"""A client of container registries (OCI Distribution Specification 1.1): images are copied without an engine."""
