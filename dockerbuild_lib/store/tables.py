"""The tables of the store's index, as the steps that lead from one version of them to the next.

A new index takes all steps, an older one those that it lacks: so both end with the same tables.
"""

from __future__ import annotations

_FIRST = (
    """CREATE TABLE instances (
        sequence INTEGER PRIMARY KEY,
        package TEXT NOT NULL,
        instance TEXT NOT NULL,
        size INTEGER NOT NULL,
        registered_by TEXT NOT NULL,
        registered_ts INTEGER NOT NULL,
        UNIQUE (package, instance)
    ) STRICT""",
    """CREATE TABLE tags (
        sequence INTEGER PRIMARY KEY,
        package TEXT NOT NULL,
        tag TEXT NOT NULL,
        instance TEXT NOT NULL,
        registered_by TEXT NOT NULL,
        registered_ts INTEGER NOT NULL,
        UNIQUE (package, tag, instance),
        FOREIGN KEY (package, instance) REFERENCES instances (package, instance)
    ) STRICT""",
    "CREATE INDEX tags_of_instance ON tags (package, instance)",
    "CREATE INDEX tags_anywhere ON tags (tag)",
    """CREATE TABLE refs (
        sequence INTEGER PRIMARY KEY,
        package TEXT NOT NULL,
        ref TEXT NOT NULL,
        instance TEXT NOT NULL,
        modified_by TEXT NOT NULL,
        modified_ts INTEGER NOT NULL,
        UNIQUE (package, ref),
        FOREIGN KEY (package, instance) REFERENCES instances (package, instance)
    ) STRICT""",
    "CREATE INDEX refs_of_instance ON refs (package, instance)",
    """CREATE TABLE wheels (
        filename TEXT PRIMARY KEY,
        sha256 TEXT NOT NULL,
        package TEXT NOT NULL,
        instance TEXT NOT NULL,
        FOREIGN KEY (package, instance) REFERENCES instances (package, instance)
    ) STRICT""",
)

# CIPD orders by time, and more than one thing happens in a second: times are in microseconds from here on.
_MICROSECONDS_AND_METADATA = (
    "ALTER TABLE instances RENAME COLUMN registered_ts TO registered_us",
    "ALTER TABLE tags RENAME COLUMN registered_ts TO registered_us",
    "ALTER TABLE refs RENAME COLUMN modified_ts TO modified_us",
    "UPDATE instances SET registered_us = registered_us * 1000000",
    "UPDATE tags SET registered_us = registered_us * 1000000",
    "UPDATE refs SET modified_us = modified_us * 1000000",
    """CREATE TABLE metadata (
        sequence INTEGER PRIMARY KEY,
        package TEXT NOT NULL,
        instance TEXT NOT NULL,
        fingerprint TEXT NOT NULL,
        key TEXT NOT NULL,
        value BLOB NOT NULL,
        content_type TEXT NOT NULL,
        attached_by TEXT NOT NULL,
        attached_us INTEGER NOT NULL,
        UNIQUE (package, instance, fingerprint),
        FOREIGN KEY (package, instance) REFERENCES instances (package, instance)
    ) STRICT""",
)

# What the pages of the simple index say of a wheel. Of wheels from before, it is read from their files again.
_WHEEL_FACTS = (
    "ALTER TABLE wheels ADD COLUMN project TEXT",
    "ALTER TABLE wheels ADD COLUMN size INTEGER",
    "ALTER TABLE wheels ADD COLUMN requires_python TEXT",
    "ALTER TABLE wheels ADD COLUMN metadata_sha256 TEXT",
    "ALTER TABLE wheels ADD COLUMN published_us INTEGER",
    "ALTER TABLE wheels ADD COLUMN yanked TEXT",
    """UPDATE wheels SET published_us = (SELECT registered_us FROM instances
        WHERE instances.package = wheels.package AND instances.instance = wheels.instance)""",
    "CREATE INDEX wheels_of_project ON wheels (project)",
    "CREATE INDEX wheels_of_instance ON wheels (package, instance)",
    # Wheels whose pages do not say yet what the index says: the pages of their projects are to be written.
    "CREATE TABLE stale_pages (filename TEXT PRIMARY KEY) STRICT",
    "INSERT INTO stale_pages SELECT filename FROM wheels",
)

# An instance in quarantine has no row in any other table; all that it had there is kept as JSON.
_QUARANTINE = (
    """CREATE TABLE quarantine (
        package TEXT NOT NULL,
        instance TEXT NOT NULL,
        problem TEXT NOT NULL,
        quarantined_by TEXT NOT NULL,
        quarantined_us INTEGER NOT NULL,
        record TEXT NOT NULL,
        PRIMARY KEY (package, instance)
    ) STRICT""",
)

# The name of a package file says the instance, and not the package.
_INSTANCES_BY_ID = ("CREATE INDEX IF NOT EXISTS instances_by_id ON instances (instance)",)

STEPS = (_FIRST, (*_MICROSECONDS_AND_METADATA, *_WHEEL_FACTS, *_QUARANTINE), _INSTANCES_BY_ID)
"""The statements that bring the tables from version 0 (none) to 1, from 1 to 2, and so on. None is ever changed."""

SCHEMA_VERSION = len(STEPS)
