-- What a source's row says of its silence is gone once the source answers. What was known on a day must not change
-- by that, so each silence is kept: of an instant after `since`, nothing was known from `found_after` to `until`.

-- One row from one word of the source to its next, where that came when it had been silent past the limit. A webhook
-- does not end a silence, only the answer to a sweep does; but more is known from then on, so it begins a new row.
CREATE TABLE coverd.silence (
  bucket      int         NOT NULL CHECK (bucket = coverd.bucket_of(name)),
  name        text        NOT NULL,
  since       timestamptz NOT NULL,  -- last heard before it
  found_after timestamptz NOT NULL,  -- the last sweep it answered, and the limit that held
  until       timestamptz NOT NULL,  -- heard again
  PRIMARY KEY (bucket, name, since),
  CHECK (since < until AND found_after < until)
);

GRANT SELECT, INSERT ON coverd.silence TO coverd_app;
