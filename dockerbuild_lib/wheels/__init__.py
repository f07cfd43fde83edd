"""Everything about one wheel: building it, checking it, trying it, packaging it."""
