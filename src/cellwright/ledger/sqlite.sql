-- The ledger on SQLite.  The record is event.data (exact bytes); every other column and table is an index of it, and
-- `cellwright ledger verify` rebuilds and compares them all.  The start refuses a file whose schema differs from this one.

CREATE TABLE event(
  pos     INTEGER PRIMARY KEY,                      -- 0, 1, 2 … gapless: index of the Merkle leaf
  stream  TEXT    NOT NULL,
  version INTEGER NOT NULL,                         -- 0, 1, 2 … gapless in the stream
  id      TEXT    NOT NULL UNIQUE,                  -- the caller's idempotency key
  type    TEXT    NOT NULL,
  data    BLOB    NOT NULL,                         -- canonical JSON
  leaf    BLOB    NOT NULL CHECK(length(leaf)=32),  -- SHA-256(0x00 || data)
  UNIQUE(stream, version)
) STRICT;

CREATE TABLE head(                                  -- one row: Merkle frontier and root over all events, time of the last
  one INTEGER PRIMARY KEY CHECK(one=1), size INTEGER NOT NULL, frontier BLOB NOT NULL,
  root BLOB NOT NULL CHECK(length(root)=32), at TEXT NOT NULL
) STRICT;

CREATE TABLE tag(tag TEXT NOT NULL, pos INTEGER NOT NULL, PRIMARY KEY(tag, pos)) STRICT, WITHOUT ROWID;

CREATE TABLE claim(                                 -- what exists once; live while released is null
  key TEXT NOT NULL, value TEXT NOT NULL, taken INTEGER NOT NULL, released INTEGER,
  PRIMARY KEY(key, taken)
) STRICT, WITHOUT ROWID;

CREATE TABLE checkpoint(                            -- signed notes; cosignatures and time stamps come later as further rows
  seq INTEGER PRIMARY KEY, size INTEGER NOT NULL, kind TEXT NOT NULL, body BLOB NOT NULL, at TEXT NOT NULL
) STRICT;

CREATE TABLE tile(                                  -- cache for proofs: 256 hashes of one tree level
  level INTEGER NOT NULL, n INTEGER NOT NULL, hashes BLOB NOT NULL CHECK(length(hashes)=8192), PRIMARY KEY(level, n)
) STRICT, WITHOUT ROWID;

CREATE TABLE snapshot(                              -- cache of folded long-lived streams
  stream TEXT NOT NULL, fold TEXT NOT NULL, version INTEGER NOT NULL, pos INTEGER NOT NULL, state BLOB NOT NULL,
  PRIMARY KEY(stream, fold)
) STRICT, WITHOUT ROWID;

INSERT INTO head VALUES(1, 0, x'', x'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855', '');

-- An event follows the one before it, in the ledger and in its stream, under a new id.  These conditions also stop
-- INSERT OR REPLACE, which removes the row in its way without firing a delete trigger.
CREATE TRIGGER event_insert BEFORE INSERT ON event
WHEN new.pos <> (SELECT coalesce(max(pos) + 1, 0) FROM event)
  OR new.version <> (SELECT coalesce(max(version) + 1, 0) FROM event WHERE stream = new.stream)
  OR EXISTS(SELECT 1 FROM event WHERE id = new.id)
BEGIN SELECT RAISE(ABORT, 'append-only: event'); END;
CREATE TRIGGER event_update BEFORE UPDATE ON event BEGIN SELECT RAISE(ABORT, 'append-only: event'); END;
CREATE TRIGGER event_delete BEFORE DELETE ON event BEGIN SELECT RAISE(ABORT, 'append-only: event'); END;

CREATE TRIGGER head_insert BEFORE INSERT ON head BEGIN SELECT RAISE(ABORT, 'append-only: head'); END;
CREATE TRIGGER head_update BEFORE UPDATE ON head
WHEN new.size <= old.size OR new.size <> (SELECT max(pos) + 1 FROM event)
BEGIN SELECT RAISE(ABORT, 'the head must cover exactly the new events'); END;
CREATE TRIGGER head_delete BEFORE DELETE ON head BEGIN SELECT RAISE(ABORT, 'append-only: head'); END;

CREATE TRIGGER tag_insert BEFORE INSERT ON tag WHEN new.pos < (SELECT size FROM head)
BEGIN SELECT RAISE(ABORT, 'append-only: tag'); END;
CREATE TRIGGER tag_update BEFORE UPDATE ON tag BEGIN SELECT RAISE(ABORT, 'append-only: tag'); END;
CREATE TRIGGER tag_delete BEFORE DELETE ON tag BEGIN SELECT RAISE(ABORT, 'append-only: tag'); END;

-- A claim is taken by a new event and only if nobody holds it; the one change it ever sees is its release by a new event.
CREATE TRIGGER claim_insert BEFORE INSERT ON claim
WHEN new.taken < (SELECT size FROM head) OR new.released IS NOT NULL
  OR EXISTS(SELECT 1 FROM claim WHERE key = new.key AND (released IS NULL OR released > new.taken OR taken = new.taken))
BEGIN SELECT RAISE(ABORT, 'append-only: claim'); END;
CREATE TRIGGER claim_update BEFORE UPDATE ON claim
WHEN old.released IS NOT NULL OR new.released IS NULL OR new.released < (SELECT size FROM head)
  OR new.released <= old.taken OR new.key <> old.key OR new.value <> old.value OR new.taken <> old.taken
BEGIN SELECT RAISE(ABORT, 'append-only: claim'); END;
CREATE TRIGGER claim_delete BEFORE DELETE ON claim BEGIN SELECT RAISE(ABORT, 'append-only: claim'); END;

CREATE TRIGGER checkpoint_insert BEFORE INSERT ON checkpoint
WHEN EXISTS(SELECT 1 FROM checkpoint WHERE seq = new.seq)
BEGIN SELECT RAISE(ABORT, 'append-only: checkpoint'); END;
CREATE TRIGGER checkpoint_update BEFORE UPDATE ON checkpoint BEGIN SELECT RAISE(ABORT, 'append-only: checkpoint'); END;
CREATE TRIGGER checkpoint_delete BEFORE DELETE ON checkpoint BEGIN SELECT RAISE(ABORT, 'append-only: checkpoint'); END;
