"""Archives from outside, read without trusting a byte of them and without writing anything.

Readers of the formats (``tar``, ``zip``) yield members as they find them; ``layout`` holds every member against
those before it; ``budget`` counts what comes out. Whoever reads members gets plain folders, files and links that
stay inside of one tree, or an error.
"""

from dockerbuild_lib.sources.archives.members import Kind, Member
from dockerbuild_lib.sources.archives.reader import (
    DEFAULT_LIMITS,
    OpenArchive,
    open_archive,
    read_content,
    top_folder,
)

__all__ = [
    "DEFAULT_LIMITS",
    "Kind",
    "Member",
    "OpenArchive",
    "open_archive",
    "read_content",
    "top_folder",
]
