"""The store over HTTP: for the unmodified ``cipd`` client, for pip and uv, and a page for people."""
