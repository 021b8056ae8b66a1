-- The ledger on PostgreSQL (15 or newer).  The record is event.data (exact bytes); every other column and table is an
-- index of it, and `cellwright ledger verify` rebuilds and compares them all.
--
-- Roles: cw_owner owns the tables and nobody logs in as it; cw_writer (the service) may read, and write only through
-- the functions below; cw_reader (auditors, projections) may read.  Logins are made by the site and given one of them.

CREATE SCHEMA ledger AUTHORIZATION cw_owner;
SET ROLE cw_owner;
SET search_path = ledger, pg_catalog;

CREATE TABLE event(
  pos     bigint PRIMARY KEY,                       -- 0, 1, 2 … gapless: index of the Merkle leaf
  stream  text COLLATE "C" NOT NULL,
  version bigint NOT NULL,                          -- 0, 1, 2 … gapless in the stream
  id      text COLLATE "C" NOT NULL UNIQUE,         -- the caller's idempotency key
  type    text COLLATE "C" NOT NULL,
  data    bytea NOT NULL,                           -- canonical JSON; not jsonb, which does not keep the bytes
  leaf    bytea NOT NULL CHECK (leaf = sha256('\x00'::bytea || data)),
  UNIQUE(stream, version));
ALTER TABLE event ALTER COLUMN data SET STORAGE EXTERNAL;   -- the hash of a long event is checked without unpacking it

CREATE TABLE head(one int PRIMARY KEY CHECK (one = 1), size bigint NOT NULL, frontier bytea NOT NULL,
  root bytea NOT NULL CHECK (octet_length(root) = 32), at text COLLATE "C" NOT NULL) WITH (fillfactor = 10);

CREATE TABLE tag(tag text COLLATE "C" NOT NULL, pos bigint NOT NULL, PRIMARY KEY(tag, pos));

CREATE TABLE claim(key text COLLATE "C" NOT NULL, value text COLLATE "C" NOT NULL, taken bigint NOT NULL, released bigint,
  PRIMARY KEY(key, taken), CHECK (released > taken));
CREATE UNIQUE INDEX claim_live ON claim(key) WHERE released IS NULL;   -- at most one live holder

CREATE TABLE checkpoint(seq bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, size bigint NOT NULL,
  kind text COLLATE "C" NOT NULL, body bytea NOT NULL, at text COLLATE "C" NOT NULL);
CREATE TABLE tile(level int NOT NULL, n bigint NOT NULL, hashes bytea NOT NULL CHECK (octet_length(hashes) = 8192),
  PRIMARY KEY(level, n));
CREATE TABLE snapshot(stream text COLLATE "C" NOT NULL, fold text COLLATE "C" NOT NULL, version bigint NOT NULL,
  pos bigint NOT NULL, state bytea NOT NULL, PRIMARY KEY(stream, fold));

INSERT INTO head VALUES (1, 0, '', '\xe3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855', '');

-- Plans are kept for the life of a connection, also those made while the tables were empty and reading them whole looked
-- cheap: hence the settings of the functions.

CREATE FUNCTION append_only() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION 'append-only: % on %', TG_OP, TG_TABLE_NAME USING ERRCODE = 'CW001';
END $$;
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON event FOR EACH STATEMENT EXECUTE FUNCTION append_only();
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON tag FOR EACH STATEMENT EXECUTE FUNCTION append_only();
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON checkpoint FOR EACH STATEMENT EXECUTE FUNCTION append_only();
CREATE TRIGGER append_only BEFORE DELETE OR TRUNCATE ON claim FOR EACH STATEMENT EXECUTE FUNCTION append_only();
CREATE TRIGGER append_only BEFORE INSERT OR DELETE OR TRUNCATE ON head FOR EACH STATEMENT EXECUTE FUNCTION append_only();

-- The one change a claim ever sees is its release by a new event.
CREATE FUNCTION claim_released() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION 'append-only: UPDATE on claim' USING ERRCODE = 'CW001';
END $$;
CREATE TRIGGER claim_released BEFORE UPDATE ON claim FOR EACH ROW
  WHEN (old.released IS NOT NULL OR new.released IS NULL OR new.key <> old.key OR new.value <> old.value OR new.taken <> old.taken)
  EXECUTE FUNCTION claim_released();

-- New events follow those before them in their streams and lie below the head (which `append` moves first). The event
-- before is joined laterally, by its key: a NOT EXISTS is planned as an anti-join that reads the whole index.
CREATE FUNCTION event_follows() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = ledger, pg_catalog, pg_temp
  SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off AS $$
