-- What led to an append, so that the same delivery, effect or request twice appends once. Rows may be pruned
-- by the owner once no sender tries again.
CREATE TABLE coverd.accepted (
  bucket    int  NOT NULL CHECK (bucket = coverd.bucket_of(stream_id)),
  stream_id text NOT NULL,
  cause     text NOT NULL,
  PRIMARY KEY (bucket, stream_id, cause)
);

GRANT SELECT, INSERT ON coverd.accepted TO coverd_app;
