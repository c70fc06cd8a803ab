-- Webhooks get lost, so the vendors are asked as well. Whose turn it is to ask, how far the asking has come, and
-- when each source was last heard of: without that nobody could say that an answer is no longer known.

-- One row a source. `due_at` is the lease: whoever moves it on asks, and a poller that dies is forgotten when it
-- passes. `asked_at` is the last time the source answered all it was asked.
CREATE TABLE coverd.source (
  bucket        int         NOT NULL CHECK (bucket = coverd.bucket_of(name)),
  name          text        NOT NULL,
  since         timestamptz NOT NULL,  -- when this database began to listen
  heard_at      timestamptz,           -- the last webhook or answer
  asked_at      timestamptz,
  failing_since timestamptz,
  error         text,
  due_at        timestamptz NOT NULL,
  owner         text,
  PRIMARY KEY (bucket, name),
  CHECK ((failing_since IS NULL) = (error IS NULL))
) WITH (fillfactor = 50);

GRANT SELECT, INSERT, UPDATE ON coverd.source TO coverd_app;

-- How far a sweep has come; moved in the transaction that keeps what it found up to there.
CREATE TABLE coverd.cursor (
  bucket   int         NOT NULL CHECK (bucket = coverd.bucket_of(name)),
  name     text        NOT NULL,
  place    text        NOT NULL,
  moved_at timestamptz NOT NULL,
  PRIMARY KEY (bucket, name)
) WITH (fillfactor = 50);

GRANT SELECT, INSERT, UPDATE ON coverd.cursor TO coverd_app;
