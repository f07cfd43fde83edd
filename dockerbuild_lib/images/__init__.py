"""Images: a base from Debian packages, and one image with toolchains and Pythons per platform on it."""