BEGIN
  IF EXISTS(SELECT 1 FROM added LEFT JOIN LATERAL (
        SELECT 1 AS found FROM event WHERE event.stream = added.stream AND event.version = added.version - 1) AS before ON true
      WHERE added.pos >= (SELECT size FROM head) OR (added.version <> 0 AND before.found IS NULL)) THEN
    RAISE EXCEPTION 'an event must follow the one before it' USING ERRCODE = 'CW001';
  END IF;
  RETURN NULL;
END $$;
CREATE TRIGGER event_follows AFTER INSERT ON event REFERENCING NEW TABLE AS added
  FOR EACH STATEMENT EXECUTE FUNCTION event_follows();

-- At commit, whatever was done in between: the head covers exactly the new events, and nothing lies beyond it.
CREATE FUNCTION head_covers() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = ledger, pg_catalog, pg_temp
  SET enable_seqscan = off AS $$
BEGIN
  IF new.size <= old.size OR (SELECT count(*) FROM event WHERE pos >= old.size AND pos < new.size) <> new.size - old.size
     OR (SELECT max(pos) FROM event) >= (SELECT size FROM head) THEN
    RAISE EXCEPTION 'the head must cover exactly the new events' USING ERRCODE = 'CW001';
  END IF;
  RETURN NULL;
END $$;
CREATE CONSTRAINT TRIGGER head_covers AFTER UPDATE ON head DEFERRABLE INITIALLY DEFERRED
  FOR EACH ROW EXECUTE FUNCTION head_covers();

-- The only way to write events.  Moves the head first, which makes all who append wait for each other; gives false when
-- the head is not the known one.  A claim without a value ends the live one.
CREATE FUNCTION append(known bigint, new_size bigint, new_frontier bytea, new_root bytea, new_at text,
  streams text[], versions bigint[], ids text[], types text[], datas bytea[], leaves bytea[],
  tags text[], tag_places bigint[], claim_keys text[], claim_values text[], claim_places bigint[])
RETURNS boolean LANGUAGE plpgsql SECURITY DEFINER SET search_path = ledger, pg_catalog, pg_temp
  SET enable_seqscan = off AS $$
BEGIN
  UPDATE head SET size = new_size, frontier = new_frontier, root = new_root, at = new_at WHERE one = 1 AND size = known;
  IF NOT FOUND THEN
    RETURN false;
  END IF;
  IF known > ANY (tag_places || claim_places) OR new_size <= ANY (tag_places || claim_places) THEN
    RAISE EXCEPTION 'tags and claims belong to the new events' USING ERRCODE = 'CW001';
  END IF;
  INSERT INTO event SELECT known + n - 1, s, v, i, t, d, l
    FROM unnest(streams, versions, ids, types, datas, leaves) WITH ORDINALITY AS u(s, v, i, t, d, l, n);
  IF cardinality(tags) > 0 THEN
    INSERT INTO tag SELECT t, p FROM unnest(tags, tag_places) AS u(t, p);
  END IF;
  FOR i IN 1 .. cardinality(claim_keys) LOOP
    IF claim_values[i] IS NOT NULL THEN
      INSERT INTO claim VALUES (claim_keys[i], claim_values[i], claim_places[i], NULL);
    ELSE
      UPDATE claim SET released = claim_places[i] WHERE key = claim_keys[i] AND released IS NULL;
      IF NOT FOUND THEN
        RAISE EXCEPTION 'no live claim on %', claim_keys[i] USING ERRCODE = 'CW001';
      END IF;
    END IF;
  END LOOP;
  RETURN true;
END $$;

-- Wait until nobody else appends, and hold that until the end of the transaction.
CREATE FUNCTION turn() RETURNS SETOF head LANGUAGE sql SECURITY DEFINER SET search_path = ledger, pg_catalog, pg_temp AS $$
  SELECT * FROM head FOR UPDATE
$$;

REVOKE ALL ON FUNCTION append, turn, append_only, claim_released, event_follows, head_covers FROM PUBLIC;
GRANT EXECUTE ON FUNCTION append, turn TO cw_writer;
GRANT USAGE ON SCHEMA ledger TO cw_writer, cw_reader;
GRANT SELECT ON event, head, tag, claim, checkpoint, tile, snapshot TO cw_writer, cw_reader;
GRANT INSERT ON checkpoint TO cw_writer;
GRANT INSERT, UPDATE ON tile, snapshot TO cw_writer;   -- caches

RESET search_path;
RESET ROLE;
