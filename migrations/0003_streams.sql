-- A stream's head: the version writers compare with, the folded state as the answer for now, and the end of
-- the hash chain, in one row. A head of version 0 is only a lock: nothing was appended yet.
CREATE TABLE coverd.stream (
  bucket     int         NOT NULL CHECK (bucket = coverd.bucket_of(stream_id)),
  stream_id  text        NOT NULL,
  version    int         NOT NULL CHECK (version >= 0),
  state      text        NOT NULL,
  status     json        NOT NULL,
  head_hash  bytea       NOT NULL CHECK (octet_length(head_hash) = 32),
  updated_at timestamptz,
  PRIMARY KEY (bucket, stream_id),
  CHECK ((version = 0) = (updated_at IS NULL))
) WITH (fillfactor = 80);  -- no index on a changing column and room on the page: updates stay heap-only

GRANT SELECT, INSERT, UPDATE ON coverd.stream TO coverd_app;
