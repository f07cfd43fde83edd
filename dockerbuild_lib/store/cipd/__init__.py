"""A store that is a CIPD service, asked and changed through the unmodified ``cipd`` client."""
