BEGIN TRANSACTION;
PRAGMA user_version = 1;
CREATE TABLE instances (
        sequence INTEGER PRIMARY KEY,
        package TEXT NOT NULL,
        instance TEXT NOT NULL,
        size INTEGER NOT NULL,
        registered_by TEXT NOT NULL,
        registered_ts INTEGER NOT NULL,
        UNIQUE (package, instance)
    ) STRICT;
INSERT INTO "instances" VALUES(1,'infra/python/wheels/markupsafe/linux-arm64_cp311_cp311','LMvNwrAXGIFcUn46-cHMXgs-Cq0ZIHoxdAhRDF2Giy4C',368,'user:builder@example',1750000100);
INSERT INTO "instances" VALUES(2,'infra/python/wheels/markupsafe/linux-arm64_cp311_cp311','PqQWEd0wrpWZBsEjPfFzwdMnHGKdSqcq7oTNZF6YbQAC',368,'user:builder@example',1750000200);
CREATE TABLE refs (
        sequence INTEGER PRIMARY KEY,
        package TEXT NOT NULL,
        ref TEXT NOT NULL,
        instance TEXT NOT NULL,
        modified_by TEXT NOT NULL,
        modified_ts INTEGER NOT NULL,
        UNIQUE (package, ref),
        FOREIGN KEY (package, instance) REFERENCES instances (package, instance)
    ) STRICT;
INSERT INTO "refs" VALUES(1,'infra/python/wheels/markupsafe/linux-arm64_cp311_cp311','latest','PqQWEd0wrpWZBsEjPfFzwdMnHGKdSqcq7oTNZF6YbQAC','user:builder@example',1750000200);
INSERT INTO "refs" VALUES(2,'infra/python/wheels/markupsafe/linux-arm64_cp311_cp311','3.x','PqQWEd0wrpWZBsEjPfFzwdMnHGKdSqcq7oTNZF6YbQAC','user:builder@example',1750000200);
INSERT INTO "refs" VALUES(3,'infra/python/wheels/markupsafe/linux-arm64_cp311_cp311','3.0.x','PqQWEd0wrpWZBsEjPfFzwdMnHGKdSqcq7oTNZF6YbQAC','user:builder@example',1750000200);
CREATE TABLE tags (
        sequence INTEGER PRIMARY KEY,
        package TEXT NOT NULL,
        tag TEXT NOT NULL,
        instance TEXT NOT NULL,
        registered_by TEXT NOT NULL,
        registered_ts INTEGER NOT NULL,
        UNIQUE (package, tag, instance),
        FOREIGN KEY (package, instance) REFERENCES instances (package, instance)
    ) STRICT;
INSERT INTO "tags" VALUES(1,'infra/python/wheels/markupsafe/linux-arm64_cp311_cp311','version:3.0.3','LMvNwrAXGIFcUn46-cHMXgs-Cq0ZIHoxdAhRDF2Giy4C','user:builder@example',1750000100);
INSERT INTO "tags" VALUES(2,'infra/python/wheels/markupsafe/linux-arm64_cp311_cp311','content_key:1','LMvNwrAXGIFcUn46-cHMXgs-Cq0ZIHoxdAhRDF2Giy4C','user:builder@example',1750000100);
INSERT INTO "tags" VALUES(3,'infra/python/wheels/markupsafe/linux-arm64_cp311_cp311','version:3.0.4','PqQWEd0wrpWZBsEjPfFzwdMnHGKdSqcq7oTNZF6YbQAC','user:builder@example',1750000200);
INSERT INTO "tags" VALUES(4,'infra/python/wheels/markupsafe/linux-arm64_cp311_cp311','content_key:2','PqQWEd0wrpWZBsEjPfFzwdMnHGKdSqcq7oTNZF6YbQAC','user:builder@example',1750000200);
INSERT INTO "tags" VALUES(5,'infra/python/wheels/markupsafe/linux-arm64_cp311_cp311','git_revision:abc','PqQWEd0wrpWZBsEjPfFzwdMnHGKdSqcq7oTNZF6YbQAC','user:builder@example',1750000200);
CREATE TABLE wheels (
        filename TEXT PRIMARY KEY,
        sha256 TEXT NOT NULL,
        package TEXT NOT NULL,
        instance TEXT NOT NULL,
        FOREIGN KEY (package, instance) REFERENCES instances (package, instance)
    ) STRICT;
INSERT INTO "wheels" VALUES('markupsafe-3.0.4-py3-none-any.whl','6d9e83fad31bc605ed62d41858e61a7b43fbb53094cdcba9c169a3ec496ce85f','infra/python/wheels/markupsafe/linux-arm64_cp311_cp311','PqQWEd0wrpWZBsEjPfFzwdMnHGKdSqcq7oTNZF6YbQAC');
CREATE INDEX tags_of_instance ON tags (package, instance);
CREATE INDEX tags_anywhere ON tags (tag);
CREATE INDEX refs_of_instance ON refs (package, instance);
COMMIT;
