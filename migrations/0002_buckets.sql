-- A bucket is the domain of order: positions in it are dense, and their order is the order of commits.
-- 1024 of them, for ever, so that a key never moves; on a cluster the bucket also says which machine.

-- The same function lives in domain/ids.py, and a test proves them equal. decode() gives the text's bytes like
-- convert_to() would, but is IMMUTABLE in fact and not by our word, so the planner may inline it all: a
-- quarter of the time, in every CHECK below.
CREATE FUNCTION coverd.bucket_of(p_key text) RETURNS int
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
RETURN (get_byte(sha256(decode(replace(p_key, '\', '\\'), 'escape')), 0) << 8
      | get_byte(sha256(decode(replace(p_key, '\', '\\'), 'escape')), 1)) & 1023;

-- Its row lock is the last one an append takes, held from numbering to commit. A hole is an alarm, not a wait.
CREATE TABLE coverd.bucket_head (
  bucket      int         PRIMARY KEY CHECK (bucket BETWEEN 0 AND 1023),
  position    bigint      NOT NULL DEFAULT 0 CHECK (position >= 0),
  recorded_at timestamptz NOT NULL DEFAULT '-infinity'
) WITH (fillfactor = 50);

INSERT INTO coverd.bucket_head (bucket) SELECT generate_series(0, 1023);

GRANT SELECT, UPDATE ON coverd.bucket_head TO coverd_app;
