"""The store: package files, the embedded repository, interned sources, and the index that pip and uv read."""
