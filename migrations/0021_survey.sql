-- What is counted over all engagements is counted by one process every now and then, and kept here for all of them:
-- whoever shows the numbers reads one row, however many engagements there are. `due_at` is the lease.
CREATE TABLE coverd.survey (
  bucket   int         NOT NULL CHECK (bucket = coverd.bucket_of(name)),
  name     text        NOT NULL,
  due_at   timestamptz NOT NULL,
  taken_at timestamptz,
  counts   json,
  PRIMARY KEY (bucket, name),
  CHECK ((taken_at IS NULL) = (counts IS NULL))
) WITH (fillfactor = 50);

INSERT INTO coverd.survey (bucket, name, due_at)
VALUES (coverd.bucket_of('engagements'), 'engagements', '-infinity');

GRANT SELECT, UPDATE ON coverd.survey TO coverd_app;
