-- Which streams an id leads to: the vendors speak of policies and quotes, never of our streams. An id may lead
-- to several, for a policy may cover several engagements.
CREATE TABLE coverd.vendor_id (
  bucket    int  NOT NULL CHECK (bucket = coverd.bucket_of(kind || ':' || id)),
  kind      text NOT NULL,
  id        text NOT NULL,
  stream_id text NOT NULL,
  PRIMARY KEY (bucket, kind, id, stream_id)
);

GRANT SELECT, INSERT ON coverd.vendor_id TO coverd_app;
